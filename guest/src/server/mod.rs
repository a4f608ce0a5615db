//! The agent at work: one loop over the port, the children's pipes and SIGCHLD.

mod commands;
mod control;
mod forerunner;
mod http_services;
mod input;
mod output;
mod port;
mod process;
mod reap;
mod stage;
mod streams;
mod vanguard;
mod warm;

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::epoll;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::time::Timespec;

use crate::exec::Inheritance;
use crate::fatal::{self, AtStage, BootError};
use crate::handshake::Search;
use crate::mux::{Mux, Violation};
use crate::request::Root;
use crate::stage::Stage;
use crate::stdio::AgentEnds;
use crate::zygote::Zygote;
use port::Port;
use process::Process;
use streams::Stream;

const PORT: u64 = 0;
const SIGNALS: u64 = 1;
/// Reads of the port in one turn, so that output gets its share.
const READS: usize = 16;

/// Which of a command's descriptors an event or a queue entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Status,
    Input,
    Output(usize),
}

/// What is to happen once everything was written to the port.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Forget,
    PowerOff,
}

/// The running workload.
struct Workload {
    process: u32,
    cgroup: crate::cgroup::Cgroup,
    _namespaces: [OwnedFd; 2],
    inheritance: Inheritance,
    sync_on_exit: bool,
    limited: bool,
    /// It has ended; what is left of it is left alone, because the VM ends soon.
    over: bool,
}

/// The agent's state.
pub struct Server {
    poll: OwnedFd,
    port: Port,
    signals: OwnedFd,
    random: OwnedFd,
    search: Search,
    in_session: bool,
    ending: Option<Ending>,
    mux: Mux,
    streams: BTreeMap<u32, Stream>,
    processes: BTreeMap<u32, Process>,
    last_process: u32,
    ready: VecDeque<(u32, usize)>,
    mounted: Option<Root>,
    zygote: Option<(u32, Zygote)>,
    /// Closed when a session begins, see [`forerunner`].
    forerunner: Option<OwnedFd>,
    /// What the [`vanguard`] says, until it has been asked.
    vanguard: Option<OwnedFd>,
    workload: Option<Workload>,
    stage: Option<Stage>,
    ran: bool,
    started: Instant,
}

