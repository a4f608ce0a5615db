//! What every box finds mounted, by the lists of the OCI runtime specification and Docker's defaults.
//! Runs in the box's own mount namespace.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, makedev, mknodat, open};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount, mount_bind, mount_move, mount_remount, move_mount,
    open_tree, unmount,
};
use rustix::path::Arg;
use rustix::process::{chdir, chroot};

use crate::failure::{Failure, Stage};
use crate::rootfs;
use crate::{identity, mount_point};

const SAFE: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV).union(MountFlags::NOEXEC);

/// Device nodes of /dev: name, major, minor.
const NODES: [(&str, u32, u32); 6] = [
    ("/dev/null", 1, 3),
    ("/dev/zero", 1, 5),
    ("/dev/full", 1, 7),
    ("/dev/random", 1, 8),
    ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
];
/// What is mounted with everything below it.
const TREES: [&str; 3] = ["/proc", "/dev", "/sys"];
const LINKS: [(&str, &str); 6] = [
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
    ("/proc/kcore", "/dev/core"),
    ("pts/ptmx", "/dev/ptmx"),
];
const MASKED: [&str; 12] = [
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
];
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", SYSCTLS, "/proc/sysrq-trigger"];
const SYSCTLS: &str = "/proc/sys";

/// Makes [`rootfs::ROOT`] this namespace's root and mounts everything that no request decides.
/// The directory of the files that are mounted over those of the image.
///
/// # Errors
/// `mount_failed` with what was mounted.
pub fn enter_root(files: &[identity::Place]) -> Result<OwnedFd, Failure> {
    let places = files;
    let files = identity::make_files(places)?;
    chdir(rootfs::ROOT).mounting("/")?;
    // pivot_root refuses to leave an initramfs.
    mount_move(".", "/").mounting("/")?;
    chroot(".").mounting("/")?;
    chdir("/").mounting("/")?;

    place("proc", "/proc", "proc", SAFE, c"")?;
    place(
        "tmpfs",
        "/dev",
        "tmpfs",
        MountFlags::NOSUID | MountFlags::STRICTATIME,
        c"mode=755,size=65536k",
    )?;
    devices()?;
    let terminals = MountFlags::NOSUID | MountFlags::NOEXEC;
    place(
        "devpts",
        "/dev/pts",
        "devpts",
        terminals,
        c"newinstance,ptmxmode=0666,mode=0620,gid=5",
    )?;
    place("sysfs", "/sys", "sysfs", SAFE | MountFlags::RDONLY, c"")?;
    place("cgroup", "/sys/fs/cgroup", "cgroup2", SAFE | MountFlags::RDONLY, c"")?;
    place("mqueue", "/dev/mqueue", "mqueue", SAFE, c"")?;
    place("shm", "/dev/shm", "tmpfs", SAFE, c"mode=1777,size=65536k")?;
    for path in READ_ONLY {
        read_only(path)?;
    }
    let null = open("/dev/null", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).mounting("/dev/null")?;
    for path in MASKED {
        mask(path, null.as_fd())?;
    }
    identity::place_files(files.as_fd(), places)?;
    // The agent is spared by the OOM killer; the box is not.
    let _ = std::fs::write("/proc/self/oom_score_adj", "0");
    Ok(files)
}

/// Mounts an empty root at [`rootfs::ROOT`], for who has to wait for the box's.
///
/// # Errors
/// `mount_failed`.
pub fn stand_in() -> Result<(), Failure> {
    mount(
        "tmpfs",
        rootfs::ROOT,
        "tmpfs",
        MountFlags::empty(),
        c"mode=755,size=64k",
    )
    .mounting("/")
}

/// Takes everything that [`enter_root`] has mounted to another root, which is mounted nowhere yet, and goes there.
///
/// # Errors
/// `mount_failed` with what could not be mounted.
pub fn change_root(root: &OwnedFd, files: &[identity::Place]) -> Result<(), Failure> {
    let open_mount = |path: &str| open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).mounting(path);
    let trees = TREES.into_iter().map(|path| Ok((path, open_mount(path)?, true)));
    let files = files.iter().map(|(_, path)| Ok((*path, open_mount(path)?, false)));
    let mounts = trees.chain(files).collect::<Result<Vec<_>, Failure>>()?;
    move_mount(root, c"", CWD, "/", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).mounting("/")?;
    rustix::process::fchdir(root).mounting("/")?;
    chroot(".").mounting("/")?;
    for (target, mount, is_directory) in mounts {
        put(&mount, target, is_directory).mounting(target)?;
    }
    Ok(())
}

