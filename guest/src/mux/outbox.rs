//! Bytes on their way to the port: one flat buffer that a pipe can be read straight into.

use std::ops::Range;

/// Above this the agent takes in no more work until the port has drained: output waits in its pipe.
pub const HIGH_WATER: usize = 192 * 1024;

/// A queue of bytes in one piece.
#[derive(Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Outbox {
    /// Bytes not yet written.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// How many bytes wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether output may be added.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.len() < HIGH_WATER
    }

    /// Notes that the first `count` pending bytes were written.
    pub fn written(&mut self, count: usize) {
        self.start += count;
        if self.start >= self.end {
            self.clear();
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }

    /// Appends `bytes`.
    pub fn push(&mut self, bytes: &[u8]) {
        self.space(bytes.len()).copy_from_slice(bytes);
        self.end += bytes.len();
    }

    /// At least `count` writable bytes behind the pending ones; [`Outbox::commit`] makes them pending.
    pub fn space(&mut self, count: usize) -> &mut [u8] {
        if self.bytes.len() - self.end < count && self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let Range { start, end } = self.end..self.end + count;
        if self.bytes.len() < end {
            self.bytes.resize(end.next_power_of_two().max(4096), 0);
        }
        &mut self.bytes[start..end]
    }

    /// Makes the first `count` bytes of the last [`Outbox::space`] pending.
    pub fn commit(&mut self, count: usize) {
        self.end += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_over_partial_writes() {
        let mut out = Outbox::default();
        out.push(b"abcdef");
        out.written(2);
        out.space(8192)[..2].copy_from_slice(b"gh");
        out.commit(2);
        assert_eq!(out.pending(), b"cdefgh");
        out.written(6);
        assert_eq!(out.len(), 0);
    }
}
