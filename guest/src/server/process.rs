//! A command of the box as the agent sees it: its pipes, its end, and who waits for it.

use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::process::{Pid, WaitStatus};

use crate::failure::Failure;
use crate::messages::Outcome;

/// Output kept of each stream of a plain exec.
pub const MAX_KEPT: usize = 16 << 20;

/// What a pipe holds through which much goes: its command and the agent then wake each other less often, which is dear where processors
/// are emulated.
pub const BULK_PIPE: usize = 256 * 1024;

/// How a command's output goes back.
pub enum Sink {
    /// As messages.
    Messages,
    /// Gathered for one HTTP answer.
    Kept(Box<[Kept; 2]>),
}

/// Output of a plain exec.
#[derive(Default)]
pub struct Kept {
    /// The first bytes.
    pub bytes: Vec<u8>,
    /// There were more.
    pub truncated: bool,
}

/// A pipe or terminal the command writes to.
pub struct Output {
    /// The agent's end.
    pub fd: OwnedFd,
    /// There may be bytes to read.
    pub readable: bool,
    /// It has filled a message: its pipe is large now, and more is read at once.
    pub bulk: bool,
    /// It stands in the queue of outputs to read.
    pub queued: bool,
    /// Bytes still to be read once the command has ended.
    pub left: Option<usize>,
}

/// The way to the command's standard input.
pub struct Input {
    /// The agent's end.
    pub fd: OwnedFd,
    /// More came than its pipe had room for: that is large now.
    pub bulk: bool,
    /// Bytes the pipe had no room for.
    pub queue: Vec<u8>,
    /// Close once the queue is empty.
    pub end: bool,
}

/// Where a command is in its life.
#[derive(Debug, PartialEq, Eq)]
pub enum Stage {
    /// Not yet known whether exec succeeds.
    Starting,
    /// It runs.
    Running,
    /// It never ran.
    Failed(Failure),
}

/// A request about the box's files, see [`crate::files`].
pub struct Errand {
    /// The box's processes stand still until it ends.
    pub frozen: bool,
}

/// A command.
pub struct Process {
    /// The stream that is told of it; `None` once that is gone.
    pub stream: Option<u32>,
    /// Process id, also of its group.
    pub pid: Pid,
    /// Where output goes.
    pub sink: Sink,
    /// Says why exec failed; `None` once read.
    pub status: Option<OwnedFd>,
    /// Bytes of `status` so far.
    pub said: Vec<u8>,
    /// Starting, running, failed.
    pub stage: Stage,
    /// Standard input, while open.
    pub input: Option<Input>,
    /// Standard output and error, while open. A terminal is the first.
    pub outputs: [Option<Output>; 2],
    /// Runs on a terminal.
    pub tty: bool,
    /// How it ended.
    pub ended: Option<WaitStatus>,
    /// To be killed then, or, once it has ended, no longer to be read.
    pub deadline: Option<Instant>,
    /// It was killed for its deadline.
    pub timed_out: bool,
    /// Set for a request about the box's files, which is killed when the host ends its stream.
    pub errand: Option<Errand>,
    /// It has the transfer disk, until all of it has been sent.
    pub transfers: bool,
}

impl Process {
    /// Whether nothing more is to come of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ended.is_some() && self.stage != Stage::Starting && self.outputs.iter().all(Option::is_none)
    }

    /// RESULT of a command that is over.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if let Stage::Failed(failure) = &self.stage {
            return Outcome {
                exit_code: failure.code.exit_code(),
                error: Some(failure.clone()),
                ..Outcome::default()
            };
        }
        if self.timed_out {
            return Outcome {
                exit_code: 124,
                timed_out: true,
                ..Outcome::default()
            };
        }
        let signal = self
            .ended
            .and_then(WaitStatus::terminating_signal)
            .and_then(|n| u8::try_from(n).ok());
        let code = self
            .ended
            .and_then(WaitStatus::exit_status)
            .and_then(|n| u8::try_from(n).ok());
        let exit_code = signal.map(|n| 128 + n).or(code).unwrap_or(0);
        Outcome {
            exit_code,
            signal,
            ..Outcome::default()
        }
    }

    /// Sends a signal to the command.
    pub fn signal(&self, signal: i32) {
        self.kill(crate::zygote::raw(self.pid), signal);
    }

    /// Kills the command and its process group.
    pub fn kill_group(&self) {
        self.kill(-crate::zygote::raw(self.pid), libc::SIGKILL);
        // Before its setsid the group does not exist.
        self.kill(crate::zygote::raw(self.pid), libc::SIGKILL);
    }

    fn kill(&self, pid: i32, signal: i32) {
        if self.ended.is_none() {
            // SAFETY: the child was not yet waited for, so its number is still its own.
            unsafe { libc::kill(pid, signal) };
        }
    }
}