impl Server {
    /// Opens the loop's own descriptors.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(port: OwnedFd, signals: OwnedFd) -> Result<Self, BootError> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC).at("poll", "epoll")?;
        let random =
            open("/dev/urandom", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()).at("poll", "/dev/urandom")?;
        let port = Port::new(port);
        let both = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
        epoll::add(&poll, port.fd(), epoll::EventData::new_u64(PORT), both).at("poll", "port")?;
        epoll::add(
            &poll,
            &signals,
            epoll::EventData::new_u64(SIGNALS),
            epoll::EventFlags::IN,
        )
        .at("poll", "signals")?;
        Ok(Self {
            poll,
            port,
            signals,
            random,
            search: Search::default(),
            in_session: false,
            ending: None,
            mux: Mux::default(),
            streams: BTreeMap::new(),
            processes: BTreeMap::new(),
            last_process: 0,
            ready: VecDeque::new(),
            mounted: None,
            zygote: None,
            forerunner: None,
            vanguard: None,
            workload: None,
            stage: None,
            ran: false,
            started: Instant::now(),
        })
    }

    /// Serves until the VM ends.
    pub fn serve(mut self) -> ! {
        loop {
            self.take_in();
            self.deliver();
            self.pump_streams();
            self.flush();
            self.wait();
        }
    }

    /// Reads the port and acts on what came.
    fn take_in(&mut self) {
        let mut bytes = [0; 16 * 1024];
        for _ in 0..READS {
            if !self.port.readable || !self.mux.out.has_room() {
                return;
            }
            let count = self.port.read(&mut bytes);
            if count > 0 && !self.in_session {
                // Before anything else, because it goes on beside it.
                self.forerunner = None;
            }
            if let Err(violation) = self.accept(&bytes[..count]) {
                self.refuse(violation);
            }
        }
    }

    fn refuse(&mut self, violation: Violation) {
        eprintln!("a3s-agent: protocol violation: {}", violation.0);
        self.mux.go_away(1);
        self.ending = Some(Ending::PowerOff);
    }

    /// Writes what waits; then does what was to follow.
    fn flush(&mut self) {
        self.port.write(&mut self.mux.out);
        if self.mux.out.len() > 0 {
            return;
        }
        match self.ending.take() {
            Some(Ending::PowerOff) => fatal::power_off(),
            Some(Ending::Forget) => self.forget_session(),
            None => {}
        }
    }

    fn forget_session(&mut self) {
        for process in self.processes.values() {
            process.kill_group();
        }
        self.processes.clear();
        self.ready.clear();
        self.streams.clear();
        self.workload = None;
        self.ran = false;
        self.mux = Mux::default();
        self.search = Search::default();
        self.in_session = false;
    }

    /// Sleeps until something happens, unless there is work left.
    fn wait(&mut self) {
        let busy = self.mux.out.has_room() && (self.port.readable || !self.ready.is_empty());
        let timeout = if busy {
            Some(Duration::ZERO)
        } else {
            self.time_to_deadline()
        };
        let timeout = timeout.map(|time| Timespec {
            tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(time.subsec_nanos()),
        });
        let mut events = [epoll::Event {
            flags: epoll::EventFlags::empty(),
            data: epoll::EventData::new_u64(0),
        }; 32];
        let count = match epoll::wait(&self.poll, &mut events, timeout.as_ref()) {
            Ok(count) => count,
            Err(Errno::INTR) => 0,
            Err(e) => fatal::die(&BootError::new("poll", "epoll_wait", &e.into())),
        };
        for event in &events[..count] {
            let (data, flags) = (event.data.u64(), event.flags);
            match data {
                PORT => self.port.note(flags),
                SIGNALS => self.reap(),
                _ => self.note_process(data),
            }
        }
        self.enforce_deadlines();
    }

    fn note_process(&mut self, token: u64) {
        let Ok(key) = u32::try_from(token >> 2) else {
            return;
        };
        match slot_of(token) {
            Slot::Status => self.read_status(key),
            Slot::Input => self.drain_input(key),
            Slot::Output(at) => self.mark_readable(key, at),
        }
    }

    fn next_key(&mut self) -> u32 {
        self.last_process += 1;
        self.last_process
    }

    /// Watches a command's pipes.
    fn watch_ends(&self, key: u32, ends: &AgentEnds) -> Result<(), Errno> {
        self.watch(&ends.status, key, Slot::Status)?;
        self.watch(&ends.stdin, key, Slot::Input)?;
        self.watch(&ends.stdout, key, Slot::Output(0))?;
        self.watch(&ends.stderr, key, Slot::Output(1))
    }

    fn watch(&self, fd: &OwnedFd, key: u32, slot: Slot) -> Result<(), Errno> {
        let direction = if slot == Slot::Input {
            epoll::EventFlags::OUT
        } else {
            epoll::EventFlags::IN
        };
        let data = epoll::EventData::new_u64(token(key, slot));
        epoll::add(&self.poll, fd.as_fd(), data, direction | epoll::EventFlags::ET)
    }
}

fn token(key: u32, slot: Slot) -> u64 {
    let low = match slot {
        Slot::Status => 0,
        Slot::Input => 1,
        Slot::Output(0) => 2,
        Slot::Output(_) => 3,
    };
    u64::from(key) << 2 | low
}

fn slot_of(token: u64) -> Slot {
    match token & 3 {
        0 => Slot::Status,
        1 => Slot::Input,
        2 => Slot::Output(0),
        _ => Slot::Output(1),
    }
}
