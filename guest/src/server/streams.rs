//! Streams: the `CONNECT` line, then the service behind the port.

use crate::body::Body;
use crate::handshake::{Found, UNSUPPORTED};
use crate::http::Reader;
use crate::messages::{Decoder, Message, MessageType, Outcome, encode_json};
use crate::mux::{Event, Violation};

use super::{Ending, Server};

/// `CONNECT 65535\n` and some room.
const MAX_CONNECT: usize = 16;
/// Ports of the services.
const HEALTH: u16 = 4088;
const EXEC: u16 = 4089;
const CONTROL: u16 = 4090;

/// What a stream talks to.
pub enum Service {
    Connect(Vec<u8>),
    Health(Reader),
    Exec(Reader),
    /// Messages; `asked` once there was a REQUEST.
    Messages {
        decoder: Decoder,
        process: Option<u32>,
        asked: bool,
    },
    /// Nothing more is expected: what comes is dropped.
    Done,
}

/// One stream.
pub struct Stream {
    pub service: Service,
    pub body: Body,
    pub finish: bool,
}

impl Server {
    /// Takes bytes from the port.
    pub(super) fn accept(&mut self, mut bytes: &[u8]) -> Result<(), Violation> {
        while !self.in_session {
            let Some((byte, rest)) = bytes.split_first() else {
                return Ok(());
            };
            bytes = rest;
            match self.search.feed(*byte) {
                Found::Nothing => {}
                Found::OtherVersion => self.mux.out.push(UNSUPPORTED),
                Found::Hello(ready) => {
                    self.mux.out.clear();
                    self.mux.out.push(&ready);
                    self.in_session = true;
                }
            }
        }
        while (!bytes.is_empty() || self.mux.has_event()) && self.ending.is_none() {
            match self.mux.feed(&mut bytes)? {
                Event::None => {}
                Event::Opened(id) => {
                    let stream = Stream {
                        service: Service::Connect(Vec::new()),
                        body: Body::default(),
                        finish: false,
                    };
                    self.streams.insert(id, stream);
                }
                Event::Data(id, data) => self.receive(id, data)?,
                Event::Window(id) => self.resume_outputs(id),
                Event::Finished(id) => self.finished(id),
                Event::Reset(id) => self.dropped(id),
            }
        }
        Ok(())
    }

