//! The transfer disk: archives cross by way of a small disk that the host reads and writes as a file, and only words about it go
//! over the stream. See `docs/protocol.md`, "transfer disk".
//!
//! A word is a big-endian u32. With the highest bit, so many bytes are in the next slot of the disk; without it, so many bytes
//! follow; 0 is the end. The reader gives each slot back with one byte. What is long enough goes between disk and files in whole pages, past every
//! cache and, where buffers allow, without a copy.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{Mode, OFlags, open};

use crate::devices;
use crate::errand::own;
use crate::failure::Failure;
use crate::files::content::{PAGE, Pages, begins_page};

/// What a slot holds, and how many there are.
pub const SLOT: usize = 4 << 20;
pub const SLOTS: usize = 4;
const IN_SLOT: u32 = 1 << 31;
/// Fewer bytes than this are not worth a slot.
const LEAST: usize = 64 << 10;
const PIPE: usize = 128 << 10;

/// The disk; `None` in a machine that has none.
#[must_use]
pub fn disk() -> Option<OwnedFd> {
    let path = devices::disk("transfer")?;
    open(path, OFlags::RDWR | OFlags::DIRECT | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// What an errand reads an archive from.
pub enum Input {
    Stream(BufReader<File>),
    Disk(Box<Receiver<BufReader<File>, File>>),
}

impl Input {
    /// Standard input, by way of `disk` where there is one.
    ///
    /// # Errors
    /// The kernel's.
    pub fn open(disk: Option<OwnedFd>) -> Result<Self, Failure> {
        let stream = BufReader::with_capacity(PIPE, File::from(own(rustix::stdio::stdin())?));
        let Some(disk) = disk else {
            return Ok(Self::Stream(stream));
        };
        let acknowledged = File::from(own(rustix::stdio::stdout())?);
        Ok(Self::Disk(Box::new(Receiver::new(stream, acknowledged, disk.into()))))
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stream(stream) => stream.read(into),
            Self::Disk(receiver) => receiver.read(into),
        }
    }
}

/// What an errand writes an archive to.
pub enum Output {
    Stream(BufWriter<File>),
    Disk(Box<Sender<File, File>>),
}

impl Output {
    /// Standard output, by way of `disk` where there is one.
    ///
    /// # Errors
    /// The kernel's.
    pub fn open(disk: Option<OwnedFd>) -> Result<Self, Failure> {
        let stream = File::from(own(rustix::stdio::stdout())?);
        let Some(disk) = disk else {
            return Ok(Self::Stream(BufWriter::with_capacity(PIPE, stream)));
        };
        let acknowledged = File::from(own(rustix::stdio::stdin())?);
        Ok(Self::Disk(Box::new(Sender::new(stream, acknowledged, disk.into()))))
    }

    /// Says that there is no more, once all of it is written.
    ///
    /// # Errors
    /// The stream's.
    pub fn end(self) -> io::Result<()> {
        match self {
            Self::Stream(mut stream) => stream.flush(),
            Self::Disk(sender) => sender.end(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stream(stream) => stream.write(bytes),
            Self::Disk(sender) => sender.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stream(stream) => stream.flush(),
            Self::Disk(sender) => sender.flush(),
        }
    }
}

/// The reader's side.
pub struct Receiver<R, W> {
    words: R,
    acknowledged: W,
    disk: File,
    next: usize,
    /// Bytes of the stream that are content.
    following: usize,
    ended: bool,
    buffer: Pages,
    start: usize,
    end: usize,
}

impl<R: Read, W: Write> Receiver<R, W> {
    fn new(words: R, acknowledged: W, disk: File) -> Self {
        Self {
            words,
            acknowledged,
            disk,
            next: 0,
            following: 0,
            ended: false,
            buffer: Pages::new(SLOT),
            start: 0,
            end: 0,
        }
    }

    fn word(&mut self) -> io::Result<u32> {
        let mut word = [0; 4];
        self.words.read_exact(&mut word)?;
        Ok(u32::from_be_bytes(word))
    }

    /// Takes the next slot's bytes straight to where they are wanted, or else into the buffer.
    fn slot(&mut self, length: usize, into: &mut [u8]) -> io::Result<usize> {
        if length == 0 || length > SLOT {
            return Err(io::Error::other("a slot does not hold that much"));
        }
        let place = (self.next * SLOT) as u64;
        self.next = (self.next + 1) % SLOTS;
        let whole = length.next_multiple_of(PAGE);
        let fits = into.len() >= whole && begins_page(into);
        let target = if fits { into } else { self.buffer.bytes_mut() };
        self.disk.read_exact_at(&mut target[..whole], place)?;
        self.acknowledged.write_all(&[0])?;
        if fits {
            return Ok(length);
        }
        (self.start, self.end) = (0, length);
        Ok(0)
    }
}

impl<R: Read, W: Write> Read for Receiver<R, W> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while !into.is_empty() {
            if self.start < self.end {
                let count = into.len().min(self.end - self.start);
                into[..count].copy_from_slice(&self.buffer.bytes()[self.start..self.start + count]);
                self.start += count;
                return Ok(count);
            }
            if self.following > 0 {
                let most = into.len().min(self.following);
                let count = self.words.read(&mut into[..most])?;
                self.following -= count;
                return if count == 0 {
                    Err(io::ErrorKind::UnexpectedEof.into())
                } else {
                    Ok(count)
                };
            }
            if self.ended {
                break;
            }
            let word = self.word()?;
            let length = (word & !IN_SLOT) as usize;
            if word & IN_SLOT == 0 {
                self.following = length;
                self.ended = length == 0;
                continue;
            }
            let count = self.slot(length, into)?;
            if count > 0 {
                return Ok(count);
            }
        }
        Ok(0)
    }
}

