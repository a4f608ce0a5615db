//! The first use of a volume: what the image has at its place is copied into it, with owners, modes, times, links and
//! extended attributes, as Docker does. The copy is made beside the volume's directory and takes its place in one
//! rename, which succeeds only while that is empty: a box that dies half-way leaves the volume empty, and of two boxes
//! that fill it at once one wins whole.

use std::collections::HashMap;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, ResolveFlags, Stat, Timespec, Timestamps, Uid, XattrFlags, chownat,
    fchmod, fchown, fgetxattr, flistxattr, fsetxattr, fstat, futimens, linkat, mkdirat, mknodat, openat, openat2,
    readlinkat, renameat, statat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};

use crate::failure::{Code, Failure, describe};

/// The volume's directory in its share.
pub const DATA: &str = "_data";
/// What a copy under way is called, with the box's ID after it.
const STAGING: &str = "_fill-";
const CHUNK: usize = 256 << 10;
/// Three descriptors a level; the agent may have a thousand.
const MAX_DEPTH: usize = 128;
/// Files with several names that are remembered; further ones become copies of their own.
const MAX_LINKED: usize = 65_536;
const MAX_XATTRS: usize = 64 << 10;

/// Bits that a write or a change of owner takes away, and the sticky one.
const SPECIAL: Mode = Mode::SUID.union(Mode::SGID).union(Mode::SVTX);

type Copied = Result<(), (PathBuf, Errno)>;

/// The box's root without what is mounted in it: what image and box themselves have.
///
/// # Errors
/// The kernel's.
pub fn bare_root() -> rustix::io::Result<OwnedFd> {
    open_tree(
        CWD,
        "/",
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC,
    )
}

/// Fills the volume behind `share` with the directory `target` of `root`; `id` is the box's. A volume that is not empty
/// any more stays as it is; a path that the root does not have makes an empty directory of root's.
///
/// # Errors
/// `io` at stage `volume`, naming the file.
pub fn fill(root: BorrowedFd<'_>, share: BorrowedFd<'_>, target: &str, id: &str) -> Result<(), Failure> {
    let staging = format!("{STAGING}{id}");
    let filled = copy_beside(root, share, target, &staging).and_then(|copied| {
        if !copied {
            return Ok(());
        }
        match renameat(share, &staging, share, DATA) {
            // Another box was quicker, or somebody put files there.
            Err(Errno::NOTEMPTY | Errno::EXIST) => remove(share, Path::new(&staging)),
            other => other,
        }
        .map_err(at(Path::new("")))
    });
    filled.map_err(|(path, errno)| {
        let _ = remove(share, Path::new(&staging));
        let path = Path::new(target).join(path);
        let message = format!(
            "failed to populate volume: copy {}: {}",
            path.display(),
            describe(errno)
        );
        Failure::new(Code::Io, "volume", message)
    })
}

/// False when there is something at `target` that is no directory: mounting on it says so.
fn copy_beside(
    root: BorrowedFd<'_>,
    share: BorrowedFd<'_>,
    target: &str,
    staging: &str,
) -> Result<bool, (PathBuf, Errno)> {
    let none = Path::new("");
    // An earlier try of the same box.
    remove(share, Path::new(staging)).map_err(at(none))?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let source = match openat2(root, target, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
        Ok(source) => Some(source),
        Err(Errno::NOENT) => None,
        Err(Errno::NOTDIR) => return Ok(false),
        Err(e) => return Err((none.into(), e)),
    };
    mkdirat(share, staging, Mode::RWXU).map_err(at(none))?;
    let copy = openat(share, staging, flags | OFlags::NOFOLLOW, Mode::empty()).map_err(at(none))?;
    if let Some(source) = source {
        let mut copier = Copier {
            top: copy.as_fd(),
            linked: HashMap::new(),
            buffer: vec![0; CHUNK],
        };
        copier.directory(&source, &copy, none, 0)?;
    } else {
        fchown(&copy, Some(Uid::ROOT), Some(Gid::ROOT)).map_err(at(none))?;
        fchmod(&copy, Mode::from_raw_mode(0o755)).map_err(at(none))?;
    }
    Ok(true)
}

