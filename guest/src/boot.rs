//! From the kernel's hand-over to a VM that waits for a session.

use std::fs;
use std::os::fd::{FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::mount::{MountFlags, mount};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::fatal::{self, AtStage, BootError};
use crate::server::Server;
use crate::{cgroup, devices, modules, net, stdio};

/// The port's name on the host side.
const PORT: &str = "a3s.agent.0";
/// How long the port may take to appear after its driver.
const PORT_WAIT: Duration = Duration::from_secs(20);
const MAX_FILES: u64 = 1 << 20;

const DIRECTORIES: [&str; 14] = [
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/box",
    "/box/root",
    "/box/lower",
    "/box/scratch",
    "/box/files",
    "/box/below",
    "/box/mounts",
    "/box/rehearsal",
    "/box/shares",
    "/box/sockets",
];

/// Brings the VM up.
///
/// # Errors
/// The stage that failed.
pub fn boot() -> Result<Server, BootError> {
    mounts()?;
    let null = open("/dev/null", OFlags::RDWR, Mode::empty()).at("mounts", "/dev/null")?;
    stdio::install(&null, &null, &null).at("mounts", "/dev/null")?;
    limits()?;
    modules::load_all()?;
    if let Ok(console) = open(
        "/dev/console",
        OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC,
        Mode::empty(),
    ) {
        let _ = rustix::stdio::dup2_stderr(console);
    }
    let port = open_port()?;
    fatal::set_port(&port).at("port", PORT)?;
    net::configure()?;
    cgroup::enable_controllers();
    rest();
    Server::new(port, signals()?)
}

fn mounts() -> Result<(), BootError> {
    for directory in DIRECTORIES {
        match fs::create_dir(directory) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(BootError::new("mounts", directory, &e));
            }
            _ => {}
        }
    }
    let safe = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", "/proc", "proc", safe, None).at("mounts", "/proc")?;
    mount("sysfs", "/sys", "sysfs", safe, None).at("mounts", "/sys")?;
    mount("devtmpfs", "/dev", "devtmpfs", MountFlags::NOSUID, None).at("mounts", "/dev")?;
    mount("cgroup2", cgroup::ROOT, "cgroup2", safe, None).at("mounts", cgroup::ROOT)
}

/// The limits that the box's processes inherit, and the agent's own safety from the OOM killer.
fn limits() -> Result<(), BootError> {
    let all = |count| Rlimit {
        current: Some(count),
        maximum: Some(count),
    };
    setrlimit(Resource::Nofile, all(MAX_FILES)).at("limits", "nofile")?;
    let unlimited = Rlimit {
        current: None,
        maximum: None,
    };
    setrlimit(Resource::Nproc, unlimited).at("limits", "nproc")?;
    setrlimit(Resource::Core, unlimited).at("limits", "core")?;
    fs::write("/proc/self/oom_score_adj", "-1000").at("limits", "oom_score_adj")
}

/// What wakes an idle VM for nothing: every wake of an emulated processor costs the host's.
fn rest() {
    devices::stop_interval_timer();
    // Looks twice a second whether memory is in too small pieces for huge pages. It still becomes one piece when some are asked for.
    let _ = fs::write("/proc/sys/vm/compaction_proactiveness", "0");
}

fn open_port() -> Result<OwnedFd, BootError> {
    let deadline = Instant::now() + PORT_WAIT;
    loop {
        if let Some(path) = devices::port(PORT) {
            let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
            return open(&path, flags, Mode::empty()).at("port", &path);
        }
        if Instant::now() > deadline {
            let message = format!("no virtio-serial port is called {PORT}");
            return Err(BootError {
                stage: "port",
                errno: 0,
                message,
            });
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A descriptor that tells of SIGCHLD.
fn signals() -> Result<OwnedFd, BootError> {
    // SAFETY: a signal set of our own, and a new descriptor.
    let fd = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
    };
    if fd < 0 {
        return Err(BootError::new("signals", "signalfd", &std::io::Error::last_os_error()));
    }
    // SAFETY: owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
