//! Requests about a build's stage.

use std::os::fd::AsFd;

use crate::clone::Child;
use crate::failure::{Code, Failure, Stage as _};
use crate::identity;
use crate::messages::Outcome;
use crate::stage::request::{Begin, Step};
use crate::stage::{self, Stage};
use crate::stdio::AgentEnds;

use super::Server;
use super::process::Sink;
use super::vanguard;

impl Server {
    /// Becomes a stage's VM.
    pub(super) fn stage_begin(&mut self, begin: &Begin) -> Result<(), Failure> {
        if self.stage.is_some() || self.mounted.is_some() || self.ran {
            return Err(Failure::new(Code::Busy, "stage", "this VM is another's already"));
        }
        let missing = || Failure::new(Code::BadRequest, "request", "clock or entropy");
        let (clock, seed) = begin.clock().zip(begin.seed()).ok_or_else(missing)?;
        identity::refresh(clock, seed, &self.random)?;
        let report = self.vanguard.take();
        self.stage = Some(Stage::begin(begin, || vanguard::has_mounted(report))?);
        Ok(())
    }

    /// Starts to add a layer, whose bytes are the stream's input.
    pub(super) fn stage_add(&mut self, id: u32, transfer: bool) -> Result<u32, Failure> {
        let key = self.next_key();
        let disk = self.transfer_disk(transfer);
        let started = self.staged()?.add(key, disk.as_ref().map(AsFd::as_fd))?;
        self.watch_transfer(id, key, started, disk.is_some())
    }

    /// Starts to take in a tree.
    pub(super) fn stage_tree(&mut self, id: u32, name: &str, transfer: bool) -> Result<u32, Failure> {
        let key = self.next_key();
        let disk = self.transfer_disk(transfer);
        let started = self.staged()?.tree(name, disk.as_ref().map(AsFd::as_fd))?;
        self.watch_transfer(id, key, started, disk.is_some())
    }

    /// Starts a step.
    pub(super) fn stage_step(&mut self, id: u32, step: &Step) -> Result<u32, Failure> {
        let key = self.next_key();
        let started = self.staged()?.step(key, step)?;
        self.watch_process(id, key, started)
    }

    /// Starts to wait for a client of a step's socket.
    pub(super) fn stage_client(&mut self, id: u32, socket: usize) -> Result<u32, Failure> {
        let key = self.next_key();
        let started = self.staged()?.client(socket)?;
        self.watch_process(id, key, started)
    }

    /// Starts to give the last step's changes.
    pub(super) fn stage_layer(&mut self, id: u32, max_mtime: Option<i64>, transfer: bool) -> Result<u32, Failure> {
        let key = self.next_key();
        let disk = self.transfer_disk(transfer);
        let started = self.staged()?.layer(key, max_mtime, disk.as_ref().map(AsFd::as_fd))?;
        self.watch_transfer(id, key, started, disk.is_some())
    }

    /// Forgets the last step's changes.
    pub(super) fn stage_discard(&mut self) -> Result<(), Failure> {
        let path = self.staged()?.discard()?;
        self.remove(&[path]);
        Ok(())
    }

    /// Takes note of a process's end, and tells whether the OOM killer had a part in a step's.
    pub(super) fn stage_ended(&mut self, key: u32, outcome: &mut Outcome) {
        let Some(stage) = &mut self.stage else { return };
        if stage.is_step(key) && outcome.error.is_none() {
            outcome.oom_killed = stage.oom_killed();
        }
        let leftovers = stage.ended(key, outcome.exit_code == 0);
        if !leftovers.is_empty() {
            self.remove(&leftovers);
        }
    }

    fn staged(&mut self) -> Result<&mut Stage, Failure> {
        self.stage
            .as_mut()
            .ok_or_else(|| Failure::new(Code::BadRequest, "stage", "this VM is no stage's"))
    }

    fn watch_process(&mut self, id: u32, key: u32, (child, ends): (Child, AgentEnds)) -> Result<u32, Failure> {
        self.watch_ends(key, &ends).stage("spawn", "epoll")?;
        self.add_process(key, Some(id), child.pid, ends, None, true, Sink::Messages)?;
        Ok(key)
    }

    fn watch_transfer(
        &mut self,
        id: u32,
        key: u32,
        started: (Child, AgentEnds),
        transfers: bool,
    ) -> Result<u32, Failure> {
        self.watch_process(id, key, started)?;
        if let Some(process) = self.processes.get_mut(&key) {
            process.transfers = transfers;
        }
        Ok(key)
    }

    /// Has directories removed that nobody needs. What stays takes room, nothing else.
    fn remove(&mut self, paths: &[String]) {
        if let Ok((child, ends)) = stage::remove(paths) {
            let key = self.next_key();
            if self.watch_ends(key, &ends).is_ok() {
                let _ = self.add_process(key, None, child.pid, ends, None, false, Sink::Messages);
            }
        }
    }
}
