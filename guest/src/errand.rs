//! Errands: what the agent does for the host in a child of its own, so that it holds nobody up. An errand's output, input
//! and end go the way of a command's.

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

use crate::clone::{self, Child};
use crate::failure::{Code, Failure, Stage, describe};
use crate::stdio::{self, AgentEnds, ChildEnds};

/// Where an errand finds the descriptor it was given.
const KEPT: i32 = 5;

/// Starts an errand in new `namespaces`. `enter` runs while all of the agent's files are still to be had, `body` with nothing but the
/// streams and `kept`.
///
/// # Errors
/// The kernel's.
pub fn spawn(
    namespaces: i32,
    kept: Option<BorrowedFd<'_>>,
    enter: impl FnOnce() -> Result<(), Failure>,
    body: impl FnOnce(&mut Session) -> Result<(), Failure>,
) -> Result<(Child, AgentEnds), Failure> {
    let (ends, child_ends) = stdio::pipes().stage("spawn", "pipe")?;
    rustix::io::ioctl_fionbio(&ends.status, true).stage("spawn", "status pipe")?;
    let child = clone::fork(namespaces, None, || serve(kept, enter, body, &child_ends)).stage("spawn", "clone3")?;
    Ok((child, ends))
}

/// The child's life. Until [`Session::begin`] failures go the way of a command that could not be started; later ones to standard
/// error.
fn serve(
    kept: Option<BorrowedFd<'_>>,
    enter: impl FnOnce() -> Result<(), Failure>,
    body: impl FnOnce(&mut Session) -> Result<(), Failure>,
    ends: &ChildEnds,
) -> Infallible {
    let mut session = match settle(kept, enter, ends) {
        Ok(session) => session,
        Err(failure) => crate::zygote::give_up(ends, &failure),
    };
    let code = match body(&mut session) {
        Ok(()) => 0,
        Err(failure) => session.report(&failure),
    };
    // SAFETY: ends the process without running the agent's exit handlers.
    unsafe { libc::_exit(code) }
}

/// Its streams, and no other descriptor of the agent's: an input held open here would never end for its reader.
fn settle(
    kept: Option<BorrowedFd<'_>>,
    enter: impl FnOnce() -> Result<(), Failure>,
    ends: &ChildEnds,
) -> Result<Session, Failure> {
    let _ = rustix::process::setsid();
    rustix::process::umask(Mode::empty());
    // An errand is the first to go when memory is short; the agent is the last.
    let _ = std::fs::write("/proc/self/oom_score_adj", "500");
    let paths = open("/proc/self/fd", OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).stage("spawn", "/proc")?;
    enter()?;
    let [stdin, stdout, stderr] = &ends.streams;
    stdio::install(stdin, stdout, stderr).stage("stdio", "dup2")?;
    keep(ends.status.as_fd(), paths.as_fd(), kept).stage("spawn", "close_range")
}

/// Moves the descriptors to 3, 4 and 5 and closes all others but the streams.
fn keep(status: BorrowedFd<'_>, paths: BorrowedFd<'_>, kept: Option<BorrowedFd<'_>>) -> rustix::io::Result<Session> {
    let given = kept.is_some();
    // High up first: any may stand in another's place.
    // SAFETY: descriptors of this process, which alone has them; nothing else of the agent's runs in it.
    let high =
        [status, paths, kept.unwrap_or(status)].map(|fd| unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD, 64) });
    // SAFETY: as above.
    unsafe {
        if high.into_iter().zip(3..).any(|(from, to)| libc::dup2(from, to) < 0) || libc::close_range(6, u32::MAX, 0) < 0
        {
            return Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO));
        }
        let kept = OwnedFd::from_raw_fd(KEPT);
        Ok(Session {
            status: Some(OwnedFd::from_raw_fd(3)),
            paths: OwnedFd::from_raw_fd(4),
            // Without one it is another handle on the status pipe, which must end with the first.
            kept: given.then_some(kept),
        })
    }
}

/// An errand's ties to the agent.
pub struct Session {
    status: Option<OwnedFd>,
    /// The directory of this process's descriptors: names of what is open.
    pub paths: OwnedFd,
    /// What it was given.
    pub kept: Option<OwnedFd>,
}

impl Session {
    /// Everything is found: from now on there is output.
    pub fn begin(&mut self) {
        self.status = None;
    }

    fn report(&self, failure: &Failure) -> i32 {
        if let Some(status) = &self.status {
            let _ = rustix::io::write(status, &serde_json::to_vec(failure).unwrap_or_default());
            return i32::from(failure.code.exit_code());
        }
        let _ = rustix::io::write(rustix::stdio::stderr(), failure.message.as_bytes());
        1
    }
}

/// What went wrong with which file.
#[derive(Debug)]
pub struct Fault {
    pub path: Vec<u8>,
    pub words: String,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self {
            path: Vec::new(),
            words: words(&error),
        }
    }
}

/// Names the file at fault.
pub fn at<E: Into<io::Error>>(path: &[u8]) -> impl FnOnce(E) -> Fault {
    let path = path.to_vec();
    move |error| Fault {
        path,
        words: words(&error.into()),
    }
}

fn words(error: &io::Error) -> String {
    Errno::from_io_error(error).map_or_else(|| error.to_string(), describe)
}

/// As an `io` failure.
pub fn told(fault: Fault) -> Failure {
    let path = String::from_utf8_lossy(&fault.path);
    let message = if path.is_empty() {
        fault.words
    } else {
        format!("{path}: {}", fault.words)
    };
    Failure::new(Code::Io, "files", message)
}

/// Standard output, buffered.
///
/// # Errors
/// The kernel's.
pub fn output() -> Result<io::BufWriter<File>, Failure> {
    Ok(io::BufWriter::with_capacity(
        64 * 1024,
        File::from(own(rustix::stdio::stdout())?),
    ))
}

/// A descriptor of one's own.
///
/// # Errors
/// The kernel's.
pub fn own(fd: BorrowedFd<'_>) -> Result<OwnedFd, Failure> {
    fd.try_clone_to_owned()
        .map_err(|e| Failure::new(Code::Io, "files", e.to_string()))
}
