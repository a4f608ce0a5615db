//! PID 1 of a box with `init`: forwards signals, reaps, ends with its child's status.

use rustix::process::{Pid, WaitOptions, wait};

/// Waits for `child` and takes its end for its own. Never comes back.
pub fn run(child: Pid) -> ! {
    // The pipes belong to the child alone: their ends must not outlive it.
    // SAFETY: nothing here uses a descriptor again.
    unsafe { libc::close_range(0, u32::MAX, 0) };
    loop {
        match next_signal() {
            libc::SIGCHLD => {
                while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
                    if pid != child {
                        continue;
                    }
                    let code = status
                        .exit_status()
                        .or_else(|| status.terminating_signal().map(|n| 128 + n));
                    // SAFETY: ends the process.
                    unsafe { libc::_exit(code.unwrap_or(0)) };
                }
            }
            signal => {
                // SAFETY: signals the one child.
                unsafe { libc::kill(child.as_raw_nonzero().get(), signal) };
            }
        }
    }
}

/// Blocks every signal, so that [`run`] can wait for them. To be called before the child is made.
pub fn block_signals() {
    // SAFETY: a signal set of our own.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
    }
}

fn next_signal() -> i32 {
    // SAFETY: waits on a signal set of our own.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        let mut signal = 0;
        libc::sigwait(&raw const all, &raw mut signal);
        signal
    }
}
