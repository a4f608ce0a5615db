//! The members of a tar archive, one after the other: ustar, GNU's and PAX. Names and attributes may hold any byte; holes of sparse
//! files are read as zeros.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;

use tar::{EntryType, Header};

use super::pax::{self, Records};
use super::sparse::{self, Sparse};

const BLOCK: u64 = 512;
/// Names and records of one member.
const MAX_EXTENSION: u64 = 16 << 20;

/// An archive that is read as it comes.
pub struct Archive<R> {
    source: R,
    /// Bytes before the next header.
    left: u64,
}

/// A member, and its content to be read.
pub struct Entry<'a, R> {
    pub header: Header,
    pub path: Vec<u8>,
    pub link: Vec<u8>,
    pub records: Records,
    /// Of the content, with its holes.
    pub size: u64,
    archive: &'a mut Archive<R>,
    data: VecDeque<Range<u64>>,
    position: u64,
}

/// What comes in front of a member's own header.
#[derive(Default)]
struct Before {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    records: Records,
}

impl<R: Read> Archive<R> {
    pub fn new(source: R) -> Self {
        Self { source, left: 0 }
    }

    /// What is behind the archive.
    pub fn into_inner(self) -> R {
        self.source
    }

    /// The next member; what is left of the last one is skipped.
    ///
    /// # Errors
    /// The source's; for what is no sound archive.
    pub fn next(&mut self) -> io::Result<Option<Entry<'_, R>>> {
        self.skip()?;
        let mut before = Before::default();
        while let Some(header) = self.header()? {
            let size = header.entry_size()?;
            match header.entry_type() {
                EntryType::GNULongName => before.path = Some(self.name(size)?),
                EntryType::GNULongLink => before.link = Some(self.name(size)?),
                EntryType::XHeader => before.records = pax::records(&self.extension(size)?)?,
                // Of the archive as a whole: nothing in it is for a file system.
                EntryType::XGlobalHeader => {
                    self.left = padded(size)?;
                    self.skip()?;
                }
                _ => return self.member(header, before).map(Some),
            }
        }
        Ok(None)
    }

    fn member(&mut self, mut header: Header, before: Before) -> io::Result<Entry<'_, R>> {
        let Before { path, link, records } = before;
        let text = |key: &[u8]| {
            let found = records.iter().rev().find(|(name, _)| name == key);
            found.map(|(_, value)| value.clone())
        };
        let number = |key: &[u8]| {
            let value = text(key).filter(|value| !value.is_empty());
            let wrong = || io::Error::other(format!("no number in {}", String::from_utf8_lossy(key)));
            value.map(|value| pax::number(&value).ok_or_else(wrong)).transpose()
        };
        let stored = match header.entry_type() {
            // There is none, whatever the header says.
            EntryType::Link
            | EntryType::Symlink
            | EntryType::Char
            | EntryType::Block
            | EntryType::Directory
            | EntryType::Fifo => 0,
            _ => number(b"size")?.map_or_else(|| header.entry_size(), Ok)?,
        };
        if let Some(uid) = number(b"uid")? {
            header.set_uid(uid);
        }
        if let Some(gid) = number(b"gid")? {
            header.set_gid(gid);
        }
        let path = text(b"GNU.sparse.name").or_else(|| text(b"path")).or(path);
        let path = path.unwrap_or_else(|| header.path_bytes().into_owned());
        let link = text(b"linkpath").or(link);
        let link = link.unwrap_or_else(|| header.link_name_bytes().unwrap_or_default().into_owned());
        self.left = padded(stored)?;
        let sparse = if header.entry_type() == EntryType::GNUSparse {
            Some(sparse::of_header(&header, &mut self.source)?)
        } else {
            sparse::of_records(&records, &mut self.source, stored)?
        };
        let plain = Sparse {
            size: stored,
            data: std::iter::once(0..stored).collect(),
            map: 0,
        };
        let Sparse { size, data, map } = sparse.unwrap_or(plain);
        if data.iter().map(|part| part.end - part.start).sum::<u64>() != stored - map {
            return Err(io::Error::other("a sparse file with another size than its map has"));
        }
        self.left -= map;
        Ok(Entry {
            header,
            path,
            link,
            records,
            size,
            archive: self,
            data,
            position: 0,
        })
    }

    /// None at the end.
    fn header(&mut self) -> io::Result<Option<Header>> {
        let mut header = Header::new_old();
        let bytes = header.as_mut_bytes();
        let count = super::content::fill(&mut self.source, bytes)?;
        if count == 0 || (count == bytes.len() && bytes.iter().all(|byte| *byte == 0)) {
            return Ok(None);
        }
        if count < bytes.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let field = 148..156;
        let counted = |(at, byte): (usize, &u8)| u32::from(if field.contains(&at) { b' ' } else { *byte });
        let sum: u32 = bytes.iter().enumerate().map(counted).sum();
        if sum != header.cksum()? {
            return Err(io::Error::other("archive header checksum mismatch"));
        }
        Ok(Some(header))
    }

    /// A name of GNU's ends with a NUL.
    fn name(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let mut bytes = self.extension(size)?;
        let end = bytes.iter().position(|byte| *byte == 0);
        bytes.truncate(end.unwrap_or(bytes.len()));
        Ok(bytes)
    }

    fn extension(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > MAX_EXTENSION {
            return Err(io::Error::other("names and attributes of more than 16 MiB"));
        }
        let mut bytes = Vec::new();
        let count = self.source.by_ref().take(size).read_to_end(&mut bytes)?;
        if count as u64 != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = padded(size)? - size;
        self.skip()?;
        Ok(bytes)
    }

    fn skip(&mut self) -> io::Result<()> {
        let skipped = io::copy(&mut self.source.by_ref().take(self.left), &mut io::sink())?;
        if skipped < self.left {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = 0;
        Ok(())
    }
}

