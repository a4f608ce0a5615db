//! Trees as tar archives: ustar, with PAX records for what does not fit (POSIX.1-2017, pax).

use std::collections::HashMap;
use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, Stat, fgetxattr, flistxattr, fstat, major, minor, openat, readlinkat, statat,
};
use rustix::io::Errno;
use tar::{EntryType, Header};

use super::content::{Large, PIECE, Pages};
use super::place::Place;
use super::{Fault, at};

/// One descriptor a level.
const MAX_DEPTH: usize = 2_000;
/// What fits the fields of a ustar header: 7 and 11 octal digits, 100 bytes.
const MAX_ID: u32 = 1 << 21;
const MAX_SIZE: u64 = 1 << 33;
const MAX_NAME: usize = 100;
const MAX_XATTRS: usize = 64 << 10;
const BLOCK: usize = 512;

type Done = Result<(), Fault>;

/// An archive of a place and all below it.
///
/// # Errors
/// The file that could not be read.
pub fn pack_place(place: &Place, output: impl Write) -> Done {
    let mut packer = Packer::new(output);
    let name = CString::new(place.name.as_bytes()).map_err(|_| at(&place.title)(Errno::INVAL))?;
    packer.entry(&place.parent, &name, &place.title, 0)?;
    packer.finish()
}

/// An archive of what is in a directory, without the directory itself.
///
/// # Errors
/// The file that could not be read.
pub fn pack_contents(directory: &OwnedFd, output: impl Write) -> Done {
    let mut packer = Packer::new(output);
    packer.contents(directory, b"", 0)?;
    packer.finish()
}

/// Writes members.
pub struct Packer<W: Write> {
    output: W,
    /// Where a file with several names stands in the archive, by device and inode.
    linked: HashMap<(u64, u64), Vec<u8>>,
    /// Later times become this one.
    latest: Option<i64>,
    buffer: Pages,
}

impl<W: Write> Packer<W> {
    pub fn new(output: W) -> Self {
        Self::until(output, None)
    }

    /// One whose times, in seconds since 1970, are at most `latest`.
    pub fn until(output: W, latest: Option<i64>) -> Self {
        Self {
            output,
            linked: HashMap::new(),
            latest,
            buffer: Pages::new(PIECE),
        }
    }

    /// A time as it stands in the archive.
    #[must_use]
    pub fn time(&self, mtime: i64) -> i64 {
        self.latest.map_or(mtime, |latest| mtime.min(latest))
    }

    /// The end of the archive.
    pub fn finish(mut self) -> Done {
        self.output.write_all(&[0; 2 * BLOCK])?;
        self.output.flush()?;
        Ok(())
    }

    /// Members for everything in a directory; `path` is the directory's in the archive.
    fn contents(&mut self, directory: &OwnedFd, path: &[u8], depth: usize) -> Done {
        if depth > MAX_DEPTH {
            return Err(at(path)(Errno::NAMETOOLONG));
        }
        for name in names(directory).map_err(at(path))? {
            self.entry(directory, &name, &join(path, name.to_bytes()), depth)?;
        }
        Ok(())
    }

    /// Members for one file and, for a directory, all below it.
    fn entry(&mut self, parent: &OwnedFd, name: &CStr, path: &[u8], depth: usize) -> Done {
        let Some(directory) = self.member(parent, name, path)? else {
            return Ok(());
        };
        self.contents(&directory, path, depth + 1)
    }

