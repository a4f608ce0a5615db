//! The root filesystem of a box: squashfs below, ext4 above, an overlay of both at [`ROOT`].

use std::ffi::CStr;
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, mkdir, open, openat2};
use rustix::io::Errno;
use rustix::mount::{
    FsOpenFlags, MountFlags, UnmountFlags, fsconfig_create, fsconfig_set_string, fsopen, mount, unmount,
};

use crate::devices;
use crate::failure::{Code, Failure, Stage};
use crate::launch::DEFAULT_PATH;
use crate::request::Root;

/// The box's root, as the agent sees it.
pub const ROOT: &str = "/box/root";
const LOWER: &str = "/box/lower";
/// The serial of the lower disk that the host gives every VM.
pub const USUAL_LOWER: &str = "root";
const REHEARSAL: &str = "/box/rehearsal";
/// Docker's, in the root directory.
const MARK: &str = ".dockerenv";
/// The box's writable disk.
pub const SCRATCH: &str = "/box/scratch";
/// Memory of the template that files read ahead may take.
const MAX_READ_AHEAD: usize = 32 << 20;
const LIBRARIES: [&str; 7] = [
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/x86_64-linux-gnu/libc.so.6",
    "/lib64/libc.so.6",
    "/lib/ld-musl-x86_64.so.1",
    "/etc/ld.so.cache",
    "/etc/passwd",
    "/etc/group",
];
/// `BLKFLSBUF` of linux/fs.h.
const BLKFLSBUF: libc::c_ulong = 0x1261;

/// How the scratch disk is mounted. It comes with blank inode tables: without `noinit_itable` a thread would write them out.
pub const KEPT: &CStr = c"noinit_itable,discard";
/// The same for a disk that nobody looks at once its VM has ended.
pub const FLEETING: &CStr = c"noinit_itable,discard,nobarrier";

/// Mounts a box's root; `lower_ahead` as in [`mount_disks`].
///
/// # Errors
/// `mount_failed` with the disk at fault.
pub fn mount_root(root: &Root, lower_ahead: impl FnOnce() -> bool) -> Result<(), Failure> {
    mount_disks(root, KEPT, lower_ahead)?;
    for dir in ["/box/scratch/upper", "/box/scratch/work"] {
        crate::launch::make_directories(dir.as_ref()).mounting(dir)?;
    }
    mark_as_container(Path::new(LOWER), Path::new("/box/scratch/upper")).mounting("/.dockerenv")?;
    overlay(LOWER, SCRATCH)
}

/// Mounts the disks of a root, the upper one with these options. `lower_ahead` waits until it is known whether [`USUAL_LOWER`] has been
/// mounted as the lower one meanwhile.
///
/// # Errors
/// `mount_failed` with the disk at fault.
pub fn mount_disks(root: &Root, options: &CStr, lower_ahead: impl FnOnce() -> bool) -> Result<(), Failure> {
    let upper = disk(&root.upper)?;
    mount(&upper, SCRATCH, "ext4", MountFlags::NOATIME, options).mounting(&root.upper)?;
    let is_there = lower_ahead();
    if is_there && root.lower == USUAL_LOWER {
        return Ok(());
    }
    if is_there {
        unmount(LOWER, UnmountFlags::empty()).mounting(&root.lower)?;
    }
    mount_lower(&root.lower)
}

/// Mounts the disk with this serial as the lower one.
///
/// # Errors
/// `mount_failed`.
pub fn mount_lower(serial: &str) -> Result<(), Failure> {
    let lower = disk(serial)?;
    mount(&lower, LOWER, "squashfs", MountFlags::RDONLY, None).mounting(serial)
}

/// Makes what [`rehearse_overlay`] takes for a disk.
///
/// # Errors
/// `mount_failed`.
pub fn prepare_rehearsal() -> Result<(), Failure> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("tmpfs", REHEARSAL, "tmpfs", flags, c"mode=700,size=1m").mounting(REHEARSAL)?;
    for dir in ["upper", "work"] {
        mkdir(format!("{REHEARSAL}/{dir}"), Mode::from_raw_mode(0o700)).mounting(dir)?;
    }
    Ok(())
}

/// Makes an overlay of the lower disk that nobody sees, and lets it go again.
///
/// # Errors
/// The kernel's.
pub fn rehearse_overlay() -> rustix::io::Result<()> {
    let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, "lowerdir", LOWER)?;
    fsconfig_set_string(&context, "upperdir", format!("{REHEARSAL}/upper"))?;
    fsconfig_set_string(&context, "workdir", format!("{REHEARSAL}/work"))?;
    fsconfig_set_string(&context, "index", "off")?;
    fsconfig_create(&context)
}