    fn receive(&mut self, id: u32, data: &[u8]) -> Result<(), Violation> {
        let Some(stream) = self.streams.get_mut(&id) else {
            self.mux.consume(id, data.len());
            return Ok(());
        };
        let service = std::mem::replace(&mut stream.service, Service::Done);
        let held = self.held(&service);
        let service = self.serve_bytes(id, service, data)?;
        let held_now = self.held(&service).saturating_sub(held);
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.service = service;
        }
        self.mux.consume(id, data.len().saturating_sub(held_now));
        Ok(())
    }

    /// Bytes of a stream that wait for the command to read them.
    fn held(&self, service: &Service) -> usize {
        let Service::Messages { process: Some(key), .. } = service else {
            return 0;
        };
        self.processes
            .get(key)
            .and_then(|process| process.input.as_ref())
            .map_or(0, |input| input.queue.len())
    }

    fn serve_bytes(&mut self, id: u32, service: Service, data: &[u8]) -> Result<Service, Violation> {
        match service {
            Service::Connect(line) => self.connect(id, line, data),
            Service::Health(reader) => Ok(self.health(id, reader, data)),
            Service::Exec(reader) => self.exec_request(id, reader, data),
            Service::Messages {
                decoder,
                process,
                asked,
            } => self.messages(id, decoder, process, asked, data),
            Service::Done => Ok(Service::Done),
        }
    }

    fn connect(&mut self, id: u32, mut line: Vec<u8>, data: &[u8]) -> Result<Service, Violation> {
        let room = MAX_CONNECT - line.len();
        let Some(end) = data.iter().take(room).position(|b| *b == b'\n') else {
            line.extend_from_slice(&data[..data.len().min(room)]);
            if line.len() < MAX_CONNECT {
                return Ok(Service::Connect(line));
            }
            return Ok(self.close_with(id, b"ERR malformed CONNECT\n".to_vec()));
        };
        line.extend_from_slice(&data[..end]);
        let service = match connect_port(&line) {
            Some(HEALTH) => Service::Health(Reader::default()),
            Some(EXEC) => Service::Exec(Reader::default()),
            Some(CONTROL) => Service::Messages {
                decoder: Decoder::default(),
                process: None,
                asked: false,
            },
            Some(port) => return Ok(self.close_with(id, format!("ERR no service on port {port}\n").into_bytes())),
            None => return Ok(self.close_with(id, b"ERR malformed CONNECT\n".to_vec())),
        };
        if let Some(port) = connect_port(&line) {
            self.say(id, format!("OK {port}\n").into_bytes());
        }
        let rest = &data[end + 1..];
        if rest.is_empty() {
            Ok(service)
        } else {
            self.serve_bytes(id, service, rest)
        }
    }

    /// Messages of the control port, or of an upgraded exec.
    pub(super) fn messages(
        &mut self,
        id: u32,
        mut decoder: Decoder,
        mut process: Option<u32>,
        mut asked: bool,
        mut data: &[u8],
    ) -> Result<Service, Violation> {
        loop {
            let message = decoder.feed(&mut data).map_err(|malformed| Violation(malformed.0))?;
            match message {
                None => {
                    return Ok(Service::Messages {
                        decoder,
                        process,
                        asked,
                    });
                }
                Some(Message::Request(json)) => {
                    if asked {
                        return Err(Violation("a second REQUEST"));
                    }
                    asked = true;
                    process = self.request(id, &json);
                    if process.is_none() {
                        return Ok(Service::Done);
                    }
                }
                Some(_) if !asked => return Err(Violation("the first message is not REQUEST")),
                Some(message) => {
                    if let Some(key) = process {
                        self.act(key, &message);
                    }
                }
            }
        }
    }

    fn act(&mut self, key: u32, message: &Message<'_>) {
        match message {
            Message::Stdin(bytes) => self.write_input(key, bytes),
            Message::StdinEof => self.end_input(key),
            Message::Resize { rows, cols } => self.resize(key, *rows, *cols),
            Message::Signal(number @ 1..=64) => {
                if let Some(process) = self.processes.get(&key) {
                    process.signal(i32::from(*number));
                }
            }
            Message::Signal(_) | Message::Request(_) => {}
        }
    }

    fn finished(&mut self, id: u32) {
        match self.streams.get(&id).map(|stream| &stream.service) {
            Some(Service::Messages { process: Some(key), .. }) => {
                let key = *key;
                self.end_input(key);
                if let Some(process) = self.processes.get(&key).filter(|process| process.errand.is_some()) {
                    process.kill_group();
                }
            }
            // Half a request will never be whole.
            Some(Service::Connect(_) | Service::Messages { process: None, .. }) => self.mux.finish(id),
            _ => {}
        }
        self.tidy();
    }

    fn dropped(&mut self, id: u32) {
        self.streams.remove(&id);
        for process in self.processes.values_mut().filter(|process| process.stream == Some(id)) {
            process.stream = None;
            process.kill_group();
        }
    }

    /// Queues bytes on a stream.
    pub(super) fn say(&mut self, id: u32, bytes: Vec<u8>) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.body.push(bytes);
            stream.body.pump(&mut self.mux, id);
        }
    }

    /// Queues a stream's last bytes.
    pub(super) fn close_with(&mut self, id: u32, bytes: Vec<u8>) -> Service {
        self.say(id, bytes);
        self.finish_stream(id);
        Service::Done
    }

    /// Ends a stream behind what is queued.
    pub(super) fn finish_stream(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.finish = true;
            stream.service = Service::Done;
        }
    }

    /// Sends RESULT.
    pub(super) fn conclude(&mut self, id: u32, outcome: &Outcome) {
        self.close_with(id, encode_json(MessageType::Result, outcome));
    }

    /// Moves queued bytes on, and closes what is done.
    pub(super) fn pump_streams(&mut self) {
        let mut emptied = Vec::new();
        let mut closed = false;
        for (id, stream) in &mut self.streams {
            if !stream.body.is_empty() {
                stream.body.pump(&mut self.mux, *id);
                if stream.body.is_empty() {
                    emptied.push(*id);
                }
            }
            if stream.finish && stream.body.is_empty() {
                self.mux.finish(*id);
                closed = true;
            }
        }
        for id in emptied {
            self.resume_outputs(id);
        }
        if closed {
            self.tidy();
        }
    }

    /// Forgets streams that both sides have ended.
    fn tidy(&mut self) {
        let mux = &self.mux;
        self.streams.retain(|id, _| mux.is_open(*id));
    }

    /// Ends the session once everything was sent.
    pub(super) fn end_session(&mut self, ending: Ending) {
        self.pump_streams();
        if ending == Ending::Forget {
            self.mux.go_away(0);
        }
        self.ending = Some(ending);
    }
}

fn connect_port(line: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(line).ok()?.strip_prefix("CONNECT ")?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}