fn at(path: &Path) -> impl FnOnce(Errno) -> (PathBuf, Errno) {
    move |errno| (path.to_path_buf(), errno)
}

struct Copier<'a> {
    /// The copy's directory: paths in `linked` start here.
    top: BorrowedFd<'a>,
    /// Where a file with several names was copied to first, by device and inode.
    linked: HashMap<(u64, u64), PathBuf>,
    buffer: Vec<u8>,
}

impl Copier<'_> {
    /// Copies what is in `from`, then what it is itself; `path` is for messages and links.
    fn directory(&mut self, from: &OwnedFd, to: &OwnedFd, path: &Path, depth: usize) -> Copied {
        if depth > MAX_DEPTH {
            return Err((path.into(), Errno::NAMETOOLONG));
        }
        for entry in Dir::read_from(from).map_err(at(path))? {
            let entry = entry.map_err(at(path))?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                let path = path.join(std::ffi::OsStr::from_bytes(name.to_bytes()));
                self.entry(from, to, name, &path, depth)?;
            }
        }
        let stat = fstat(from).map_err(at(path))?;
        attributes(from, to, &stat, true).map_err(at(path))
    }

    fn entry(&mut self, from: &OwnedFd, to: &OwnedFd, name: &CStr, path: &Path, depth: usize) -> Copied {
        let stat = statat(from, name, AtFlags::SYMLINK_NOFOLLOW).map_err(at(path))?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind == FileType::Directory {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            mkdirat(to, name, Mode::RWXU).map_err(at(path))?;
            let inner = openat(from, name, flags, Mode::empty()).map_err(at(path))?;
            let copy = openat(to, name, flags, Mode::empty()).map_err(at(path))?;
            return self.directory(&inner, &copy, path, depth + 1);
        }
        let key = (stat.st_dev, stat.st_ino);
        if let Some(first) = self.linked.get(&key) {
            return linkat(self.top, first, to, name, AtFlags::empty()).map_err(at(path));
        }
        match kind {
            FileType::RegularFile => self.file(from, to, name, &stat),
            FileType::Symlink => symlink(from, to, name, &stat),
            // A socket without who listens is nothing.
            FileType::Socket => return Ok(()),
            _ => special(to, name, kind, &stat),
        }
        .map_err(at(path))?;
        if stat.st_nlink > 1 && self.linked.len() < MAX_LINKED {
            self.linked.insert(key, path.into());
        }
        Ok(())
    }

    fn file(&mut self, from: &OwnedFd, to: &OwnedFd, name: &CStr, stat: &Stat) -> rustix::io::Result<()> {
        let source = openat(
            from,
            name,
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        // The umask is empty; each change that is not needed saves a round trip to the host.
        let mode = Mode::from_raw_mode(stat.st_mode);
        let copy = openat(to, name, flags, mode & !SPECIAL)?;
        loop {
            let count = rustix::io::read(&source, &mut self.buffer)?;
            if count == 0 {
                break;
            }
            let mut rest = &self.buffer[..count];
            while !rest.is_empty() {
                let written = rustix::io::write(&copy, rest)?;
                rest = &rest[written..];
            }
        }
        attributes(&source, &copy, stat, mode.intersects(SPECIAL))
    }
}

fn symlink(from: &OwnedFd, to: &OwnedFd, name: &CStr, stat: &Stat) -> rustix::io::Result<()> {
    let target = readlinkat(from, name, Vec::new())?;
    symlinkat(&target, to, name)?;
    place_attributes(to, name, stat)
}

fn special(to: &OwnedFd, name: &CStr, kind: FileType, stat: &Stat) -> rustix::io::Result<()> {
    // The umask is empty: the mode is the file's own.
    mknodat(to, name, kind, Mode::from_raw_mode(stat.st_mode), stat.st_rdev)?;
    place_attributes(to, name, stat)
}

