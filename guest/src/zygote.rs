//! The workload's process. It is made before its request is known: it enters its namespaces, mounts all
//! that no request decides, and waits. A template is saved with one waiting, so that a clone's `run` only
//! has to do the rest.

use std::convert::Infallible;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use rustix::system::sethostname;

use crate::capabilities;
use crate::cgroup::Cgroup;
use crate::clone::{self, BOX_NAMESPACES, Child};
use crate::failure::{Code, Failure, Stage};
use crate::launch::{DEFAULT_PATH, Launch, merge, value};
use crate::request::{Request, Run};
use crate::stdio::{self, AgentEnds, ChildEnds};
use crate::{box_mounts, identity, rootfs, shares, tiny_init, tty};

/// First byte on the status pipe: the namespaces are ready.
const READY: u8 = b'R';

/// What a zygote is made on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Footing {
    /// The box's root, which is mounted.
    Root,
    /// An empty root in its place, until [`Zygote::give_root`].
    StandIn,
}

/// A process that waits to become a workload.
pub struct Zygote {
    /// Its handle.
    pub child: Child,
    /// Its control group.
    pub cgroup: Cgroup,
    /// Its control group's directory.
    pub directory: OwnedFd,
    /// Its pipes.
    pub ends: AgentEnds,
    /// See [`tty::multiplexer`].
    pub multiplexer: OwnedFd,
    /// Its mounts and IPC objects. Held until the VM ends: nobody is to wait for the kernel to clear them away.
    pub namespaces: [OwnedFd; 2],
    /// The way to hand it its request.
    pub order: OwnedFd,
    footing: Footing,
}

impl Zygote {
    /// Makes one in a fresh control group and waits until its mounts are made.
    ///
    /// # Errors
    /// What failed, in the child or here.
    pub fn spawn(group: &str, footing: Footing) -> Result<Self, Failure> {
        let cgroup = Cgroup::create(group).map_err(|e| io("cgroup", &e))?;
        let directory = cgroup.directory().map_err(|e| io("cgroup", &e))?;
        let (ends, child_ends) = stdio::pipes().stage("spawn", "pipe")?;
        let (order_read, order) = pipe_with(PipeFlags::CLOEXEC).stage("spawn", "pipe")?;
        let agent = match footing {
            Footing::Root => None,
            Footing::StandIn => Some(pidfd_open(getpid(), PidfdFlags::empty()).stage("spawn", "handle")?),
        };
        let order_write = order.as_fd();
        let child = clone::fork(BOX_NAMESPACES, Some(directory.as_fd()), || {
            // The order ends with the agent's end alone.
            // SAFETY: the child's copy; the agent keeps its own.
            unsafe { libc::close(order_write.as_raw_fd()) };
            live(&child_ends, &order_read, agent.as_ref())
        })
        .stage("spawn", "clone3")?;
        drop(child_ends);
        wait_until_ready(&ends.status)?;
        rustix::io::ioctl_fionbio(&ends.status, true).stage("spawn", "status pipe")?;
        let multiplexer = tty::multiplexer(child.pid).stage("tty", "multiplexer")?;
        let namespaces = [namespace(child.pid, "mnt")?, namespace(child.pid, "ipc")?];
        Ok(Self {
            child,
            cgroup,
            directory,
            ends,
            multiplexer,
            namespaces,
            order,
            footing,
        })
    }

    /// Puts one that was made without a root on the box's, which is mounted by now.
    ///
    /// # Errors
    /// What failed, in the child or here.
    pub fn give_root(&mut self) -> Result<(), Failure> {
        if self.footing == Footing::Root {
            return Ok(());
        }
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        let root = open_tree(CWD, rootfs::ROOT, flags).mounting("/")?;
        rustix::io::write(&self.order, &root.as_raw_fd().to_be_bytes()).stage("spawn", "order")?;
        rustix::io::ioctl_fionbio(&self.ends.status, false).stage("spawn", "status pipe")?;
        wait_until_ready(&self.ends.status)?;
        rustix::io::ioctl_fionbio(&self.ends.status, true).stage("spawn", "status pipe")?;
        self.footing = Footing::Root;
        Ok(())
    }

    /// Hands a zygote its request by its `order`; `terminal` is the number of its terminal in its devpts.
    ///
    /// # Errors
    /// It has died.
    pub fn start(order: OwnedFd, terminal: Option<u32>, request: &[u8]) -> Result<(), Failure> {
        let mut order = File::from(order);
        let number = terminal.map_or(-1, i64::from);
        order
            .write_all(&number.to_be_bytes())
            .and_then(|()| order.write_all(request))
            .map_err(|e| io("spawn", &e))
    }
}

fn io(stage: &str, error: &std::io::Error) -> Failure {
    Failure::new(Code::Io, stage, error.to_string())
}

fn namespace(pid: Pid, kind: &str) -> Result<OwnedFd, Failure> {
    let path = format!("/proc/{}/ns/{kind}", raw(pid));
    rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).stage("spawn", "namespace")
}

fn wait_until_ready(status: &OwnedFd) -> Result<(), Failure> {
    let mut first = [0; 1];
    if rustix::io::read(status, &mut first) == Ok(1) && first == [READY] {
        return Ok(());
    }
    let mut rest = first.to_vec();
    let mut chunk = [0; 1024];
    while let Ok(count @ 1..) = rustix::io::read(status, &mut chunk) {
        rest.extend_from_slice(&chunk[..count]);
    }
    Err(serde_json::from_slice(&rest)
        .unwrap_or_else(|_| Failure::new(Code::Io, "spawn", "the workload's process died")))
}

