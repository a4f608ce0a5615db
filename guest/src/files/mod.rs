//! What the host asks about a box's files and processes: archives in and out, changes, the process list, the figures of
//! its use. Each request is an errand, so that a large tree holds nobody up. See `docs/protocol.md`, "files".

pub mod archive;
pub mod changes;
pub mod content;
mod extract;
mod layer;
pub mod member;
pub mod pack;
mod pax;
mod place;
mod processes;
mod sparse;
mod usage;

use std::io::Write;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, open};
use serde::Deserialize;

use crate::clone::{self, Child};
use crate::errand::{self, Session, output, told};
pub use crate::errand::{Fault, at};
use crate::failure::{Code, Failure, Stage};
use crate::rootfs;
use crate::stdio::AgentEnds;
use crate::transfer::{Input, Output};

/// Body of `POST /files`.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// What a path is, as JSON.
    Stat { path: String },
    /// A path as a tar archive.
    Get {
        path: String,
        #[serde(default)]
        transfer: bool,
    },
    /// A tar archive from standard input into a directory.
    Put {
        path: String,
        #[serde(default)]
        transfer: bool,
    },
    /// What the box has changed of its image.
    Changes {},
    /// The whole root, without what is mounted in it, as a tar archive.
    Export {
        #[serde(default)]
        transfer: bool,
    },
    /// The changes as an OCI layer; with `freeze` the box's processes stand still meanwhile.
    Layer {
        #[serde(default)]
        freeze: bool,
        #[serde(default)]
        transfer: bool,
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
        if let Request::Stat { path } | Request::Get { path, .. } | Request::Put { path, .. } = &request
            && (!path.starts_with('/') || path.contains('\0') || path.len() > 65_536)
        {
            return Err(bad("path: an absolute path"));
        }
        Ok(request)
    }

    /// Whether the box's processes stand still while it is done.
    #[must_use]
    pub fn freezes(&self) -> bool {
        matches!(self, Request::Layer { freeze: true, .. })
    }

    /// Whether its archive is to cross by way of the transfer disk.
    #[must_use]
    pub fn transfers(&self) -> bool {
        matches!(
            self,
            Request::Get { transfer: true, .. }
                | Request::Put { transfer: true, .. }
                | Request::Export { transfer: true }
                | Request::Layer { transfer: true, .. }
        )
    }

    /// Paths of the box are those its workload sees, mounts and all; the rest is about its disk or its processes.
    fn is_inside(&self) -> bool {
        matches!(self, Request::Stat { .. } | Request::Get { .. } | Request::Put { .. })
    }
}

/// Starts the request. `workload` is the box's first process, `disk` the transfer disk that it may use.
///
/// # Errors
/// The kernel's.
pub fn spawn(
    request: &Request,
    workload: BorrowedFd<'_>,
    disk: Option<BorrowedFd<'_>>,
) -> Result<(Child, AgentEnds), Failure> {
    let enter = || {
        if request.is_inside() {
            clone::enter(workload, libc::CLONE_NEWNS).stage("spawn", "namespaces")?;
        }
        Ok(())
    };
    errand::spawn(0, disk, enter, |session| perform(request, session))
}

fn perform(request: &Request, session: &mut Session) -> Result<(), Failure> {
    match request {
        Request::Stat { path } => place::stat(session, path).and_then(|json| say(session, json.as_bytes())),
        Request::Get { path, .. } => {
            let place = place::find(path)?;
            session.begin();
            write(session, |output| pack::pack_place(&place, output))
        }
        Request::Put { path, .. } => {
            let directory = place::directory(path)?;
            session.begin();
            let is_root = path.trim_matches('/').is_empty();
            extract::extract(&directory, is_root, Input::open(session.kept.take())?)
        }
        Request::Changes {} => {
            session.begin();
            changes::list(&mut output()?).map_err(told)
        }
        Request::Export { .. } => {
            session.begin();
            let root = open_directory(rootfs::ROOT)?;
            write(session, |output| pack::pack_contents(&root, output))
        }
        Request::Layer { .. } => {
            session.begin();
            write(session, |output| layer::write(output))
        }
        Request::Processes {} => processes::list().and_then(|json| say(session, &json)),
        Request::Usage {} => usage::read().and_then(|json| say(session, &json)),
    }
}

/// An archive to the host.
///
/// # Errors
/// `io` naming the file that could not be read.
pub fn write(session: &mut Session, archive: impl FnOnce(&mut Output) -> Result<(), Fault>) -> Result<(), Failure> {
    let mut output = Output::open(session.kept.take())?;
    archive(&mut output).map_err(told)?;
    output.end().map_err(|e| told(Fault::from(e)))
}

fn say(session: &mut Session, bytes: &[u8]) -> Result<(), Failure> {
    session.begin();
    output()?.write_all(bytes).map_err(|e| told(Fault::from(e)))
}

/// A directory of the agent's tree, for reading.
///
/// # Errors
/// The kernel's.
pub fn open_directory(path: &str) -> Result<OwnedFd, Failure> {
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