/// Moves a mount to a path of the root, whose links lead within that. What is not there is made.
fn put(mount: &OwnedFd, target: &str, is_directory: bool) -> rustix::io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_SYMLINKS;
    match move_mount(mount, c"", CWD, target, flags) {
        Err(Errno::NOENT) if is_directory => mount_point::directory(Path::new(target))?,
        Err(Errno::NOENT) => mount_point::file(Path::new(target))?,
        other => return other,
    }
    move_mount(mount, c"", CWD, target, flags)
}

fn place(source: &str, target: &str, kind: &str, flags: MountFlags, data: &std::ffi::CStr) -> Result<(), Failure> {
    match mount(source, target, kind, flags, data) {
        Err(Errno::NOENT) => {
            mount_point::directory(Path::new(target)).mounting(target)?;
            mount(source, target, kind, flags, data)
        }
        other => other,
    }
    .mounting(target)
}

fn devices() -> Result<(), Failure> {
    for (path, major, minor) in NODES {
        let mode = Mode::from_raw_mode(0o666);
        mknodat(CWD, path, FileType::CharacterDevice, mode, makedev(major, minor)).mounting(path)?;
    }
    for (target, path) in LINKS {
        let linked = symlink(target, path).map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO));
        linked.mounting(path)?;
    }
    Ok(())
}

/// Makes one path read-only; the kernel may not have it.
fn read_only(path: &str) -> Result<(), Failure> {
    match mount_bind(path, path) {
        Err(Errno::NOENT) => Ok(()),
        Err(e) => Err(e).mounting(path),
        Ok(()) => mount_remount(path, SAFE | MountFlags::BIND | MountFlags::RDONLY, c"").mounting(path),
    }
}

fn mask(path: &str, null: BorrowedFd<'_>) -> Result<(), Failure> {
    match std::fs::metadata(path) {
        Err(_) => Ok(()),
        Ok(meta) if meta.is_dir() => {
            mount("tmpfs", path, "tmpfs", SAFE | MountFlags::RDONLY, c"size=0k").mounting(path)
        }
        Ok(_) => bind(null, path).mounting(path),
    }
}

/// Shows the box what [`enter_root`] hid from it or made read-only in /proc and /sys.
///
/// # Errors
/// `mount_failed`.
pub fn unmask() -> Result<(), Failure> {
    for path in READ_ONLY.into_iter().chain(MASKED) {
        lift(path)?;
    }
    for path in ["/sys", "/sys/fs/cgroup"] {
        mount_remount(path, SAFE | MountFlags::BIND, c"").mounting(path)?;
    }
    Ok(())
}

/// Makes /proc/sys writable for a moment: [`lock_sysctls`] ends it.
///
/// # Errors
/// `mount_failed`.
pub fn unlock_sysctls() -> Result<(), Failure> {
    lift(SYSCTLS)
}

/// See [`unlock_sysctls`].
///
/// # Errors
/// `mount_failed`.
pub fn lock_sysctls() -> Result<(), Failure> {
    read_only(SYSCTLS)
}

/// Takes the mount on `path` away; the kernel may not have the path, and then there is none.
fn lift(path: &str) -> Result<(), Failure> {
    match unmount(path, UnmountFlags::DETACH) {
        Err(Errno::NOENT | Errno::INVAL) => Ok(()),
        other => other.mounting(path),
    }
}

/// Bind-mounts what `source` refers to on `target`.
///
/// # Errors
/// The kernel's.
pub fn bind(source: BorrowedFd<'_>, target: impl Arg) -> rustix::io::Result<()> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    let tree = open_tree(source, c"", flags)?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_SYMLINKS;
    move_mount(&tree, c"", CWD, target, flags)
}

/// Remounts the box's root read-only.
///
/// # Errors
/// `mount_failed`.
pub fn lock_root() -> Result<(), Failure> {
    mount_remount("/", MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOATIME, c"").mounting("/")
}

/// The box's terminal as /dev/console, as runc binds it.
///
/// # Errors
/// `mount_failed`.
pub fn bind_console(terminal: BorrowedFd<'_>) -> Result<(), Failure> {
    mount_point::file(Path::new("/dev/console"))
        .and_then(|()| bind(terminal, "/dev/console"))
        .mounting("/dev/console")
}
