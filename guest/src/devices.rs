//! Finds virtio devices by the names the host gave them, and stops the one that nobody needs.

use std::fs;
use std::os::unix::fs::FileExt;

/// I/O ports of the programmable interval timer: its first counter, and its control word.
const PIT_COUNTER: u64 = 0x40;
const PIT_CONTROL: u64 = 0x43;
/// The first counter, both bytes, mode 0: it counts down once and then stands still (Intel 8254 data sheet).
const PIT_ONCE: u8 = 0x30;

/// The character device of the virtio-serial port called `name`.
#[must_use]
pub fn port(name: &str) -> Option<String> {
    named("/sys/class/virtio-ports", "name", name)
}

/// The block device of the virtio-blk disk with `serial`.
#[must_use]
pub fn disk(serial: &str) -> Option<String> {
    named("/sys/block", "serial", serial)
}

fn named(class: &str, attribute: &str, value: &str) -> Option<String> {
    fs::read_dir(class).ok()?.flatten().find_map(|entry| {
        let found = fs::read_to_string(entry.path().join(attribute)).ok()?;
        (found.trim_end() == value).then(|| format!("/dev/{}", entry.file_name().to_string_lossy()))
    })
}

/// Stops the interval timer that a PC starts with. The kernel keeps time by its processors' own timers and never looks at it, but each
/// of its 18 turns a second wakes the emulator twice. Where there is none, or no such port, nothing happens.
pub fn stop_interval_timer() {
    let by_itself = |device: String| device.trim_end() != "pit";
    if !fs::read_to_string("/sys/devices/system/clockevents/clockevent0/current_device").is_ok_and(by_itself) {
        return;
    }
    let Ok(ports) = fs::OpenOptions::new().write(true).open("/dev/port") else {
        return;
    };
    for (port, value) in [(PIT_CONTROL, PIT_ONCE), (PIT_COUNTER, 0), (PIT_COUNTER, 0)] {
        let _ = ports.write_at(&[value], port);
    }
}
