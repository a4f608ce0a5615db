//! Paths of a box as Docker's `cp` reads them: links before the last name are followed, the last one only behind a `/` or `/.`.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, ResolveFlags, StatVfsMountFlags, fstatvfs, open, openat2, readlinkat, statat,
};
use rustix::io::Errno;
use serde::Serialize;

use super::Session;
use crate::failure::{Code, Failure, Stage, describe};

/// Something in the box: the directory it is in and its name there, `.` for the directory itself.
pub struct Place {
    pub parent: OwnedFd,
    pub name: OsString,
    /// What an archive calls it.
    pub title: Vec<u8>,
}

#[derive(Serialize)]
struct Answer {
    /// As in `st_mode`.
    mode: u32,
    size: i64,
    /// Seconds since 1970.
    mtime: i64,
    /// Where a link leads in the end, as an absolute path of the box.
    #[serde(skip_serializing_if = "Option::is_none")]
    link_target: Option<String>,
}

/// The box's root as this process sees it.
pub fn root() -> Result<OwnedFd, Failure> {
    open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).stage("path", "/")
}

/// Links lead nowhere but into the box, and never through a process's own files.
fn resolve(path: &OsStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let root = root().map_err(|_| Errno::IO)?;
    let confined = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    openat2(&root, path, flags | OFlags::CLOEXEC, Mode::empty(), confined)
}

/// # Errors
/// `not_found` at stage `path` for what is not there, `io` for any other reason.
pub fn find(path: &str) -> Result<Place, Failure> {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let directory = if directory.is_empty() { "/" } else { directory };
    let title = match (path.trim_end_matches('/').rsplit_once('/'), name) {
        (None, _) | (_, ".") => ".",
        (Some((_, last)), _) => last,
    };
    let name = if name.is_empty() { "." } else { name };
    let parent = resolve(directory.as_ref(), OFlags::PATH | OFlags::DIRECTORY).map_err(|e| refusal(path, e))?;
    statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|e| refusal(path, e))?;
    Ok(Place {
        parent,
        name: name.into(),
        title: title.into(),
    })
}

/// The directory to extract into, links followed to the end.
///
/// # Errors
/// As `find`; `bad_request` for what is no directory or cannot be written.
pub fn directory(path: &str) -> Result<OwnedFd, Failure> {
    let found = resolve(path.as_ref(), OFlags::RDONLY | OFlags::DIRECTORY);
    let directory = found.map_err(|e| match e {
        Errno::NOTDIR => Failure::new(Code::BadRequest, "path", "extraction point is not a directory"),
        other => refusal(path, other),
    })?;
    let mount = fstatvfs(&directory).stage("path", path)?;
    if mount.f_flag.contains(StatVfsMountFlags::RDONLY) {
        let message = "container rootfs or volume is marked read-only";
        return Err(Failure::new(Code::BadRequest, "path", message));
    }
    Ok(directory)
}

/// # Errors
/// As `find`.
pub fn stat(session: &Session, path: &str) -> Result<String, Failure> {
    let place = find(path)?;
    let stat = statat(&place.parent, &place.name, AtFlags::SYMLINK_NOFOLLOW).map_err(|e| refusal(path, e))?;
    let is_link = FileType::from_raw_mode(stat.st_mode).is_symlink();
    let answer = Answer {
        mode: stat.st_mode,
        size: stat.st_size,
        mtime: stat.st_mtime,
        link_target: if is_link {
            Some(target(session, &place, path)?)
        } else {
            None
        },
    };
    serde_json::to_string(&answer).map_err(|e| Failure::new(Code::Io, "path", e.to_string()))
}

/// The end of a chain of links; the first link's own words where the chain is broken.
fn target(session: &Session, place: &Place, path: &str) -> Result<String, Failure> {
    use std::os::fd::AsRawFd;
    let name = match resolve(path.as_ref(), OFlags::PATH) {
        Ok(end) => readlinkat(&session.paths, end.as_raw_fd().to_string(), Vec::new()),
        Err(Errno::NOENT) => {
            let words = readlinkat(&place.parent, &place.name, Vec::new()).stage("path", path)?;
            let parent = Path::new(path).parent().unwrap_or(Path::new("/"));
            return Ok(parent
                .join(OsStr::from_bytes(words.to_bytes()))
                .to_string_lossy()
                .into_owned());
        }
        Err(e) => return Err(refusal(path, e)),
    };
    let name = OsString::from_vec(name.stage("path", path)?.into_bytes());
    Ok(name.to_string_lossy().into_owned())
}

fn refusal(path: &str, errno: Errno) -> Failure {
    let code = if errno == Errno::NOENT {
        Code::NotFound
    } else {
        Code::Io
    };
    Failure::new(code, "path", format!("lstat {path}: {}", describe(errno)))
}
