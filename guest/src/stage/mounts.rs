//! What RUN mounts show: memory, trees that the host has sent, its shares, files in memory, sockets.

use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, ResolveFlags, Uid, chmodat, chownat, fchmod, fchown, fstat, open,
    openat, openat2,
};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount, mount_remount};

use super::listen_on;
use super::places::resolve;
use super::request::Mount;
use crate::box_mounts::bind;
use crate::failure::{Code, Failure, Stage};
use crate::files::pack::os;
use crate::mount_point;

/// Where the agent has the shares, the sockets, and the trees.
pub const SHARES: &str = "/box/shares";
pub const SOCKETS: &str = "/box/sockets";
pub const TREES: &str = "/box/scratch/trees";
/// Where a step has its files in memory.
const FILES: &str = "/box/mounts";

const HANDLE: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// What the mounts are of, in their order; opened before the step leaves the agent's tree.
pub struct Sources(Vec<Option<OwnedFd>>);

impl Sources {
    /// Opens them. The files' contents are read from `input`.
    ///
    /// # Errors
    /// `mount_failed`, or `io` for an input that ends too early.
    pub fn open(mounts: &[Mount], input: &OwnedFd) -> Result<Self, Failure> {
        let mut files = None;
        let mut sockets = 0;
        let mut found = Vec::with_capacity(mounts.len());
        for (at, mount) in mounts.iter().enumerate() {
            found.push(match mount {
                Mount::Tmpfs { .. } => None,
                Mount::Tree {
                    name, single, target, ..
                } => Some(tree(name, single.as_deref()).mounting(target)?),
                Mount::Share { tag, target, .. } => {
                    Some(open(format!("{SHARES}/{tag}"), HANDLE | OFlags::DIRECTORY, Mode::empty()).mounting(target)?)
                }
                Mount::File { target, .. } => {
                    if files.is_none() {
                        files = Some(memory().mounting(target)?);
                    }
                    let files: &OwnedFd = files.as_ref().unwrap_or(input);
                    Some(file(files, &at.to_string(), mount, input)?)
                }
                Mount::Socket { target, .. } => {
                    let path = format!("{SOCKETS}/{sockets}");
                    sockets += 1;
                    Some(open(path, HANDLE | OFlags::NOFOLLOW, Mode::empty()).mounting(target)?)
                }
            });
        }
        Ok(Self(found))
    }
}

/// A tree as it was sent, or one file of it.
fn tree(name: &str, single: Option<&str>) -> rustix::io::Result<OwnedFd> {
    let top = open(format!("{TREES}/{name}"), HANDLE | OFlags::DIRECTORY, Mode::empty())?;
    let Some(single) = single else { return Ok(top) };
    openat2(
        &top,
        single,
        HANDLE | OFlags::NOFOLLOW,
        Mode::empty(),
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
    )
}

