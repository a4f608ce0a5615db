//! Finds virtio devices by the names the host gave them.

use std::fs;

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
