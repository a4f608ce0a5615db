//! A step: a command in namespaces and an overlay of its own, with what every box finds mounted, and the mounts it asks for.

use std::convert::Infallible;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Gid, Mode, OFlags, Uid, chown, open};
use rustix::system::sethostname;

use super::layers::Overlay;
use super::mounts::{Sources, mount_all};
use super::request::Step;
use crate::clone::{self, BOX_NAMESPACES, Child};
use crate::failure::{Failure, Stage};
use crate::launch::{DEFAULT_PATH, Launch, make_directories, merge};
use crate::request::Network;
use crate::stdio::{self, AgentEnds, ChildEnds};
use crate::user::User;
use crate::zygote::give_up;
use crate::{box_mounts, capabilities, identity, net, rootfs};

/// Starts the step in the control group behind `cgroup`.
///
/// # Errors
/// The kernel's.
pub fn spawn(
    step: &Step,
    root: &Overlay,
    network: &Network,
    cgroup: BorrowedFd<'_>,
) -> Result<(Child, AgentEnds), Failure> {
    let (ends, child_ends) = stdio::pipes().stage("spawn", "pipe")?;
    rustix::io::ioctl_fionbio(&ends.status, true).stage("spawn", "status pipe")?;
    let own_network = if step.network { 0 } else { libc::CLONE_NEWNET };
    let child = clone::fork(BOX_NAMESPACES | own_network, Some(cgroup), || {
        live(step, root, network, &child_ends)
    });
    Ok((child.stage("spawn", "clone3")?, ends))
}

fn live(step: &Step, root: &Overlay, network: &Network, ends: &ChildEnds) -> Infallible {
    let failure = match settle(step, root, network, ends) {
        Ok(()) => launch(step).exec(),
        Err(failure) => failure,
    };
    give_up(ends, &failure)
}

fn settle(step: &Step, root: &Overlay, network: &Network, ends: &ChildEnds) -> Result<(), Failure> {
    rustix::process::umask(Mode::empty());
    root.mount(rootfs::ROOT)?;
    if !step.network {
        net::isolated()?;
    }
    let [stdin, stdout, stderr] = &ends.streams;
    let sources = Sources::open(&step.mounts, stdin)?;
    let files = box_mounts::enter_root(&identity::OF_A_STEP)?;
    sethostname(step.hostname.as_bytes()).stage("identity", "sethostname")?;
    identity::write_file(files.as_fd(), "hosts", &hosts(step))?;
    identity::write_file(files.as_fd(), "resolv.conf", &identity::resolver(network))?;
    step.settings.apply()?;
    mount_all(&step.mounts, &sources)?;
    let null = open_null()?;
    stdio::install(&null, stdout, stderr).stage("stdio", "dup2")?;
    provide_cwd(step)
}

fn open_null() -> Result<OwnedFd, Failure> {
    open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).stage("stdio", "/dev/null")
}

/// A working directory that is missing becomes the user's own, as in `BuildKit`.
fn provide_cwd(step: &Step) -> Result<(), Failure> {
    let path = Path::new(&step.cwd);
    let missing: Vec<&Path> = path.ancestors().take_while(|path| !path.exists()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let user = User::resolve(&step.user, &step.settings.groups)?;
    make_directories(path).stage("cwd", &step.cwd)?;
    for made in missing {
        chown(made, Some(Uid::from_raw(user.uid)), Some(Gid::from_raw(user.gid))).stage("cwd", &step.cwd)?;
    }
    Ok(())
}

fn launch(step: &Step) -> Launch<'_> {
    let base = [format!("PATH={DEFAULT_PATH}"), format!("HOSTNAME={}", step.hostname)];
    Launch {
        args: &step.args,
        env: merge(&base, &step.env),
        cwd: &step.cwd,
        make_cwd: false,
        user: &step.user,
        tty: false,
        capabilities: capabilities::DEFAULT,
        no_new_privileges: false,
        settings: &step.settings,
    }
}

/// /etc/hosts as `BuildKit` writes it.
fn hosts(step: &Step) -> String {
    let mut text = format!(
        "127.0.0.1\tlocalhost {}\n::1\tlocalhost ip6-localhost ip6-loopback\n",
        step.hostname
    );
    for line in &step.hosts {
        text.push_str(line);
        text.push('\n');
    }
    text
}
