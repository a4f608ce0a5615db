//! The processes of the box's control group, from /proc (proc(5)). Numbers are those the box itself knows.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::cgroup;
use crate::failure::{Code, Failure};
use crate::rootfs;

/// Names of one process's users and its arguments are cut here: the list is for people.
const MAX_ARGUMENTS: usize = 4096;
/// Major number of pseudo-terminals.
const PTS: u64 = 136;

#[derive(Serialize)]
struct List {
    /// Ticks a second of the times below.
    ticks: u64,
    /// Seconds since 1970.
    now: u64,
    memory_bytes: u64,
    processes: Vec<Process>,
}

#[derive(Serialize, Default)]
struct Process {
    pid: u64,
    /// 0 for one whose parent is outside of the box.
    ppid: u64,
    pgid: u64,
    sid: u64,
    uid: u32,
    gid: u32,
    user: String,
    group: String,
    /// R, S, D, Z, T, …
    state: String,
    /// `pts/0`, or `?`.
    tty: String,
    priority: i64,
    nice: i64,
    threads: u64,
    /// Ticks.
    user_time: u64,
    system_time: u64,
    /// Seconds since 1970.
    started: u64,
    virtual_bytes: u64,
    resident_bytes: u64,
    name: String,
    /// Empty for one that has none left.
    arguments: String,
}

/// # Errors
/// The control group cannot be read.
pub fn list() -> Result<Vec<u8>, Failure> {
    let group = Path::new(cgroup::ROOT).join("box");
    let mut numbers = Vec::new();
    members(&group, &mut numbers);
    let users = names_of("etc/passwd");
    let groups = names_of("etc/group");
    let ticks = rustix::param::clock_ticks_per_second();
    let clock = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    let up = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let now = u64::try_from(clock.tv_sec).unwrap_or(0);
    let boot = now.saturating_sub(u64::try_from(up.tv_sec).unwrap_or(0));
    let inner = inner_numbers(&numbers);
    let mut processes: Vec<Process> = numbers
        .iter()
        .filter_map(|number| read(*number, ticks, boot, &inner))
        .map(|mut process| {
            process.user = name_or_number(&users, process.uid);
            process.group = name_or_number(&groups, process.gid);
            process
        })
        .collect();
    processes.sort_by_key(|process| process.pid);
    let list = List {
        ticks,
        now,
        memory_bytes: memory(),
        processes,
    };
    serde_json::to_vec(&list).map_err(|e| Failure::new(Code::Io, "processes", e.to_string()))
}

/// The process IDs of a group and those below it.
fn members(group: &Path, numbers: &mut Vec<u64>) {
    let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    numbers.extend(text.lines().filter_map(|line| line.parse::<u64>().ok()));
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            members(&entry.path(), numbers);
        }
    }
}

/// What the box calls its processes.
fn inner_numbers(numbers: &[u64]) -> HashMap<u64, u64> {
    let inner = |number: &u64| {
        let status = fs::read_to_string(format!("/proc/{number}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
        Some((*number, line.split_whitespace().next_back()?.parse().ok()?))
    };
    numbers.iter().filter_map(inner).collect()
}

fn read(number: u64, ticks: u64, boot: u64, inner: &HashMap<u64, u64>) -> Option<Process> {
    let stat = fs::read(format!("/proc/{number}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (head, tail) = stat.rsplit_once(") ")?;
    let name = head.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = tail.split(' ').collect();
    // Fields are counted from 3, the state, in proc(5).
    let field = |n: usize| fields.get(n - 3).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let signed = |n: usize| fields.get(n - 3).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
    let status = fs::read_to_string(format!("/proc/{number}/status")).ok()?;
    let effective = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    let bytes = fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
    let known = |number: u64| inner.get(&number).copied().unwrap_or(0);
    Some(Process {
        pid: known(number),
        ppid: known(field(4)),
        pgid: known(field(5)),
        sid: known(field(6)),
        uid: effective("Uid:").unwrap_or(0),
        gid: effective("Gid:").unwrap_or(0),
        state: (*fields.first()?).into(),
        tty: terminal(field(7)),
        user_time: field(14),
        system_time: field(15),
        priority: signed(18),
        nice: signed(19),
        threads: field(20),
        started: boot + field(22) / ticks.max(1),
        virtual_bytes: field(23),
        resident_bytes: field(24) * rustix::param::page_size() as u64,
        name,
        arguments: arguments(&bytes),
        ..Process::default()
    })
}

fn arguments(bytes: &[u8]) -> String {
    let words = bytes[..bytes.len().min(MAX_ARGUMENTS)].split(|byte| *byte == 0);
    let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
    words.join(" ").trim_end().to_owned()
}

/// Minor numbers stand in two parts of `tty_nr`.
fn terminal(device: u64) -> String {
    let (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00));
    if !(PTS..=PTS + 7).contains(&major) {
        return "?".into();
    }
    format!("pts/{}", (major - PTS) << 20 | minor)
}

/// Names by number, of the box's own passwd or group.
fn names_of(file: &str) -> HashMap<u32, String> {
    let Ok(root) = super::open_directory(rootfs::ROOT) else {
        return HashMap::new();
    };
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    let opened = rustix::fs::openat2(
        &root,
        file,
        flags,
        rustix::fs::Mode::empty(),
        rustix::fs::ResolveFlags::IN_ROOT,
    );
    let mut text = Vec::new();
    if let Ok(opened) = opened {
        let _ = std::io::Read::read_to_end(&mut std::io::Read::take(fs::File::from(opened), 4 << 20), &mut text);
    }
    let entry = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        Some((fields.nth(1)?.parse().ok()?, name))
    };
    // The first of several names for a number counts.
    String::from_utf8_lossy(&text).lines().rev().filter_map(entry).collect()
}

fn name_or_number(names: &HashMap<u32, String>, number: u32) -> String {
    names.get(&number).cloned().unwrap_or_else(|| number.to_string())
}

/// The VM's memory.
pub fn memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    kib.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}
