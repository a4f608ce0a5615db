//! Pseudo-terminals of a box's own devpts.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::process::Pid;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// A handle on the multiplexer device of the devpts that `pid` sees.
///
/// # Errors
/// The kernel's.
pub fn multiplexer(pid: Pid) -> Result<OwnedFd, Errno> {
    let path = format!("/proc/{}/root/dev/pts/ptmx", pid.as_raw_nonzero());
    open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
}

/// A new terminal: the agent's side, which does not block, and the command's.
///
/// # Errors
/// The kernel's.
pub fn open_pair(multiplexer: BorrowedFd<'_>, rows: u16, cols: u16) -> Result<(OwnedFd, OwnedFd), Errno> {
    let path = format!("/proc/self/fd/{}", multiplexer.as_raw_fd());
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let master = open(path, flags, Mode::empty())?;
    unlockpt(&master)?;
    resize(master.as_fd(), rows, cols)?;
    let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    Ok((master, slave))
}

/// Sets the window size; 0 leaves the kernel's.
///
/// # Errors
/// The kernel's.
pub fn resize(terminal: BorrowedFd<'_>, rows: u16, cols: u16) -> Result<(), Errno> {
    if rows == 0 && cols == 0 {
        return Ok(());
    }
    tcsetwinsize(
        terminal.as_fd(),
        Winsize {
            ws_row: rows,
            ws_col: cols,
            ws_xpixel: 0,
            ws_ypixel: 0,
        },
    )
}

/// A terminal's number in its devpts.
///
/// # Errors
/// The kernel's.
pub fn number(master: BorrowedFd<'_>) -> Result<u32, Errno> {
    let mut number: libc::c_uint = 0;
    // SAFETY: TIOCGPTN stores an unsigned int.
    if unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCGPTN, &raw mut number) } == 0 {
        return Ok(number);
    }
    Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))
}
