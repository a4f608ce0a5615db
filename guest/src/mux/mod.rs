//! The multiplexer's state machine, server side: windows, opening and closing of streams. No input or
//! output of its own: bytes are fed in, events come out, frames gather in the [`Outbox`].

mod frame;
mod outbox;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use frame::{FrameType, HEADER_LEN, Header, Violation, flag};
pub use outbox::{HIGH_WATER, Outbox};

/// A stream's first window in each direction, in bytes.
pub const INITIAL_WINDOW: u32 = 262_144;
/// No window may be lifted over this.
pub const MAX_WINDOW: u32 = 16 << 20;
/// Streams open at once.
pub const MAX_STREAMS: usize = 256;

/// Windows and ends of one stream.
struct Flow {
    send: u32,
    receive: u32,
    consumed: u32,
    ended_here: bool,
    ended_there: bool,
}

/// What fed bytes meant to the services above.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Nothing to act on.
    None,
    /// The host opened a stream.
    Opened(u32),
    /// Bytes of a stream; give them back with [`Mux::consume`].
    Data(u32, &'a [u8]),
    /// More may be sent on a stream.
    Window(u32),
    /// The host will send no more on a stream.
    Finished(u32),
    /// The host dropped a stream.
    Reset(u32),
}

/// One session's streams.
#[derive(Default)]
pub struct Mux {
    /// Frames to send.
    pub out: Outbox,
    flows: BTreeMap<u32, Flow>,
    highest: u32,
    head: [u8; HEADER_LEN],
    head_len: usize,
    body: Option<Body>,
    opened: Option<u32>,
    finished: Option<u32>,
}

/// The DATA frame being received.
struct Body {
    stream: u32,
    left: u32,
    finish: bool,
}