/// The writer's side.
pub struct Sender<W, R> {
    words: W,
    acknowledged: R,
    disk: File,
    next: usize,
    /// Slots that the reader has not given back.
    taken: usize,
    buffer: Pages,
    filled: usize,
}

impl<W: Write, R: Read> Sender<W, R> {
    fn new(words: W, acknowledged: R, disk: File) -> Self {
        Self {
            words,
            acknowledged,
            disk,
            next: 0,
            taken: 0,
            buffer: Pages::new(SLOT),
            filled: 0,
        }
    }

    /// Sends what is in the buffer.
    fn gathered(&mut self) -> io::Result<()> {
        let filled = std::mem::take(&mut self.filled);
        if filled == 0 {
            return Ok(());
        }
        if filled < LEAST {
            let mut said = Vec::with_capacity(4 + filled);
            said.extend_from_slice(&u32::try_from(filled).unwrap_or(0).to_be_bytes());
            said.extend_from_slice(&self.buffer.bytes()[..filled]);
            return self.words.write_all(&said);
        }
        let place = self.place()?;
        let whole = filled.next_multiple_of(PAGE);
        self.disk.write_all_at(&self.buffer.bytes()[..whole], place)?;
        self.say(filled)
    }

    /// Where the next slot is, once it is free.
    fn place(&mut self) -> io::Result<u64> {
        if self.taken == SLOTS {
            let mut byte = [0];
            self.acknowledged.read_exact(&mut byte)?;
            self.taken -= 1;
        }
        let place = (self.next * SLOT) as u64;
        self.next = (self.next + 1) % SLOTS;
        self.taken += 1;
        Ok(place)
    }

    fn say(&mut self, length: usize) -> io::Result<()> {
        let word = u32::try_from(length).unwrap_or(0) | IN_SLOT;
        self.words.write_all(&word.to_be_bytes())
    }

    /// The last word is 0; the reader closes its side once it has everything.
    fn end(mut self) -> io::Result<()> {
        self.gathered()?;
        self.words.write_all(&[0; 4])?;
        io::copy(&mut self.acknowledged, &mut io::sink())?;
        Ok(())
    }
}

