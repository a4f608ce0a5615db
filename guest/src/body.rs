//! What waits to be sent on a stream. Command output is kept raw and turned to base64 as it goes.

use std::collections::VecDeque;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::mux::Mux;

/// Raw bytes encoded at a time; a multiple of 3, so that the pieces join.
const PIECE: usize = 48 * 1024;

enum Segment {
    Plain(Vec<u8>),
    Base64(Vec<u8>),
}

/// A queue of bytes for one stream.
#[derive(Default)]
pub struct Body {
    segments: VecDeque<(Segment, usize)>,
}

impl Body {
    /// Whether everything was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Appends bytes.
    pub fn push(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.segments.push_back((Segment::Plain(bytes), 0));
        }
    }

    /// Appends the base64 form of bytes.
    pub fn push_base64(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.segments.push_back((Segment::Base64(bytes), 0));
        }
    }

    /// Sends what the stream's window and the outbox allow.
    pub fn pump(&mut self, mux: &mut Mux, stream: u32) {
        while let Some((segment, at)) = self.segments.front_mut() {
            if !mux.out.has_room() || mux.send_window(stream) == 0 {
                return;
            }
            match segment {
                Segment::Plain(bytes) => {
                    let end = bytes.len().min(*at + PIECE);
                    *at += mux.send(stream, &bytes[*at..end]);
                    if *at < bytes.len() {
                        continue;
                    }
                    self.segments.pop_front();
                }
                Segment::Base64(bytes) => {
                    let end = bytes.len().min(*at + PIECE);
                    let piece = STANDARD.encode(&bytes[*at..end]).into_bytes();
                    *at = end;
                    if end == bytes.len() {
                        self.segments.pop_front();
                    }
                    self.segments.push_front((Segment::Plain(piece), 0));
                }
            }
        }
    }
}

/// Length of the base64 form of `count` bytes.
#[must_use]
pub fn base64_len(count: usize) -> usize {
    count.div_ceil(3) * 4
}