impl Mux {
    /// Takes bytes off the front of `input` and says what they meant. Call until `input` is empty and the
    /// event is [`Event::None`].
    ///
    /// # Errors
    /// The host broke the protocol.
    pub fn feed<'a>(&mut self, input: &mut &'a [u8]) -> Result<Event<'a>, Violation> {
        if let Some(stream) = self.opened.take() {
            return Ok(Event::Opened(stream));
        }
        if let Some(stream) = self.finished.take() {
            self.close_half(stream, false);
            return Ok(Event::Finished(stream));
        }
        if let Some(body) = &mut self.body {
            let stream = body.stream;
            let count = input.len().min(body.left as usize);
            let (data, rest) = input.split_at(count);
            *input = rest;
            body.left -= u32::try_from(count).unwrap_or(body.left);
            if body.left == 0 {
                let known = self.flows.contains_key(&stream);
                self.finished = (body.finish && known).then_some(stream);
                self.body = None;
            }
            let known = self.flows.contains_key(&stream);
            return Ok(if known && count > 0 {
                Event::Data(stream, data)
            } else {
                Event::None
            });
        }
        let count = input.len().min(HEADER_LEN - self.head_len);
        self.head[self.head_len..self.head_len + count].copy_from_slice(&input[..count]);
        self.head_len += count;
        *input = &input[count..];
        if self.head_len < HEADER_LEN {
            return Ok(Event::None);
        }
        self.head_len = 0;
        let header = Header::decode(&self.head)?;
        self.header(header)
    }

    /// Whether [`Mux::feed`] has something to say without more input.
    #[must_use]
    pub fn has_event(&self) -> bool {
        self.opened.is_some() || self.finished.is_some()
    }

    fn header<'a>(&mut self, header: Header) -> Result<Event<'a>, Violation> {
        match header.kind {
            FrameType::Ping => {
                if header.flags & flag::SYN != 0 {
                    self.frame(FrameType::Ping, flag::ACK, 0, header.length);
                }
                return Ok(Event::None);
            }
            FrameType::GoAway => return Ok(Event::None),
            FrameType::Data | FrameType::WindowUpdate => {}
        }
        if header.stream == 0 {
            return Err(Violation("stream frame on stream 0"));
        }
        if header.flags & flag::SYN != 0 {
            self.open(header.stream)?;
        }
        let stream = header.stream;
        if header.flags & flag::RST != 0 {
            if header.kind == FrameType::Data && header.length > 0 {
                self.body = Some(Body {
                    stream,
                    left: header.length,
                    finish: false,
                });
            }
            self.opened = None;
            return Ok(match self.flows.remove(&stream) {
                Some(_) => Event::Reset(stream),
                None => Event::None,
            });
        }
        let finish = header.flags & flag::FIN != 0;
        let Some(flow) = self.flows.get_mut(&stream) else {
            if header.kind == FrameType::Data && header.length > 0 {
                self.body = Some(Body {
                    stream,
                    left: header.length,
                    finish: false,
                });
            }
            return Ok(Event::None);
        };
        if header.kind == FrameType::WindowUpdate {
            flow.send = flow
                .send
                .checked_add(header.length)
                .filter(|window| *window <= MAX_WINDOW)
                .ok_or(Violation("window over 16 MiB"))?;
            if finish {
                self.finished = Some(stream);
            }
            return Ok(match self.opened.take() {
                Some(stream) => Event::Opened(stream),
                None => Event::Window(stream),
            });
        }
        if flow.ended_there {
            return Err(Violation("data after the stream's end"));
        }
        flow.receive = flow
            .receive
            .checked_sub(header.length)
            .ok_or(Violation("data beyond the window"))?;
        if header.length > 0 {
            self.body = Some(Body {
                stream,
                left: header.length,
                finish,
            });
        } else if finish {
            self.finished = Some(stream);
        }
        Ok(match self.opened.take() {
            Some(stream) => Event::Opened(stream),
            None => Event::None,
        })
    }

    fn open(&mut self, stream: u32) -> Result<(), Violation> {
        if stream.is_multiple_of(2) || stream <= self.highest {
            return Err(Violation("stream ids must be odd and rise"));
        }
        self.highest = stream;
        if self.flows.len() >= MAX_STREAMS {
            self.frame(FrameType::WindowUpdate, flag::RST, stream, 0);
            return Ok(());
        }
        let flow = Flow {
            send: INITIAL_WINDOW,
            receive: INITIAL_WINDOW,
            consumed: 0,
            ended_here: false,
            ended_there: false,
        };
        self.flows.insert(stream, flow);
        self.frame(FrameType::WindowUpdate, flag::ACK, stream, 0);
        self.opened = Some(stream);
        Ok(())
    }

    fn frame(&mut self, kind: FrameType, flags: u16, stream: u32, length: u32) {
        let header = Header {
            kind,
            flags,
            stream,
            length,
        };
        self.out.push(&header.encode());
    }

    /// Whether a stream is still there.
    #[must_use]
    pub fn is_open(&self, stream: u32) -> bool {
        self.flows.contains_key(&stream)
    }

    /// Bytes that may be sent on a stream now.
    #[must_use]
    pub fn send_window(&self, stream: u32) -> usize {
        self.flows
            .get(&stream)
            .filter(|flow| !flow.ended_here)
            .map_or(0, |flow| flow.send as usize)
    }

    /// Says that `count` received bytes were used up; the window is given back in halves.
    pub fn consume(&mut self, stream: u32, count: usize) {
        let Some(flow) = self.flows.get_mut(&stream) else {
            return;
        };
        flow.consumed += u32::try_from(count).unwrap_or(0);
        if flow.consumed >= INITIAL_WINDOW / 2 && !flow.ended_there {
            let delta = std::mem::take(&mut flow.consumed);
            flow.receive += delta;
            self.frame(FrameType::WindowUpdate, 0, stream, delta);
        }
    }

    /// Sends as much of `bytes` as the window allows; the count sent.
    pub fn send(&mut self, stream: u32, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.send_window(stream));
        if count > 0 {
            self.fill(stream, count, |space| {
                space.copy_from_slice(&bytes[..count]);
                count
            });
        }
        count
    }

    /// Sends one DATA frame of at most `max` bytes that `source` writes in place; it returns how many.
    /// The caller has looked at [`Mux::send_window`].
    pub fn fill(&mut self, stream: u32, max: usize, source: impl FnOnce(&mut [u8]) -> usize) {
        let space = self.out.space(HEADER_LEN + max);
        let count = source(&mut space[HEADER_LEN..]).min(max);
        let Ok(length) = u32::try_from(count) else {
            return;
        };
        if count == 0 {
            return;
        }
        let header = Header {
            kind: FrameType::Data,
            flags: 0,
            stream,
            length,
        };
        space[..HEADER_LEN].copy_from_slice(&header.encode());
        self.out.commit(HEADER_LEN + count);
        if let Some(flow) = self.flows.get_mut(&stream) {
            flow.send = flow.send.saturating_sub(length);
        }
    }

    /// Ends this side's half of a stream.
    pub fn finish(&mut self, stream: u32) {
        if self.flows.get(&stream).is_some_and(|flow| !flow.ended_here) {
            self.frame(FrameType::WindowUpdate, flag::FIN, stream, 0);
            self.close_half(stream, true);
        }
    }

    /// Announces the session's end: 0 for a wanted one, 1 for a violation.
    pub fn go_away(&mut self, reason: u32) {
        self.frame(FrameType::GoAway, 0, 0, reason);
    }

    fn close_half(&mut self, stream: u32, here: bool) {
        if let Some(flow) = self.flows.get_mut(&stream) {
            if here {
                flow.ended_here = true;
            } else {
                flow.ended_there = true;
            }
            if flow.ended_here && flow.ended_there {
                self.flows.remove(&stream);
            }
        }
    }
}
