//! The session handshake: finds HELLO in a stream that may begin with leavings of an earlier session.

/// Bytes of a HELLO or READY line, with its newline.
pub const LINE_LEN: usize = 45;
const PREFIX: &[u8] = b"A3S/";
const HELLO: &[u8] = b"A3S/1 HELLO ";
const READY: &[u8] = b"A3S/1 READY ";
/// Answer to another version.
pub const UNSUPPORTED: &[u8] = b"A3S/1 UNSUPPORTED\n";

/// What one more byte completed.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing yet.
    Nothing,
    /// A HELLO; the READY line to answer.
    Hello([u8; LINE_LEN]),
    /// A greeting of another version.
    OtherVersion,
}

/// The search for HELLO. Holds at most one line.
#[derive(Default)]
pub struct Search {
    line: Vec<u8>,
}

impl Search {
    /// Takes one byte of the stream.
    pub fn feed(&mut self, byte: u8) -> Found {
        self.line.push(byte);
        let mut other = false;
        // Keep the longest tail that may still become a line.
        while !self.line.is_empty() {
            match judge(&self.line) {
                Verdict::Partial => break,
                Verdict::Hello => {
                    let mut ready = [0; LINE_LEN];
                    ready.copy_from_slice(&self.line);
                    ready[..READY.len()].copy_from_slice(READY);
                    self.line.clear();
                    return Found::Hello(ready);
                }
                Verdict::OtherVersion => {
                    other = true;
                    self.line.remove(0);
                }
                Verdict::No => {
                    self.line.remove(0);
                }
            }
        }
        if other { Found::OtherVersion } else { Found::Nothing }
    }
}

enum Verdict {
    Partial,
    Hello,
    OtherVersion,
    No,
}

fn judge(line: &[u8]) -> Verdict {
    let head = line.len().min(HELLO.len());
    if line[..head] != HELLO[..head] {
        // `A3S/<digits> `: a greeting, of a version that is not ours.
        if let Some(version) = line.strip_prefix(PREFIX) {
            return match version.split_last() {
                Some((b' ', [])) => Verdict::No,
                Some((b' ', digits)) if digits != b"1" => Verdict::OtherVersion,
                Some((last, _)) if last.is_ascii_digit() && version.len() <= 8 => Verdict::Partial,
                _ => Verdict::No,
            };
        }
        return Verdict::No;
    }
    let Some(nonce) = line.get(HELLO.len()..) else {
        return Verdict::Partial;
    };
    let digits = &nonce[..nonce.len().min(32)];
    if !digits.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Verdict::No;
    }
    match nonce.get(32) {
        None => Verdict::Partial,
        Some(b'\n') => Verdict::Hello,
        Some(_) => Verdict::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(bytes: &[u8]) -> Vec<Found> {
        let mut search = Search::default();
        bytes
            .iter()
            .map(|byte| search.feed(*byte))
            .filter(|found| *found != Found::Nothing)
            .collect()
    }

    const LINE: &[u8] = b"A3S/1 HELLO 00112233445566778899aabbccddeeff\n";

    fn ready() -> Found {
        let mut line = [0; LINE_LEN];
        line.copy_from_slice(b"A3S/1 READY 00112233445566778899aabbccddeeff\n");
        Found::Hello(line)
    }

    #[test]
    fn finds_hello_behind_leavings() {
        for junk in [
            &b""[..],
            b"A3",
            b"A3S/1 HELLO 0011",
            b"A3SA3S/",
            b"\0\xff\n",
            b"A3S/1 HELLO 00112233445566778899aabbccddeefg",
        ] {
            assert_eq!(search(&[junk, LINE].concat()), [ready()], "{junk:?}");
        }
    }

    #[test]
    fn answers_other_versions_and_goes_on() {
        for greeting in [&b"A3S/2 HELLO x\n"[..], b"A3S/10 HELLO x\n"] {
            assert_eq!(search(&[greeting, LINE].concat()), [Found::OtherVersion, ready()]);
        }
    }

    #[test]
    fn upper_case_nonces_are_not_lines() {
        assert!(search(&LINE.to_ascii_uppercase()).is_empty());
    }
}
