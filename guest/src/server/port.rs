//! The port to the host, watched edge-triggered.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::epoll::EventFlags;
use rustix::io::Errno;

use crate::fatal;
use crate::mux::Outbox;

/// The port and what is known of its state.
pub struct Port {
    fd: OwnedFd,
    /// There may be bytes to read.
    pub readable: bool,
    writable: bool,
    connected: bool,
}

impl Port {
    /// Takes a non-blocking descriptor.
    pub fn new(fd: OwnedFd) -> Self {
        Self {
            fd,
            readable: true,
            writable: true,
            connected: false,
        }
    }

    /// For polling.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Takes note of an event. A host that was there and has gone ends the VM.
    pub fn note(&mut self, flags: EventFlags) {
        if flags.contains(EventFlags::HUP) {
            if self.connected {
                fatal::power_off();
            }
            return;
        }
        self.connected = true;
        self.readable |= flags.contains(EventFlags::IN);
        self.writable |= flags.contains(EventFlags::OUT);
    }

    /// Reads what is there; 0 if nothing is.
    pub fn read(&mut self, bytes: &mut [u8]) -> usize {
        match rustix::io::read(&self.fd, bytes) {
            Ok(count) if count > 0 => count,
            Err(Errno::INTR) => 0,
            // At the host's end of file read gives 0; poll tells with HUP.
            Ok(_) | Err(_) => {
                self.readable = false;
                0
            }
        }
    }

    /// Writes as much as the host takes.
    pub fn write(&mut self, out: &mut Outbox) {
        while self.writable && out.len() > 0 {
            match rustix::io::write(&self.fd, out.pending()) {
                Ok(count) if count > 0 => out.written(count),
                Err(Errno::INTR) => {}
                Ok(_) | Err(_) => self.writable = false,
            }
        }
    }
}
