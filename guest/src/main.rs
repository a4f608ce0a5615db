//! The guest agent of a3s-box: PID 1 of the microVM. See `docs/protocol.md`.

// The runtime's own start opens /dev/null, which a fresh initramfs does not have.
#![cfg_attr(not(test), no_main)]

mod body;
mod boot;
mod box_mounts;
mod capabilities;
mod cgroup;
mod clone;
mod devices;
mod errand;
mod exec;
mod failure;
mod fatal;
mod files;
mod fill;
mod guard;
mod handshake;
mod http;
mod identity;
mod launch;
mod messages;
mod modules;
mod mount_point;
mod mux;
mod net;
mod nftables;
mod request;
mod rootfs;
mod server;
mod settings;
mod shares;
mod stage;
mod stdio;
mod tiny_init;
mod transfer;
mod tty;
mod user;
#[cfg(test)]
mod vectors;
mod zygote;

use std::ffi::{CStr, c_char, c_int};

/// Entry from the C library.
#[cfg_attr(not(test), unsafe(no_mangle))]
extern "C" fn main(count: c_int, arguments: *const *const c_char) -> c_int {
    let word = if count > 1 {
        // SAFETY: the C library passes `count` strings.
        unsafe { CStr::from_ptr(*arguments.add(1)) }
    } else {
        c""
    };
    if word == c"--noop" {
        return 0;
    }
    if word == c"--wait" {
        let mut byte = [0; 1];
        while matches!(rustix::io::read(rustix::stdio::stdin(), &mut byte), Ok(1)) {}
        return 0;
    }
    if std::process::id() != 1 {
        eprintln!("a3s-agent {}: runs as PID 1 of a microVM", env!("CARGO_PKG_VERSION"));
        return 1;
    }
    fatal::catch_panics();
    match boot::boot() {
        Ok(server) => server.serve(),
        Err(error) => fatal::die(&error),
    }
}
