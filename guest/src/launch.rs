//! The last steps of every process of a box: session, user, capabilities, working directory, exec.

use std::ffi::CString;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Access, Mode, accessat, mkdir};
use rustix::io::Errno;
use rustix::process::{chdir, setsid, umask};
use rustix::thread::{Gid, Uid, set_no_new_privs, set_thread_gid, set_thread_groups, set_thread_uid};

use crate::capabilities;
use crate::failure::{Code, Failure, Stage, describe};
use crate::settings::Settings;
use crate::user::User;

/// Docker's search path where the environment has none.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What to run, once namespaces and mounts are in place.
pub struct Launch<'a> {
    /// argv.
    pub args: &'a [String],
    /// The environment, without HOME if the user is to decide it.
    pub env: Vec<String>,
    /// Working directory.
    pub cwd: &'a str,
    /// Make the working directory if it is missing.
    pub make_cwd: bool,
    /// User and group, see [`User::resolve`].
    pub user: &'a str,
    /// Standard input is a terminal to take as the controlling one.
    pub tty: bool,
    /// Bounding set.
    pub capabilities: u64,
    /// Set `no_new_privs`.
    pub no_new_privileges: bool,
    /// Resource limits and further groups.
    pub settings: &'a Settings,
}

impl Launch<'_> {
    /// Becomes the command; comes back only with the reason why not.
    #[must_use]
    pub fn exec(mut self) -> Failure {
        match self.settle() {
            Ok(()) => find_and_exec(self.args, &self.env),
            Err(failure) => failure,
        }
    }

    fn settle(&mut self) -> Result<(), Failure> {
        reset_signals();
        // A session of its own, as runc gives; the tiny init's child and the zygote come without one.
        let _ = setsid();
        if self.tty {
            rustix::process::ioctl_tiocsctty(std::io::stdin().as_fd()).stage("tty", "controlling terminal")?;
        }
        let user = User::resolve(self.user, &self.settings.groups)?;
        if value(&self.env, "HOME").is_none_or(str::is_empty) {
            self.env.retain(|entry| entry != "HOME=");
            self.env.push(format!("HOME={}", user.home));
        }
        enter(self.cwd, self.make_cwd)?;
        self.settings.limit()?;
        capabilities::bound(self.capabilities).stage("capabilities", "bounding set")?;
        if self.no_new_privileges {
            set_no_new_privs(true).stage("no_new_privs", "prctl")?;
        }
        let groups: Vec<Gid> = user.groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
        set_thread_groups(&groups).stage("user", "setgroups")?;
        if user.gid != 0 {
            set_thread_gid(Gid::from_raw(user.gid)).stage("user", "setgid")?;
        }
        if user.uid != 0 {
            set_thread_uid(Uid::from_raw(user.uid)).stage("user", "setuid")?;
        }
        Ok(())
    }
}

/// The last value of a variable.
#[must_use]
pub fn value<'a>(env: &'a [String], name: &str) -> Option<&'a str> {
    env.iter()
        .rev()
        .find_map(|entry| entry.strip_prefix(name)?.strip_prefix('='))
}

/// `base` with the variables of `over` set: each name once, the last value wins.
#[must_use]
pub fn merge(base: &[String], over: &[String]) -> Vec<String> {
    let mut merged: Vec<String> = Vec::with_capacity(base.len() + over.len() + 1);
    for entry in base.iter().chain(over) {
        let name = entry.split_inclusive('=').next().unwrap_or(entry);
        match merged.iter_mut().find(|known| known.starts_with(name)) {
            Some(known) => known.clone_from(entry),
            None => merged.push(entry.clone()),
        }
    }
    merged
}

