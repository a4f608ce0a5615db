//! The VM of a build's stage. Its root is a squashfs with layers on top, directories on the scratch disk; each step works in a
//! fresh overlay of them all, and what its upper directory then holds is the next layer. See `docs/protocol.md`, "stage".

mod apply;
mod diff;
pub mod layers;
mod mounts;
mod places;
mod relay;
pub mod request;
mod step;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;

use rustix::fs::{Mode, OFlags, open};

use crate::cgroup::Cgroup;
use crate::clone::Child;
use crate::errand;
use crate::failure::{Code, Failure, Stage as _};
use crate::request::Network;
use crate::rootfs::{self, SCRATCH};
use crate::shares;
use crate::stdio::AgentEnds;
use crate::transfer::Input;
use apply::Marks;
use layers::Layers;
use request::{Begin, Step};

pub use mounts::SHARES;
use mounts::TREES;

/// The control group of the steps; `box` is that of the process which waits in every base template.
const GROUP: &str = "stage";
/// A tree goes where no two names are alike: the host's numbers.
const MAX_NAME: usize = 32;

/// What is under way, or waits for a decision. `u32` is the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    Adding(u32),
    Stepping(u32),
    Changed,
    Packing(u32),
    /// A layer is there by half.
    Broken,
}

/// A stage's VM.
pub struct Stage {
    cgroup: Cgroup,
    directory: OwnedFd,
    network: Network,
    layers: Layers,
    state: State,
    /// What the last step's mounts were asked to be on.
    targets: Vec<String>,
    trees: Vec<String>,
    sockets: Vec<OwnedFd>,
    /// Of the last step: nobody is to wait for the kernel to clear its mounts away.
    namespace: Option<OwnedFd>,
    oom_kills: u64,
}

impl Stage {
    /// Mounts what a stage begins with; `lower_ahead` as in [`rootfs::mount_disks`].
    ///
    /// # Errors
    /// `mount_failed`, `io`.
    pub fn begin(begin: &Begin, lower_ahead: impl FnOnce() -> bool) -> Result<Self, Failure> {
        rootfs::mount_disks(&begin.root(), rootfs::FLEETING, lower_ahead)?;
        let cgroup = Cgroup::create(GROUP).map_err(|e| Failure::new(Code::Io, "cgroup", e.to_string()))?;
        let limited = cgroup.limit(&begin.limits, None);
        limited.map_err(|(file, e)| Failure::new(Code::Io, "cgroup", format!("{file}: {e}")))?;
        let directory = cgroup
            .directory()
            .map_err(|e| Failure::new(Code::Io, "cgroup", e.to_string()))?;
        let staging = open(SHARES, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).stage("mount", SHARES)?;
        for tag in &begin.shares {
            shares::attach(tag, &staging).mounting(tag)?;
        }
        crate::launch::make_directories(TREES.as_ref()).stage("stage", TREES)?;
        Ok(Self {
            cgroup,
            directory,
            network: begin.network.clone(),
            layers: Layers::new()?,
            state: State::Ready,
            targets: Vec::new(),
            trees: Vec::new(),
            sockets: Vec::new(),
            namespace: None,
            oom_kills: 0,
        })
    }

    fn expect(&self, state: State) -> Result<(), Failure> {
        if self.state == state {
            return Ok(());
        }
        let words = match self.state {
            State::Ready => "no step has run",
            State::Adding(_) => "a layer is being added",
            State::Stepping(_) => "a step runs",
            State::Changed => "the last step's changes are undecided",
            State::Packing(_) => "a layer is being written",
            State::Broken => "its root is broken",
        };
        Err(Failure::new(Code::Busy, "stage", words))
    }

    /// Starts to extract a layer from the child's input.
    ///
    /// # Errors
    /// `busy`, or the kernel's.
    pub fn add(&mut self, key: u32, disk: Option<BorrowedFd<'_>>) -> Result<(Child, AgentEnds), Failure> {
        self.expect(State::Ready)?;
        let overlay = self.layers.for_adding()?;
        let started = errand::spawn(
            libc::CLONE_NEWNS,
            disk,
            || overlay.mount(rootfs::ROOT),
            |session| {
                session.begin();
                let root = crate::files::open_directory(rootfs::ROOT)?;
                apply::apply(&root, Marks::Count, Input::open(session.kept.take())?)
            },
        )?;
        self.state = State::Adding(key);
        Ok(started)
    }

