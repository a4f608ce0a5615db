//! `clone3`: new processes with their namespaces and control group in one call.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::Pid;
use rustix::thread::LinkNameSpaceType;

use crate::fatal;

/// Of linux/sched.h; the libc crate has it in a type too small.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// The new namespaces of a workload.
pub const BOX_NAMESPACES: i32 =
    libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | libc::CLONE_NEWCGROUP;

/// `struct clone_args` of linux/sched.h, as of `CLONE_INTO_CGROUP`.
#[repr(C)]
#[derive(Default)]
struct Arguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// A process just made.
pub struct Child {
    /// As the agent sees it.
    pub pid: Pid,
    /// Its handle.
    pub pidfd: OwnedFd,
}

/// Forks. The child runs `body`, which must not come back.
///
/// # Errors
/// The kernel's.
pub fn fork(
    flags: i32,
    cgroup: Option<BorrowedFd<'_>>,
    body: impl FnOnce() -> std::convert::Infallible,
) -> Result<Child, Errno> {
    let mut pidfd: i32 = -1;
    let mut arguments = Arguments {
        flags: u64::from((flags | libc::CLONE_PIDFD).cast_unsigned()),
        pidfd: (&raw mut pidfd) as u64,
        exit_signal: u64::from(libc::SIGCHLD.cast_unsigned()),
        ..Arguments::default()
    };
    if let Some(cgroup) = cgroup {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = u64::from(cgroup.as_raw_fd().cast_unsigned());
    }
    // SAFETY: without CLONE_VM this is fork(2); the agent has one thread, so no lock is held elsewhere.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<Arguments>()) };
    if pid == 0 {
        fatal::forget_init();
        body();
    }
    // `Pid` takes any number but 0.
    let pid = i32::try_from(pid).ok().filter(|pid| *pid > 0).and_then(Pid::from_raw);
    match pid {
        // SAFETY: the kernel stored a new descriptor.
        Some(pid) => Ok(Child {
            pid,
            pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) },
        }),
        None => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)),
    }
}

/// Moves the caller's children-to-be, or the caller, into namespaces of the process behind `pidfd`.
///
/// # Errors
/// The kernel's.
pub fn enter(pidfd: BorrowedFd<'_>, namespaces: i32) -> Result<(), Errno> {
    // SAFETY: setns takes a descriptor and flags.
    if unsafe { libc::setns(pidfd.as_raw_fd(), namespaces) } == 0 {
        return Ok(());
    }
    Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))
}

/// Brings the agent's children-to-be back into its own PID namespace.
///
/// # Errors
/// The kernel's.
pub fn come_home(own: BorrowedFd<'_>) -> Result<(), Errno> {
    rustix::thread::move_into_link_name_space(own, Some(LinkNameSpaceType::ProcessID))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_fork_is_the_kernels_error() {
        // clone(2): both at once are not to be had.
        let child = fork(libc::CLONE_FS | libc::CLONE_NEWNS, None, || std::process::abort());
        assert_eq!(child.err(), Some(Errno::INVAL));
    }
}
