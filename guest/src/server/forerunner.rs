//! A process that is executed and ends on another processor while a clone's agent still reads its request.
//!
//! Under emulation code is translated when it first runs, which is most of what a start costs, and the translation serves all
//! processors. So what the workload is about to do, exec and exit, is done ahead of it where a processor would be idle.

use std::convert::Infallible;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::stdio::{dup2_stdin, stdin};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::clone;
use crate::failure::{Failure, Stage};

/// Starts the process; it waits until the descriptor is closed. `None` where there is one processor: it has enough to do.
///
/// # Errors
/// The kernel's.
pub fn prepare() -> Result<Option<OwnedFd>, Failure> {
    let Some(processor) = spare_processor()? else {
        return Ok(None);
    };
    let (order_read, order) = pipe_with(PipeFlags::CLOEXEC).stage("forerunner", "pipe")?;
    clone::fork(0, None, || {
        let _ = live(&order_read, processor);
        // SAFETY: ends the process without running the parent's exit handlers.
        unsafe { libc::_exit(1) }
    })
    .stage("forerunner", "clone3")?;
    Ok(Some(order))
}

/// The processor that has nothing to do when a session begins.
///
/// # Errors
/// The kernel's.
pub fn spare_processor() -> Result<Option<usize>, Failure> {
    let processors = sched_getaffinity(None).stage("forerunner", "affinity")?;
    Ok((1..CpuSet::MAX_CPU).rev().find(|at| processors.is_set(*at)))
}

/// Comes back only with the reason why there was no exec.
fn live(order: &OwnedFd, processor: usize) -> Result<Infallible, Errno> {
    dup2_stdin(order)?;
    await_order(processor)?;
    execute()
}

/// Waits on the processor until the order, on standard input, is closed. Of the descriptors only the standard ones stay open.
///
/// # Errors
/// The kernel's.
pub fn await_order(processor: usize) -> Result<(), Errno> {
    // Nobody else's pipe is to stay open because of this process.
    // SAFETY: of the descriptors that are closed none is used again.
    unsafe { libc::close_range(3, u32::MAX, 0) };
    let mut only = CpuSet::new();
    only.set(processor);
    sched_setaffinity(None, &only)?;
    rustix::io::read(stdin(), &mut [0; 1])?;
    Ok(())
}

/// Executes a program that ends at once; comes back only with the reason why not.
///
/// # Errors
/// The kernel's.
pub fn execute() -> Result<Infallible, Errno> {
    let arguments = [c"/proc/self/exe".as_ptr(), c"--noop".as_ptr(), std::ptr::null()];
    let environment = [std::ptr::null()];
    // SAFETY: NUL-terminated strings in NULL-terminated arrays.
    unsafe { libc::execve(arguments[0], arguments.as_ptr(), environment.as_ptr()) };
    Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))
}
