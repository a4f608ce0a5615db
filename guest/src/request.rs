//! Requests: their JSON shape and what is checked before anything is done.

use serde::{Deserialize, Serialize};

use crate::failure::{Code, Failure};
use crate::settings::Settings;
use crate::stage::request::{Begin, Step};

/// A request on port 4090.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Make this VM an image template.
    Prepare {
        /// What to mount.
        root: Root,
        /// Commands whose files are to be in memory.
        #[serde(default)]
        warm: Vec<String>,
    },
    /// Run a trivial workload, so that the next one starts faster.
    Rehearse {},
    /// Become a box and run its workload.
    Run(Box<Run>),
    /// Give the running workload other limits.
    Limit {
        /// Those without a value stay as they are.
        limits: Limits,
        /// `memory.low` of the box's control group; without a value it stays as it is.
        #[serde(default)]
        memory_low_bytes: Option<u64>,
    },
    /// Become the VM of a build's stage.
    Stage(Box<Begin>),
    /// Put a layer on top of the stage's root.
    StageAdd {
        /// By way of the transfer disk.
        #[serde(default)]
        transfer: bool,
    },
    /// Take in the files of a mount.
    StageTree {
        /// A word that mounts name.
        name: String,
        /// By way of the transfer disk.
        #[serde(default)]
        transfer: bool,
    },
    /// Run a command on the stage's root.
    StageStep(Box<Step>),
    /// Wait for a client of a step's socket.
    StageClient {
        /// Its place among the sockets of the step.
        socket: usize,
    },
    /// Give what the last step has changed.
    StageLayer {
        /// Seconds since 1970: later times become this one.
        max_mtime: Option<i64>,
        /// By way of the transfer disk.
        #[serde(default)]
        transfer: bool,
    },
    /// Forget what the last step has changed.
    StageDiscard {},
    /// Forget the session; the VM is about to be saved.
    Freeze {},
    /// Write everything to the disks.
    Sync {},
    /// Sync and power off.
    Poweroff {},
}

/// The disks of the root filesystem, by virtio-blk serial.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Root {
    pub lower: String,
    pub upper: String,
    pub read_only: bool,
}

/// A box.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    pub identity: Identity,
    pub clock_unix_ns: String,
    pub entropy: String,
    pub network: Network,
    pub hosts: Vec<String>,
    pub root: Root,
    pub mounts: Vec<Mount>,
    pub limits: Limits,
    pub process: Process,
    #[serde(default)]
    pub settings: Settings,
    pub sync_on_exit: bool,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub hostname: String,
    pub machine_id: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    pub enabled: bool,
    pub dns: Vec<String>,
    pub search: Vec<String>,
    pub options: Vec<String>,
}

/// A mount of the box besides its root.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mount {
    Share {
        tag: String,
        subpath: String,
        target: String,
        read_only: bool,
        /// The share is a volume whose directory is empty: see [`crate::fill`].
        #[serde(default)]
        fill: bool,
    },
    Tmpfs {
        target: String,
        options: String,
    },
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub memory_bytes: Option<u64>,
    pub cpu_quota_us: Option<u64>,
    pub pids: Option<u64>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the protocol's fields")]
pub struct Process {
    pub args: Vec<String>,
    pub env: Vec<String>,
    pub cwd: String,
    pub user: String,
    pub tty: bool,
    pub rows: u16,
    pub cols: u16,
    pub open_stdin: bool,
    pub init: bool,
    pub capabilities: Option<Vec<String>>,
    pub no_new_privileges: bool,
}

/// Body of `POST /exec`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exec {
    pub cmd: Vec<String>,
    pub env: Vec<String>,
    pub working_dir: Option<String>,
    pub user: Option<String>,
    pub stdin: Option<String>,
    pub timeout_ns: Option<u64>,
    pub tty: bool,
    pub rows: u16,
    pub cols: u16,
    pub open_stdin: bool,
    pub privileged: bool,
}

impl Request {
    /// # Errors
    /// `bad_request` with the field at fault.
    pub fn parse(json: &[u8]) -> Result<Self, Failure> {
        let request: Self = serde_json::from_slice(json).map_err(|e| bad(e.to_string()))?;
        match &request {
            Request::Run(run) => run.validate()?,
            Request::Prepare { root, warm } => {
                arguments("warm", warm)?;
                root.validate()?;
            }
            Request::Stage(begin) => begin.validate()?,
            Request::StageStep(step) => step.validate()?,
            Request::Rehearse {}
            | Request::Limit { .. }
            | Request::StageAdd { .. }
            | Request::StageTree { .. }
            | Request::StageClient { .. }
            | Request::StageLayer { .. }
            | Request::StageDiscard {}
            | Request::Freeze {}
            | Request::Sync {}
            | Request::Poweroff {} => {}
        }
        Ok(request)
    }
}

impl Root {
    fn validate(&self) -> Result<(), Failure> {
        serial(&self.lower)?;
        serial(&self.upper)
    }
}

impl Run {
    /// The wall clock as (seconds, nanoseconds).
    #[must_use]
    pub fn clock(&self) -> Option<(i64, i64)> {
        clock(&self.clock_unix_ns)
    }

    /// The seed's 64 bytes.
    #[must_use]
    pub fn seed(&self) -> Option<[u8; 64]> {
        seed(&self.entropy)
    }

