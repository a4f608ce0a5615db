//! Standard input of commands.

use rustix::io::Errno;
use rustix::pipe::fcntl_setpipe_size;

use super::Server;
use super::process::BULK_PIPE;

impl Server {
    /// Gives bytes to a command; what its pipe has no room for waits.
    pub(super) fn write_input(&mut self, key: u32, mut bytes: &[u8]) {
        let Some(process) = self.processes.get_mut(&key) else {
            return;
        };
        let Some(input) = &mut process.input else {
            return;
        };
        while input.queue.is_empty() && !bytes.is_empty() {
            match rustix::io::write(&input.fd, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if !input.bulk => {
                    input.bulk = true;
                    // Without room for that, and on a terminal, it stays as it is.
                    let _ = fcntl_setpipe_size(&input.fd, BULK_PIPE);
                }
                Err(Errno::AGAIN) => break,
                Err(_) => {
                    process.input = None;
                    return;
                }
            }
        }
        input.queue.extend_from_slice(bytes);
    }

    /// Nothing more comes for a command's standard input.
    pub(super) fn end_input(&mut self, key: u32) {
        let Some(process) = self.processes.get_mut(&key).filter(|process| !process.tty) else {
            return;
        };
        if let Some(input) = &mut process.input {
            input.end = true;
            if input.queue.is_empty() {
                process.input = None;
            }
        }
    }

    /// Writes on what waited, and gives its window back.
    pub(super) fn drain_input(&mut self, key: u32) {
        let Some(process) = self.processes.get_mut(&key) else {
            return;
        };
        let Some(input) = &mut process.input else {
            return;
        };
        let mut at = 0;
        let mut broken = false;
        while at < input.queue.len() {
            match rustix::io::write(&input.fd, &input.queue[at..]) {
                Ok(count) => at += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => {
                    at = input.queue.len();
                    broken = true;
                }
            }
        }
        input.queue.drain(..at);
        if broken || (input.end && input.queue.is_empty()) {
            process.input = None;
        }
        if let Some(stream) = process.stream {
            self.mux.consume(stream, at);
        }
    }
}