    /// Starts to extract the files of a mount from the child's input.
    ///
    /// # Errors
    /// `bad_request` for a name that is taken or no word, or the kernel's.
    pub fn tree(&mut self, name: &str, disk: Option<BorrowedFd<'_>>) -> Result<(Child, AgentEnds), Failure> {
        let word = !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(|b| b.is_ascii_alphanumeric());
        if !word || self.trees.iter().any(|known| known == name) {
            return Err(Failure::new(Code::BadRequest, "request", "name: a new word"));
        }
        let path = format!("{TREES}/{name}");
        rustix::fs::mkdir(path.as_str(), Mode::from_raw_mode(0o755)).stage("stage", &path)?;
        self.trees.push(name.into());
        errand::spawn(
            0,
            disk,
            || Ok(()),
            |session| {
                session.begin();
                let root = crate::files::open_directory(&path)?;
                apply::apply(&root, Marks::AreNames, Input::open(session.kept.take())?)
            },
        )
    }

    /// Starts a step.
    ///
    /// # Errors
    /// `busy`, or the kernel's.
    pub fn step(&mut self, key: u32, step: &Step) -> Result<(Child, AgentEnds), Failure> {
        self.expect(State::Ready)?;
        self.sockets = mounts::listen(&step.mounts)?;
        self.targets = step.mounts.iter().map(|mount| mount.target().into()).collect();
        let root = self.layers.for_step()?;
        let started = step::spawn(step, &root, &self.network, self.directory.as_fd())?;
        self.namespace = open(
            format!("/proc/{}/ns/mnt", crate::zygote::raw(started.0.pid)),
            OFlags::RDONLY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .ok();
        self.oom_kills = self.cgroup.oom_kills();
        self.state = State::Stepping(key);
        Ok(started)
    }

    /// Starts to wait for a client of a socket, and to pass on what the two sides say.
    ///
    /// # Errors
    /// `bad_request` without such a socket, or the kernel's.
    pub fn client(&self, socket: usize) -> Result<(Child, AgentEnds), Failure> {
        let listener = self
            .sockets
            .get(socket)
            .ok_or_else(|| Failure::new(Code::BadRequest, "request", "socket: none of the step's"))?;
        errand::spawn(0, Some(listener.as_fd()), || Ok(()), relay::relay)
    }

    /// Starts to write the last step's changes.
    ///
    /// # Errors
    /// `busy`, or the kernel's.
    pub fn layer(
        &mut self,
        key: u32,
        max_mtime: Option<i64>,
        disk: Option<BorrowedFd<'_>>,
    ) -> Result<(Child, AgentEnds), Failure> {
        self.expect(State::Changed)?;
        let (below, upper) = self.layers.difference();
        let started = errand::spawn(
            libc::CLONE_NEWNS,
            disk,
            || below.mount_below(),
            |session| {
                session.begin();
                let lower = crate::files::open_directory(below.seen_below())?;
                let upper = crate::files::open_directory(&upper)?;
                let places = places::places(&lower, &self.targets);
                crate::files::write(session, |output| {
                    diff::write(&upper, &lower, &places, max_mtime, output)
                })
            },
        )?;
        self.state = State::Packing(key);
        Ok(started)
    }

    /// Forgets the last step's changes; what is to be removed from the disk.
    ///
    /// # Errors
    /// `busy`.
    pub fn discard(&mut self) -> Result<String, Failure> {
        self.expect(State::Changed)?;
        self.state = State::Ready;
        self.namespace = None;
        Ok(self.layers.discard())
    }

    /// Takes note that a process has ended. Directories that are not needed any more.
    pub fn ended(&mut self, key: u32, succeeded: bool) -> Vec<String> {
        match self.state {
            State::Adding(process) if process == key => {
                self.state = if succeeded { State::Ready } else { State::Broken };
            }
            State::Packing(process) if process == key => {
                self.layers.keep();
                self.namespace = None;
                self.state = if succeeded { State::Ready } else { State::Broken };
            }
            State::Stepping(process) if process == key => {
                self.state = State::Changed;
                self.sockets.clear();
                return self.trees.drain(..).map(|name| format!("{TREES}/{name}")).collect();
            }
            _ => {}
        }
        Vec::new()
    }

    /// Whether the process is the step that runs.
    #[must_use]
    pub fn is_step(&self, key: u32) -> bool {
        self.state == State::Stepping(key)
    }

    /// Whether the OOM killer took one of the step's processes.
    #[must_use]
    pub fn oom_killed(&self) -> bool {
        self.cgroup.oom_kills() > self.oom_kills
    }
}

/// Starts to remove directories of the scratch disk.
///
/// # Errors
/// The kernel's.
pub fn remove(paths: &[String]) -> Result<(Child, AgentEnds), Failure> {
    errand::spawn(
        0,
        None,
        || Ok(()),
        |session| {
            session.begin();
            for path in paths.iter().filter(|path| path.starts_with(SCRATCH)) {
                let _ = std::fs::remove_dir_all(path);
            }
            Ok(())
        },
    )
}

/// Listens on a unix socket with these rights.
fn listen_on(path: &str, mode: u32, uid: u32, gid: u32) -> std::io::Result<OwnedFd> {
    use std::os::unix::fs::{PermissionsExt, chown};
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o777))?;
    chown(path, Some(uid), Some(gid))?;
    Ok(listener.into())
}
