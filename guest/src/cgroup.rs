//! The box's control group.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use crate::request::Limits;

/// Where cgroup2 is mounted.
pub const ROOT: &str = "/sys/fs/cgroup";
const CPU_PERIOD_US: u64 = 100_000;

/// Hands the controllers that the kernel has down to the children of the root group.
pub fn enable_controllers() {
    let known = fs::read_to_string(format!("{ROOT}/cgroup.controllers")).unwrap_or_default();
    for name in known.split_whitespace() {
        // One at a time: one that cannot be enabled must not take the others with it.
        let _ = fs::write(format!("{ROOT}/cgroup.subtree_control"), format!("+{name}"));
    }
}

/// A control group that exists as long as this value.
pub struct Cgroup {
    path: PathBuf,
}

impl Cgroup {
    /// Makes a fresh group.
    ///
    /// # Errors
    /// The kernel's.
    pub fn create(name: &str) -> io::Result<Self> {
        let path = PathBuf::from(ROOT).join(name);
        fs::create_dir(&path)?;
        Ok(Self { path })
    }

    /// The group's directory, for `CLONE_INTO_CGROUP`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn directory(&self) -> io::Result<OwnedFd> {
        File::open(&self.path).map(Into::into)
    }

    /// Sets the limits of a box; `low` is the memory that is not taken from it.
    ///
    /// # Errors
    /// The kernel's, with the file's name.
    pub fn limit(&self, limits: &Limits, low: Option<u64>) -> Result<(), (String, io::Error)> {
        if let Some(bytes) = limits.memory_bytes {
            self.write("memory.max", &bytes.to_string())?;
        }
        if let Some(quota) = limits.cpu_quota_us {
            self.write("cpu.max", &format!("{quota} {CPU_PERIOD_US}"))?;
        }
        if let Some(bytes) = low {
            self.write("memory.low", &bytes.to_string())?;
        }
        if let Some(pids) = limits.pids {
            self.write("pids.max", &pids.to_string())?;
        }
        Ok(())
    }

    /// Stops every process of the group, or lets them go on. The kernel has stopped them all a moment later.
    ///
    /// # Errors
    /// The kernel's, with the file's name.
    pub fn freeze(&self, on: bool) -> Result<(), (String, io::Error)> {
        self.write("cgroup.freeze", if on { "1" } else { "0" })
    }

    /// How many processes of the group the OOM killer has taken.
    #[must_use]
    pub fn oom_kills(&self) -> u64 {
        let events = fs::read_to_string(self.path.join("memory.events")).unwrap_or_default();
        events
            .lines()
            .find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
            .unwrap_or(0)
    }

    fn write(&self, file: &str, value: &str) -> Result<(), (String, io::Error)> {
        fs::write(self.path.join(file), value).map_err(|e| (file.to_string(), e))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.path);
    }
}
