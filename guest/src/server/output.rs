//! Output of commands: whose turn it is, as far as the stream's window and the port allow.

use super::Server;
use super::process::{Process, Sink, Stage};
use super::reading::{Step, step};

impl Server {
    /// Takes note that an output has bytes.
    pub(super) fn mark_readable(&mut self, key: u32, at: usize) {
        if let Some(Some(output)) = self
            .processes
            .get_mut(&key)
            .and_then(|process| process.outputs.get_mut(at))
        {
            output.readable = true;
            if !output.queued {
                output.queued = true;
                self.ready.push_back((key, at));
            }
        }
    }

    /// Looks again at the outputs of a stream whose window has grown.
    pub(super) fn resume_outputs(&mut self, stream: u32) {
        let keys: Vec<u32> = self
            .processes
            .iter()
            .filter(|(_, process)| process.stream == Some(stream))
            .map(|(key, _)| *key)
            .collect();
        for key in keys {
            self.resume_process(key);
        }
    }

    /// Looks again at the outputs of a command.
    pub(super) fn resume_process(&mut self, key: u32) {
        for at in 0..2 {
            let readable = |process: &Process| process.outputs[at].as_ref().is_some_and(|output| output.readable);
            if self.processes.get(&key).is_some_and(readable) {
                self.mark_readable(key, at);
            }
        }
    }

    /// One read of each output that has something, while the port takes it.
    pub(super) fn deliver(&mut self) {
        for _ in 0..self.ready.len() {
            if !self.mux.out.has_room() {
                return;
            }
            let Some((key, at)) = self.ready.pop_front() else {
                return;
            };
            self.deliver_one(key, at);
        }
    }

    fn deliver_one(&mut self, key: u32, at: usize) {
        let Some(process) = self.processes.get_mut(&key) else {
            return;
        };
        if let Some(output) = &mut process.outputs[at] {
            output.queued = false;
        }
        if process.stage == Stage::Starting {
            return;
        }
        let behind = process
            .stream
            .and_then(|id| self.streams.get(&id))
            .is_some_and(|stream| !stream.body.is_empty());
        if behind && matches!(process.sink, Sink::Messages) {
            // Earlier messages first; the window that lets them go brings this output back.
            return;
        }
        match step(process, at, &mut self.mux) {
            Step::More => self.mark_readable(key, at),
            Step::Stalled => {}
            Step::Empty => {
                if let Some(output) = &mut process.outputs[at] {
                    output.readable = false;
                }
            }
            Step::End => {
                process.outputs[at] = None;
                self.settle(key);
            }
        }
    }
}
