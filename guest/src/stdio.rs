//! Pipes between the agent and a command.

use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

/// The command's ends.
pub struct ChildEnds {
    /// Standard input, output and error.
    pub streams: [OwnedFd; 3],
    /// Where to say why there was no exec.
    pub status: OwnedFd,
}

/// The agent's ends.
pub struct AgentEnds {
    /// To the command's standard input.
    pub stdin: OwnedFd,
    /// From its standard output.
    pub stdout: OwnedFd,
    /// From its standard error.
    pub stderr: OwnedFd,
    /// Ends without a byte once exec has succeeded.
    pub status: OwnedFd,
}

/// Both ends of a command's pipes; the agent's do not block.
///
/// # Errors
/// The kernel's.
pub fn pipes() -> Result<(AgentEnds, ChildEnds), Errno> {
    let (stdin_read, stdin) = pipe_with(PipeFlags::CLOEXEC)?;
    let (stdout, stdout_write) = pipe_with(PipeFlags::CLOEXEC)?;
    let (stderr, stderr_write) = pipe_with(PipeFlags::CLOEXEC)?;
    let (status, status_write) = pipe_with(PipeFlags::CLOEXEC)?;
    for fd in [&stdin, &stdout, &stderr] {
        rustix::io::ioctl_fionbio(fd, true)?;
    }
    let child = ChildEnds {
        streams: [stdin_read, stdout_write, stderr_write],
        status: status_write,
    };
    Ok((
        AgentEnds {
            stdin,
            stdout,
            stderr,
            status,
        },
        child,
    ))
}

/// Makes three descriptors the standard ones.
///
/// # Errors
/// The kernel's.
pub fn install(stdin: impl AsFd, stdout: impl AsFd, stderr: impl AsFd) -> Result<(), Errno> {
    dup2_stdin(stdin)?;
    dup2_stdout(stdout)?;
    dup2_stderr(stderr)
}
