//! What a box may ask for beyond every box's own: kernel parameters, resource limits, groups, sizes.

use std::collections::BTreeMap;
use std::fs;

use rustix::io::Errno;
use rustix::mount::{MountFlags, mount_remount};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::system::setdomainname;
use serde::{Deserialize, Serialize};

use crate::box_mounts;
use crate::devices;
use crate::failure::{Code, Failure, Stage};
use crate::rootfs::SCRATCH;

/// Optional part of a `run` request; what is left out stays as it is for every box.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// NIS domain name.
    pub domainname: String,
    /// Kernel parameters, `net.ipv4.ip_forward` or with slashes.
    pub sysctls: BTreeMap<String, String>,
    /// Size of /dev/shm.
    pub shm_bytes: Option<u64>,
    /// How much the box may write to its disk.
    pub disk_bytes: Option<u64>,
    /// `memory.low` of the box's control group.
    pub memory_low_bytes: Option<u64>,
    /// -1000 to 1000.
    pub oom_score_adj: i32,
    /// Groups besides the user's, names or numbers.
    pub groups: Vec<String>,
    /// Resource limits.
    pub rlimits: Vec<Limit>,
    /// Nothing of /proc and /sys is hidden or read-only.
    pub unmasked: bool,
}

/// One resource limit; null is none.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// As `ulimit` names it, e.g. `nofile`.
    pub kind: String,
    pub soft: Option<u64>,
    pub hard: Option<u64>,
}

impl Settings {
    /// # Errors
    /// The field at fault.
    pub fn validate(&self) -> Result<(), String> {
        let word = |text: &str| text.len() <= 4096 && !text.bytes().any(|b| b < 0x20);
        for (name, value) in &self.sysctls {
            let path = sysctl_path(name);
            let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
            if !word(name) || !word(value) || !path.split('/').skip(3).all(plain) {
                return Err(format!("settings.sysctls: {name:?}"));
            }
        }
        if self.domainname.len() > 64 || !word(&self.domainname) {
            return Err("settings.domainname: at most 64 characters".into());
        }
        if !(-1000..=1000).contains(&self.oom_score_adj) {
            return Err("settings.oom_score_adj: -1000 to 1000".into());
        }
        if let Some(limit) = self.rlimits.iter().find(|limit| resource(&limit.kind).is_none()) {
            return Err(format!("settings.rlimits: unknown limit {:?}", limit.kind));
        }
        if !self.groups.iter().all(|group| word(group)) {
            return Err("settings.groups: control characters".into());
        }
        Ok(())
    }

    /// Bounds the box's disk: what is beyond becomes ext4's own reserve, which nobody may use, root neither. Made anew at
    /// each start, because the file system does not keep it.
    ///
    /// # Errors
    /// `io` at stage `disk`.
    pub fn bound_disk(&self, serial: &str) -> Result<(), Failure> {
        let Some(bytes) = self.disk_bytes else {
            return Ok(());
        };
        let stat = rustix::fs::statvfs(SCRATCH).stage("disk", SCRATCH)?;
        let reserve = stat.f_blocks.saturating_sub(bytes / stat.f_frsize.max(1));
        let device = devices::disk(serial).unwrap_or_default();
        let name = device.rsplit('/').next().unwrap_or_default();
        write(
            "disk",
            &format!("/sys/fs/ext4/{name}/reserved_clusters"),
            &reserve.to_string(),
        )
    }

    /// Makes them so in the box's own namespaces; runs before anything of the request is mounted.
    ///
    /// # Errors
    /// `io` or `mount_failed`, naming the setting.
    pub fn apply(&self) -> Result<(), Failure> {
        if !self.domainname.is_empty() {
            setdomainname(self.domainname.as_bytes()).stage("identity", "setdomainname")?;
        }
        if self.oom_score_adj != 0 {
            self.score()?;
        }
        if let Some(bytes) = self.shm_bytes {
            let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
            let size = std::ffi::CString::new(format!("size={bytes}")).unwrap_or_default();
            mount_remount("/dev/shm", flags, size.as_c_str()).mounting("/dev/shm")?;
        }
        if self.unmasked {
            box_mounts::unmask()?;
        } else if !self.sysctls.is_empty() {
            box_mounts::unlock_sysctls()?;
        }
        for (name, value) in &self.sysctls {
            write("sysctl", &sysctl_path(name), value)?;
        }
        if !self.unmasked && !self.sysctls.is_empty() {
            box_mounts::lock_sysctls()?;
        }
        Ok(())
    }

