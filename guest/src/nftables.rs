//! nftables rules as netlink messages (`linux/netfilter/nf_tables.h`): only what the guard needs.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

const SUBSYSTEM: u16 = 10;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const NEW_TABLE: u16 = SUBSYSTEM << 8;
const NEW_CHAIN: u16 = SUBSYSTEM << 8 | 3;
const NEW_RULE: u16 = SUBSYSTEM << 8 | 6;
const REQUEST: u16 = 1;
const ACK: u16 = 4;
const CREATE: u16 = 0x400;
const APPEND: u16 = 0x800;
const NESTED: u16 = 0x8000;
const ERROR: u16 = 2;
/// The register every expression here uses.
const REGISTER: u32 = 1;

/// Address families of tables.
#[derive(Clone, Copy)]
#[repr(u8)]
pub enum Family {
    Ip = 2,
    Netdev = 5,
}

/// What becomes of a packet.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Verdict {
    Drop = 0,
    Accept = 1,
}

/// Where a chain hangs.
pub struct Hook<'a> {
    /// Number in its family.
    pub number: u32,
    /// Lower runs earlier; conntrack is at -200.
    pub priority: i32,
    /// The device, in the netdev family.
    pub device: Option<&'a str>,
    /// What becomes of packets no rule decides on.
    pub policy: Verdict,
}

/// Packet facts a rule can load.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Meta {
    Protocol = 1,
    InputDevice = 4,
    OutputDevice = 5,
    RouteClass = 13,
    L4Protocol = 16,
}

/// A rule's expressions.
#[derive(Clone, Default)]
pub struct Rule(Vec<u8>);

impl Rule {
    /// Loads a fact about the packet. A packet without it does not match.
    pub fn meta(self, key: Meta) -> Self {
        self.expression("meta", &[number(1, REGISTER), number(2, key as u32)])
    }

    /// Loads bytes of the IP header.
    pub fn ip_header(self, offset: u32, length: u32) -> Self {
        self.payload(1, offset, length)
    }

    /// Loads bytes of the TCP or UDP header.
    pub fn l4_header(self, offset: u32, length: u32) -> Self {
        self.payload(2, offset, length)
    }

    /// Loads conntrack's state bits.
    pub fn ct_state(self) -> Self {
        self.expression("ct", &[number(1, REGISTER), number(2, 0)])
    }

    /// Keeps only the bits of `mask`.
    pub fn and<const N: usize>(self, mask: [u8; N]) -> Self {
        let length = u32::try_from(N).unwrap_or(0);
        self.expression(
            "bitwise",
            &[
                number(1, REGISTER),
                number(2, REGISTER),
                number(3, length),
                data(4, &mask),
                data(5, &[0; N]),
            ],
        )
    }

    /// Matches if the loaded bytes are these.
    pub fn is(self, value: &[u8]) -> Self {
        self.expression("cmp", &[number(1, REGISTER), number(2, 0), data(3, value)])
    }

    /// Matches if the loaded bytes are not these.
    pub fn differs(self, value: &[u8]) -> Self {
        self.expression("cmp", &[number(1, REGISTER), number(2, 1), data(3, value)])
    }

    /// Ends with a verdict.
    pub fn then(self, verdict: Verdict) -> Self {
        let verdict = nested(2, &nested(2, &number(1, verdict as u32)));
        self.expression("immediate", &[number(1, 0), verdict])
    }

    /// Ends by telling the sender "port unreachable".
    pub fn reject(self) -> Self {
        self.expression("reject", &[number(1, 0), attribute(2, &[3])])
    }

    /// Ends by resetting the sender's TCP connection.
    pub fn reset(self) -> Self {
        self.expression("reject", &[number(1, 1), attribute(2, &[0])])
    }

    fn payload(self, base: u32, offset: u32, length: u32) -> Self {
        self.expression(
            "payload",
            &[
                number(1, REGISTER),
                number(2, base),
                number(3, offset),
                number(4, length),
            ],
        )
    }

    fn expression(mut self, name: &str, attributes: &[Vec<u8>]) -> Self {
        let body = [text(1, name), nested(2, &attributes.concat())].concat();
        self.0.extend(nested(1, &body));
        self
    }
}

/// Changes that take effect together or not at all.
pub struct Batch {
    bytes: Vec<u8>,
    messages: u32,
}

impl Batch {
    /// An empty one.
    pub fn new() -> Self {
        let mut batch = Self {
            bytes: Vec::new(),
            messages: 0,
        };
        batch.message(BATCH_BEGIN, REQUEST, 0, SUBSYSTEM, &[]);
        batch
    }

    /// Adds a table.
    pub fn table(&mut self, family: Family, name: &str) {
        self.request(NEW_TABLE, CREATE, family, &text(1, name));
    }

