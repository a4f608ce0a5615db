//! The guest's network: loopback, and eth0 as QEMU's user network expects it.

use std::fs;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use rustix::io::Errno;

use crate::failure::{Failure, Stage};
use crate::fatal::{AtStage, BootError};
use crate::guard;

/// As the structures of net/if.h hold them.
const IFF_UP: libc::c_short = 1;
const AF_INET: libc::sa_family_t = 2;
const STAGE: &str = "network";
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
const MASK: Ipv4Addr = Ipv4Addr::new(255, 255, 255, 0);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);

/// Brings the network up. Without an eth0 there is only the loopback.
///
/// # Errors
/// The step that failed; stage `network-guard` if the host's loopback could not be closed off.
pub fn configure() -> Result<(), BootError> {
    let socket = open_socket().at(STAGE, "socket")?;
    loopback(&socket).at(STAGE, "lo")?;
    if !fs::exists("/sys/class/net/eth0").unwrap_or(false) {
        return Ok(());
    }
    // The user network shows the host's loopback over IPv6 as well; the box gets IPv4 only.
    let _ = fs::write("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", "1");
    guard::install()?;
    set_address(&socket, libc::SIOCSIFADDR, ADDRESS).at(STAGE, "eth0 address")?;
    set_address(&socket, libc::SIOCSIFNETMASK, MASK).at(STAGE, "eth0 mask")?;
    set_flags(&socket, "eth0", IFF_UP).at(STAGE, "eth0")?;
    add_default_route(&socket).at(STAGE, "default route")
}

/// Brings up the loopback of a network namespace that has nothing else.
///
/// # Errors
/// `io` at stage `network`.
pub fn isolated() -> Result<(), Failure> {
    let socket = open_socket().stage(STAGE, "socket")?;
    loopback(&socket).stage(STAGE, "lo")
}

fn loopback(socket: &OwnedFd) -> Result<(), Errno> {
    set_flags(socket, "lo", IFF_UP)?;
    // What Docker sets in a container's namespace.
    let _ = fs::write("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
    let _ = fs::write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
    Ok(())
}

/// Takes eth0 down, its routes with it: a box without network has the loopback alone.
///
/// # Errors
/// `io` at stage `network`.
pub fn disconnect() -> Result<(), Failure> {
    if !fs::exists("/sys/class/net/eth0").unwrap_or(false) {
        return Ok(());
    }
    let socket = open_socket().stage(STAGE, "socket")?;
    set_flags(&socket, "eth0", 0).stage(STAGE, "eth0 down")
}

/// Any socket will do: the requests below are about interfaces.
fn open_socket() -> Result<OwnedFd, Errno> {
    // SAFETY: a new descriptor.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return Err(last_errno());
    }
    // SAFETY: owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(socket) })
}

fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

fn request(name: &str) -> libc::ifreq {
    // SAFETY: plain data.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from.cast_signed();
    }
    request
}

fn set_flags(socket: &OwnedFd, name: &str, flags: libc::c_short) -> Result<(), Errno> {
    let mut request = request(name);
    request.ifr_ifru.ifru_flags = flags;
    control(socket, libc::SIOCSIFFLAGS, &raw mut request)
}

fn set_address(socket: &OwnedFd, operation: libc::c_ulong, address: Ipv4Addr) -> Result<(), Errno> {
    let mut request = request("eth0");
    request.ifr_ifru.ifru_addr = socket_address(address);
    control(socket, operation, &raw mut request)
}

fn add_default_route(socket: &OwnedFd) -> Result<(), Errno> {
    // SAFETY: plain data.
    let mut route: libc::rtentry = unsafe { std::mem::zeroed() };
    route.rt_dst = socket_address(Ipv4Addr::UNSPECIFIED);
    route.rt_genmask = socket_address(Ipv4Addr::UNSPECIFIED);
    route.rt_gateway = socket_address(GATEWAY);
    route.rt_flags = libc::RTF_UP | libc::RTF_GATEWAY;
    control(socket, libc::SIOCADDRT, &raw mut route)
}

fn socket_address(address: Ipv4Addr) -> libc::sockaddr {
    let mut bytes = [0; 14];
    for (to, from) in bytes[2..6].iter_mut().zip(address.octets()) {
        *to = from.cast_signed();
    }
    libc::sockaddr {
        sa_family: AF_INET,
        sa_data: bytes,
    }
}

fn control<T>(socket: &OwnedFd, operation: libc::c_ulong, argument: *mut T) -> Result<(), Errno> {
    // SAFETY: each caller passes the structure its operation takes.
    if unsafe { libc::ioctl(socket.as_raw_fd(), operation, argument) } == 0 {
        return Ok(());
    }
    Err(last_errno())
}