/// The empty file by which programs know that they run in a container. An image's own is kept, and the mark of one that was deleted.
fn mark_as_container(lower: &Path, upper: &Path) -> rustix::io::Result<()> {
    if rustix::fs::lstat(lower.join(MARK)).is_ok() {
        return Ok(());
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match open(upper.join(MARK), flags, Mode::from_raw_mode(0o755)) {
        Ok(file) => rustix::fs::fchmod(&file, Mode::from_raw_mode(0o755)),
        Err(Errno::EXIST) => Ok(()),
        Err(refused) => Err(refused),
    }
}

fn overlay(lower: &str, scratch: &str) -> Result<(), Failure> {
    let options = format!("lowerdir={lower},upperdir={scratch}/upper,workdir={scratch}/work,index=off");
    let options = std::ffi::CString::new(options)
        .map_err(|_| Errno::INVAL)
        .mounting("overlay")?;
    mount("overlay", ROOT, "overlay", MountFlags::NOATIME, options.as_c_str()).mounting("overlay")
}

/// The device of a disk, without what the kernel remembers of the placeholder that was there before.
fn disk(serial: &str) -> Result<String, Failure> {
    let path = devices::disk(serial)
        .ok_or_else(|| Failure::new(Code::MountFailed, "mount", format!("no disk with serial {serial:?}")))?;
    let file = File::open(&path).map_err(|e| Failure::new(Code::MountFailed, "mount", format!("{path}: {e}")))?;
    // SAFETY: BLKFLSBUF takes no argument.
    unsafe { libc::ioctl(file.as_raw_fd(), BLKFLSBUF, 0) };
    Ok(path)
}

/// Writes the box's disk out.
pub fn sync() {
    if let Ok(scratch) = File::open(SCRATCH) {
        let _ = rustix::fs::syncfs(&scratch);
    }
}

/// Reads files of the box into the page cache: `names` as a shell would find them, and what nearly every
/// dynamic program needs. A clone then runs its first command without waiting for its disk.
pub fn read_ahead(names: &[String]) {
    let Ok(root) = open(ROOT, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) else {
        return;
    };
    let mut budget = MAX_READ_AHEAD;
    let always = ["sh", "env"].into_iter().chain(LIBRARIES);
    for name in names.iter().map(String::as_str).chain(always) {
        let found = if name.contains('/') {
            read_whole(&root, name, &mut budget)
        } else {
            let candidates = DEFAULT_PATH.split(':').map(|dir| format!("{dir}/{name}"));
            candidates.into_iter().any(|path| read_whole(&root, &path, &mut budget))
        };
        if !found && budget == 0 {
            return;
        }
    }
}

/// Whether there is such a file. Links stay within the box's root.
fn read_whole(root: &OwnedFd, path: &str, budget: &mut usize) -> bool {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT) else {
        return false;
    };
    let size = fstat(&file)
        .ok()
        .filter(|stat| FileType::from_raw_mode(stat.st_mode).is_file())
        .map_or(0, |stat| stat.st_size);
    let Some(left) = usize::try_from(size).ok().and_then(|size| budget.checked_sub(size)) else {
        return true;
    };
    *budget = left;
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(1..) = rustix::io::read(&file, &mut bytes) {}
    true
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_box_is_marked_as_a_container_once_and_an_image_s_own_mark_is_kept() {
        let base = std::env::temp_dir().join(format!("a3s-mark-{}", std::process::id()));
        let [lower, upper, other] = ["lower", "upper", "other"].map(|name| base.join(name));
        for directory in [&lower, &upper, &other] {
            fs::create_dir_all(directory).unwrap();
        }
        mark_as_container(&lower, &upper).unwrap();
        let mark = fs::metadata(upper.join(MARK)).unwrap();
        assert_eq!((mark.mode(), mark.len()), (0o100_755, 0));
        fs::write(upper.join(MARK), "mine").unwrap();
        mark_as_container(&lower, &upper).unwrap();
        assert_eq!(fs::read(upper.join(MARK)).unwrap(), b"mine");
        mark_as_container(&upper, &other).unwrap();
        assert!(fs::metadata(other.join(MARK)).is_err());
        fs::remove_dir_all(&base).unwrap();
    }
}
