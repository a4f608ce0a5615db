//! Output of commands: read straight into frames, as much as the stream's window allows, in turns.

use std::io::IoSliceMut;

use rustix::io::Errno;
use rustix::pipe::fcntl_setpipe_size;

use crate::messages::{HEAD_LEN, MAX_OUTPUT, MessageType, head};
use crate::mux::{HIGH_WATER, Mux};

use super::Server;
use super::process::{BULK_PIPE, Kept, MAX_KEPT, Output, Process, Sink, Stage};

/// What one read came to.
enum Step {
    /// There may be more.
    More,
    /// Nothing now.
    Empty,
    /// The stream's window is used up.
    Stalled,
    /// There will be nothing more.
    End,
}

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

fn step(process: &mut Process, at: usize, mux: &mut Mux) -> Step {
    let Some(output) = &mut process.outputs[at] else {
        return Step::Empty;
    };
    let kind = if at == 0 {
        MessageType::Stdout
    } else {
        MessageType::Stderr
    };
    match (&mut process.sink, process.stream) {
        (Sink::Kept(kept), Some(_)) => keep(output, &mut kept[at]),
        (Sink::Messages, Some(stream)) => send(output, kind, stream, mux),
        // Nobody listens any more.
        (_, None) => keep(
            output,
            &mut Kept {
                bytes: Vec::new(),
                truncated: true,
            },
        ),
    }
}

/// Bytes of a message of the greatest length.
const MESSAGE: usize = HEAD_LEN + MAX_OUTPUT;
/// Messages that one call may fill.
const MESSAGES: usize = (HIGH_WATER + MESSAGE).div_ceil(MESSAGE);
fn send(output: &mut Output, kind: MessageType, stream: u32, mux: &mut Mux) -> Step {
    let window = mux.send_window(stream);
    if window <= HEAD_LEN {
        return if output.left == Some(0) {
            Step::End
        } else {
            Step::Stalled
        };
    }
    let most = if output.bulk {
        HIGH_WATER + MESSAGE - mux.out.len().min(HIGH_WATER)
    } else {
        MESSAGE
    };
    let mut step = Step::Empty;
    mux.fill(stream, window.min(most), |space| {
        let (count, outcome) = gather(output, kind, space);
        step = outcome;
        count
    });
    step
}

/// Reads once into messages, one behind the other; their length.
fn gather(output: &mut Output, kind: MessageType, space: &mut [u8]) -> (usize, Step) {
    let mut bodies: [IoSliceMut<'_>; MESSAGES] = std::array::from_fn(|_| IoSliceMut::new(&mut []));
    let mut room = output.left.unwrap_or(usize::MAX);
    for (body, message) in bodies.iter_mut().zip(space.chunks_mut(MESSAGE)) {
        let end = message.len().min(HEAD_LEN.saturating_add(room));
        if end > HEAD_LEN {
            room -= end - HEAD_LEN;
            *body = IoSliceMut::new(&mut message[HEAD_LEN..end]);
        }
    }
    let (count, step) = read(output, &mut bodies);
    let mut left = count;
    for message in space.chunks_mut(MESSAGE).take(count.div_ceil(MAX_OUTPUT)) {
        let payload = left.min(MAX_OUTPUT);
        message[..HEAD_LEN].copy_from_slice(&head(kind, payload));
        left -= payload;
    }
    (count + count.div_ceil(MAX_OUTPUT) * HEAD_LEN, step)
}

fn keep(output: &mut Output, kept: &mut Kept) -> Step {
    let mut bytes = [0; 16 * 1024];
    let limit = output.left.map_or(bytes.len(), |left| left.min(bytes.len()));
    let (count, step) = read(output, &mut [IoSliceMut::new(&mut bytes[..limit])]);
    let room = if kept.truncated { 0 } else { MAX_KEPT - kept.bytes.len() };
    kept.bytes.extend_from_slice(&bytes[..count.min(room)]);
    kept.truncated |= count > room;
    step
}

/// Reads once into buffers that hold no more than the command left when it ended.
fn read(output: &mut Output, buffers: &mut [IoSliceMut<'_>]) -> (usize, Step) {
    if output.left == Some(0) {
        return (0, Step::End);
    }
    match rustix::io::readv(&output.fd, buffers) {
        Ok(0) => (0, Step::End),
        Ok(count) => (count, taken(output, count, buffers)),
        Err(Errno::INTR) => (0, Step::More),
        Err(Errno::AGAIN) => (0, if output.left.is_some() { Step::End } else { Step::Empty }),
        // A terminal whose other side is closed gives EIO.
        Err(_) => (0, Step::End),
    }
}

/// What is to be expected after `count` bytes.
fn taken(output: &mut Output, count: usize, buffers: &[IoSliceMut<'_>]) -> Step {
    if let Some(left) = &mut output.left {
        *left -= count;
        return if *left == 0 { Step::End } else { Step::More };
    }
    if count < buffers.iter().map(|buffer| buffer.len()).sum() {
        // A pipe that gave less than it was asked for is empty, and will tell of more. A terminal gives a line at a time.
        return if output.terminal { Step::More } else { Step::Empty };
    }
    if !output.bulk && count >= MAX_OUTPUT {
        output.bulk = true;
        // Without room for that the pipe stays as it is.
        let _ = fcntl_setpipe_size(&output.fd, BULK_PIPE);
    }
    Step::More
}
