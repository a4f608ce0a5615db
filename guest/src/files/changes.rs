//! What a box has changed of its image, told from the overlay's upper directory and the image below it. Whiteouts are
//! devices 0:0; a directory that hides the one below it has the attribute `trusted.overlay.opaque` (Linux,
//! filesystems/overlayfs). A file counts as changed by its kind, mode, owner, device and content, not by its time.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fgetxattr, openat, readlinkat, statat};
use rustix::io::Errno;

use super::content::fill;
use super::pack::{join, names};
use super::{Fault, at};

pub const UPPER: &str = "/box/scratch/upper";
pub const LOWER: &str = "/box/lower";

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

const CHUNK: usize = 128 << 10;

/// What every box gets where its image has none: places for what is mounted there, and the mark of a container.
pub const PLACES: [&[u8]; 9] = [
    b".dockerenv",
    b"dev",
    b"etc",
    b"proc",
    b"sys",
    b"etc/hostname",
    b"etc/hosts",
    b"etc/resolv.conf",
    b"etc/machine-id",
];

/// Kind of change, as Docker's `diff` shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Added,
    Changed,
    Deleted,
}

/// Writes the changes in the order of the tree, each as its letter, its absolute path and a NUL.
///
/// # Errors
/// The file that could not be read.
pub fn list(output: &mut impl Write) -> Result<(), Fault> {
    let upper = super::open_directory(UPPER).map_err(|f| Fault {
        path: Vec::new(),
        words: f.message,
    })?;
    let lower = super::open_directory(LOWER).map_err(|f| Fault {
        path: Vec::new(),
        words: f.message,
    })?;
    let mut found = Vec::new();
    compare(&upper, Some(&lower), b"", &mut found)?;
    for (kind, path) in found {
        let letter = match kind {
            Kind::Added => b"A/",
            Kind::Changed => b"C/",
            Kind::Deleted => b"D/",
        };
        output.write_all(letter)?;
        output.write_all(&path)?;
        output.write_all(b"\0")?;
    }
    output.flush()?;
    Ok(())
}

type Found = Vec<(Kind, Vec<u8>)>;

/// What differs in one directory; `lower` is the image's, unless it is hidden or there is none.
fn compare(upper: &OwnedFd, lower: Option<&OwnedFd>, path: &[u8], found: &mut Found) -> Result<(), Fault> {
    let mut entries: Vec<_> = names(upper)
        .map_err(at(path))?
        .into_iter()
        .map(|name| (name, true))
        .collect();
    if let Some(lower) = lower.filter(|_| is_opaque(upper)) {
        let hidden = names(lower).map_err(at(path))?;
        let gone: Vec<_> = hidden
            .into_iter()
            .filter(|name| !entries.iter().any(|(kept, _)| kept == name))
            .collect();
        entries.extend(gone.into_iter().map(|name| (name, false)));
        entries.sort();
    }
    for (name, there) in entries {
        let path = join(path, name.to_bytes());
        let below = match lower.map(|lower| statat(lower, &name, AtFlags::SYMLINK_NOFOLLOW)) {
            None | Some(Err(Errno::NOENT)) => None,
            Some(stat) => Some(stat.map_err(at(&path))?),
        };
        if there {
            entry(upper, lower, &name, below.as_ref(), &path, found)?;
        } else {
            found.push((Kind::Deleted, path));
        }
    }
    Ok(())
}

