//! A process that is ahead of a clone with nothing mounted: it mounts the lower disk while the agent reads its request and mounts the upper
//! one, and then does for [`forerunner`](super::forerunner)'s reason what is to come, on the processor that would be idle.

use std::convert::Infallible;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::stdio::dup2_stdin;

use super::forerunner;
use crate::clone;
use crate::failure::{Failure, Stage};
use crate::rootfs;

/// What it says once the disk is mounted.
const MOUNTED: u8 = b'M';

/// The way to it.
pub struct Vanguard {
    /// It waits until this is closed.
    pub order: OwnedFd,
    /// From it.
    pub report: OwnedFd,
}

/// Starts the process. `None` where there is one processor.
///
/// # Errors
/// The kernel's.
pub fn prepare() -> Result<Option<Vanguard>, Failure> {
    let Some(processor) = forerunner::spare_processor()? else {
        return Ok(None);
    };
    rootfs::prepare_rehearsal()?;
    let (order_read, order) = pipe_with(PipeFlags::CLOEXEC).stage("vanguard", "pipe")?;
    let (report, report_write) = pipe_with(PipeFlags::CLOEXEC).stage("vanguard", "pipe")?;
    clone::fork(0, None, || {
        let _ = live(&order_read, &report_write, processor);
        // SAFETY: ends the process without running the parent's exit handlers.
        unsafe { libc::_exit(1) }
    })
    .stage("vanguard", "clone3")?;
    Ok(Some(Vanguard { order, report }))
}

/// Waits until it is known whether the lower disk has been mounted. One that could not be is tried again by whoever needs it, and told
/// of then.
pub fn has_mounted(report: Option<OwnedFd>) -> bool {
    let Some(report) = report else {
        return false;
    };
    let mut said = [0; 1];
    loop {
        match rustix::io::read(&report, &mut said) {
            Err(Errno::INTR) => {}
            read => return read == Ok(1) && said == [MOUNTED],
        }
    }
}

/// Comes back only with the reason why there was no exec.
fn live(order: &OwnedFd, report: &OwnedFd, processor: usize) -> Result<Infallible, Errno> {
    dup2_stdin(order)?;
    // The second descriptor that it needs.
    rustix::stdio::dup2_stdout(report.as_fd())?;
    forerunner::await_order(processor)?;
    let mounted = rootfs::mount_lower(rootfs::USUAL_LOWER).is_ok();
    if mounted {
        rustix::io::write(rustix::stdio::stdout(), &[MOUNTED])?;
        let _ = rootfs::rehearse_overlay();
    }
    forerunner::execute()
}
