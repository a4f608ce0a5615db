//! Requests on the control port.

use std::os::fd::AsFd;

use crate::failure::{Code, Failure, Stage};
use crate::messages::Outcome;
use crate::request::{Request, Root, Run};
use crate::zygote::{Zygote, raw};
use crate::{exec, identity, rootfs, tty};

use super::process::Sink;
use super::{Ending, Server, Workload};

impl Server {
    /// Does a request; the workload's key if it started one.
    pub(super) fn request(&mut self, id: u32, json: &[u8]) -> Option<u32> {
        let done = match Request::parse(json) {
            Err(failure) => Err(failure),
            Ok(Request::Run(run)) => match self.run(Some(id), &run, json) {
                Ok(key) => return Some(key),
                Err(failure) => Err(failure),
            },
            Ok(Request::Prepare { root }) => self.prepare(&root),
            Ok(Request::Sync {}) => {
                rustix::fs::sync();
                Ok(())
            }
            Ok(Request::Freeze {}) => {
                rustix::fs::sync();
                self.conclude(id, &Outcome::default());
                self.end_session(Ending::Forget);
                return None;
            }
            Ok(Request::Poweroff {}) => {
                rustix::fs::sync();
                self.conclude(id, &Outcome::default());
                self.end_session(Ending::PowerOff);
                return None;
            }
            Ok(Request::Stats {}) => Err(Failure::new(Code::BadRequest, "request", "stats: no such request yet")),
        };
        let outcome = match done {
            Ok(()) => Outcome::default(),
            Err(failure) => Outcome {
                exit_code: failure.code.exit_code(),
                error: Some(failure),
                ..Outcome::default()
            },
        };
        self.conclude(id, &outcome);
        None
    }

    /// Starts the workload.
    pub(super) fn run(&mut self, stream: Option<u32>, run: &Run, json: &[u8]) -> Result<u32, Failure> {
        if self.ran {
            return Err(Failure::new(Code::Busy, "run", "this VM already runs a workload"));
        }
        identity::refresh(run)?;
        let zygote = self.take_zygote(&run.root)?;
        zygote
            .cgroup
            .limit(&run.limits)
            .map_err(|(file, e)| Failure::new(Code::Io, "cgroup", format!("{file}: {e}")))?;
        let multiplexer = tty::multiplexer(zygote.child.pid).stage("tty", "multiplexer")?;
        let process = &run.process;
        let (master, number) = if process.tty {
            let (master, slave) =
                tty::open_pair(multiplexer.as_fd(), process.rows, process.cols).stage("tty", "terminal")?;
            let number = tty::number(master.as_fd()).stage("tty", "terminal")?;
            drop(slave);
            (Some(master), Some(number))
        } else {
            (None, None)
        };
        let (child, cgroup, ends) = zygote.start(number, json)?;
        self.ran = true;
        let directory = cgroup
            .directory()
            .map_err(|e| Failure::new(Code::Io, "cgroup", e.to_string()))?;
        let key = self.add_process(
            stream,
            child.pid,
            ends,
            master,
            process.open_stdin,
            Sink::Messages(true),
        )?;
        self.workload = Some(Workload {
            process: key,
            cgroup,
            inheritance: exec::Inheritance::new(run, child.pidfd, directory, multiplexer),
            sync_on_exit: run.sync_on_exit,
            limited: run.limits.memory_bytes.is_some(),
        });
        debug_assert!(raw(child.pid) > 1);
        Ok(key)
    }

    fn take_zygote(&mut self, root: &Root) -> Result<Zygote, Failure> {
        match &self.mounted {
            Some(mounted) if mounted == root || (mounted.lower == root.lower && mounted.upper == root.upper) => {}
            Some(_) => return Err(Failure::new(Code::Busy, "run", "another root is mounted")),
            None => {
                rootfs::mount_root(root)?;
                self.mounted = Some(root.clone());
            }
        }
        match self.zygote.take() {
            Some(zygote) => Ok(zygote),
            None => Zygote::spawn("box"),
        }
    }

    fn prepare(&mut self, root: &Root) -> Result<(), Failure> {
        if self.mounted.is_some() || self.ran {
            return Err(Failure::new(Code::Busy, "prepare", "a root is mounted already"));
        }
        rootfs::mount_root(root)?;
        self.mounted = Some(root.clone());
        self.warm(root)?;
        self.zygote = Some(Zygote::spawn("box")?);
        rustix::fs::sync();
        Ok(())
    }
}