/// Owner and times of what cannot be opened.
fn place_attributes(to: &OwnedFd, name: &CStr, stat: &Stat) -> rustix::io::Result<()> {
    let (uid, gid) = owner(stat);
    chownat(to, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
    utimensat(to, name, &times(stat), AtFlags::SYMLINK_NOFOLLOW)
}

/// In this order: a change of owner takes set-uid bits and file capabilities away, any other change the times.
/// What was just made belongs to root.
fn attributes(from: &OwnedFd, to: &OwnedFd, stat: &Stat, set_mode: bool) -> rustix::io::Result<()> {
    let (uid, gid) = owner(stat);
    if !(uid.is_root() && gid.is_root()) {
        fchown(to, Some(uid), Some(gid))?;
    }
    extended_attributes(from, to)?;
    if set_mode {
        fchmod(to, Mode::from_raw_mode(stat.st_mode))?;
    }
    futimens(to, &times(stat))
}

/// What the host's file system takes; one without extended attributes is no reason to refuse the volume.
fn extended_attributes(from: &OwnedFd, to: &OwnedFd) -> rustix::io::Result<()> {
    let refused = |e: Errno| matches!(e, Errno::OPNOTSUPP | Errno::PERM | Errno::ACCESS);
    let mut names = vec![0; MAX_XATTRS];
    let length = match flistxattr(from, &mut names[..]) {
        Ok(0) | Err(Errno::OPNOTSUPP) => return Ok(()),
        Ok(length) => length,
        Err(e) => return Err(e),
    };
    let mut value = vec![0; MAX_XATTRS];
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let size = fgetxattr(from, name, &mut value[..])?;
        match fsetxattr(to, name, &value[..size], XattrFlags::empty()) {
            Err(e) if !refused(e) => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

fn owner(stat: &Stat) -> (Uid, Gid) {
    (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid))
}

fn times(stat: &Stat) -> Timestamps {
    let time = |seconds: i64, nanoseconds: u64| Timespec {
        tv_sec: seconds,
        tv_nsec: i64::try_from(nanoseconds).unwrap_or(0),
    };
    Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    }
}

/// Removes a tree; one that is not there is no error. What is below the limit of depth was not made by us.
fn remove(directory: BorrowedFd<'_>, name: &Path) -> rustix::io::Result<()> {
    match unlinkat(directory, name, AtFlags::REMOVEDIR) {
        Err(Errno::NOTEMPTY | Errno::EXIST) => {}
        Err(Errno::NOTDIR) => return unlinkat(directory, name, AtFlags::empty()),
        Err(Errno::NOENT) => return Ok(()),
        other => return other,
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let inner = openat(directory, name, flags, Mode::empty())?;
    for entry in Dir::read_from(&inner)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            remove(inner.as_fd(), Path::new(std::ffi::OsStr::from_bytes(name.to_bytes())))?;
        }
    }
    unlinkat(directory, name, AtFlags::REMOVEDIR)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    /// A root with an image's files, and a volume's share, both on this machine's disk.
    struct Place {
        base: PathBuf,
    }

    impl Place {
        fn new(name: &str) -> Self {
            let base = std::env::temp_dir().join(format!("a3s-fill-{}-{name}", std::process::id()));
            fs::create_dir_all(base.join("root/srv/data/sub")).unwrap();
            fs::create_dir_all(base.join("share/_data")).unwrap();
            Self { base }
        }

        fn path(&self, path: &str) -> PathBuf {
            self.base.join(path)
        }

        fn fill(&self, target: &str) -> Result<(), Failure> {
            let open = |path| openat(CWD, self.path(path), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
            fill(open("root").as_fd(), open("share").as_fd(), target, "1")
        }

        fn names(&self, path: &str) -> Vec<String> {
            let entries = fs::read_dir(self.path(path)).unwrap();
            let mut names: Vec<String> = entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.base).unwrap();
        }
    }

    #[test]
    fn files_links_modes_and_times_are_kept() {
        let place = Place::new("kept");
        let source = place.path("root/srv/data");
        fs::write(source.join("sub/file"), vec![7; 3 * CHUNK + 5]).unwrap();
        fs::set_permissions(source.join("sub/file"), fs::Permissions::from_mode(0o4750)).unwrap();
        fs::hard_link(source.join("sub/file"), source.join("twin")).unwrap();
        symlink("sub/none", source.join("link")).unwrap();
        mknodat(CWD, source.join("fifo"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        fs::set_permissions(&source, fs::Permissions::from_mode(0o1777)).unwrap();
        let times = Timestamps {
            last_access: Timespec {
                tv_sec: 11,
                tv_nsec: 12,
            },
            last_modification: Timespec {
                tv_sec: 13,
                tv_nsec: 14,
            },
        };
        for path in [source.join("sub/file"), source.join("sub"), source] {
            utimensat(CWD, &path, &times, AtFlags::empty()).unwrap();
        }

        place.fill("/srv/data").unwrap();

        assert_eq!(place.names("share"), ["_data"]);
        assert_eq!(place.names("share/_data"), ["fifo", "link", "sub", "twin"]);
        let file = fs::metadata(place.path("share/_data/sub/file")).unwrap();
        assert_eq!((file.len(), file.mode() & 0o7777), (3 * CHUNK as u64 + 5, 0o4750));
        assert_eq!((file.mtime(), file.mtime_nsec()), (13, 14));
        assert_eq!(fs::metadata(place.path("share/_data/twin")).unwrap().ino(), file.ino());
        assert_eq!(
            fs::read_link(place.path("share/_data/link")).unwrap(),
            Path::new("sub/none")
        );
        let top = fs::metadata(place.path("share/_data")).unwrap();
        assert_eq!((top.mode() & 0o7777, top.mtime(), top.mtime_nsec()), (0o1777, 13, 14));
        assert_eq!(fs::metadata(place.path("share/_data/sub")).unwrap().mtime(), 13);
    }

    #[test]
    fn a_volume_with_files_stays_as_it_is() {
        let place = Place::new("used");
        fs::write(place.path("root/srv/data/image"), "image").unwrap();
        fs::write(place.path("share/_data/own"), "own").unwrap();
        place.fill("/srv/data").unwrap();
        assert_eq!(place.names("share"), ["_data"]);
        assert_eq!(place.names("share/_data"), ["own"]);
    }

    #[test]
    fn what_a_killed_box_left_is_not_taken_for_the_volume() {
        let place = Place::new("killed");
        fs::create_dir_all(place.path("share/_fill-1/half")).unwrap();
        fs::write(place.path("root/srv/data/image"), "image").unwrap();
        place.fill("/srv/data").unwrap();
        assert_eq!(place.names("share"), ["_data"]);
        assert_eq!(place.names("share/_data"), ["image", "sub"]);
    }

    #[test]
    fn a_path_that_the_image_lacks_makes_an_empty_directory() {
        let place = Place::new("lacks");
        place.fill("/no/such").unwrap();
        let top = fs::metadata(place.path("share/_data")).unwrap();
        assert_eq!((top.mode() & 0o7777, top.uid(), top.gid()), (0o755, 0, 0));
        assert_eq!(place.names("share/_data"), Vec::<String>::new());
    }

    #[test]
    fn a_link_stays_within_the_root() {
        let place = Place::new("link");
        fs::write(place.path("root/srv/data/image"), "image").unwrap();
        symlink("/../../srv/data", place.path("root/alias")).unwrap();
        place.fill("/alias").unwrap();
        assert_eq!(place.names("share/_data"), ["image", "sub"]);
    }

    #[test]
    fn a_tree_too_deep_is_refused_by_name_and_leaves_nothing() {
        let place = Place::new("deep");
        fs::create_dir_all(place.path("root/srv/data").join("d/".repeat(MAX_DEPTH + 1))).unwrap();
        let failure = place.fill("/srv/data").unwrap_err();
        assert_eq!(failure.code, Code::Io);
        assert!(
            failure
                .message
                .starts_with("failed to populate volume: copy /srv/data/d/d/"),
            "{}",
            failure.message
        );
        assert!(
            failure.message.ends_with("/d: file name too long"),
            "{}",
            failure.message
        );
        assert_eq!(place.names("share"), ["_data"]);
    }
}
