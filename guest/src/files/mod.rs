//! What the host asks about a box's files and processes: archives in and out, changes, the process list, the figures of
//! its use. Each request is done by a child of the agent, so that a large tree holds nobody up; its output, its input and
//! its end go the way of a command's. See `docs/protocol.md`, "files".

mod changes;
mod extract;
mod layer;
mod pack;
mod place;
mod processes;
mod usage;

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use serde::Deserialize;

use crate::clone::{self, Child};
use crate::failure::{Code, Failure, Stage, describe};
use crate::rootfs;
use crate::stdio::{self, AgentEnds, ChildEnds};

/// Body of `POST /files`.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// What a path is, as JSON.
    Stat { path: String },
    /// A path as a tar archive.
    Get { path: String },
    /// A tar archive from standard input into a directory.
    Put { path: String },
    /// What the box has changed of its image.
    Changes {},
    /// The whole root, without what is mounted in it, as a tar archive.
    Export {},
    /// The changes as an OCI layer; with `freeze` the box's processes stand still meanwhile.
    Layer {
        #[serde(default)]
        freeze: bool,
    },
    /// The box's processes, as JSON.
    Processes {},
    /// What the box uses, as JSON.
    Usage {},
}

impl Request {
    /// # Errors
    /// `bad_request` with the field at fault.
    pub fn parse(json: &[u8]) -> Result<Self, Failure> {
        let request = serde_json::from_slice(json).map_err(|e| bad(e.to_string()))?;
        if let Request::Stat { path } | Request::Get { path } | Request::Put { path } = &request
            && (!path.starts_with('/') || path.contains('\0') || path.len() > 65_536)
        {
            return Err(bad("path: an absolute path"));
        }
        Ok(request)
    }

    /// Whether the box's processes stand still while it is done.
    #[must_use]
    pub fn freezes(&self) -> bool {
        matches!(self, Request::Layer { freeze: true })
    }

    /// Paths of the box are those its workload sees, mounts and all; the rest is about its disk or its processes.
    fn is_inside(&self) -> bool {
        matches!(self, Request::Stat { .. } | Request::Get { .. } | Request::Put { .. })
    }
}

/// Starts the request. `workload` is the box's first process.
///
/// # Errors
/// The kernel's.
pub fn spawn(request: &Request, workload: BorrowedFd<'_>) -> Result<(Child, AgentEnds), Failure> {
    let (ends, child_ends) = stdio::pipes().stage("spawn", "pipe")?;
    rustix::io::ioctl_fionbio(&ends.status, true).stage("spawn", "status pipe")?;
    let child = clone::fork(0, None, || serve(request, workload, &child_ends)).stage("spawn", "clone3")?;
    Ok((child, ends))
}

/// The child's life. Until `begin` failures go the way of a command that could not be started; later ones to standard error.
fn serve(request: &Request, workload: BorrowedFd<'_>, ends: &ChildEnds) -> Infallible {
    let status = match settle(request, workload, ends) {
        Ok(session) => session,
        Err(failure) => crate::zygote::give_up(ends, &failure),
    };
    let mut session = Session {
        status: Some(status.0),
        paths: status.1,
    };
    let done = perform(request, &mut session);
    let code = match done {
        Ok(()) => 0,
        Err(failure) => session.report(&failure),
    };
    // SAFETY: ends the process without running the agent's exit handlers.
    unsafe { libc::_exit(code) }
}

/// Its streams, and no other descriptor of the agent's: an input held open here would never end for its reader.
fn settle(request: &Request, workload: BorrowedFd<'_>, ends: &ChildEnds) -> Result<(OwnedFd, OwnedFd), Failure> {
    let _ = rustix::process::setsid();
    rustix::process::umask(Mode::empty());
    // An archive is the first to go when memory is short; the agent is the last.
    let _ = std::fs::write("/proc/self/oom_score_adj", "500");
    let paths = open("/proc/self/fd", OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).stage("spawn", "/proc")?;
    if request.is_inside() {
        clone::enter(workload, libc::CLONE_NEWNS).stage("spawn", "namespaces")?;
    }
    let [stdin, stdout, stderr] = &ends.streams;
    stdio::install(stdin, stdout, stderr).stage("stdio", "dup2")?;
    keep([ends.status.as_fd(), paths.as_fd()]).stage("spawn", "close_range")
}

/// Moves the two descriptors to 3 and 4 and closes all others but the streams.
fn keep(fds: [BorrowedFd<'_>; 2]) -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    // High up first: either may stand in the other's place.
    let high = fds.map(|fd| unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD, 64) });
    // SAFETY: descriptors of this process, which alone has them; nothing else of the agent's runs in it.
    unsafe {
        if libc::dup2(high[0], 3) < 0 || libc::dup2(high[1], 4) < 0 || libc::close_range(5, u32::MAX, 0) < 0 {
            return Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO));
        }
        Ok((OwnedFd::from_raw_fd(3), OwnedFd::from_raw_fd(4)))
    }
}

/// The child's ties to the agent.
pub struct Session {
    status: Option<OwnedFd>,
    /// The directory of this process's descriptors: names of what is open.
    pub paths: OwnedFd,
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

fn perform(request: &Request, session: &mut Session) -> Result<(), Failure> {
    match request {
        Request::Stat { path } => place::stat(session, path).and_then(|json| say(session, json.as_bytes())),
        Request::Get { path } => {
            let place = place::find(path)?;
            session.begin();
            pack::pack_place(&place, output()?).map_err(told)
        }
        Request::Put { path } => {
            let directory = place::directory(path)?;
            session.begin();
            extract::extract(
                &directory,
                path.trim_matches('/').is_empty(),
                File::from(own(rustix::stdio::stdin())?),
            )
        }
        Request::Changes {} => {
            session.begin();
            changes::list(&mut output()?).map_err(told)
        }
        Request::Export {} => {
            session.begin();
            let root = open_directory(rootfs::ROOT)?;
            pack::pack_contents(&root, output()?).map_err(told)
        }
        Request::Layer { .. } => {
            session.begin();
            layer::write(output()?).map_err(told)
        }
        Request::Processes {} => processes::list().and_then(|json| say(session, &json)),
        Request::Usage {} => usage::read().and_then(|json| say(session, &json)),
    }
}

fn say(session: &mut Session, bytes: &[u8]) -> Result<(), Failure> {
    session.begin();
    output()?.write_all(bytes).map_err(|e| told(Fault::from(e)))
}

/// What went wrong with which file.
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

fn told(fault: Fault) -> Failure {
    let path = String::from_utf8_lossy(&fault.path);
    let message = if path.is_empty() {
        fault.words
    } else {
        format!("{path}: {}", fault.words)
    };
    Failure::new(Code::Io, "files", message)
}

fn output() -> Result<io::BufWriter<File>, Failure> {
    Ok(io::BufWriter::with_capacity(
        64 * 1024,
        File::from(own(rustix::stdio::stdout())?),
    ))
}

fn own(fd: BorrowedFd<'_>) -> Result<OwnedFd, Failure> {
    fd.try_clone_to_owned()
        .map_err(|e| Failure::new(Code::Io, "files", e.to_string()))
}

fn open_directory(path: &str) -> Result<OwnedFd, Failure> {
    open(
        path,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .stage("files", path)
}

fn bad(message: impl Into<String>) -> Failure {
    Failure::new(Code::BadRequest, "request", message)
}
