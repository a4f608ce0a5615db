//! What the box uses, from its control group and the network interface (Linux, cgroup-v2). Counters only rise; rates are
//! for the host to tell from two answers.

use std::fs;

use serde::Serialize;

use crate::cgroup;
use crate::failure::{Code, Failure};

#[derive(Serialize)]
struct Usage {
    /// Of the VM's clock that never jumps.
    time_ns: u64,
    cpus: u64,
    cpu_ns: u64,
    memory_bytes: u64,
    /// Pages of files that nobody has used lately: the kernel takes them back when it needs them.
    inactive_file_bytes: u64,
    /// The box's limit, or all that the VM has.
    memory_limit_bytes: u64,
    pids: u64,
    received_bytes: u64,
    sent_bytes: u64,
    read_bytes: u64,
    written_bytes: u64,
}

/// # Errors
/// None but for lack of memory: a figure that cannot be read is 0.
pub fn read() -> Result<Vec<u8>, Failure> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let (received_bytes, sent_bytes) = network(&fs::read_to_string("/proc/net/dev").unwrap_or_default());
    let io = group("io.stat");
    let all = super::processes::memory();
    let usage = Usage {
        time_ns: u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).unwrap_or(0),
        cpus: std::thread::available_parallelism().map_or(1, |count| count.get() as u64),
        cpu_ns: keyed(&group("cpu.stat"), "usage_usec") * 1000,
        memory_bytes: number(&group("memory.current")),
        inactive_file_bytes: keyed(&group("memory.stat"), "inactive_file"),
        memory_limit_bytes: group("memory.max").trim().parse().unwrap_or(all).min(all),
        pids: number(&group("pids.current")),
        received_bytes,
        sent_bytes,
        read_bytes: summed(&io, "rbytes="),
        written_bytes: summed(&io, "wbytes="),
    };
    serde_json::to_vec(&usage).map_err(|e| Failure::new(Code::Io, "usage", e.to_string()))
}

fn group(file: &str) -> String {
    fs::read_to_string(format!("{}/box/{file}", cgroup::ROOT)).unwrap_or_default()
}

fn number(text: &str) -> u64 {
    text.trim().parse().unwrap_or(0)
}

fn keyed(text: &str, key: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    line.map_or(0, number)
}

fn summed(text: &str, key: &str) -> u64 {
    text.split_whitespace()
        .filter_map(|word| word.strip_prefix(key))
        .map(number)
        .sum()
}

/// Bytes in and out of every interface but the loopback.
fn network(text: &str) -> (u64, u64) {
    let counters = text.lines().filter_map(|line| line.split_once(':'));
    let real = counters.filter(|(name, _)| name.trim() != "lo");
    real.fold((0, 0), |(received, sent), (_, rest)| {
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |n: usize| fields.get(n).map_or(0, |text| number(text));
        (received + field(0), sent + field(8))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_from_the_kernels_tables() {
        let table =
            "Inter-| Receive\n face |bytes packets\n  lo: 10 1 0 0 0 0 0 0 10 1\n  eth0: 890 7 0 0 0 0 0 0 126 3 0\n";
        assert_eq!(network(table), (890, 126));
        assert_eq!(
            summed(
                "254:0 rbytes=4096 wbytes=1 rios=2\n254:16 rbytes=1 wbytes=2\n",
                "rbytes="
            ),
            4097
        );
        assert_eq!(keyed("usage_usec 12\nuser_usec 5\n", "user_usec"), 5);
        assert_eq!(keyed("file 1\ninactive_file 7\n", "inactive_file"), 7);
    }
}
