//! The root filesystem of a box: squashfs below, ext4 above, an overlay of both at [`ROOT`].

use std::fs::File;
use std::os::fd::AsRawFd;

use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};

use crate::devices;
use crate::failure::{Code, Failure, Stage};
use crate::request::Root;

/// The box's root, as the agent sees it.
pub const ROOT: &str = "/box/root";
const LOWER: &str = "/box/lower";
const SCRATCH: &str = "/box/scratch";
/// `BLKFLSBUF` of linux/fs.h.
const BLKFLSBUF: libc::c_ulong = 0x1261;

/// Mounts a box's root.
///
/// # Errors
/// `mount_failed` with the disk at fault.
pub fn mount_root(root: &Root) -> Result<(), Failure> {
    let lower = disk(&root.lower)?;
    let upper = disk(&root.upper)?;
    mount(&lower, LOWER, "squashfs", MountFlags::RDONLY, None).mounting(&root.lower)?;
    // The scratch disk comes with blank inode tables: without noinit_itable a thread would write them out.
    let flags = MountFlags::NOATIME;
    mount(&upper, SCRATCH, "ext4", flags, c"noinit_itable,discard").mounting(&root.upper)?;
    for dir in ["/box/scratch/upper", "/box/scratch/work"] {
        crate::launch::make_directories(dir.as_ref()).mounting(dir)?;
    }
    overlay(LOWER, SCRATCH)
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
