//! A box's own mounts: 9p shares from the host, and tmpfs. Runs inside the box's root.

use std::collections::HashMap;
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags, fsconfig_create, fsconfig_set_string,
    fsmount, fsopen, mount, mount_remount, move_mount,
};

use crate::box_mounts::bind;
use crate::failure::{Failure, Stage};
use crate::fill;
use crate::mount_point;
use crate::request::Mount;

/// Mounts everything a request asks for, in its order; `id` is the box's.
///
/// # Errors
/// `mount_failed` with the target, `io` for a volume that could not be filled.
pub fn mount_all(mounts: &[Mount], staging: &OwnedFd, id: &str) -> Result<(), Failure> {
    let shares = attach_all(mounts, staging)?;
    fill_all(mounts, &shares, id)?;
    for entry in mounts {
        match entry {
            Mount::Tmpfs { target, options } => tmpfs(target, options)?,
            Mount::Share {
                tag,
                subpath,
                target,
                read_only,
                ..
            } => {
                if let Some(share) = shares.get(tag.as_str()) {
                    place(share, subpath, target, *read_only).mounting(target)?;
                }
            }
        }
    }
    Ok(())
}

/// The shares by their tags; several mounts may be of one.
fn attach_all<'a>(mounts: &'a [Mount], staging: &OwnedFd) -> Result<HashMap<&'a str, OwnedFd>, Failure> {
    let mut shares = HashMap::new();
    for entry in mounts {
        let Mount::Share { tag, target, .. } = entry else {
            continue;
        };
        if !shares.contains_key(tag.as_str()) {
            shares.insert(tag.as_str(), attach(tag, staging).mounting(target)?);
        }
    }
    Ok(shares)
}

/// Before anything is mounted: a volume takes what the image has, not what another mount shows there.
fn fill_all(mounts: &[Mount], shares: &HashMap<&str, OwnedFd>, id: &str) -> Result<(), Failure> {
    let mut bare_root = None;
    for entry in mounts {
        let Mount::Share {
            tag,
            target,
            fill: true,
            ..
        } = entry
        else {
            continue;
        };
        let Some(share) = shares.get(tag.as_str()) else {
            continue;
        };
        let root = match &bare_root {
            Some(root) => root,
            None => bare_root.insert(fill::bare_root().mounting(target)?),
        };
        fill::fill(root.as_fd(), share.as_fd(), target, id)?;
    }
    Ok(())
}

/// Mounts a whole share where no path of a box leads: the kernel allows one mount of each tag, and binds only from
/// what is mounted somewhere.
///
/// # Errors
/// The kernel's.
pub fn attach(tag: &str, staging: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    let context = fsopen("9p", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, "source", tag)?;
    fsconfig_set_string(&context, "trans", "virtio")?;
    fsconfig_set_string(&context, "version", "9p2000.L")?;
    fsconfig_set_string(&context, "msize", "1048576")?;
    // Reads and writes go to the host at once; pages only for mmap, without which programs would not run.
    fsconfig_set_string(&context, "cache", "mmap")?;
    fsconfig_set_string(&context, "access", "client")?;
    fsconfig_create(&context)?;
    let share = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?;
    match rustix::fs::mkdirat(staging, tag, Mode::from_raw_mode(0o700)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(e) => return Err(e),
    }
    move_mount(&share, c"", staging, tag, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    Ok(share)
}

fn place(share: &OwnedFd, subpath: &str, target: &str, read_only: bool) -> rustix::io::Result<()> {
    let within = if subpath.is_empty() { "." } else { subpath };
    let source = openat2(
        share,
        within,
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::IN_ROOT,
    )?;
    if FileType::from_raw_mode(fstat(&source)?.st_mode).is_dir() {
        mount_point::directory(Path::new(target))?;
    } else {
        mount_point::file(Path::new(target))?;
    }
    bind(source.as_fd(), target)?;
    if read_only {
        mount_remount(target, MountFlags::BIND | MountFlags::RDONLY, c"")?;
    }
    Ok(())
}

fn tmpfs(target: &str, options: &str) -> Result<(), Failure> {
    let (flags, data) = split_options(options);
    mount_point::directory(Path::new(target)).mounting(target)?;
    let data = CString::new(data).map_err(|_| Errno::INVAL).mounting(target)?;
    mount("tmpfs", target, "tmpfs", flags, data.as_c_str()).mounting(target)
}

/// Mount flags and filesystem data out of a comma list, as mount(8) tells them apart.
fn split_options(options: &str) -> (MountFlags, String) {
    let mut flags = MountFlags::empty();
    let mut data = Vec::new();
    for option in options.split(',') {
        match option {
            "" | "rw" | "suid" | "dev" | "exec" | "async" | "atime" | "defaults" => {}
            "ro" => flags |= MountFlags::RDONLY,
            "nosuid" => flags |= MountFlags::NOSUID,
            "nodev" => flags |= MountFlags::NODEV,
            "noexec" => flags |= MountFlags::NOEXEC,
            "noatime" => flags |= MountFlags::NOATIME,
            "nodiratime" => flags |= MountFlags::NODIRATIME,
            "relatime" => flags |= MountFlags::RELATIME,
            "strictatime" => flags |= MountFlags::STRICTATIME,
            "sync" => flags |= MountFlags::SYNCHRONOUS,
            other => data.push(other),
        }
    }
    (flags, data.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_flags_from_data() {
        let (flags, data) = split_options("rw,nosuid,nodev,size=65536k,mode=1777");
        assert_eq!(flags, MountFlags::NOSUID | MountFlags::NODEV);
        assert_eq!(data, "size=65536k,mode=1777");
    }
}