    /// The member for one file. A directory is given back, opened.
    ///
    /// # Errors
    /// The file that could not be read.
    pub fn member(&mut self, parent: &OwnedFd, name: &CStr, path: &[u8]) -> Result<Option<OwnedFd>, Fault> {
        let stat = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(at(path))?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let key = (stat.st_dev, stat.st_ino);
        if kind != FileType::Directory && stat.st_nlink > 1 {
            if let Some(first) = self.linked.get(&key).cloned() {
                self.header(&stat, EntryType::Link, path, &first, 0, &[])
                    .map_err(at(path))?;
                return Ok(None);
            }
            self.linked.insert(key, path.to_vec());
        }
        match kind {
            FileType::Directory => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let opened = openat(parent, name, flags, Mode::empty()).map_err(at(path))?;
                let xattrs = extended(&opened).map_err(at(path))?;
                self.directory(&stat, path, &xattrs).map_err(at(path))?;
                return Ok(Some(opened));
            }
            FileType::RegularFile => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let opened = openat(parent, name, flags, Mode::empty()).map_err(at(path))?;
                self.file(opened, path)?;
            }
            FileType::Symlink => {
                let link = readlinkat(parent, name, Vec::new()).map_err(at(path))?;
                self.header(&stat, EntryType::Symlink, path, link.as_bytes(), 0, &[])
                    .map_err(at(path))?;
            }
            FileType::Fifo => self
                .header(&stat, EntryType::Fifo, path, b"", 0, &[])
                .map_err(at(path))?,
            FileType::CharacterDevice => self
                .header(&stat, EntryType::Char, path, b"", 0, &[])
                .map_err(at(path))?,
            FileType::BlockDevice => self
                .header(&stat, EntryType::Block, path, b"", 0, &[])
                .map_err(at(path))?,
            // A socket without who listens is nothing.
            _ => {}
        }
        Ok(None)
    }

    /// The size is taken once the file is open; one that shrinks meanwhile is filled up with zeros.
    fn file(&mut self, opened: OwnedFd, path: &[u8]) -> Done {
        let stat = fstat(&opened).map_err(at(path))?;
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let xattrs = extended(&opened).map_err(at(path))?;
        self.header(&stat, EntryType::Regular, path, b"", size, &xattrs)
            .map_err(at(path))?;
        let file = File::from(opened);
        let mut source = Large::new(&file, size);
        let buffer = self.buffer.bytes_mut();
        let mut position = 0;
        while position < size {
            let wanted = usize::try_from(size - position).map_or(PIECE, |left| left.min(PIECE));
            let mut count = source.read(buffer, wanted, position).map_err(at(path))?;
            if count == 0 {
                buffer.fill(0);
                count = wanted;
            }
            self.output.write_all(&buffer[..count])?;
            position += count as u64;
        }
        self.pad(size)?;
        Ok(())
    }

    /// An empty regular file, as whiteouts are.
    ///
    /// # Errors
    /// The archive cannot be written.
    pub fn marker(&mut self, stat: &Stat, path: &[u8]) -> io::Result<()> {
        let mut plain = *stat;
        (plain.st_mode, plain.st_uid, plain.st_gid) = (0o600, 0, 0);
        self.header(&plain, EntryType::Regular, path, b"", 0, &[])
    }

    /// An empty file of nobody's and no time, as the marks of deleted files are in layers.
    ///
    /// # Errors
    /// The archive cannot be written.
    pub fn whiteout(&mut self, path: &[u8]) -> io::Result<()> {
        // SAFETY: plain data.
        let blank: Stat = unsafe { std::mem::zeroed() };
        self.header(&blank, EntryType::Regular, path, b"", 0, &[])
    }

    /// The header of a directory.
    ///
    /// # Errors
    /// The archive cannot be written.
    pub fn directory(&mut self, stat: &Stat, path: &[u8], xattrs: &[(Vec<u8>, Vec<u8>)]) -> io::Result<()> {
        let slashed = [path, b"/"].concat();
        self.header(stat, EntryType::Directory, &slashed, b"", 0, xattrs)
    }

    fn header(
        &mut self,
        stat: &Stat,
        kind: EntryType,
        path: &[u8],
        link: &[u8],
        size: u64,
        xattrs: &[(Vec<u8>, Vec<u8>)],
    ) -> io::Result<()> {
        let mut records = Vec::new();
        for (name, value) in xattrs {
            record(&mut records, &[b"SCHILY.xattr.", name.as_slice()].concat(), value);
        }
        if path.len() > MAX_NAME {
            record(&mut records, b"path", path);
        }
        if link.len() > MAX_NAME {
            record(&mut records, b"linkpath", link);
        }
        for (key, id) in [("uid", stat.st_uid), ("gid", stat.st_gid)] {
            if id >= MAX_ID {
                record(&mut records, key.as_bytes(), id.to_string().as_bytes());
            }
        }
        if size >= MAX_SIZE {
            record(&mut records, b"size", size.to_string().as_bytes());
        }
        let mtime = self.time(stat.st_mtime);
        if mtime < 0 {
            record(&mut records, b"mtime", mtime.to_string().as_bytes());
        }
        if !records.is_empty() {
            let mut before = Header::new_ustar();
            fill(&mut before, b"PaxHeaders", b"");
            before.set_entry_type(EntryType::XHeader);
            before.set_size(records.len() as u64);
            before.set_mode(0o644);
            before.set_cksum();
            self.output.write_all(before.as_bytes())?;
            self.output.write_all(&records)?;
            self.pad(records.len() as u64)?;
        }
        let mut header = Header::new_ustar();
        fill(&mut header, path, link);
        header.set_entry_type(kind);
        header.set_mode(stat.st_mode & 0o7777);
        header.set_uid(u64::from(if stat.st_uid < MAX_ID { stat.st_uid } else { 0 }));
        header.set_gid(u64::from(if stat.st_gid < MAX_ID { stat.st_gid } else { 0 }));
        header.set_mtime(u64::try_from(mtime).unwrap_or(0));
        header.set_size(if size < MAX_SIZE { size } else { 0 });
        if matches!(kind, EntryType::Char | EntryType::Block) {
            header.set_device_major(major(stat.st_rdev))?;
            header.set_device_minor(minor(stat.st_rdev))?;
        }
        header.set_cksum();
        self.output.write_all(header.as_bytes())
    }

    fn pad(&mut self, size: u64) -> io::Result<()> {
        let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
        self.output.write_all(&[0; BLOCK][..(BLOCK - over) % BLOCK])
    }
}