impl<R: Read> Read for Entry<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.data.front().is_some_and(|part| part.end <= self.position) {
            self.data.pop_front();
        }
        let next = self.data.front().map_or(self.size, |part| part.start);
        let in_hole = next > self.position;
        let end = if in_hole {
            next
        } else {
            self.data.front().map_or(self.size, |part| part.end)
        };
        let wanted = usize::try_from(end - self.position).map_or(buffer.len(), |most| most.min(buffer.len()));
        let into = &mut buffer[..wanted];
        if into.is_empty() {
            return Ok(0);
        }
        let count = if in_hole {
            into.fill(0);
            wanted
        } else {
            let count = self.archive.source.read(into)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.archive.left -= count as u64;
            count
        };
        self.position += count as u64;
        Ok(count)
    }
}

fn padded(size: u64) -> io::Result<u64> {
    size.checked_next_multiple_of(BLOCK)
        .ok_or_else(|| io::Error::other("a member that is too large"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Seek, SeekFrom, Write};
    use std::process::Command;

    use super::*;

    const NAME: &str = "a\nname";

    /// Where there is something, and what.
    type Pieces<'a> = &'a [(u64, &'a [u8])];

    /// What GNU tar makes of a file with holes.
    fn packed(case: &str, flags: &[&str], pieces: Pieces, size: u64) -> (Vec<u8>, Vec<u8>) {
        let base = std::env::temp_dir().join(format!("a3s-archive-{}-{case}", std::process::id()));
        fs::create_dir_all(&base).unwrap();
        let mut file = fs::File::create(base.join(NAME)).unwrap();
        file.set_len(size).unwrap();
        for (at, bytes) in pieces {
            file.seek(SeekFrom::Start(*at)).unwrap();
            file.write_all(bytes).unwrap();
        }
        let mut tar = Command::new("tar");
        tar.args(["-c", "--hole-detection=raw"])
            .args(flags)
            .arg("-C")
            .arg(&base);
        let output = tar.args([NAME, NAME]).output().unwrap();
        assert!(
            output.status.success(),
            "{case}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let content = fs::read(base.join(NAME)).unwrap();
        fs::remove_dir_all(base).unwrap();
        (output.stdout, content)
    }

    #[test]
    fn holes_are_read_as_zeros_in_every_format() {
        let many: Vec<(u64, &[u8])> = (0..300).map(|n| (n * 8192 + 4096, &b"x"[..])).collect();
        let files: [(&str, Pieces, u64); 4] = [
            ("ends", &[(0, b"start"), (99_990, b"0123456789")], 100_000),
            ("hole", &[], 50_000),
            ("full", &[(0, b"no hole")], 7),
            ("many", &many, 300 * 8192),
        ];
        let formats: [(&str, &[&str]); 5] = [
            ("gnu", &["-S", "--format=gnu"]),
            ("1.0", &["-S", "--format=posix", "--sparse-version=1.0"]),
            ("0.1", &["-S", "--format=posix", "--sparse-version=0.1"]),
            ("0.0", &["-S", "--format=posix", "--sparse-version=0.0"]),
            ("plain", &["--format=posix"]),
        ];
        for (name, pieces, size) in files {
            for (format, flags) in formats {
                let case = format!("{name}-{format}");
                let (bytes, content) = packed(&case, flags, pieces, size);
                let mut archive = Archive::new(bytes.as_slice());
                // The second one is found where the first has ended, read or not.
                let mut entry = archive.next().unwrap().unwrap();
                assert_eq!((entry.path.as_slice(), entry.size), (NAME.as_bytes(), size), "{case}");
                let mut read = Vec::new();
                entry.read_to_end(&mut read).unwrap();
                assert!(read == content, "{case}");
                let last = archive.next().unwrap().unwrap();
                assert!(last.path == NAME.as_bytes(), "{case}");
                assert!(archive.next().unwrap().is_none(), "{case}");
            }
        }
    }

    fn member(kind: EntryType, path: &str, content: &[u8]) -> Vec<u8> {
        let mut header = Header::new_ustar();
        header.set_path(path).unwrap();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_cksum();
        let mut bytes = [header.as_bytes(), content].concat();
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }

    fn record(key: &str, value: &str) -> String {
        let rest = key.len() + value.len() + 3;
        let length = (rest + 1..rest + 9)
            .find(|all| rest + all.to_string().len() == *all)
            .unwrap();
        format!("{length} {key}={value}\n")
    }

    #[test]
    fn values_pretend_no_records() {
        let records = [
            record("SCHILY.xattr.user.note", "a\n20 size=1000000000\n"),
            record("path", "long\n17 path=else\n"),
            record("uid", "3000000"),
        ];
        let global = member(EntryType::XGlobalHeader, "g", record("path", "all").as_bytes());
        let own = member(EntryType::XHeader, "x", records.concat().as_bytes());
        let bytes = [global, own, member(EntryType::Regular, "f", b"content"), vec![0; 1024]].concat();
        let mut archive = Archive::new(bytes.as_slice());
        let mut entry = archive.next().unwrap().unwrap();
        assert_eq!(entry.path, b"long\n17 path=else\n");
        assert_eq!((entry.size, entry.header.uid().unwrap()), (7, 3_000_000));
        let (key, value) = &entry.records[0];
        assert_eq!(
            (key.as_slice(), value.as_slice()),
            (&b"SCHILY.xattr.user.note"[..], &b"a\n20 size=1000000000\n"[..])
        );
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        assert_eq!(content, "content");
    }

    #[test]
    fn maps_that_make_no_sense_are_refused() {
        let sparse = |size: &str, content: &[u8]| {
            let records = [
                record("GNU.sparse.major", "1"),
                record("GNU.sparse.minor", "0"),
                record("GNU.sparse.realsize", size),
            ];
            let own = member(EntryType::XHeader, "x", records.concat().as_bytes());
            [own, member(EntryType::Regular, "f", content)].concat()
        };
        let map = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            bytes.resize(512, 0);
            bytes
        };
        let data = [map("1\n5\n3\n"), b"abc".to_vec()].concat();
        assert!(Archive::new(sparse("8", &data).as_slice()).next().unwrap().is_some());
        for (size, content) in [
            ("7", data.clone()),
            ("x", data.clone()),
            ("8", map("1\n5\n3\n")),
            ("8", map("9999999999\n")),
            ("8", map("2\n4\n1\n2\n2\n")),
            ("8", map("1\n18446744073709551615\n3\n")),
            ("8", map("no number\n")),
            ("8", map("1")),
            ("8", Vec::new()),
        ] {
            let bytes = sparse(size, &content);
            assert!(Archive::new(bytes.as_slice()).next().is_err(), "{size} {content:?}");
        }
    }

    #[test]
    fn what_ends_too_early_is_told() {
        let whole = [member(EntryType::Regular, "f", b"content"), vec![0; 512]].concat();
        for end in [100, 512, 515] {
            let mut archive = Archive::new(&whole[..end]);
            let read = archive
                .next()
                .and_then(|entry| io::copy(&mut entry.unwrap(), &mut io::sink()));
            assert!(read.is_err(), "{end}");
        }
    }
}
