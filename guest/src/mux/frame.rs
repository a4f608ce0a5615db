//! Frames of the multiplexer: yamux's 12-byte header.

/// Bytes of a frame header.
pub const HEADER_LEN: usize = 12;

/// Flag bits of a frame.
pub mod flag {
    /// Opens a stream.
    pub const SYN: u16 = 1;
    /// Accepts a stream, or answers a ping.
    pub const ACK: u16 = 2;
    /// Ends the sender's half of a stream.
    pub const FIN: u16 = 4;
    /// Ends a stream at once, both halves.
    pub const RST: u16 = 8;
    /// Every bit with a meaning.
    pub const ALL: u16 = SYN | ACK | FIN | RST;
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameType {
    /// `length` bytes of a stream follow.
    Data = 0,
    /// `length` is added to the stream's send window.
    WindowUpdate = 1,
    /// `length` is an opaque value to send back.
    Ping = 2,
    /// `length` is the reason for the session's end.
    GoAway = 3,
}

/// A decoded header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the frame carries.
    pub kind: FrameType,
    /// Bits of [`flag`].
    pub flags: u16,
    /// Stream id, 0 for the session.
    pub stream: u32,
    /// Meaning depends on `kind`.
    pub length: u32,
}

/// A peer broke the protocol; the text is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation(pub &'static str);

impl Header {
    /// Bytes as sent.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[1] = self.kind as u8;
        bytes[2..4].copy_from_slice(&self.flags.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.stream.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.length.to_be_bytes());
        bytes
    }

    /// # Errors
    /// A version, type or flag bit the protocol does not know.
    pub fn decode(bytes: &[u8; HEADER_LEN]) -> Result<Self, Violation> {
        let [version, kind, f0, f1, s0, s1, s2, s3, l0, l1, l2, l3] = *bytes;
        if version != 0 {
            return Err(Violation("unknown frame version"));
        }
        let kind = match kind {
            0 => FrameType::Data,
            1 => FrameType::WindowUpdate,
            2 => FrameType::Ping,
            3 => FrameType::GoAway,
            _ => return Err(Violation("unknown frame type")),
        };
        let flags = u16::from_be_bytes([f0, f1]);
        if flags & !flag::ALL != 0 {
            return Err(Violation("unknown frame flags"));
        }
        Ok(Self {
            kind,
            flags,
            stream: u32::from_be_bytes([s0, s1, s2, s3]),
            length: u32::from_be_bytes([l0, l1, l2, l3]),
        })
    }
}
