//! Linux capabilities by name, and Docker's default set.

/// Names by number (`linux/capability.h`).
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// Docker's default set (`moby/profiles`, `oci/caps/defaults.go`).
pub const DEFAULT: u64 = 0xa804_25fb;
/// All of them.
pub const ALL: u64 = (1 << NAMES.len()) - 1;

/// The number of a capability named without `CAP_`.
#[must_use]
pub fn number(name: &str) -> Option<u32> {
    NAMES
        .iter()
        .position(|known| *known == name)
        .and_then(|at| u32::try_from(at).ok())
}

/// A request's set as bits; `None` is Docker's default.
#[must_use]
pub fn bits(names: Option<&[String]>) -> u64 {
    names.map_or(DEFAULT, |names| {
        names
            .iter()
            .filter_map(|name| number(name))
            .fold(0, |bits, at| bits | 1 << at)
    })
}

/// Takes every capability outside `keep` out of the bounding set. The exec that follows computes the
/// other sets from it: root gets exactly `keep`, anybody else nothing.
///
/// # Errors
/// The kernel's.
pub fn bound(keep: u64) -> rustix::io::Result<()> {
    for at in (0..NAMES.len()).filter(|at| keep & (1 << at) == 0) {
        // SAFETY: PR_CAPBSET_DROP takes numbers only.
        let failed = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, at, 0, 0, 0) } != 0;
        if failed && rustix::io::Errno::from_raw_os_error(errno()) != rustix::io::Errno::INVAL {
            return Err(rustix::io::Errno::from_raw_os_error(errno()));
        }
    }
    Ok(())
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_set_is_dockers() {
        let names = [
            "CHOWN",
            "DAC_OVERRIDE",
            "FSETID",
            "FOWNER",
            "MKNOD",
            "NET_RAW",
            "SETGID",
            "SETUID",
            "SETFCAP",
            "SETPCAP",
            "NET_BIND_SERVICE",
            "SYS_CHROOT",
            "KILL",
            "AUDIT_WRITE",
        ]
        .map(String::from);
        assert_eq!(bits(Some(&names)), DEFAULT);
        assert_eq!(bits(None), DEFAULT);
    }
}
