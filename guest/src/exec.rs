//! Further commands in a running box.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, open};

use crate::capabilities;
use crate::clone::{self, Child};
use crate::failure::{Failure, Stage};
use crate::launch::{Launch, merge};
use crate::request::{Exec, Run};
use crate::settings::Settings;
use crate::stdio::{self, AgentEnds};
use crate::tty;
use crate::zygote::{environment, give_up};

/// What a command inherits from the box.
pub struct Inheritance {
    env: Vec<String>,
    cwd: String,
    user: String,
    capabilities: u64,
    no_new_privileges: bool,
    settings: Settings,
    /// The workload.
    pub pidfd: OwnedFd,
    /// The box's control group.
    pub cgroup: OwnedFd,
    /// See [`tty::multiplexer`].
    pub multiplexer: OwnedFd,
}

const NAMESPACES: i32 = libc::CLONE_NEWNS | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | libc::CLONE_NEWCGROUP;

impl Inheritance {
    /// Keeps what later commands need of a workload's request.
    #[must_use]
    pub fn new(run: &Run, pidfd: OwnedFd, cgroup: OwnedFd, multiplexer: OwnedFd) -> Self {
        Self {
            env: environment(run),
            cwd: run.process.cwd.clone(),
            user: run.process.user.clone(),
            capabilities: capabilities::bits(run.process.capabilities.as_deref()),
            no_new_privileges: run.process.no_new_privileges,
            settings: run.settings.clone(),
            pidfd,
            cgroup,
            multiplexer,
        }
    }

    /// Starts a command in the box. With a terminal, its master comes back in place of the output pipe.
    ///
    /// # Errors
    /// `io`, or what the kernel says.
    pub fn spawn(&self, exec: &Exec) -> Result<(Child, AgentEnds, Option<OwnedFd>), Failure> {
        let (ends, child_ends) = stdio::pipes().stage("spawn", "pipe")?;
        rustix::io::ioctl_fionbio(&ends.status, true).stage("spawn", "status pipe")?;
        let terminal = if exec.tty {
            Some(tty::open_pair(self.multiplexer.as_fd(), exec.rows, exec.cols).stage("tty", "terminal")?)
        } else {
            None
        };
        let (master, slave) = terminal.map_or((None, None), |(master, slave)| (Some(master), Some(slave)));
        let home =
            open("/proc/self/ns/pid", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).stage("spawn", "namespace")?;
        clone::enter(self.pidfd.as_fd(), libc::CLONE_NEWPID).stage("spawn", "namespace")?;
        let child = clone::fork(0, Some(self.cgroup.as_fd()), || {
            let failure = match self.settle(&child_ends.streams, slave.as_ref()) {
                Ok(()) => self.launch(exec).exec(),
                Err(failure) => failure,
            };
            give_up(&child_ends, &failure)
        });
        clone::come_home(home.as_fd()).stage("spawn", "namespace")?;
        Ok((child.stage("spawn", "clone3")?, ends, master))
    }

    fn settle(&self, streams: &[OwnedFd; 3], slave: Option<&OwnedFd>) -> Result<(), Failure> {
        // Of the agent's /proc: the box's may be anything.
        let _ = self.settings.score();
        clone::enter(self.pidfd.as_fd(), NAMESPACES).stage("spawn", "namespaces")?;
        let [stdin, stdout, stderr] = streams;
        match slave {
            Some(slave) => stdio::install(slave, slave, slave),
            None => stdio::install(stdin, stdout, stderr),
        }
        .stage("stdio", "dup2")
    }

    fn launch<'a>(&'a self, exec: &'a Exec) -> Launch<'a> {
        let mut env = merge(&self.env, &exec.env);
        if exec.tty && crate::launch::value(&env, "TERM").is_none() {
            env.push("TERM=xterm".into());
        }
        Launch {
            args: &exec.cmd,
            env,
            cwd: exec.working_dir.as_deref().unwrap_or(&self.cwd),
            make_cwd: false,
            user: exec.user.as_deref().unwrap_or(&self.user),
            tty: exec.tty,
            capabilities: if exec.privileged {
                capabilities::ALL
            } else {
                self.capabilities
            },
            no_new_privileges: self.no_new_privileges,
            settings: &self.settings,
        }
    }
}
