//! Contents of files, in large pieces. Pages of zeros become holes, and a large file goes past the page cache: to fill it costs an
//! emulated machine several times what its disk costs.

use std::fs::File;
use std::io::{self, Read};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl, ftruncate};
use rustix::io::{Errno, pread, pwrite};

/// What a hole is made of, and what every file system takes that goes past the page cache.
pub const PAGE: usize = 4096;
/// Bytes that are read or written at once. The disk is given so much as several requests, which the host does side by side.
pub const PIECE: usize = 8 << 20;
/// Files of this size go past the page cache.
const LARGE: u64 = 1 << 20;

/// A page of the larger kind.
const HUGE: usize = 2 << 20;

/// A buffer that begins with a page, of the larger kind where the kernel has one: a disk then gets it as one piece, not as hundreds.
pub struct Pages {
    bytes: Vec<u8>,
    start: usize,
    size: usize,
}

impl Pages {
    #[must_use]
    pub fn new(size: usize) -> Self {
        // Memory that nobody touches is not there.
        let bytes = vec![0; size.next_multiple_of(HUGE) + HUGE];
        let start = bytes.as_ptr().align_offset(HUGE);
        Self { bytes, start, size }
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.size]
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + self.size]
    }
}

/// Whether a disk can be read into these bytes, or written from them, without a copy.
#[must_use]
pub fn begins_page(bytes: &[u8]) -> bool {
    (bytes.as_ptr() as usize).is_multiple_of(PAGE)
}

/// Writes what comes of `source` into a new file of about `size` bytes; whole pages of zeros are left out.
///
/// # Errors
/// The source's, the file's.
pub fn write(source: &mut impl Read, file: &File, size: u64, buffer: &mut Pages) -> io::Result<()> {
    let mut target = Large::new(file, size);
    let bytes = buffer.bytes_mut();
    let mut position = 0;
    let mut ends_in_hole = false;
    loop {
        let count = fill(source, bytes)?;
        ends_in_hole = target.write_sparsely(&bytes[..count], position, ends_in_hole)?;
        position += count as u64;
        if count < bytes.len() {
            break;
        }
    }
    if ends_in_hole {
        ftruncate(file, position)?;
    }
    Ok(())
}

/// A file that is read or written at given places; past the page cache while it is large and its file system does that.
pub struct Large<'a> {
    file: &'a File,
    direct: bool,
}

impl<'a> Large<'a> {
    #[must_use]
    pub fn new(file: &'a File, size: u64) -> Self {
        let direct = size >= LARGE && set_direct(file, true).is_ok();
        Self { file, direct }
    }

