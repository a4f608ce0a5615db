//! The golden vectors that both sides of the protocol decode and encode.

use serde_json::Value;

use crate::handshake::{Found, Search};
use crate::messages::{Decoder, Message, MessageType, Outcome, encode};
use crate::mux::{FrameType, HEADER_LEN, Header, flag};
use crate::request::Request;

fn vectors(kind: &str) -> Vec<Value> {
    let text = include_str!("../../test/vectors/protocol.json");
    let all: Vec<Value> = serde_json::from_str(text).unwrap();
    let found: Vec<Value> = all.into_iter().filter(|vector| vector["kind"] == kind).collect();
    assert!(!found.is_empty(), "no vectors of kind {kind}");
    found
}

fn bytes(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap();
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

fn small<T: TryFrom<u64>>(value: &Value) -> T
where
    T::Error: std::fmt::Debug,
{
    value.as_u64().unwrap().try_into().unwrap()
}

#[test]
fn frames_decode_and_encode() {
    for vector in vectors("frame") {
        let wire = bytes(&vector["hex"]);
        let (head, payload) = wire.split_first_chunk::<HEADER_LEN>().unwrap();
        let header = Header::decode(head).unwrap();
        let kind = match vector["type"].as_str().unwrap() {
            "data" => FrameType::Data,
            "window_update" => FrameType::WindowUpdate,
            "ping" => FrameType::Ping,
            _ => FrameType::GoAway,
        };
        let bit = |name: &Value| match name.as_str().unwrap() {
            "SYN" => flag::SYN,
            "ACK" => flag::ACK,
            "FIN" => flag::FIN,
            _ => flag::RST,
        };
        let flags = vector["flags"].as_array().unwrap().iter().map(bit).sum();
        let expected = Header {
            kind,
            flags,
            stream: small(&vector["stream"]),
            length: small(&vector["length"]),
        };
        assert_eq!(header, expected, "{}", vector["name"]);
        assert_eq!(header.encode(), *head, "{}", vector["name"]);
        if kind == FrameType::Data {
            assert_eq!(payload, bytes(&vector["payload"]), "{}", vector["name"]);
            assert_eq!(payload.len(), header.length as usize, "{}", vector["name"]);
        }
    }
}

#[test]
fn invalid_frames_are_refused() {
    for vector in vectors("invalid_frame") {
        let wire = bytes(&vector["hex"]);
        assert!(
            Header::decode(wire.first_chunk().unwrap()).is_err(),
            "{}",
            vector["name"]
        );
    }
}

#[test]
fn invalid_messages_are_refused() {
    for vector in vectors("invalid_message") {
        assert!(
            Decoder::default().feed(&mut bytes(&vector["hex"]).as_slice()).is_err(),
            "{}",
            vector["name"]
        );
    }
}

#[test]
fn messages_of_the_host_decode() {
    for vector in vectors("message").iter().filter(|vector| vector["from"] == "host") {
        let wire = bytes(&vector["hex"]);
        let mut rest = wire.as_slice();
        let mut decoder = Decoder::default();
        let message = decoder.feed(&mut rest).unwrap();
        assert!(rest.is_empty(), "{}", vector["name"]);
        let payload = bytes(&vector["payload"]);
        let expected = match vector["type"].as_str().unwrap() {
            "request" => Some(Message::Request(payload)),
            "stdin" if payload.is_empty() => None,
            "stdin" => Some(Message::Stdin(&wire[5..])),
            "stdin_eof" => Some(Message::StdinEof),
            "resize" => Some(Message::Resize {
                rows: small(&vector["rows"]),
                cols: small(&vector["cols"]),
            }),
            _ => Some(Message::Signal(small(&vector["signal"]))),
        };
        assert_eq!(message, expected, "{}", vector["name"]);
        assert_eq!(decoder.feed(&mut rest), Ok(None), "{}", vector["name"]);
    }
}

#[test]
fn requests_parse() {
    for vector in vectors("message").iter().filter(|vector| vector["type"] == "request") {
        let request = Request::parse(&bytes(&vector["payload"])).unwrap();
        let op = match request {
            Request::Prepare { .. } => "prepare",
            Request::Rehearse {} => "rehearse",
            Request::Run(_) => "run",
            Request::Limit { .. } => "limit",
            Request::Stage(_) => "stage",
            Request::StageAdd { .. } => "stage_add",
            Request::StageTree { .. } => "stage_tree",
            Request::StageStep(_) => "stage_step",
            Request::StageClient { .. } => "stage_client",
            Request::StageLayer { .. } => "stage_layer",
            Request::StageDiscard {} => "stage_discard",
            Request::Freeze {} => "freeze",
            Request::Sync {} => "sync",
            Request::Poweroff {} => "poweroff",
        };
        assert_eq!(vector["json"]["op"], op, "{}", vector["name"]);
    }
}

#[test]
fn settings_of_a_run_are_read() {
    let vector = vectors("message")
        .into_iter()
        .find(|vector| vector["name"] == "run with settings")
        .unwrap();
    let Request::Run(run) = Request::parse(&bytes(&vector["payload"])).unwrap() else {
        panic!("not a run");
    };
    assert_eq!(serde_json::to_value(&run.settings).unwrap(), vector["json"]["settings"]);
}

#[test]
fn requests_with_unknown_fields_are_refused() {
    for vector in vectors("message").iter().filter(|vector| vector["type"] == "request") {
        let mut json = vector["json"].clone();
        json["surprise"] = Value::Bool(true);
        assert!(
            Request::parse(json.to_string().as_bytes()).is_err(),
            "{}",
            vector["name"]
        );
    }
}

#[test]
fn messages_of_the_agent_encode() {
    for vector in vectors("message").iter().filter(|vector| vector["from"] == "agent") {
        let kind = match vector["type"].as_str().unwrap() {
            "started" => MessageType::Started,
            "stdout" => MessageType::Stdout,
            "stderr" => MessageType::Stderr,
            "log" => MessageType::Log,
            _ => MessageType::Result,
        };
        assert_eq!(
            encode(kind, &bytes(&vector["payload"])),
            bytes(&vector["hex"]),
            "{}",
            vector["name"]
        );
        if kind == MessageType::Result {
            let outcome = outcome(&vector["json"]);
            let json: Value = serde_json::to_value(&outcome).unwrap();
            assert_eq!(json, vector["json"], "{}", vector["name"]);
        }
    }
}

fn outcome(json: &Value) -> Outcome {
    Outcome {
        exit_code: small(&json["exit_code"]),
        signal: json["signal"].as_u64().map(|signal| signal.try_into().unwrap()),
        oom_killed: json["oom_killed"] == true,
        timed_out: json["timed_out"] == true,
        error: json
            .get("error")
            .map(|error| serde_json::from_value(error.clone()).unwrap()),
    }
}

#[test]
fn hello_is_answered_with_ready() {
    let ready = bytes(&vectors("ready")[0]["hex"]);
    let mut search = Search::default();
    let mut found = Found::Nothing;
    for byte in bytes(&vectors("hello")[0]["hex"]) {
        found = search.feed(byte);
    }
    let Found::Hello(line) = found else {
        panic!("not found");
    };
    assert_eq!(line.as_slice(), ready);
}

#[test]
fn noise_in_messages_never_panics() {
    let mut seed: u64 = 0x2545_f491_4f6c_dd1d;
    for _ in 0..5000 {
        let mut decoder = Decoder::default();
        for _ in 0..8 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let mut noise = seed.to_be_bytes();
            noise[..3].fill(0);
            noise[4] %= 7;
            let mut rest = noise.as_slice();
            while let Ok(Some(_)) = decoder.feed(&mut rest) {}
        }
    }
}
