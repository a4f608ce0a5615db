//! What the members of tar archives have in common, whoever extracts them.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, fchmod, fchown, fstat, makedev, openat};
use rustix::io::Errno;
use tar::EntryType;

use super::archive::Entry;
use super::pack::is_portable;

/// Set-uid and set-gid.
pub const SET_ID: u32 = 0o6000;

/// What all kinds of files have.
pub struct Attributes {
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
    pub mtime: i64,
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A path below the target; `None` for one with `..` in it.
pub fn cleaned(raw: &[u8]) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for component in Path::new(OsStr::from_bytes(raw)).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

/// Where a link leads.
///
/// # Errors
/// It leads nowhere.
pub fn link_of(entry: &Entry<'_, impl Read>) -> io::Result<Vec<u8>> {
    if entry.link.is_empty() {
        return Err(io::Error::other("a link to nothing"));
    }
    Ok(entry.link.clone())
}

/// Kind and number of a device; pipes have none.
///
/// # Errors
/// The header has no number there.
pub fn device_of(entry: &Entry<'_, impl Read>, kind: EntryType) -> io::Result<(FileType, u64)> {
    let header = &entry.header;
    let number = makedev(header.device_major()?.unwrap_or(0), header.device_minor()?.unwrap_or(0));
    Ok(match kind {
        EntryType::Char => (FileType::CharacterDevice, number),
        EntryType::Block => (FileType::BlockDevice, number),
        _ => (FileType::Fifo, 0),
    })
}

/// What header and PAX records say.
///
/// # Errors
/// What is no number there.
pub fn attributes(entry: &Entry<'_, impl Read>) -> io::Result<Attributes> {
    let header = &entry.header;
    let id = |number: u64| u32::try_from(number).map_err(|_| io::Error::other("an owner out of range"));
    let mut found = Attributes {
        uid: id(header.uid()?)?,
        gid: id(header.gid()?)?,
        mode: header.mode()? & 0o7777,
        mtime: i64::try_from(header.mtime()?).unwrap_or(0),
        xattrs: Vec::new(),
    };
    for (key, value) in &entry.records {
        if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
            if is_portable(name) {
                found.xattrs.push((name.to_vec(), value.clone()));
            }
        } else if key == b"mtime" {
            let whole = value.split(|byte| *byte == b'.').next().unwrap_or(value);
            found.mtime = std::str::from_utf8(whole)
                .ok()
                .and_then(|text| text.parse().ok())
                .unwrap_or(found.mtime);
        }
    }
    Ok(found)
}

/// A new file, with its permissions at once; `None` when there is something of that name.
///
/// # Errors
/// The kernel's.
pub fn create(parent: &OwnedFd, name: &OsStr, mode: u32) -> rustix::io::Result<Option<File>> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(parent, name, flags, Mode::from_raw_mode(mode & 0o777)) {
        Err(Errno::EXIST) => Ok(None),
        other => Ok(Some(File::from(other?))),
    }
}

/// Gives a file its owner and mode. Most are as they should be once they are made: looking costs less than changing. Owner before
/// mode, because a change of owner takes set-uid bits away. `foreign`: the file may be in a directory of a host's user who is not
/// root. What a box makes there is that user's, whoever makes it; it must not give that user's rights to others.
///
/// # Errors
/// The kernel's.
pub fn own(file: impl AsFd, found: &Attributes, foreign: bool) -> rustix::io::Result<()> {
    let stat = fstat(&file)?;
    let mut mode = found.mode;
    let is_anothers = (stat.st_uid, stat.st_gid) != (found.uid, found.gid);
    if is_anothers {
        match fchown(&file, Some(Uid::from_raw(found.uid)), Some(Gid::from_raw(found.gid))) {
            Err(Errno::PERM) if foreign => mode &= !SET_ID,
            other => other?,
        }
    }
    if is_anothers || stat.st_mode & 0o7777 != mode {
        fchmod(&file, Mode::from_raw_mode(mode))?;
    }
    Ok(())
}

/// Both times of a file, in seconds since 1970.
pub fn times(mtime: i64) -> Timestamps {
    let time = Timespec {
        tv_sec: mtime,
        tv_nsec: 0,
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}
