use super::*;

fn frame(kind: FrameType, flags: u16, stream: u32, length: u32) -> Vec<u8> {
    Header {
        kind,
        flags,
        stream,
        length,
    }
    .encode()
    .to_vec()
}

fn events(mux: &mut Mux, bytes: &[u8]) -> Result<Vec<String>, Violation> {
    let mut rest = bytes;
    let mut seen = Vec::new();
    loop {
        let event = mux.feed(&mut rest)?;
        if event != Event::None {
            seen.push(format!("{event:?}"));
        } else if rest.is_empty() && !mux.has_event() {
            return Ok(seen);
        }
    }
}

#[test]
fn opens_delivers_and_closes() {
    let mut mux = Mux::default();
    let mut bytes = frame(FrameType::Data, flag::SYN, 1, 2);
    bytes.extend(b"hi");
    bytes.extend(frame(FrameType::Data, flag::FIN, 1, 1));
    bytes.extend(b"!");
    let seen = events(&mut mux, &bytes).unwrap();
    assert_eq!(
        seen,
        ["Opened(1)", "Data(1, [104, 105])", "Data(1, [33])", "Finished(1)"]
    );
    assert!(mux.is_open(1));
    mux.finish(1);
    assert!(!mux.is_open(1));
}

#[test]
fn bytes_may_arrive_one_at_a_time() {
    let mut mux = Mux::default();
    let mut bytes = frame(FrameType::WindowUpdate, flag::SYN, 1, 0);
    bytes.extend(frame(FrameType::Data, flag::FIN, 1, 2));
    bytes.extend(b"ok");
    let mut seen = Vec::new();
    for byte in bytes {
        seen.extend(events(&mut mux, &[byte]).unwrap());
    }
    assert_eq!(seen, ["Opened(1)", "Data(1, [111])", "Data(1, [107])", "Finished(1)"]);
}

#[test]
fn data_beyond_the_window_is_a_violation() {
    let mut mux = Mux::default();
    let bytes = frame(FrameType::Data, flag::SYN, 1, INITIAL_WINDOW + 1);
    assert!(events(&mut mux, &bytes).is_err());
}

#[test]
fn a_window_over_the_limit_is_a_violation() {
    let mut mux = Mux::default();
    let bytes = frame(FrameType::WindowUpdate, flag::SYN, 1, MAX_WINDOW - INITIAL_WINDOW + 1);
    assert!(events(&mut mux, &bytes).is_err());
}

#[test]
fn even_and_reused_ids_are_violations() {
    assert!(events(&mut Mux::default(), &frame(FrameType::Data, flag::SYN, 2, 0)).is_err());
    let mut mux = Mux::default();
    events(&mut mux, &frame(FrameType::Data, flag::SYN, 3, 0)).unwrap();
    assert!(events(&mut mux, &frame(FrameType::Data, flag::SYN, 1, 0)).is_err());
}

#[test]
fn one_stream_too_many_is_reset_and_its_bytes_skipped() {
    let mut mux = Mux::default();
    let mut id = 1;
    for _ in 0..MAX_STREAMS {
        events(&mut mux, &frame(FrameType::Data, flag::SYN, id, 0)).unwrap();
        id += 2;
    }
    mux.out.clear();
    let mut bytes = frame(FrameType::Data, flag::SYN, id, 3);
    bytes.extend(b"abc");
    assert!(events(&mut mux, &bytes).unwrap().is_empty());
    assert_eq!(mux.out.pending(), frame(FrameType::WindowUpdate, flag::RST, id, 0));
}

#[test]
fn the_window_comes_back_as_bytes_are_consumed() {
    let mut mux = Mux::default();
    let mut bytes = frame(FrameType::Data, flag::SYN, 1, INITIAL_WINDOW);
    bytes.resize(bytes.len() + INITIAL_WINDOW as usize, 0);
    events(&mut mux, &bytes).unwrap();
    mux.out.clear();
    mux.consume(1, 100);
    assert_eq!(mux.out.len(), 0);
    mux.consume(1, INITIAL_WINDOW as usize / 2);
    let delta = INITIAL_WINDOW / 2 + 100;
    assert_eq!(mux.out.pending(), frame(FrameType::WindowUpdate, 0, 1, delta));
}

#[test]
fn sends_no_more_than_the_window() {
    let mut mux = Mux::default();
    events(&mut mux, &frame(FrameType::Data, flag::SYN, 1, 0)).unwrap();
    let bytes = vec![7; INITIAL_WINDOW as usize + 10];
    assert_eq!(mux.send(1, &bytes), INITIAL_WINDOW as usize);
    assert_eq!(mux.send(1, &bytes), 0);
    let seen = events(&mut mux, &frame(FrameType::WindowUpdate, 0, 1, 4)).unwrap();
    assert_eq!(seen, ["Window(1)"]);
    assert_eq!(mux.send(1, &bytes), 4);
}

#[test]
fn pings_are_answered() {
    let mut mux = Mux::default();
    events(&mut mux, &frame(FrameType::Ping, flag::SYN, 0, 77)).unwrap();
    assert_eq!(mux.out.pending(), frame(FrameType::Ping, flag::ACK, 0, 77));
}

#[test]
fn frames_of_closed_streams_are_ignored() {
    let mut mux = Mux::default();
    events(&mut mux, &frame(FrameType::Data, flag::SYN, 1, 0)).unwrap();
    events(&mut mux, &frame(FrameType::WindowUpdate, flag::RST, 1, 0)).unwrap();
    let mut bytes = frame(FrameType::Data, flag::FIN, 1, 2);
    bytes.extend(b"xy");
    bytes.extend(frame(FrameType::WindowUpdate, 0, 1, u32::MAX));
    assert!(events(&mut mux, &bytes).unwrap().is_empty());
}

/// A seeded generator: the same bytes on every machine.
fn noise(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

#[test]
fn noise_never_panics_nor_gathers_memory() {
    let mut seed = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..2000 {
        let mut mux = Mux::default();
        for _ in 0..40 {
            let mut bytes = noise(&mut seed).to_be_bytes().to_vec();
            bytes.extend(noise(&mut seed).to_be_bytes());
            // Mostly legal headers, so that the noise gets past the first check.
            bytes[0] = 0;
            bytes[1] &= 3;
            bytes[2] = 0;
            bytes[3] &= 15;
            bytes[4..7].fill(0);
            bytes[8..11].fill(0);
            if events(&mut mux, &bytes).is_err() {
                break;
            }
        }
        assert!(mux.out.len() <= 2 * 40 * HEADER_LEN);
    }
}
