//! Ports 4088 and 4089.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::body::base64_len;
use crate::files;
use crate::http::{Progress, Reader, Request, answer, answer_head, refuse};
use crate::messages::{Decoder, Outcome};
use crate::mux::Violation;
use crate::request::Exec;

use super::Server;
use super::control::failed;
use super::process::Kept;
use super::streams::Service;

/// Time a plain exec gets if it does not say.
const DEFAULT_TIMEOUT_NS: u64 = 5_000_000_000;
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
const UPGRADE: &str = "a3s-exec/1";
const UPGRADED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: a3s-exec/1\r\n\r\n";

#[derive(Serialize)]
struct Health {
    status: &'static str,
    protocol: u32,
    agent: &'static str,
    uptime_ms: u64,
}

impl Server {
    pub(super) fn health(&mut self, id: u32, mut reader: Reader, data: &[u8]) -> Service {
        let reply = match reader.feed(data) {
            Ok(Progress::Partial | Progress::Continue) => return Service::Health(reader),
            Err(refusal) => refuse(refusal.0, refusal.1),
            Ok(Progress::Whole(request)) if request.head.path != "/healthz" => refuse(404, "no such path"),
            Ok(Progress::Whole(request)) if request.head.method != "GET" => refuse(405, "GET only"),
            Ok(Progress::Whole(_)) => {
                let uptime_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
                let health = Health {
                    status: "ok",
                    protocol: 1,
                    agent: env!("CARGO_PKG_VERSION"),
                    uptime_ms,
                };
                answer(200, &health)
            }
        };
        self.close_with(id, reply)
    }

    pub(super) fn exec_request(&mut self, id: u32, mut reader: Reader, data: &[u8]) -> Result<Service, Violation> {
        let request = match reader.feed(data) {
            Ok(Progress::Partial) => return Ok(Service::Exec(reader)),
            Ok(Progress::Continue) => {
                self.say(id, CONTINUE.to_vec());
                return Ok(Service::Exec(reader));
            }
            Err(refusal) => return Ok(self.close_with(id, refuse(refusal.0, refusal.1))),
            Ok(Progress::Whole(request)) => request,
        };
        match check(&request) {
            Err((status, message)) => Ok(self.close_with(id, refuse(status, &message))),
            Ok(_) if self.workload.as_ref().is_none_or(|workload| workload.over) => {
                Ok(self.close_with(id, refuse(409, "no workload is running")))
            }
            Ok(Asked::Files(files)) => self.files_streaming(id, &files, &request.rest),
            Ok(Asked::Exec(exec)) if request.head.upgrade.is_some() => self.exec_streaming(id, &exec, &request.rest),
            Ok(Asked::Exec(exec)) => Ok(self.exec_plain(id, &exec)),
        }
    }

    fn exec_streaming(&mut self, id: u32, exec: &Exec, rest: &[u8]) -> Result<Service, Violation> {
        self.say(id, UPGRADED.to_vec());
        match self.command(Some(id), exec, false) {
            Ok(process) => {
                self.set_deadline(process, exec.timeout_ns.unwrap_or(0));
                self.messages(id, Decoder::default(), process, true, rest)
            }
            Err(failure) => {
                self.conclude(id, &failed(failure));
                Ok(Service::Done)
            }
        }
    }

    fn files_streaming(&mut self, id: u32, files: &files::Request, rest: &[u8]) -> Result<Service, Violation> {
        self.say(id, UPGRADED.to_vec());
        match self.files(id, files) {
            Ok(process) => self.messages(id, Decoder::default(), process, true, rest),
            Err(failure) => {
                self.conclude(id, &failed(failure));
                Ok(Service::Done)
            }
        }
    }

    fn exec_plain(&mut self, id: u32, exec: &Exec) -> Service {
        match self.command(Some(id), exec, true) {
            Ok(Some(key)) => {
                self.set_deadline(Some(key), exec.timeout_ns.unwrap_or(DEFAULT_TIMEOUT_NS));
                if let Some(Ok(bytes)) = exec.stdin.as_ref().map(|text| STANDARD.decode(text)) {
                    self.write_input(key, &bytes);
                    self.end_input(key);
                }
            }
            Ok(None) => return self.close_with(id, refuse(409, "no workload is running")),
            Err(failure) => self.answer_exec(id, &failed(failure), [Kept::default(), Kept::default()]),
        }
        Service::Done
    }

    fn set_deadline(&mut self, process: Option<u32>, timeout_ns: u64) {
        if let Some(process) = process
            .and_then(|key| self.processes.get_mut(&key))
            .filter(|_| timeout_ns > 0)
        {
            process.deadline = std::time::Instant::now().checked_add(std::time::Duration::from_nanos(timeout_ns));
        }
    }

    /// Answers a plain exec. The output is turned to base64 while it is sent.
    pub(super) fn answer_exec(&mut self, id: u32, outcome: &Outcome, kept: [Kept; 2]) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let [stdout, stderr] = kept;
        let mut tail = format!(
            "\",\"exit_code\":{},\"truncated\":{}",
            outcome.exit_code,
            stdout.truncated || stderr.truncated
        );
        if outcome.timed_out {
            tail.push_str(",\"timed_out\":true");
        }
        if let Some(error) = &outcome.error {
            tail.push_str(",\"error\":");
            tail.push_str(&serde_json::to_string(error).unwrap_or_default());
        }
        tail.push('}');
        let (head, between) = ("{\"stdout\":\"", "\",\"stderr\":\"");
        let length =
            head.len() + base64_len(stdout.bytes.len()) + between.len() + base64_len(stderr.bytes.len()) + tail.len();
        stream.body.push(answer_head(200, length));
        stream.body.push(head.into());
        stream.body.push_base64(stdout.bytes);
        stream.body.push(between.into());
        stream.body.push_base64(stderr.bytes);
        stream.body.push(tail.into_bytes());
        self.finish_stream(id);
    }
}

/// What a request on the exec port asks for.
enum Asked {
    Exec(Exec),
    Files(files::Request),
}

fn check(request: &Request) -> Result<Asked, (u16, String)> {
    let head = &request.head;
    if head.path != "/exec" && head.path != "/files" {
        return Err((404, "no such path".into()));
    }
    if head.method != "POST" {
        return Err((405, "POST only".into()));
    }
    if head.length.is_none() {
        return Err((411, "Content-Length required".into()));
    }
    if head.upgrade.as_deref().is_some_and(|name| name != UPGRADE) {
        return Err((400, "unknown upgrade".into()));
    }
    if head.path == "/files" {
        if head.upgrade.is_none() {
            return Err((400, "an upgrade to a3s-exec/1 is required".into()));
        }
        let files = files::Request::parse(&request.body).map_err(|failure| (400, failure.message))?;
        return Ok(Asked::Files(files));
    }
    let exec = Exec::parse(&request.body).map_err(|failure| (400, failure.message))?;
    if exec.stdin.as_ref().is_some_and(|text| STANDARD.decode(text).is_err()) {
        return Err((400, "stdin: not base64".into()));
    }
    Ok(Asked::Exec(exec))
}
