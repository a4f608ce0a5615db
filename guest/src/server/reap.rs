//! The ends of processes: the one place that waits for children.

use std::time::{Duration, Instant};

use rustix::process::{WaitOptions, WaitStatus, wait};

use super::Server;
use super::process::{Process, Sink, Stage};
use crate::failure::{Code, Failure};

/// How long the rest of a dead command's terminal output may take.
const TERMINAL_DRAIN: Duration = Duration::from_millis(500);

impl Server {
    /// Takes the ends of all children that have one.
    pub(super) fn reap(&mut self) {
        let mut info = [0; 128];
        while rustix::io::read(&self.signals, &mut info).is_ok() {}
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            let key = self
                .processes
                .iter()
                .find(|(_, process)| process.pid == pid)
                .map(|(key, _)| *key);
            if let Some(key) = key {
                self.ended(key, status);
            }
        }
    }

    fn ended(&mut self, key: u32, status: WaitStatus) {
        // A command may end before the loop has seen that its exec succeeded.
        self.read_status(key);
        let Some(process) = self.processes.get_mut(&key) else {
            return;
        };
        process.ended = Some(status);
        process.deadline = None;
        process.input = None;
        if process.stage == Stage::Starting {
            process.status = None;
            process.stage = Stage::Failed(Failure::new(Code::Io, "exec", "the command's process died before exec"));
        }
        if process.tty {
            process.deadline = Some(Instant::now() + TERMINAL_DRAIN);
        } else {
            for output in process.outputs.iter_mut().flatten() {
                let held = rustix::io::ioctl_fionread(&output.fd).unwrap_or(0);
                output.left = Some(usize::try_from(held).unwrap_or(usize::MAX));
            }
        }
        for at in 0..2 {
            self.mark_readable(key, at);
        }
        self.settle(key);
    }

    /// Tells the waiting side once nothing more is to come.
    pub(super) fn settle(&mut self, key: u32) {
        if !self.processes.get(&key).is_some_and(Process::is_over) {
            return;
        }
        let Some(mut process) = self.processes.remove(&key) else {
            return;
        };
        let mut outcome = process.outcome();
        if let Some(workload) = self.workload.as_mut().filter(|workload| workload.process == key) {
            workload.over = true;
            if (workload.limited || outcome.exit_code != 0) && outcome.error.is_none() {
                outcome.oom_killed = workload.cgroup.oom_kills() > 0;
            }
            if workload.sync_on_exit {
                crate::rootfs::sync();
            }
        }
        self.stage_ended(key, &mut outcome);
        self.thaw(process.errand.as_ref().is_some_and(|errand| errand.frozen));
        let Some(stream) = process.stream else {
            return;
        };
        match &mut process.sink {
            Sink::Messages => self.conclude(stream, &outcome),
            Sink::Kept(kept) => {
                let kept = std::mem::take(kept);
                self.answer_exec(stream, &outcome, *kept);
            }
        }
    }
}