impl<W: Write, R: Read> Write for Sender<W, R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() >= LEAST && begins_page(bytes) {
            self.gathered()?;
            let count = bytes.len().min(SLOT) / PAGE * PAGE;
            let place = self.place()?;
            self.disk.write_all_at(&bytes[..count], place)?;
            self.say(count)?;
            return Ok(count);
        }
        let count = bytes.len().min(SLOT - self.filled);
        self.buffer.bytes_mut()[self.filled..self.filled + count].copy_from_slice(&bytes[..count]);
        self.filled += count;
        if self.filled == SLOT {
            self.gathered()?;
        }
        Ok(count)
    }

    /// What there is no slot's worth of stays: only the end sends it.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Cursor, pipe};

    use super::*;

    fn scratch(name: &str) -> (File, std::path::PathBuf) {
        let path = std::env::temp_dir().join(format!("a3s-transfer-{}-{name}", std::process::id()));
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .unwrap();
        file.set_len((SLOT * SLOTS) as u64).unwrap();
        (file, path)
    }

    #[test]
    fn what_is_sent_is_received_in_whatever_pieces() {
        let (disk, path) = scratch("both");
        let (from_words, words) = pipe().unwrap();
        let (from_acks, acks) = pipe().unwrap();
        let mut aligned = Pages::new(SLOT);
        for (at, byte) in aligned.bytes_mut().iter_mut().enumerate() {
            *byte = u8::try_from(at % 251).unwrap();
        }
        let odd: Vec<u8> = (0..LEAST + 3).map(|at| u8::try_from(at % 13).unwrap()).collect();
        let small = vec![7; 512];
        let pieces: Vec<&[u8]> = vec![
            &small,
            aligned.bytes(),
            &aligned.bytes()[..LEAST + PAGE + 5],
            &odd,
            &small,
        ];
        // More than the slots hold at once.
        let all = pieces.concat().repeat(3);
        let mut sender = Sender::new(words, from_acks, disk.try_clone().unwrap());
        let mut all_read = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut receiver = Receiver::new(BufReader::new(from_words), acks, disk);
                let mut buffer = Pages::new(SLOT);
                for size in [512, 1, SLOT, PAGE, 100, SLOT].into_iter().cycle() {
                    let count = receiver.read(&mut buffer.bytes_mut()[..size]).unwrap();
                    if count == 0 {
                        return;
                    }
                    all_read.extend_from_slice(&buffer.bytes()[..count]);
                }
            });
            for piece in pieces.iter().cycle().take(3 * pieces.len()) {
                sender.write_all(piece).unwrap();
            }
            sender.end().unwrap();
        });
        assert!(all_read == all);
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_word_out_of_bounds_and_an_end_in_the_middle_are_errors() {
        let (disk, path) = scratch("bad");
        for words in [
            (IN_SLOT | (u32::try_from(SLOT).unwrap() + 1)).to_be_bytes().to_vec(),
            IN_SLOT.to_be_bytes().to_vec(),
            vec![0, 0],
            vec![0, 0, 0, 2, 1],
            vec![0, 0, 0, 1, 1],
        ] {
            let mut receiver = Receiver::new(Cursor::new(words.clone()), Vec::new(), disk.try_clone().unwrap());
            assert!(receiver.read_to_end(&mut Vec::new()).is_err(), "{words:?}");
        }
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_writer_waits_for_a_slot_and_fails_when_none_comes_back() {
        let (disk, path) = scratch("wait");
        let mut sender = Sender::new(Vec::new(), Cursor::new(vec![0]), disk);
        let pages = Pages::new(SLOT);
        for _ in 0..=SLOTS {
            sender.write_all(pages.bytes()).unwrap();
        }
        assert_eq!(sender.words.len(), 4 * (SLOTS + 1));
        assert!(sender.write_all(pages.bytes()).is_err());
        fs::remove_file(path).unwrap();
    }
}
