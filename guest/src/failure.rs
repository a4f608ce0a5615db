//! Why a request could not be done, in the protocol's closed set of codes.

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// Error codes of RESULT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    BadRequest,
    Busy,
    NotFound,
    NotExecutable,
    BadCwd,
    BadUser,
    MountFailed,
    Io,
    Oom,
}

impl Code {
    /// The exit status that goes with the code.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Code::NotFound | Code::BadCwd => 127,
            Code::NotExecutable | Code::BadUser => 126,
            Code::Oom => 137,
            Code::BadRequest | Code::Busy | Code::MountFailed | Code::Io => 125,
        }
    }
}

/// A failed step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure.
    pub code: Code,
    /// The step that failed.
    pub stage: String,
    /// For people.
    pub message: String,
}

impl Failure {
    /// A failure of `stage`.
    pub fn new(code: Code, stage: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            stage: stage.into(),
            message: message.into(),
        }
    }
}

/// Puts a stage to a system call's error.
pub trait Stage<T> {
    /// As an `io` failure of `stage`; `what` names the object.
    ///
    /// # Errors
    /// The failure, if there is one.
    fn stage(self, stage: &str, what: &str) -> Result<T, Failure>;
    /// As a `mount_failed` failure of mounting `what`.
    ///
    /// # Errors
    /// The failure, if there is one.
    fn mounting(self, what: &str) -> Result<T, Failure>;
}

impl<T> Stage<T> for Result<T, Errno> {
    fn stage(self, stage: &str, what: &str) -> Result<T, Failure> {
        self.map_err(|e| Failure::new(Code::Io, stage, format!("{what}: {}", describe(e))))
    }

    fn mounting(self, what: &str) -> Result<T, Failure> {
        self.map_err(|e| Failure::new(Code::MountFailed, "mount", format!("mount {what}: {}", describe(e))))
    }
}

/// The kernel's words, lower case as Go's (and so runc's) are.
#[must_use]
pub fn describe(errno: Errno) -> String {
    let words = match errno {
        Errno::NOENT => "no such file or directory",
        Errno::ACCESS => "permission denied",
        Errno::PERM => "operation not permitted",
        Errno::NOTDIR => "not a directory",
        Errno::ISDIR => "is a directory",
        Errno::NOEXEC => "exec format error",
        Errno::LOOP => "too many levels of symbolic links",
        Errno::DQUOT => "disk quota exceeded",
        Errno::NOSPC => "no space left on device",
        Errno::ROFS => "read-only file system",
        Errno::NOMEM => "cannot allocate memory",
        Errno::INVAL => "invalid argument",
        Errno::NXIO => "no such device or address",
        Errno::NODEV => "no such device",
        Errno::TOOBIG => "argument list too long",
        Errno::TXTBSY => "text file busy",
        Errno::NAMETOOLONG => "file name too long",
        Errno::BUSY => "device or resource busy",
        Errno::IO => "input/output error",
        Errno::EXIST => "file exists",
        Errno::AGAIN => "resource temporarily unavailable",
        Errno::STALE => "stale file handle",
        other => return format!("errno {}", other.raw_os_error()),
    };
    words.into()
}
