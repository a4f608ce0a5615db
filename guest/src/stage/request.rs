//! A stage's requests: their JSON shape and what is checked before anything is done.

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::request::{
    Limits, Network, Root, absolute, arguments, bad, clock, environment, hostname, plain_lines, seed, serial, text,
};
use crate::settings::Settings;

/// Become a stage's VM.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    pub clock_unix_ns: String,
    pub entropy: String,
    pub network: Network,
    pub lower: String,
    pub upper: String,
    pub limits: Limits,
    pub shares: Vec<String>,
}

/// A command and what it finds.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub hostname: String,
    pub hosts: Vec<String>,
    /// The VM's; otherwise a loopback alone.
    pub network: bool,
    pub args: Vec<String>,
    pub env: Vec<String>,
    pub cwd: String,
    pub user: String,
    pub mounts: Vec<Mount>,
    #[serde(default)]
    pub settings: Settings,
}

/// A mount of a step.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mount {
    Tmpfs {
        target: String,
        size_bytes: Option<u64>,
    },
    /// What was sent as a tree, or one file of it.
    Tree {
        target: String,
        name: String,
        single: Option<String>,
        read_only: bool,
    },
    /// A share; owner and mode are for an empty one.
    Share {
        target: String,
        tag: String,
        read_only: bool,
        mode: u32,
        uid: u32,
        gid: u32,
    },
    /// A file in memory; its content comes first in the step's input.
    File {
        target: String,
        size: u64,
        executable: bool,
        mode: u32,
        uid: u32,
        gid: u32,
    },
    /// A socket; see `stage_client`.
    Socket {
        target: String,
        mode: u32,
        uid: u32,
        gid: u32,
    },
}

impl Begin {
    /// # Errors
    /// `bad_request` with the field at fault.
    pub fn validate(&self) -> Result<(), Failure> {
        self.clock().zip(self.seed()).ok_or_else(|| bad("clock or entropy"))?;
        self.network.validate()?;
        for word in [&self.lower, &self.upper].into_iter().chain(&self.shares) {
            serial(word)?;
        }
        Ok(())
    }

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

    /// The disks.
    #[must_use]
    pub fn root(&self) -> Root {
        Root {
            lower: self.lower.clone(),
            upper: self.upper.clone(),
            read_only: false,
        }
    }
}

impl Step {
    /// # Errors
    /// `bad_request` with the field at fault.
    pub fn validate(&self) -> Result<(), Failure> {
        hostname(&self.hostname)?;
        plain_lines("hosts", &self.hosts)?;
        if self.args.is_empty() {
            return Err(bad("args: empty"));
        }
        arguments("args", &self.args)?;
        environment("env", &self.env)?;
        absolute("cwd", &self.cwd)?;
        text("user", &self.user)?;
        for mount in &self.mounts {
            absolute("mounts.target", mount.target())?;
            if let Mount::Share { tag, .. } = mount {
                serial(tag)?;
            }
            if let Mount::Tree { name, single, .. } = mount {
                serial(name)?;
                text("mounts.single", single.as_deref().unwrap_or(""))?;
            }
        }
        self.settings.validate().map_err(bad)
    }
}

impl Mount {
    /// Where it is to be.
    #[must_use]
    pub fn target(&self) -> &str {
        match self {
            Mount::Tmpfs { target, .. }
            | Mount::Tree { target, .. }
            | Mount::Share { target, .. }
            | Mount::File { target, .. }
            | Mount::Socket { target, .. } => target,
        }
    }
}
