//! What makes a clone itself: clock, randomness, names, and the files of /etc that carry them.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};
use rustix::time::{ClockId, Timespec, clock_settime};

use crate::box_mounts::bind;
use crate::failure::{Code, Failure, Stage};
use crate::mount_point;
use crate::request::{Network, Run};

/// Where the files live in the agent's tree; a tmpfs for each box.
const DIRECTORY: &str = "/box/files";
/// `RNDADDENTROPY` and `RNDRESEEDCRNG` of linux/random.h.
const RNDADDENTROPY: libc::c_ulong = 0x4008_5203;
const RNDRESEEDCRNG: libc::c_ulong = 0x5207;

/// A file and where it is mounted.
pub type Place = (&'static str, &'static str);

/// What every box finds.
pub const OF_A_BOX: [Place; 4] = [
    ("hostname", "/etc/hostname"),
    ("hosts", "/etc/hosts"),
    ("resolv.conf", "/etc/resolv.conf"),
    ("machine-id", "/etc/machine-id"),
];
/// What the steps of a build find: names of machines go into no image.
pub const OF_A_STEP: [Place; 2] = [("hosts", "/etc/hosts"), ("resolv.conf", "/etc/resolv.conf")];

#[repr(C)]
struct PoolInfo {
    entropy_count: i32,
    buf_size: i32,
    buf: [u8; 64],
}

/// Sets the wall clock and reseeds the kernel's generator, `random`.
///
/// # Errors
/// `io` at stage `clock` or `entropy`.
pub fn refresh((seconds, nanoseconds): (i64, i64), seed: [u8; 64], random: &OwnedFd) -> Result<(), Failure> {
    let now = Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds,
    };
    clock_settime(ClockId::Realtime, now).stage("clock", "clock_settime")?;
    let info = PoolInfo {
        entropy_count: 512,
        buf_size: 64,
        buf: seed,
    };
    // SAFETY: rand_pool_info with its bytes, and a call without argument.
    let done = unsafe {
        libc::ioctl(random.as_raw_fd(), RNDADDENTROPY, &raw const info) == 0
            && libc::ioctl(random.as_raw_fd(), RNDRESEEDCRNG, 0) == 0
    };
    if done {
        Ok(())
    } else {
        Err(Failure::new(Code::Io, "entropy", "the kernel refused the seed"))
    }
}

/// Makes the empty files on a tmpfs of their own; the directory.
///
/// # Errors
/// `mount_failed`.
pub fn make_files(places: &[Place]) -> Result<OwnedFd, Failure> {
    mount(
        "tmpfs",
        DIRECTORY,
        "tmpfs",
        MountFlags::NOSUID | MountFlags::NODEV,
        c"mode=755,size=4m",
    )
    .mounting("identity files")?;
    let directory = open(DIRECTORY, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).mounting(DIRECTORY)?;
    for (name, _) in places {
        openat(
            &directory,
            *name,
            OFlags::CREATE | OFlags::CLOEXEC,
            Mode::from_raw_mode(0o644),
        )
        .mounting(name)?;
    }
    Ok(directory)
}

/// Mounts the files over their places in /etc.
///
/// # Errors
/// `mount_failed`.
pub fn place_files(directory: BorrowedFd<'_>, places: &[Place]) -> Result<(), Failure> {
    for (name, target) in places {
        let file = openat(directory, *name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).mounting(name)?;
        match bind(file.as_fd(), *target) {
            Err(Errno::NOENT) => mount_point::file(Path::new(target)).and_then(|()| bind(file.as_fd(), *target)),
            other => other,
        }
        .mounting(target)?;
    }
    Ok(())
}

/// Writes what the box is called into the files.
///
/// # Errors
/// `io` at stage `identity`.
pub fn fill_files(directory: BorrowedFd<'_>, run: &Run) -> Result<(), Failure> {
    write_file(directory, "hostname", &format!("{}\n", run.identity.hostname))?;
    write_file(directory, "hosts", &hosts(&run.hosts))?;
    write_file(directory, "resolv.conf", &resolver(&run.network))?;
    write_file(directory, "machine-id", &format!("{}\n", run.identity.machine_id))
}

/// Writes one of the files.
///
/// # Errors
/// `io` at stage `identity`.
pub fn write_file(directory: BorrowedFd<'_>, name: &str, text: &str) -> Result<(), Failure> {
    let file = openat(directory, name, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()).stage("identity", name)?;
    let written = File::from(file).write_all(text.as_bytes());
    written.map_err(|e| Failure::new(Code::Io, "identity", format!("{name}: {e}")))
}

/// /etc/hosts as Docker writes it.
fn hosts(lines: &[String]) -> String {
    let mut text = String::from(
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n",
    );
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// /etc/resolv.conf.
#[must_use]
pub fn resolver(network: &Network) -> String {
    let mut text = String::new();
    for server in &network.dns {
        text = format!(
            "{text}nameserver {server}
"
        );
    }
    for (keyword, words) in [("search", &network.search), ("options", &network.options)] {
        if !words.is_empty() {
            text = format!("{text}{keyword} {}\n", words.join(" "));
        }
    }
    text
}
