//! Requests on the control port.

use std::os::fd::AsFd;

use crate::cgroup::Cgroup;
use crate::exec::Inheritance;
use crate::failure::{Code, Failure, Stage};
use crate::messages::Outcome;
use crate::request::{Limits, Request, Root, Run};
use crate::zygote::{Footing, Zygote};
use crate::{identity, net, rootfs, tty};

use super::process::Sink;
use super::vanguard::{self, Vanguard};
use super::{Ending, Server, Workload};

impl Server {
    /// Does a request; the workload's key if it started one.
    pub(super) fn request(&mut self, id: u32, json: &[u8]) -> Option<u32> {
        let done = match Request::parse(json) {
            Err(failure) => Err(failure),
            Ok(Request::Run(run)) => return self.started(id, |server| server.run(Some(id), &run, json)),
            Ok(Request::StageAdd { transfer }) => return self.started(id, |server| server.stage_add(id, transfer)),
            Ok(Request::StageTree { name, transfer }) => {
                return self.started(id, |server| server.stage_tree(id, &name, transfer));
            }
            Ok(Request::StageStep(step)) => return self.started(id, |server| server.stage_step(id, &step)),
            Ok(Request::StageClient { socket }) => return self.started(id, |server| server.stage_client(id, socket)),
            Ok(Request::StageLayer { max_mtime, transfer }) => {
                return self.started(id, |server| server.stage_layer(id, max_mtime, transfer));
            }
            Ok(Request::StageDiscard {}) => self.stage_discard(),
            Ok(Request::Stage(begin)) => self.stage_begin(&begin),
            Ok(Request::Prepare { root, warm }) => self.prepare(&root, &warm),
            Ok(Request::Rehearse {}) => self.rehearse(),
            Ok(Request::Limit {
                limits,
                memory_low_bytes,
            }) => self.limit(&limits, memory_low_bytes),
            Ok(Request::Sync {}) => {
                rustix::fs::sync();
                Ok(())
            }
            Ok(Request::Freeze {}) => {
                if let Err(failure) = self.stand_by() {
                    self.conclude(id, &failed(failure));
                    return None;
                }
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
        };
        match done {
            Ok(()) => self.conclude(id, &Outcome::default()),
            Err(failure) => self.conclude(id, &failed(failure)),
        }
        None
    }

    /// The process that a request has started; one that could not be is told at once.
    fn started(&mut self, id: u32, start: impl FnOnce(&mut Self) -> Result<u32, Failure>) -> Option<u32> {
        match start(self) {
            Ok(key) => Some(key),
            Err(failure) => {
                self.conclude(id, &failed(failure));
                None
            }
        }
    }

    /// Starts the workload.
    pub(super) fn run(&mut self, stream: Option<u32>, run: &Run, json: &[u8]) -> Result<u32, Failure> {
        if self.ran {
            return Err(Failure::new(Code::Busy, "run", "this VM already runs a workload"));
        }
        let missing = || Failure::new(Code::BadRequest, "request", "clock or entropy");
        let (clock, seed) = run.clock().zip(run.seed()).ok_or_else(missing)?;
        identity::refresh(clock, seed, &self.random)?;
        if !run.network.enabled {
            net::disconnect()?;
        }
        let (key, zygote) = self.take_zygote(&run.root)?;
        run.settings.bound_disk(&run.root.upper)?;
        limit(&zygote.cgroup, &run.limits, run.settings.memory_low_bytes)?;
        let process = &run.process;
        let (master, number) = if process.tty {
            let pair = tty::open_pair(zygote.multiplexer.as_fd(), process.rows, process.cols);
            let (master, _slave) = pair.stage("tty", "terminal")?;
            let number = tty::number(master.as_fd()).stage("tty", "terminal")?;
            (Some(master), Some(number))
        } else {
            (None, None)
        };
        Zygote::start(zygote.order, number, json)?;
        self.ran = true;
        self.add_process(
            key,
            stream,
            zygote.child.pid,
            zygote.ends,
            master,
            process.open_stdin,
            Sink::Messages,
        )?;
        self.workload = Some(Workload {
            process: key,
            cgroup: zygote.cgroup,
            _namespaces: zygote.namespaces,
            inheritance: Inheritance::new(run, zygote.child.pidfd, zygote.directory, zygote.multiplexer),
            sync_on_exit: run.sync_on_exit,
            limited: run.limits.memory_bytes.is_some(),
            over: false,
        });
        Ok(key)
    }

    /// Changes the limits of the workload that runs.
    fn limit(&mut self, limits: &Limits, low: Option<u64>) -> Result<(), Failure> {
        match &mut self.workload {
            Some(workload) if !workload.over => {
                limit(&workload.cgroup, limits, low)?;
                workload.limited |= limits.memory_bytes.is_some();
                Ok(())
            }
            _ => Err(Failure::new(Code::BadRequest, "limit", "this VM runs no workload")),
        }
    }

    fn take_zygote(&mut self, root: &Root) -> Result<(u32, Zygote), Failure> {
        match &self.mounted {
            Some(mounted) if mounted == root || (mounted.lower == root.lower && mounted.upper == root.upper) => {}
            Some(_) => return Err(Failure::new(Code::Busy, "run", "another root is mounted")),
            None => {
                let report = self.vanguard.take();
                rootfs::mount_root(root, || vanguard::has_mounted(report))?;
                self.mounted = Some(root.clone());
            }
        }
        match self.zygote.take() {
            Some((key, mut zygote)) => {
                zygote.give_root()?;
                Ok((key, zygote))
            }
            None => self.make_zygote(Footing::Root),
        }
    }

    /// What can be done ahead for a clone that will be told what to mount.
    fn stand_by(&mut self) -> Result<(), Failure> {
        if self.mounted.is_some() || self.ran || self.zygote.is_some() {
            return Ok(());
        }
        self.zygote = Some(self.make_zygote(Footing::StandIn)?);
        if let Some(Vanguard { order, report }) = vanguard::prepare()? {
            self.forerunner = Some(order);
            self.vanguard = Some(report);
        }
        Ok(())
    }

    /// A zygote whose pipes are watched already.
    fn make_zygote(&mut self, footing: Footing) -> Result<(u32, Zygote), Failure> {
        let zygote = Zygote::spawn("box", footing)?;
        let key = self.next_key();
        self.watch_ends(key, &zygote.ends).stage("spawn", "epoll")?;
        Ok((key, zygote))
    }

    fn prepare(&mut self, root: &Root, warm: &[String]) -> Result<(), Failure> {
        if self.mounted.is_some() || self.ran {
            return Err(Failure::new(Code::Busy, "prepare", "a root is mounted already"));
        }
        let report = self.vanguard.take();
        rootfs::mount_root(root, || vanguard::has_mounted(report))?;
        self.mounted = Some(root.clone());
        self.warm(root)?;
        rootfs::read_ahead(warm);
        self.zygote = Some(self.make_zygote(Footing::Root)?);
        self.forerunner = super::forerunner::prepare()?;
        rustix::fs::sync();
        Ok(())
    }

    /// Does again in a clone what its template has done: whatever the machine itself learns from it, such as an emulator's
    /// translations, is in no template.
    fn rehearse(&mut self) -> Result<(), Failure> {
        let root = match &self.mounted {
            Some(root) if !self.ran => root.clone(),
            Some(_) => return Err(Failure::new(Code::Busy, "rehearse", "this VM already runs a workload")),
            None => return Err(Failure::new(Code::BadRequest, "rehearse", "no root is mounted")),
        };
        self.warm(&root)?;
        self.zygote = Some(self.make_zygote(Footing::Root)?);
        Ok(())
    }
}

/// RESULT of what could not be done.
pub(super) fn failed(failure: Failure) -> Outcome {
    Outcome {
        exit_code: failure.code.exit_code(),
        error: Some(failure),
        ..Outcome::default()
    }
}

fn limit(cgroup: &Cgroup, limits: &Limits, low: Option<u64>) -> Result<(), Failure> {
    let done = cgroup.limit(limits, low);
    done.map_err(|(file, e)| Failure::new(Code::Io, "cgroup", format!("{file}: {e}")))
}