    /// Reads at most `wanted` bytes into a buffer that begins with a page and holds as many whole ones; none at the file's end.
    ///
    /// # Errors
    /// The kernel's.
    pub fn read(&mut self, buffer: &mut [u8], wanted: usize, position: u64) -> io::Result<usize> {
        loop {
            // A read past the page cache has to be of whole pages, whatever is wanted.
            let size = if self.direct {
                wanted.next_multiple_of(PAGE)
            } else {
                wanted
            };
            match pread(self.file, &mut buffer[..size], position) {
                Ok(count) => return Ok(count.min(wanted)),
                Err(Errno::INTR) => {}
                Err(Errno::INVAL) if self.direct => self.buffer()?,
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Whether the last page was left out.
    fn write_sparsely(&mut self, bytes: &[u8], position: u64, mut in_hole: bool) -> io::Result<bool> {
        let mut done = 0;
        while done < bytes.len() {
            let rest = &bytes[done..];
            let left_out = |page: &[u8]| page.len() == PAGE && is_zero(page);
            let holes = rest.chunks(PAGE).take_while(|page| left_out(page)).count() * PAGE;
            done += holes;
            in_hole |= holes > 0;
            let full: usize = bytes[done..]
                .chunks(PAGE)
                .take_while(|page| !left_out(page))
                .map(<[u8]>::len)
                .sum();
            if full > 0 {
                self.write(&bytes[done..done + full], position + done as u64)?;
                done += full;
                in_hole = false;
            }
        }
        Ok(in_hole)
    }

    fn write(&mut self, mut bytes: &[u8], mut position: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let whole = bytes.len() / PAGE * PAGE;
            if self.direct && whole == 0 {
                self.buffer()?;
            }
            let part = if self.direct { &bytes[..whole] } else { bytes };
            match pwrite(self.file, part, position) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    bytes = &bytes[count..];
                    position += count as u64;
                }
                Err(Errno::INTR) => {}
                // Not every file system says at once that it cannot.
                Err(Errno::INVAL) if self.direct => self.buffer()?,
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// From now on through the page cache.
    fn buffer(&mut self) -> io::Result<()> {
        self.direct = false;
        Ok(set_direct(self.file, false)?)
    }
}

fn set_direct(file: &File, direct: bool) -> rustix::io::Result<()> {
    let mut flags = fcntl_getfl(file)?;
    flags.set(OFlags::DIRECT, direct);
    fcntl_setfl(file, flags)
}

fn is_zero(page: &[u8]) -> bool {
    // The first byte tells of most that are not; wide steps, because all of an emptied disk is looked at.
    page.first() == Some(&0)
        && page
            .chunks(64)
            .all(|part| part.iter().fold(0, |seen, byte| seen | byte) == 0)
}

/// Reads until the buffer is full or there is no more.
///
/// # Errors
/// The source's.
pub fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut have = 0;
    while have < buffer.len() {
        match source.read(&mut buffer[have..]) {
            Ok(0) => break,
            Ok(count) => have += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(have)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    /// Sizes and where there are bytes other than zero, by number of page.
    fn written(name: &str, content: &[u8]) -> fs::Metadata {
        let path = std::env::temp_dir().join(format!("a3s-content-{}-{name}", std::process::id()));
        let file = File::create(&path).unwrap();
        let size = content.len() as u64;
        write(&mut &*content, &file, size, &mut Pages::new(PIECE)).unwrap();
        assert!(fs::read(&path).unwrap() == content, "{name}");
        let file = File::open(&path).unwrap();
        let mut source = Large::new(&file, size);
        let mut buffer = Pages::new(PIECE);
        let mut read = Vec::new();
        while read.len() < content.len() {
            let wanted = (content.len() - read.len()).min(PIECE);
            let count = source.read(buffer.bytes_mut(), wanted, read.len() as u64).unwrap();
            read.extend_from_slice(&buffer.bytes()[..count]);
        }
        assert!(read == content, "{name}");
        fs::remove_file(&path).unwrap();
        file.metadata().unwrap()
    }

    #[test]
    fn files_of_all_sizes_come_out_byte_for_byte() {
        for size in [0, 1, PAGE - 1, PAGE, PIECE - 1, PIECE, PIECE + 1, PIECE + PAGE + 7] {
            let content: Vec<u8> = (0..size).map(|at| u8::try_from(at / 7 % 255 + 1).unwrap()).collect();
            assert_eq!(written(&format!("full-{size}"), &content).len(), size as u64);
        }
    }

    #[test]
    fn pages_of_zeros_become_holes_wherever_they_are() {
        for (name, full) in [
            ("none", vec![]),
            ("first", vec![0]),
            ("last", vec![700]),
            ("around", vec![1, 255, 256, 699]),
        ] {
            for tail in [0, 9] {
                let mut content = vec![0; 701 * PAGE + tail];
                for page in &full {
                    content[page * PAGE + PAGE - 1] = 1;
                }
                let found = written(&format!("{name}-{tail}"), &content);
                let most = (full.len() + usize::from(tail > 0)) * PAGE / 512;
                // A file system may keep a block or two of its own.
                assert!(found.blocks() <= most as u64 + 16, "{name}: {} blocks", found.blocks());
            }
        }
    }

    #[test]
    fn a_buffer_begins_with_a_page() {
        let mut pages = Pages::new(3 * PAGE);
        assert_eq!(pages.bytes().len(), 3 * PAGE);
        assert!(begins_page(pages.bytes()) && begins_page(pages.bytes_mut()));
    }
}