/// The agent blocks SIGCHLD and Rust ignores SIGPIPE; a box expects neither.
fn reset_signals() {
    // SAFETY: plain signal calls on a set of our own.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

fn enter(cwd: &str, make: bool) -> Result<(), Failure> {
    let mut entered = chdir(cwd);
    if make && entered == Err(Errno::NOENT) {
        make_directories(Path::new(cwd)).stage("cwd", cwd)?;
        entered = chdir(cwd);
    }
    entered.map_err(|e| {
        let message = format!("chdir to cwd ({cwd:?}) set in config.json failed: {}", describe(e));
        Failure::new(Code::BadCwd, "cwd", message)
    })
}

/// `mkdir -p` with mode 0755.
///
/// # Errors
/// The kernel's, but for directories that exist.
pub fn make_directories(path: &Path) -> rustix::io::Result<()> {
    match mkdir(path, Mode::from_raw_mode(0o755)) {
        Err(Errno::NOENT) => match path.parent() {
            Some(parent) => {
                make_directories(parent)?;
                mkdir(path, Mode::from_raw_mode(0o755))
            }
            None => Err(Errno::NOENT),
        },
        Err(Errno::EXIST) => Ok(()),
        other => other,
    }
}

fn find_and_exec(args: &[String], env: &[String]) -> Failure {
    umask(Mode::from_raw_mode(0o022));
    let name = args.first().map_or("", String::as_str);
    let arguments: Vec<CString> = args.iter().filter_map(|arg| CString::new(arg.as_str()).ok()).collect();
    let environment: Vec<CString> = env
        .iter()
        .filter_map(|entry| CString::new(entry.as_str()).ok())
        .collect();
    if name.contains('/') {
        let refused = execve(Path::new(name), &arguments, &environment);
        let missing = executable(Path::new(name)).err();
        return refusal(name, missing.unwrap_or(refused), missing.is_none());
    }
    let path = value(env, "PATH").unwrap_or(DEFAULT_PATH);
    for dir in path.split(':').filter(|_| !name.is_empty()) {
        let file = Path::new(if dir.is_empty() { "." } else { dir }).join(name);
        // access(2) first: a failing execve has already paid for a new address space.
        if executable(&file).is_err() {
            continue;
        }
        match execve(&file, &arguments, &environment) {
            Errno::ACCESS => {}
            other => return refusal(&file.to_string_lossy(), other, true),
        }
    }
    Failure::new(
        Code::NotFound,
        "exec",
        format!("exec: {name:?}: executable file not found in $PATH"),
    )
}

fn executable(file: &Path) -> rustix::io::Result<()> {
    accessat(rustix::fs::CWD, file, Access::EXEC_OK, rustix::fs::AtFlags::empty())
}

/// runc's words: before execve it speaks of the lookup, after it of the call.
fn refusal(name: &str, errno: Errno, tried: bool) -> Failure {
    let code = if errno == Errno::NOENT {
        Code::NotFound
    } else {
        Code::NotExecutable
    };
    let words = describe(errno);
    let message = match errno {
        Errno::ACCESS => format!("exec: {name:?}: {words}"),
        _ if tried => format!("exec {name}: {words}"),
        _ => format!("exec: {name:?}: stat {name}: {words}"),
    };
    Failure::new(code, "exec", message)
}

fn execve(path: &Path, arguments: &[CString], environment: &[CString]) -> Errno {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else {
        return Errno::INVAL;
    };
    let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> {
        strings
            .iter()
            .map(|s| s.as_ptr())
            .chain(std::iter::once(std::ptr::null()))
            .collect()
    };
    let (arguments, environment) = (pointers(arguments), pointers(environment));
    // SAFETY: NUL-terminated strings in NULL-terminated arrays that outlive the call.
    unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(values: &[&str]) -> Vec<String> {
        values.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn merged_variables_appear_once_and_the_last_wins() {
        let merged = merge(&strings(&["A=1", "AB=2", "A=3"]), &strings(&["AB=4", "C=5"]));
        assert_eq!(merged, ["A=3", "AB=4", "C=5"]);
        assert_eq!(value(&merged, "A"), Some("3"));
        assert_eq!(value(&merged, "B"), None);
    }

    #[test]
    fn unknown_commands_are_refused_in_runcs_words() {
        let env = strings(&["PATH=/nowhere"]);
        let failure = find_and_exec(&strings(&["nosuch"]), &env);
        assert_eq!(failure.message, "exec: \"nosuch\": executable file not found in $PATH");
        let failure = find_and_exec(&strings(&["/no/such"]), &env);
        assert_eq!(
            failure.message,
            "exec: \"/no/such\": stat /no/such: no such file or directory"
        );
        let failure = find_and_exec(&strings(&["/etc"]), &env);
        assert_eq!(
            (failure.message.as_str(), failure.code),
            ("exec: \"/etc\": permission denied", Code::NotExecutable)
        );
    }
}