/// Names as far as the header has room; PAX records hold longer ones.
fn fill(header: &mut Header, path: &[u8], link: &[u8]) {
    let fields = header.as_old_mut();
    for (field, text) in [(&mut fields.name, path), (&mut fields.linkname, link)] {
        let length = text.len().min(field.len());
        field[..length].copy_from_slice(&text[..length]);
    }
}

/// A record's length counts its own digits.
fn record(records: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    length = rest + length.to_string().len();
    records.extend_from_slice(format!("{length} ").as_bytes());
    records.extend_from_slice(key);
    records.push(b'=');
    records.extend_from_slice(value);
    records.push(b'\n');
}

/// The names in a directory, sorted: equal trees make equal archives.
///
/// # Errors
/// The kernel's.
pub fn names(directory: &OwnedFd) -> rustix::io::Result<Vec<CString>> {
    let mut found = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            found.push(name.to_owned());
        }
    }
    found.sort();
    Ok(found)
}

/// A name below a path of the archive.
#[must_use]
pub fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() {
        name.to_vec()
    } else {
        [path, b"/", name].concat()
    }
}

/// The attributes that mean the same elsewhere: users' own and file capabilities.
pub fn is_portable(name: &[u8]) -> bool {
    name.starts_with(b"user.") || name == b"security.capability"
}

/// The portable attributes of an open file, by name.
///
/// # Errors
/// The kernel's.
pub fn extended(file: &OwnedFd) -> rustix::io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut names = vec![0; MAX_XATTRS];
    let length = match flistxattr(file.as_fd(), &mut names[..]) {
        Ok(0) | Err(Errno::OPNOTSUPP | Errno::PERM) => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    for name in names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| is_portable(name))
    {
        let mut value = vec![0; MAX_XATTRS];
        let size = fgetxattr(file, OsStr::from_bytes(name), &mut value[..])?;
        value.truncate(size);
        found.push((name.to_vec(), value));
    }
    // File systems list them as they like.
    found.sort();
    Ok(found)
}

/// A path as the kernel takes it.
pub fn os(path: &[u8]) -> std::ffi::OsString {
    std::ffi::OsString::from_vec(path.to_vec())
}