/// Says why there was no exec, and ends.
pub fn give_up(ends: &ChildEnds, failure: &Failure) -> ! {
    let _ = rustix::io::write(&ends.status, &serde_json::to_vec(failure).unwrap_or_default());
    // SAFETY: ends the process without running the parent's exit handlers.
    unsafe { libc::_exit(i32::from(failure.code.exit_code())) }
}

fn live(ends: &ChildEnds, order: &OwnedFd, agent: Option<&OwnedFd>) -> Infallible {
    let failure = match wait_for_order(ends, order, agent) {
        Ok((files, terminal, run)) => become_workload(ends, &files, terminal, &run),
        Err(failure) => failure,
    };
    give_up(ends, &failure)
}

/// `agent` is the handle of the agent, for a zygote that is made without a root.
fn wait_for_order(ends: &ChildEnds, order: &OwnedFd, agent: Option<&OwnedFd>) -> Result<(OwnedFd, i64, Run), Failure> {
    rustix::process::umask(Mode::empty());
    if agent.is_some() {
        box_mounts::stand_in()?;
    }
    let files = box_mounts::enter_root(&identity::OF_A_BOX)?;
    let [stdin, stdout, stderr] = &ends.streams;
    stdio::install(stdin, stdout, stderr).stage("stdio", "dup2")?;
    rustix::io::write(&ends.status, &[READY]).stage("spawn", "status pipe")?;
    if let Some(agent) = agent {
        box_mounts::change_root(&receive_root(order, agent)?, &identity::OF_A_BOX)?;
        rustix::io::write(&ends.status, &[READY]).stage("spawn", "status pipe")?;
    }
    let order = order.try_clone().map_err(|e| io("spawn", &e))?;
    let mut bytes = Vec::with_capacity(8192);
    File::from(order).read_to_end(&mut bytes).map_err(|e| io("spawn", &e))?;
    let Some((number, json)) = bytes.split_first_chunk() else {
        return Err(Failure::new(Code::Io, "spawn", "no order"));
    };
    match Request::parse(json)? {
        Request::Run(run) => Ok((files, i64::from_be_bytes(*number), *run)),
        _ => Err(Failure::new(Code::BadRequest, "spawn", "not a run")),
    }
}

/// The root that the agent has opened: its order is the descriptor's number there.
fn receive_root(order: &OwnedFd, agent: &OwnedFd) -> Result<OwnedFd, Failure> {
    let mut number = [0; 4];
    if rustix::io::read(order, &mut number).stage("spawn", "order")? != number.len() {
        return Err(Failure::new(Code::Io, "spawn", "no root"));
    }
    pidfd_getfd(agent, i32::from_be_bytes(number), PidfdGetfdFlags::empty()).stage("spawn", "root")
}

fn become_workload(ends: &ChildEnds, files: &OwnedFd, terminal: i64, run: &Run) -> Failure {
    if let Err(failure) = settle(files, terminal, run) {
        return failure;
    }
    let process = &run.process;
    let launch = Launch {
        args: &process.args,
        env: environment(run),
        cwd: &process.cwd,
        make_cwd: true,
        user: &process.user,
        tty: process.tty,
        capabilities: capabilities::bits(process.capabilities.as_deref()),
        no_new_privileges: process.no_new_privileges,
        settings: &run.settings,
    };
    if !process.init {
        return launch.exec();
    }
    tiny_init::block_signals();
    let child = clone::fork(0, None, || {
        let failure = launch.exec();
        give_up(ends, &failure)
    });
    match child {
        Ok(child) => tiny_init::run(child.pid),
        Err(e) => Err::<Infallible, Errno>(e)
            .stage("spawn", "clone3")
            .err()
            .unwrap_or_else(|| Failure::new(Code::Io, "spawn", "")),
    }
}

fn settle(files: &OwnedFd, terminal: i64, run: &Run) -> Result<(), Failure> {
    sethostname(run.identity.hostname.as_bytes()).stage("identity", "sethostname")?;
    identity::fill_files(files.as_fd(), run)?;
    run.settings.apply()?;
    if !run.mounts.is_empty() {
        shares::mount_all(&run.mounts, files, &run.identity.machine_id)?;
    }
    if terminal >= 0 {
        let path = format!("/dev/pts/{terminal}");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(&path, flags, Mode::empty()).stage("tty", &path)?;
        box_mounts::bind_console(slave.as_fd())?;
        stdio::install(&slave, &slave, &slave).stage("stdio", "dup2")?;
    }
    if run.root.read_only {
        box_mounts::lock_root()?;
    }
    Ok(())
}

/// The workload's environment, HOME aside: what Docker adds, under what the request says.
#[must_use]
pub fn environment(run: &Run) -> Vec<String> {
    let mut base = vec![
        format!("PATH={DEFAULT_PATH}"),
        format!("HOSTNAME={}", run.identity.hostname),
    ];
    if run.process.tty && value(&run.process.env, "TERM").is_none() {
        base.push("TERM=xterm".into());
    }
    merge(&base, &run.process.env)
}

/// The process id as the kernel's calls take it.
#[must_use]
pub fn raw(pid: Pid) -> i32 {
    pid.as_raw_nonzero().get()
}