    /// Adds a chain on a hook.
    pub fn chain(&mut self, family: Family, table: &str, name: &str, hook: &Hook<'_>) {
        let mut place = [number(1, hook.number), number(2, hook.priority.cast_unsigned())].concat();
        if let Some(device) = hook.device {
            place.extend(text(3, device));
        }
        let body = [
            text(1, table),
            text(3, name),
            nested(4, &place),
            number(5, hook.policy as u32),
            text(7, "filter"),
        ];
        self.request(NEW_CHAIN, CREATE, family, &body.concat());
    }

    /// Adds a rule at a chain's end.
    pub fn rule(&mut self, family: Family, table: &str, chain: &str, rule: &Rule) {
        let body = [text(1, table), text(2, chain), nested(4, &rule.0)].concat();
        self.request(NEW_RULE, CREATE | APPEND, family, &body);
    }

    /// Gives the batch to the kernel.
    ///
    /// # Errors
    /// The first the kernel reports.
    pub fn commit(mut self) -> io::Result<()> {
        let expected = self.messages - 1;
        self.message(BATCH_END, REQUEST, 0, SUBSYSTEM, &[]);
        let flags = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: a new descriptor.
        let socket = unsafe { libc::socket(libc::AF_NETLINK, flags, libc::NETLINK_NETFILTER) };
        if socket < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: owned by nobody else.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        // SAFETY: bytes of our own.
        let sent = unsafe { libc::send(socket.as_raw_fd(), self.bytes.as_ptr().cast(), self.bytes.len(), 0) };
        if sent < 0 {
            return Err(io::Error::last_os_error());
        }
        let mut acknowledged = 0;
        let mut reply = [0; 16 * 1024];
        while acknowledged < expected {
            // SAFETY: a buffer of our own. The kernel has answered by the time send comes back.
            let count = unsafe {
                libc::recv(
                    socket.as_raw_fd(),
                    reply.as_mut_ptr().cast(),
                    reply.len(),
                    libc::MSG_DONTWAIT,
                )
            };
            let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
            acknowledged += acknowledgements(&reply[..count])?;
        }
        Ok(())
    }

    fn request(&mut self, kind: u16, flags: u16, family: Family, body: &[u8]) {
        self.message(kind, REQUEST | ACK | flags, family as u8, 0, body);
    }

    fn message(&mut self, kind: u16, flags: u16, family: u8, resource: u16, body: &[u8]) {
        let length = u32::try_from(20 + body.len()).unwrap_or(0);
        self.bytes.extend(length.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(flags.to_ne_bytes());
        self.bytes.extend(self.messages.to_ne_bytes());
        self.bytes.extend([0; 4]);
        self.bytes.extend([family, 0]);
        self.bytes.extend(resource.to_be_bytes());
        self.bytes.extend(body);
        self.messages += 1;
    }
}

/// Counts the kernel's acknowledgements; its first error is one here.
fn acknowledgements(mut bytes: &[u8]) -> io::Result<u32> {
    let mut count = 0;
    while let [l0, l1, l2, l3, k0, k1, ..] = *bytes {
        let length = u32::from_ne_bytes([l0, l1, l2, l3]) as usize;
        let error = bytes.get(16..20).and_then(|code| code.first_chunk());
        if let (ERROR, Some(code)) = (u16::from_ne_bytes([k0, k1]), error) {
            match i32::from_ne_bytes(*code) {
                0 => count += 1,
                code => return Err(io::Error::from_raw_os_error(-code)),
            }
        }
        let Some(rest) = bytes.get(length.next_multiple_of(4).max(16)..) else {
            break;
        };
        bytes = rest;
    }
    Ok(count)
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap_or(0);
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn nested(kind: u16, body: &[u8]) -> Vec<u8> {
    attribute(kind | NESTED, body)
}

fn number(kind: u16, value: u32) -> Vec<u8> {
    attribute(kind, &value.to_be_bytes())
}

fn text(kind: u16, value: &str) -> Vec<u8> {
    attribute(kind, &[value.as_bytes(), &[0]].concat())
}

fn data(kind: u16, value: &[u8]) -> Vec<u8> {
    nested(kind, &attribute(1, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_but_not_counted_so() {
        assert_eq!(text(7, "ab"), [7, 0, 7, 0, b'a', b'b', 0, 0]);
        assert_eq!(number(1, 258), [8, 0, 1, 0, 0, 0, 1, 2]);
    }

    #[test]
    fn the_kernels_error_is_found() {
        let mut reply = vec![36, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        reply.extend((-17i32).to_ne_bytes());
        reply.extend([0; 16]);
        assert_eq!(acknowledgements(&reply).unwrap_err().raw_os_error(), Some(17));
    }
}
