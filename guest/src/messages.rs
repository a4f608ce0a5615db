//! Length-prefixed, type-tagged messages of the workload and exec streams.

use serde::Serialize;

/// Bytes before a message's payload.
pub const HEAD_LEN: usize = 5;
/// Largest payload.
pub const MAX_PAYLOAD: u32 = 1 << 20;
/// Largest payload of STDOUT and STDERR.
pub const MAX_OUTPUT: usize = 65_536;

/// Message types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum MessageType {
    Request = 0x01,
    Stdin = 0x02,
    StdinEof = 0x03,
    Resize = 0x04,
    Signal = 0x05,
    Started = 0x11,
    Stdout = 0x12,
    Stderr = 0x13,
    #[cfg_attr(not(test), expect(dead_code, reason = "the agent has nothing to say yet"))]
    Log = 0x14,
    Result = 0x1f,
}

/// A message from the host.
#[derive(Debug, PartialEq, Eq)]
pub enum Message<'a> {
    Request(Vec<u8>),
    /// A piece of a STDIN message: long ones are passed on as they come.
    Stdin(&'a [u8]),
    StdinEof,
    Resize {
        rows: u16,
        cols: u16,
    },
    Signal(u8),
}

/// A stream carried something that is no message.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// Head of a message with `payload` bytes.
#[must_use]
pub fn head(kind: MessageType, payload: usize) -> [u8; HEAD_LEN] {
    let length = u32::try_from(payload + 1).unwrap_or(u32::MAX);
    let [a, b, c, d] = length.to_be_bytes();
    [a, b, c, d, kind as u8]
}

/// A whole message.
#[must_use]
pub fn encode(kind: MessageType, payload: &[u8]) -> Vec<u8> {
    let mut bytes = head(kind, payload.len()).to_vec();
    bytes.extend_from_slice(payload);
    bytes
}

/// A whole message with a JSON payload.
#[must_use]
pub fn encode_json(kind: MessageType, payload: &impl Serialize) -> Vec<u8> {
    encode(kind, &serde_json::to_vec(payload).unwrap_or_default())
}

/// Takes messages out of a stream's bytes. Only REQUEST is gathered; it holds at most one.
#[derive(Default)]
pub struct Decoder {
    head: [u8; HEAD_LEN],
    head_len: usize,
    body: Option<(MessageType, u32)>,
    gathered: Vec<u8>,
}

impl Decoder {
    /// Takes bytes off the front of `input`; `None` once it needs more.
    ///
    /// # Errors
    /// A length or type the host may not send.
    pub fn feed<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Message<'a>>, Malformed> {
        loop {
            let Some((kind, left)) = &mut self.body else {
                let count = input.len().min(HEAD_LEN - self.head_len);
                self.head[self.head_len..self.head_len + count].copy_from_slice(&input[..count]);
                self.head_len += count;
                *input = &input[count..];
                if self.head_len < HEAD_LEN {
                    return Ok(None);
                }
                self.head_len = 0;
                self.body = Some(check(self.head)?);
                continue;
            };
            let kind = *kind;
            if input.is_empty() && *left > 0 {
                return Ok(None);
            }
            let count = input.len().min(*left as usize);
            let (data, rest) = input.split_at(count);
            *input = rest;
            *left -= u32::try_from(count).unwrap_or(*left);
            let done = *left == 0;
            if done {
                self.body = None;
            }
            if kind == MessageType::Stdin {
                if data.is_empty() {
                    continue;
                }
                return Ok(Some(Message::Stdin(data)));
            }
            self.gathered.extend_from_slice(data);
            if done {
                return Ok(Some(whole(kind, std::mem::take(&mut self.gathered))));
            }
        }
    }
}

fn check(head: [u8; HEAD_LEN]) -> Result<(MessageType, u32), Malformed> {
    let [a, b, c, d, kind] = head;
    let payload = u32::from_be_bytes([a, b, c, d])
        .checked_sub(1)
        .filter(|payload| *payload <= MAX_PAYLOAD)
        .ok_or(Malformed("message length out of range"))?;
    let (kind, fits) = match kind {
        0x01 => (MessageType::Request, true),
        0x02 => (MessageType::Stdin, true),
        0x03 => (MessageType::StdinEof, payload == 0),
        0x04 => (MessageType::Resize, payload == 4),
        0x05 => (MessageType::Signal, payload == 1),
        _ => return Err(Malformed("unknown message type")),
    };
    if fits {
        Ok((kind, payload))
    } else {
        Err(Malformed("message length does not fit its type"))
    }
}

fn whole<'a>(kind: MessageType, payload: Vec<u8>) -> Message<'a> {
    match (kind, payload.as_slice()) {
        (MessageType::Resize, &[r0, r1, c0, c1]) => Message::Resize {
            rows: u16::from_be_bytes([r0, r1]),
            cols: u16::from_be_bytes([c0, c1]),
        },
        (MessageType::Signal, &[signal]) => Message::Signal(signal),
        (MessageType::StdinEof, _) => Message::StdinEof,
        _ => Message::Request(payload),
    }
}

/// Payload of RESULT.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Outcome {
    /// 0–255.
    pub exit_code: u8,
    /// The signal that ended the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<u8>,
    /// The kernel killed a process of the box for want of memory.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub oom_killed: bool,
    /// The command ran out of its time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub timed_out: bool,
    /// Why it never started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<crate::failure::Failure>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stdin_is_passed_on_in_pieces() {
        let bytes = [encode(MessageType::Stdin, b"abcd"), encode(MessageType::StdinEof, b"")].concat();
        let mut decoder = Decoder::default();
        let (mut first, mut second) = bytes.split_at(7);
        assert_eq!(decoder.feed(&mut first), Ok(Some(Message::Stdin(b"ab"))));
        assert_eq!(decoder.feed(&mut first), Ok(None));
        assert_eq!(decoder.feed(&mut second), Ok(Some(Message::Stdin(b"cd"))));
        assert_eq!(decoder.feed(&mut second), Ok(Some(Message::StdinEof)));
        assert_eq!(decoder.feed(&mut second), Ok(None));
    }

    #[test]
    fn requests_are_gathered() {
        let bytes = encode(MessageType::Request, b"{}");
        let mut decoder = Decoder::default();
        let mut found = None;
        for byte in &bytes {
            found = decoder.feed(&mut std::slice::from_ref(byte)).unwrap();
        }
        assert_eq!(found, Some(Message::Request(b"{}".to_vec())));
    }

    #[test]
    fn refuses_bad_lengths_and_types() {
        for bytes in [
            [0, 0, 0, 0, 1],
            [0, 16, 0, 2, 2],
            [0, 0, 0, 1, 9],
            [0, 0, 0, 1, 0x11],
            [0, 0, 0, 2, 3],
            [0, 0, 0, 4, 4],
        ] {
            assert!(Decoder::default().feed(&mut &bytes[..]).is_err(), "{bytes:?}");
        }
    }
}
