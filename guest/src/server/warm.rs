//! Runs a trivial command through the real path, so that a clone finds the kernel's caches filled.

use crate::failure::{Code, Failure};
use crate::request::{Exec, Identity, Limits, Network, Process, Request, Root, Run};
use crate::settings::Settings;

use super::Server;
use super::process::Stage;

/// The agent's own file, as every process made from the agent sees it until it execs: the image may have
/// no command at all.
const SELF: &str = "/proc/self/exe";

impl Server {
    /// Runs two workloads and a command in the second; leaves nothing of them.
    pub(super) fn warm(&mut self, root: &Root) -> Result<(), Failure> {
        for _ in 0..2 {
            let request = Request::Run(Box::new(trivial(root)));
            let Request::Run(run) = &request else {
                return Ok(());
            };
            let json = serde_json::to_vec(&request).map_err(|e| Failure::new(Code::Io, "warm", e.to_string()))?;
            let key = self.run(None, run, &json)?;
            self.await_start(key)?;
            if let Some(command) = self.command(
                None,
                &Exec {
                    cmd: vec![SELF.into(), "--noop".into()],
                    ..Exec::default()
                },
                false,
            )? {
                self.await_end(command);
            }
            self.end_input(key);
            self.await_end(key);
            self.workload = None;
            self.ran = false;
        }
        Ok(())
    }

    fn await_start(&mut self, key: u32) -> Result<(), Failure> {
        loop {
            match self.processes.get(&key).map(|process| &process.stage) {
                Some(Stage::Starting) => self.wait(),
                Some(Stage::Failed(failure)) => return Err(failure.clone()),
                Some(Stage::Running) | None => return Ok(()),
            }
        }
    }

    fn await_end(&mut self, key: u32) {
        loop {
            self.deliver();
            // What was delivered may have been the last thing to happen.
            if !self.processes.contains_key(&key) {
                return;
            }
            self.wait();
        }
    }
}

fn trivial(root: &Root) -> Run {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    Run {
        identity: Identity {
            hostname: "template".into(),
            machine_id: "0".repeat(32),
        },
        clock_unix_ns: format!("{}{:09}", now.tv_sec, now.tv_nsec),
        entropy: "0".repeat(128),
        network: Network {
            enabled: true,
            dns: vec!["10.0.2.3".into()],
            search: Vec::new(),
            options: Vec::new(),
        },
        hosts: Vec::new(),
        root: Root {
            read_only: false,
            ..root.clone()
        },
        mounts: Vec::new(),
        limits: Limits {
            memory_bytes: None,
            cpu_quota_us: None,
            pids: None,
        },
        process: Process {
            args: vec![SELF.into(), "--wait".into()],
            env: Vec::new(),
            cwd: "/".into(),
            user: String::new(),
            tty: false,
            rows: 0,
            cols: 0,
            open_stdin: true,
            init: false,
            capabilities: None,
            no_new_privileges: false,
        },
        settings: Settings::default(),
        sync_on_exit: true,
    }
}
