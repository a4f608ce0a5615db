//! The end of PID 1: a line that says why, then power-off. A panic comes here too.

use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;

use rustix::io::Errno;
use rustix::system::{RebootCommand, reboot};
use serde::Serialize;

/// Attempts, 10 ms apart, to get the FATAL line out.
const PATIENCE: u32 = 100;
/// The port's descriptor, once open.
static PORT: AtomicI32 = AtomicI32::new(-1);
/// Cleared in forked children: their death is not the VM's.
static IS_INIT: AtomicBool = AtomicBool::new(true);

/// A step of the boot that could not be done.
#[derive(Debug, Serialize)]
pub struct BootError {
    /// The step.
    pub stage: &'static str,
    /// The kernel's error, 0 if it gave none.
    pub errno: i32,
    /// For people.
    pub message: String,
}

impl BootError {
    /// A failed `stage` with the error of `what`.
    pub fn new(stage: &'static str, what: &str, error: &std::io::Error) -> Self {
        Self {
            stage,
            errno: error.raw_os_error().unwrap_or(0),
            message: format!("{what}: {error}"),
        }
    }
}

/// Puts a stage to an error.
pub trait AtStage<T> {
    /// # Errors
    /// The boot error, if there is one.
    fn at(self, stage: &'static str, what: &str) -> Result<T, BootError>;
}

impl<T, E: Into<std::io::Error>> AtStage<T> for Result<T, E> {
    fn at(self, stage: &'static str, what: &str) -> Result<T, BootError> {
        self.map_err(|e| BootError::new(stage, what, &e.into()))
    }
}

/// Where the FATAL line goes from now on: a descriptor of its own, because the caller's is closed on its way here.
///
/// # Errors
/// The kernel's.
pub fn set_port(port: &OwnedFd) -> std::io::Result<()> {
    PORT.store(port.try_clone()?.into_raw_fd(), Ordering::Relaxed);
    Ok(())
}

/// Says that this process is a child of PID 1.
pub fn forget_init() {
    IS_INIT.store(false, Ordering::Relaxed);
}

/// Makes a panic of PID 1 a FATAL line.
pub fn catch_panics() {
    std::panic::set_hook(Box::new(|info| {
        if IS_INIT.load(Ordering::Relaxed) {
            die(&BootError {
                stage: "panic",
                errno: 0,
                message: info.to_string(),
            });
        }
    }));
}

/// Reports `error` to the host and the console, and powers off.
pub fn die(error: &BootError) -> ! {
    let json = serde_json::to_string(error).unwrap_or_default();
    let line = format!("A3S/1 FATAL {json}\n");
    let fd = PORT.load(Ordering::Relaxed);
    if fd >= 0 {
        // SAFETY: this descriptor is never closed.
        let port = unsafe { BorrowedFd::borrow_raw(fd) };
        write_whole(port, line.as_bytes());
    }
    if let Ok(console) = std::fs::OpenOptions::new().write(true).open("/dev/console") {
        let _ = rustix::io::write(console.as_fd(), line.as_bytes());
    }
    power_off()
}

/// Soon after its opening the port takes nothing yet; a host that is not there must not hold up the end.
fn write_whole(port: BorrowedFd<'_>, mut bytes: &[u8]) {
    for _ in 0..PATIENCE {
        match rustix::io::write(port, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
        if bytes.is_empty() {
            return;
        }
    }
}

/// Writes everything to the disks and ends the VM.
pub fn power_off() -> ! {
    rustix::fs::sync();
    loop {
        // A restart ends QEMU under -no-reboot, and quicker than ACPI's power-off.
        let restarted: Result<(), Errno> = reboot(RebootCommand::Restart);
        if restarted.is_err() {
            let _ = reboot(RebootCommand::PowerOff);
        }
    }
}