    fn validate(&self) -> Result<(), Failure> {
        hostname(&self.identity.hostname)?;
        let id = self.identity.machine_id.as_bytes();
        if id.len() != 32 || !id.iter().all(|b| hex_digit(*b).is_some()) {
            return Err(bad("identity.machine_id: 32 hex digits"));
        }
        self.clock()
            .ok_or_else(|| bad("clock_unix_ns: nanoseconds since 1970, as a string"))?;
        self.seed().ok_or_else(|| bad("entropy: 128 hex digits"))?;
        self.network.validate()?;
        plain_lines("hosts", &self.hosts)?;
        self.root.validate()?;
        for mount in &self.mounts {
            mount.validate()?;
        }
        self.settings.validate().map_err(bad)?;
        self.process.validate()
    }
}

impl Network {
    /// # Errors
    /// `bad_request`.
    pub fn validate(&self) -> Result<(), Failure> {
        for words in [&self.dns, &self.search, &self.options] {
            plain_lines("network", words)?;
        }
        Ok(())
    }
}

impl Mount {
    fn validate(&self) -> Result<(), Failure> {
        let target = match self {
            Mount::Share {
                tag, subpath, target, ..
            } => {
                serial(tag)?;
                text("mounts.subpath", subpath)?;
                target
            }
            Mount::Tmpfs { target, options } => {
                text("mounts.options", options)?;
                target
            }
        };
        absolute("mounts.target", target)
    }
}

impl Process {
    fn validate(&self) -> Result<(), Failure> {
        if self.args.is_empty() {
            return Err(bad("process.args: empty"));
        }
        arguments("process.args", &self.args)?;
        environment("process.env", &self.env)?;
        absolute("process.cwd", &self.cwd)?;
        text("process.user", &self.user)?;
        for name in self.capabilities.iter().flatten() {
            if crate::capabilities::number(name).is_none() {
                return Err(bad(format!("process.capabilities: unknown capability {name:?}")));
            }
        }
        Ok(())
    }
}

impl Exec {
    /// # Errors
    /// `bad_request` with the field at fault.
    pub fn parse(json: &[u8]) -> Result<Self, Failure> {
        let exec: Self = serde_json::from_slice(json).map_err(|e| bad(e.to_string()))?;
        if exec.cmd.is_empty() {
            return Err(bad("cmd: empty"));
        }
        arguments("cmd", &exec.cmd)?;
        environment("env", &exec.env)?;
        if let Some(dir) = &exec.working_dir {
            absolute("working_dir", dir)?;
        }
        text("user", exec.user.as_deref().unwrap_or(""))?;
        Ok(exec)
    }
}

/// A refused request.
pub fn bad(message: impl Into<String>) -> Failure {
    Failure::new(Code::BadRequest, "request", message)
}

/// Nanoseconds since 1970 as (seconds, nanoseconds).
#[must_use]
pub fn clock(text: &str) -> Option<(i64, i64)> {
    let ns: i64 = text.parse().ok()?;
    (ns >= 0).then_some((ns / 1_000_000_000, ns % 1_000_000_000))
}

/// 128 hex digits as bytes.
#[must_use]
pub fn seed(text: &str) -> Option<[u8; 64]> {
    let digits = text.as_bytes();
    let mut seed = [0; 64];
    if digits.len() != 128 {
        return None;
    }
    for (byte, pair) in seed.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(seed)
}

/// # Errors
/// `bad_request`.
pub fn hostname(name: &str) -> Result<(), Failure> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
        return Err(bad("hostname: 1 to 64 letters, digits, '-', '.' or '_'"));
    }
    Ok(())
}

/// # Errors
/// `bad_request` for control characters.
pub fn plain_lines(field: &str, lines: &[String]) -> Result<(), Failure> {
    if lines.iter().any(|line| line.bytes().any(|b| b < 0x20 && b != b'\t')) {
        return Err(bad(format!("{field}: control characters")));
    }
    Ok(())
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Serials and tags are words: they are compared with, and given to, the kernel.
///
/// # Errors
/// `bad_request`.
pub fn serial(value: &str) -> Result<(), Failure> {
    let word = !value.is_empty() && value.len() <= 20 && value.bytes().all(|b| b.is_ascii_alphanumeric());
    if word {
        Ok(())
    } else {
        Err(bad(format!("{value:?}: not a device name")))
    }
}

/// # Errors
/// `bad_request`.
pub fn text(field: &str, value: &str) -> Result<(), Failure> {
    if value.contains('\0') || value.len() > 4096 {
        return Err(bad(format!("{field}: a NUL byte, or too long")));
    }
    Ok(())
}

/// # Errors
/// `bad_request`.
pub fn absolute(field: &str, path: &str) -> Result<(), Failure> {
    text(field, path)?;
    if path.starts_with('/') {
        Ok(())
    } else {
        Err(bad(format!("{field}: {path:?} is not absolute")))
    }
}

/// # Errors
/// `bad_request`.
pub fn arguments(field: &str, values: &[String]) -> Result<(), Failure> {
    if values.iter().any(|value| value.contains('\0')) {
        return Err(bad(format!("{field}: a NUL byte")));
    }
    Ok(())
}

/// # Errors
/// `bad_request`.
pub fn environment(field: &str, values: &[String]) -> Result<(), Failure> {
    arguments(field, values)?;
    if values.iter().any(|value| value.find('=').is_none_or(|at| at == 0)) {
        return Err(bad(format!("{field}: not KEY=VALUE")));
    }
    Ok(())
}