/// The step's own file system in memory.
fn memory() -> rustix::io::Result<OwnedFd> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", FILES, "tmpfs", flags, c"mode=700")?;
    open(FILES, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

fn file(directory: &OwnedFd, name: &str, mount: &Mount, input: &OwnedFd) -> Result<OwnedFd, Failure> {
    let Mount::File {
        target,
        size,
        mode,
        uid,
        gid,
        ..
    } = mount
    else {
        return Err(Failure::new(Code::BadRequest, "mount", "not a file"));
    };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let made = openat(directory, name, flags, Mode::RUSR).mounting(target)?;
    let told = |words: String| Failure::new(Code::Io, "mount", format!("{target}: {words}"));
    let source = input.try_clone().map_err(|e| told(e.to_string()))?;
    let mut into = File::from(made);
    // As it comes, but not beyond the file: what follows is another's.
    let copied = std::io::copy(&mut File::from(source).take(*size), &mut into).map_err(|e| told(e.to_string()))?;
    if copied != *size {
        return Err(told("its content is cut short".into()));
    }
    fchown(&into, Some(Uid::from_raw(*uid)), Some(Gid::from_raw(*gid))).mounting(target)?;
    fchmod(&into, Mode::from_raw_mode(mode & 0o7777)).mounting(target)?;
    openat(directory, name, HANDLE, Mode::empty()).mounting(target)
}

/// Mounts everything, in the order given.
///
/// # Errors
/// `mount_failed` with the target.
pub fn mount_all(mounts: &[Mount], sources: &Sources) -> Result<(), Failure> {
    let root = open("/", HANDLE | OFlags::DIRECTORY, Mode::empty()).mounting("/")?;
    for (mount, source) in mounts.iter().zip(&sources.0) {
        let target = mount.target();
        // Links that lead to nothing are followed as well: what they name is made.
        let path = resolve(&root, target).mounting(target)?;
        let path = Path::new("/").join(os(&path));
        match source {
            Some(source) => place(mount, source, &path).mounting(target)?,
            None => tmpfs(mount, &path).mounting(target)?,
        }
    }
    Ok(())
}

fn tmpfs(wanted: &Mount, target: &Path) -> rustix::io::Result<()> {
    mount_point::directory(target)?;
    let size = match wanted {
        Mount::Tmpfs {
            size_bytes: Some(size), ..
        } => format!("size={size}"),
        _ => String::new(),
    };
    let options = CString::new(size).map_err(|_| Errno::INVAL)?;
    mount("tmpfs", target, "tmpfs", MountFlags::NOSUID, options.as_c_str())
}

fn place(mount: &Mount, source: &OwnedFd, target: &Path) -> rustix::io::Result<()> {
    if FileType::from_raw_mode(fstat(source)?.st_mode).is_dir() {
        mount_point::directory(target)?;
    } else {
        mount_point::file(target)?;
    }
    if let Mount::Share { mode, uid, gid, .. } = mount {
        own(source.as_fd(), *mode, *uid, *gid)?;
    }
    bind(source.as_fd(), target)?;
    let flags = match mount {
        Mount::Tree { read_only: true, .. } | Mount::Share { read_only: true, .. } => MountFlags::empty(),
        Mount::File { executable: true, .. } => MountFlags::NOSUID | MountFlags::NODEV,
        Mount::File { .. } => MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC,
        _ => return Ok(()),
    };
    mount_remount(target, flags | MountFlags::BIND | MountFlags::RDONLY, c"")
}

/// An empty cache becomes its first user's.
fn own(directory: BorrowedFd<'_>, mode: u32, uid: u32, gid: u32) -> rustix::io::Result<()> {
    let listed = openat(
        directory,
        ".",
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    for entry in Dir::read_from(&listed)? {
        let name = entry?.file_name().to_owned();
        if name.as_c_str() != c"." && name.as_c_str() != c".." {
            return Ok(());
        }
    }
    match chownat(
        directory,
        ".",
        Some(Uid::from_raw(uid)),
        Some(Gid::from_raw(gid)),
        AtFlags::empty(),
    ) {
        // A directory of a host's user who is not root.
        Err(Errno::PERM) | Ok(()) => {}
        other => other?,
    }
    chmodat(directory, ".", Mode::from_raw_mode(mode & 0o7777), AtFlags::empty())
}

/// The sockets that the mounts ask for, in their order, open for clients.
///
/// # Errors
/// `mount_failed` with the target.
pub fn listen(mounts: &[Mount]) -> Result<Vec<OwnedFd>, Failure> {
    let mut listeners = Vec::new();
    for mount in mounts {
        if let Mount::Socket { target, mode, uid, gid } = mount {
            let path = format!("{SOCKETS}/{}", listeners.len());
            let listener = listen_on(&path, *mode, *uid, *gid);
            listeners
                .push(listener.map_err(|e| Failure::new(Code::MountFailed, "mount", format!("mount {target}: {e}")))?);
        }
    }
    Ok(listeners)
}
