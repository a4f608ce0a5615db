//! Commands: their start, their deadlines, their end.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::process::Pid;

use crate::failure::{Code, Failure, Stage as _};
use crate::files;
use crate::messages::{MessageType, encode};
use crate::request::Exec;
use crate::stdio::AgentEnds;
use crate::transfer;

use super::process::{Errand, Input, Kept, Output, Process, Sink, Stage};
use super::{Server, Slot};

impl Server {
    /// Starts a further command in the box; `None` without a workload.
    pub(super) fn command(&mut self, stream: Option<u32>, exec: &Exec, plain: bool) -> Result<Option<u32>, Failure> {
        let Some(workload) = self.workload.as_ref().filter(|workload| !workload.over) else {
            return Ok(None);
        };
        let (child, ends, master) = workload.inheritance.spawn(exec)?;
        let sink = if plain {
            Sink::Kept(Box::new([Kept::default(), Kept::default()]))
        } else {
            Sink::Messages
        };
        let open_stdin = exec.open_stdin || exec.stdin.is_some();
        let key = self.next_key();
        self.watch_ends(key, &ends).stage("spawn", "epoll")?;
        self.add_process(key, stream, child.pid, ends, master, open_stdin, sink)?;
        Ok(Some(key))
    }

    /// Starts a request about the box's files; `None` without a workload.
    pub(super) fn files(&mut self, stream: u32, request: &files::Request) -> Result<Option<u32>, Failure> {
        let Some(workload) = self.workload.as_ref().filter(|workload| !workload.over) else {
            return Ok(None);
        };
        if request.freezes() {
            let frozen = workload.cgroup.freeze(true);
            frozen.map_err(|(file, e)| Failure::new(Code::Io, "cgroup", format!("{file}: {e}")))?;
        }
        let disk = self.transfer_disk(request.transfers());
        let started = files::spawn(
            request,
            workload.inheritance.pidfd.as_fd(),
            disk.as_ref().map(AsFd::as_fd),
        );
        let (child, ends) = started.inspect_err(|_| self.thaw(request.freezes()))?;
        let key = self.next_key();
        self.watch_ends(key, &ends).stage("spawn", "epoll")?;
        self.add_process(key, Some(stream), child.pid, ends, None, true, Sink::Messages)?;
        if let Some(process) = self.processes.get_mut(&key) {
            process.errand = Some(Errand {
                frozen: request.freezes(),
            });
            process.transfers = disk.is_some();
        }
        Ok(Some(key))
    }

    /// The transfer disk, if it is wanted, there, and nobody else's.
    pub(super) fn transfer_disk(&self, wanted: bool) -> Option<OwnedFd> {
        let free = wanted && self.processes.values().all(|process| !process.transfers);
        if free { transfer::disk() } else { None }
    }

    /// Lets the box's processes go on once what they stood still for is over.
    pub(super) fn thaw(&self, frozen: bool) {
        if let Some(workload) = self.workload.as_ref().filter(|_| frozen) {
            let _ = workload.cgroup.freeze(false);
        }
    }

    /// Takes on a process just made, whose pipes are watched. A terminal takes the place of the pipes.
    #[expect(clippy::too_many_arguments, reason = "each is one field of the process")]
    pub(super) fn add_process(
        &mut self,
        key: u32,
        stream: Option<u32>,
        pid: Pid,
        ends: AgentEnds,
        master: Option<OwnedFd>,
        open_stdin: bool,
        sink: Sink,
    ) -> Result<(), Failure> {
        let tty = master.is_some();
        let (stdin, outputs) = match master {
            Some(master) => {
                let stdin = master
                    .try_clone()
                    .map_err(|e| Failure::new(Code::Io, "spawn", e.to_string()))?;
                self.watch(&stdin, key, Slot::Input).stage("spawn", "epoll")?;
                self.watch(&master, key, Slot::Output(0)).stage("spawn", "epoll")?;
                (stdin, [Some(master), None])
            }
            None => (ends.stdin, [Some(ends.stdout), Some(ends.stderr)]),
        };
        let input = open_stdin.then_some(Input {
            fd: stdin,
            bulk: false,
            queue: Vec::new(),
            end: false,
        });
        let outputs = outputs.map(|fd| {
            fd.map(|fd| Output {
                fd,
                readable: false,
                bulk: false,
                queued: false,
                left: None,
            })
        });
        let process = Process {
            stream,
            pid,
            sink,
            status: Some(ends.status),
            said: Vec::new(),
            stage: Stage::Starting,
            input,
            outputs,
            tty,
            ended: None,
            deadline: None,
            timed_out: false,
            errand: None,
            transfers: false,
        };
        self.processes.insert(key, process);
        Ok(())
    }

    /// Reads what a child says before its exec; the end without a word is success.
    pub(super) fn read_status(&mut self, key: u32) {
        let Some(process) = self.processes.get_mut(&key) else {
            return;
        };
        let Some(status) = &process.status else {
            return;
        };
        let mut bytes = [0; 2048];
        loop {
            match rustix::io::read(status, &mut bytes) {
                Ok(0) => break,
                Ok(count) => process.said.extend_from_slice(&bytes[..count]),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
        process.status = None;
        if process.said.is_empty() {
            process.stage = Stage::Running;
            if let (Some(stream), Sink::Messages) = (process.stream, &process.sink) {
                let transfers = if process.transfers { ",\"transfer\":true" } else { "" };
                let text = format!("{{\"pid\":{}{transfers}}}", crate::zygote::raw(process.pid));
                self.say(stream, encode(MessageType::Started, text.as_bytes()));
            }
            self.resume_process(key);
            return;
        }
        let unclear = || Failure::new(Code::Io, "exec", "the command's process died before exec");
        let failure = serde_json::from_slice(&process.said).unwrap_or_else(|_| unclear());
        process.stage = Stage::Failed(failure);
    }

    /// Time to the next deadline; `None` without one.
    pub(super) fn time_to_deadline(&self) -> Option<Duration> {
        let next = self.processes.values().filter_map(|process| process.deadline).min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Kills what is late.
    pub(super) fn enforce_deadlines(&mut self) {
        if self.processes.values().all(|process| process.deadline.is_none()) {
            return;
        }
        let now = Instant::now();
        let late: Vec<u32> = self
            .processes
            .iter()
            .filter(|(_, p)| p.deadline.is_some_and(|at| at <= now))
            .map(|(key, _)| *key)
            .collect();
        for key in late {
            let Some(process) = self.processes.get_mut(&key) else {
                continue;
            };
            process.deadline = None;
            if process.ended.is_some() {
                process.outputs = [None, None];
                self.settle(key);
            } else {
                process.timed_out = true;
                process.kill_group();
            }
        }
    }

    /// Sets a terminal's window size.
    pub(super) fn resize(&mut self, key: u32, rows: u16, cols: u16) {
        let Some(process) = self.processes.get(&key).filter(|process| process.tty) else {
            return;
        };
        if let [Some(output), _] = &process.outputs {
            let _ = crate::tty::resize(output.fd.as_fd(), rows, cols);
        }
    }
}