    /// The calling process's place in the OOM killer's list.
    ///
    /// # Errors
    /// `io` at stage `oom_score_adj`.
    pub fn score(&self) -> Result<(), Failure> {
        write(
            "oom_score_adj",
            "/proc/self/oom_score_adj",
            &self.oom_score_adj.to_string(),
        )
    }

    /// The calling process's resource limits.
    ///
    /// # Errors
    /// `io` at stage `rlimit`.
    pub fn limit(&self) -> Result<(), Failure> {
        for Limit { kind, soft, hard } in &self.rlimits {
            let Some(resource) = resource(kind) else { continue };
            let limit = Rlimit {
                current: *soft,
                maximum: *hard,
            };
            setrlimit(resource, limit).stage("rlimit", kind)?;
        }
        Ok(())
    }
}

/// With dots or slashes, as sysctl(8) reads it: the first of the two is the separator.
fn sysctl_path(name: &str) -> String {
    let slashed = name
        .find(['.', '/'])
        .is_some_and(|at| name.as_bytes().get(at) == Some(&b'/'));
    let path = if slashed { name.to_string() } else { swap(name) };
    format!("/proc/sys/{path}")
}

/// In a dotted name a slash stands for a dot, as in `net.ipv4.conf.eth0/1.forwarding`.
fn swap(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            '.' => '/',
            '/' => '.',
            other => other,
        })
        .collect()
}

fn resource(kind: &str) -> Option<Resource> {
    Some(match kind {
        "as" => Resource::As,
        "core" => Resource::Core,
        "cpu" => Resource::Cpu,
        "data" => Resource::Data,
        "fsize" => Resource::Fsize,
        "locks" => Resource::Locks,
        "memlock" => Resource::Memlock,
        "msgqueue" => Resource::Msgqueue,
        "nice" => Resource::Nice,
        "nofile" => Resource::Nofile,
        "nproc" => Resource::Nproc,
        "rss" => Resource::Rss,
        "rtprio" => Resource::Rtprio,
        "rttime" => Resource::Rttime,
        "sigpending" => Resource::Sigpending,
        "stack" => Resource::Stack,
        _ => return None,
    })
}

fn write(stage: &str, path: &str, value: &str) -> Result<(), Failure> {
    fs::write(path, value).map_err(|e| {
        let words = crate::failure::describe(Errno::from_io_error(&e).unwrap_or(Errno::IO));
        Failure::new(Code::Io, stage, format!("{path}: {words}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sysctl(name: &str) -> Settings {
        Settings {
            sysctls: BTreeMap::from([(name.to_string(), "1".to_string())]),
            ..Settings::default()
        }
    }

    #[test]
    fn parameters_are_named_with_dots_or_slashes() {
        assert_eq!(sysctl_path("net.ipv4.ip_forward"), "/proc/sys/net/ipv4/ip_forward");
        assert_eq!(
            sysctl_path("net/ipv4/conf/eth0.1/x"),
            "/proc/sys/net/ipv4/conf/eth0.1/x"
        );
        assert_eq!(
            sysctl_path("net.ipv4.conf.eth0/1.x"),
            "/proc/sys/net/ipv4/conf/eth0.1/x"
        );
    }

    #[test]
    fn parameters_stay_below_proc_sys() {
        assert!(sysctl("net.ipv4.ip_forward").validate().is_ok());
        for name in ["../../etc/passwd", "net/../x", "net..x", "", ".", "/", "a\nb"] {
            assert!(sysctl(name).validate().is_err(), "{name:?}");
        }
    }

    #[test]
    fn unknown_limits_and_scores_out_of_range_are_refused() {
        let limit = Limit {
            kind: "files".into(),
            soft: None,
            hard: None,
        };
        let unknown = Settings {
            rlimits: vec![limit],
            ..Settings::default()
        };
        assert_eq!(
            unknown.validate(),
            Err("settings.rlimits: unknown limit \"files\"".into())
        );
        let score = Settings {
            oom_score_adj: 1001,
            ..Settings::default()
        };
        assert!(score.validate().is_err());
    }
}
