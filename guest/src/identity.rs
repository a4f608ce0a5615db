//! What makes a clone itself: clock, randomness, names, and the files of /etc that carry them.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};
use rustix::time::{ClockId, Timespec, clock_settime};

use crate::box_mounts::{bind, make_file};
use crate::failure::{Code, Failure, Stage};
use crate::request::Run;

/// Where the files live in the agent's tree; a tmpfs for each box.
const DIRECTORY: &str = "/box/files";
/// `RNDADDENTROPY` and `RNDRESEEDCRNG` of linux/random.h.
const RNDADDENTROPY: libc::c_ulong = 0x4008_5203;
const RNDRESEEDCRNG: libc::c_ulong = 0x5207;

const FILES: [(&str, &str); 4] = [
    ("hostname", "/etc/hostname"),
    ("hosts", "/etc/hosts"),
    ("resolv.conf", "/etc/resolv.conf"),
    ("machine-id", "/etc/machine-id"),
];

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
pub fn refresh(run: &Run, random: &OwnedFd) -> Result<(), Failure> {
    let missing = || Failure::new(Code::BadRequest, "request", "clock or entropy");
    let (seconds, nanoseconds) = run.clock().ok_or_else(missing)?;
    let now = Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds,
    };
    clock_settime(ClockId::Realtime, now).stage("clock", "clock_settime")?;
    let info = PoolInfo {
        entropy_count: 512,
        buf_size: 64,
        buf: run.seed().ok_or_else(missing)?,
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
pub fn make_files() -> Result<OwnedFd, Failure> {
    mount(
        "tmpfs",
        DIRECTORY,
        "tmpfs",
        MountFlags::NOSUID | MountFlags::NODEV,
        c"mode=755,size=4m",
    )
    .mounting("identity files")?;
    let directory = open(DIRECTORY, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).mounting(DIRECTORY)?;
    for (name, _) in FILES {
        openat(
            &directory,
            name,
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
pub fn place_files(directory: BorrowedFd<'_>) -> Result<(), Failure> {
    for (name, target) in FILES {
        let file = openat(directory, name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).mounting(name)?;
        match bind(file.as_fd(), target) {
            Err(Errno::NOENT) => {
                let made = make_file(Path::new(target)).map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO));
                made.and_then(|()| bind(file.as_fd(), target))
            }
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
    let contents = [
        format!("{}\n", run.identity.hostname),
        hosts(&run.hosts),
        resolver(run),
        format!("{}\n", run.identity.machine_id),
    ];
    for ((name, _), text) in FILES.iter().zip(contents) {
        let file = openat(directory, *name, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()).stage("identity", name)?;
        let written = File::from(file).write_all(text.as_bytes());
        written.map_err(|e| Failure::new(Code::Io, "identity", format!("{name}: {e}")))?;
    }
    Ok(())
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

fn resolver(run: &Run) -> String {
    let network = &run.network;
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