fn entry(
    upper: &OwnedFd,
    lower: Option<&OwnedFd>,
    name: &CStr,
    below: Option<&Stat>,
    path: &[u8],
    found: &mut Found,
) -> Result<(), Fault> {
    let stat = statat(upper, name, AtFlags::SYMLINK_NOFOLLOW).map_err(at(path))?;
    if is_whiteout(&stat) {
        if below.is_some() {
            found.push((Kind::Deleted, path.to_vec()));
        }
        return Ok(());
    }
    if below.is_none() && is_place(&stat, upper, name, path) {
        return Ok(());
    }
    let is_directory = FileType::from_raw_mode(stat.st_mode).is_dir();
    let Some(below) = below else {
        found.push((Kind::Added, path.to_vec()));
        if is_directory {
            let inner = openat(upper, name, DIRECTORY, Mode::empty()).map_err(at(path))?;
            compare(&inner, None, path, found)?;
        }
        return Ok(());
    };
    let at_index = found.len();
    if is_directory {
        let inner = openat(upper, name, DIRECTORY, Mode::empty()).map_err(at(path))?;
        let was_directory = FileType::from_raw_mode(below.st_mode).is_dir();
        let inner_lower = match lower.filter(|_| was_directory) {
            Some(lower) => Some(openat(lower, name, DIRECTORY, Mode::empty()).map_err(at(path))?),
            None => None,
        };
        compare(&inner, inner_lower.as_ref(), path, found)?;
    }
    let has_changed_children = found.len() > at_index;
    if has_changed_children || differs(upper, lower, name, &stat, below).map_err(at(path))? {
        found.insert(at_index, (Kind::Changed, path.to_vec()));
    }
    Ok(())
}

/// True for what has another kind, mode, owner, device, target or content.
fn differs(upper: &OwnedFd, lower: Option<&OwnedFd>, name: &CStr, stat: &Stat, below: &Stat) -> std::io::Result<bool> {
    let same = stat.st_mode == below.st_mode
        && stat.st_uid == below.st_uid
        && stat.st_gid == below.st_gid
        && stat.st_rdev == below.st_rdev;
    let Some(lower) = lower.filter(|_| same) else {
        return Ok(true);
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            if stat.st_size != below.st_size {
                return Ok(true);
            }
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let open = |directory: &OwnedFd| openat(directory, name, flags, Mode::empty()).map(File::from);
            Ok(!equal(open(upper)?, open(lower)?)?)
        }
        FileType::Symlink => {
            let target = |directory: &OwnedFd| readlinkat(directory, name, Vec::new());
            Ok(target(upper)? != target(lower)?)
        }
        _ => Ok(false),
    }
}

/// Whether two files have the same content.
///
/// # Errors
/// The kernel's.
pub fn equal(mut one: File, mut other: File) -> std::io::Result<bool> {
    let mut pieces = [vec![0; CHUNK], vec![0; CHUNK]];
    loop {
        let [a, b] = &mut pieces;
        let (count, other_count) = (fill(&mut one, a)?, fill(&mut other, b)?);
        if a[..count] != b[..other_count] {
            return Ok(false);
        }
        if count < CHUNK {
            return Ok(true);
        }
    }
}

/// True for the mark of something deleted.
#[must_use]
pub fn is_whiteout(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode).is_char_device() && stat.st_rdev == 0
}

/// True for a directory of which the image's part is hidden.
#[must_use]
pub fn is_opaque(directory: &OwnedFd) -> bool {
    let mut value = [0; 4];
    let name = OsStr::from_bytes(b"trusted.overlay.opaque");
    matches!(fgetxattr(directory, name, &mut value[..]), Ok(1)) && value[0] == b'y'
}

/// True for what was made only to be mounted on.
#[must_use]
pub fn is_place(stat: &Stat, parent: &OwnedFd, name: &CStr, path: &[u8]) -> bool {
    is_one_of(&PLACES, stat, parent, name, path)
}

/// True for an empty file or directory at one of `places`, and for a directory there with nothing else in it.
#[must_use]
pub fn is_one_of(places: &[impl AsRef<[u8]>], stat: &Stat, parent: &OwnedFd, name: &CStr, path: &[u8]) -> bool {
    if !places.iter().any(|place| place.as_ref() == path) || stat.st_uid != 0 || stat.st_gid != 0 {
        return false;
    }
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => stat.st_size == 0,
        FileType::Directory => openat(parent, name, DIRECTORY, Mode::empty()).is_ok_and(|inner| {
            names(&inner).is_ok_and(|names| names.iter().all(|name| is_one_in(places, &inner, name, path)))
        }),
        _ => false,
    }
}

fn is_one_in(places: &[impl AsRef<[u8]>], directory: &OwnedFd, name: &CStr, path: &[u8]) -> bool {
    statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| is_one_of(places, &stat, directory, name, &join(path, name.to_bytes())))
}
