//! Reading what commands say: straight into frames.

use std::io::IoSliceMut;

use rustix::io::Errno;
use rustix::pipe::fcntl_setpipe_size;

use crate::messages::{HEAD_LEN, MAX_OUTPUT, MessageType, head};
use crate::mux::{HIGH_WATER, Mux};

use super::process::{BULK_PIPE, Kept, MAX_KEPT, Output, Process, Sink};

/// Bytes of a message of the greatest length.
const MESSAGE: usize = HEAD_LEN + MAX_OUTPUT;
/// Messages that one call may fill.
const MESSAGES: usize = (HIGH_WATER + MESSAGE).div_ceil(MESSAGE);

/// What one read came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// There may be more.
    More,
    /// Nothing now.
    Empty,
    /// The stream's window is used up.
    Stalled,
    /// There will be nothing more.
    End,
}

/// One read of a command's output, into messages or what is kept of it.
pub fn step(process: &mut Process, at: usize, mux: &mut Mux) -> Step {
    let Some(output) = &mut process.outputs[at] else {
        return Step::Empty;
    };
    let kind = if at == 0 {
        MessageType::Stdout
    } else {
        MessageType::Stderr
    };
    match (&mut process.sink, process.stream) {
        (Sink::Kept(kept), Some(_)) => keep(output, &mut kept[at]),
        (Sink::Messages, Some(stream)) => send(output, kind, stream, mux),
        // Nobody listens any more.
        (_, None) => keep(
            output,
            &mut Kept {
                bytes: Vec::new(),
                truncated: true,
            },
        ),
    }
}

fn send(output: &mut Output, kind: MessageType, stream: u32, mux: &mut Mux) -> Step {
    let window = mux.send_window(stream);
    if window <= HEAD_LEN {
        return if output.left == Some(0) {
            Step::End
        } else {
            Step::Stalled
        };
    }
    let most = if output.bulk {
        HIGH_WATER + MESSAGE - mux.out.len().min(HIGH_WATER)
    } else {
        MESSAGE
    };
    let mut step = Step::Empty;
    mux.fill(stream, window.min(most), |space| {
        let (count, outcome) = gather(output, kind, space);
        step = outcome;
        count
    });
    step
}

/// Reads once into messages, one behind the other; their length.
fn gather(output: &mut Output, kind: MessageType, space: &mut [u8]) -> (usize, Step) {
    let mut bodies: [IoSliceMut<'_>; MESSAGES] = std::array::from_fn(|_| IoSliceMut::new(&mut []));
    let mut room = output.left.unwrap_or(usize::MAX);
    for (body, message) in bodies.iter_mut().zip(space.chunks_mut(MESSAGE)) {
        let end = message.len().min(HEAD_LEN.saturating_add(room));
        if end > HEAD_LEN {
            room -= end - HEAD_LEN;
            *body = IoSliceMut::new(&mut message[HEAD_LEN..end]);
        }
    }
    let (count, step) = read(output, &mut bodies);
    let mut left = count;
    for message in space.chunks_mut(MESSAGE).take(count.div_ceil(MAX_OUTPUT)) {
        let payload = left.min(MAX_OUTPUT);
        message[..HEAD_LEN].copy_from_slice(&head(kind, payload));
        left -= payload;
    }
    (count + count.div_ceil(MAX_OUTPUT) * HEAD_LEN, step)
}

fn keep(output: &mut Output, kept: &mut Kept) -> Step {
    let mut bytes = [0; 16 * 1024];
    let limit = output.left.map_or(bytes.len(), |left| left.min(bytes.len()));
    let (count, step) = read(output, &mut [IoSliceMut::new(&mut bytes[..limit])]);
    let room = if kept.truncated { 0 } else { MAX_KEPT - kept.bytes.len() };
    kept.bytes.extend_from_slice(&bytes[..count.min(room)]);
    kept.truncated |= count > room;
    step
}

/// Reads once into buffers that hold no more than the command left when it ended.
fn read(output: &mut Output, buffers: &mut [IoSliceMut<'_>]) -> (usize, Step) {
    if output.left == Some(0) {
        return (0, Step::End);
    }
    match rustix::io::readv(&output.fd, buffers) {
        Ok(0) => (0, Step::End),
        Ok(count) => (count, taken(output, count)),
        Err(Errno::INTR) => (0, Step::More),
        Err(Errno::AGAIN) => (0, if output.left.is_some() { Step::End } else { Step::Empty }),
        // A terminal whose other side is closed gives EIO.
        Err(_) => (0, Step::End),
    }
}

/// What is to be expected after `count` bytes.
fn taken(output: &mut Output, count: usize) -> Step {
    if let Some(left) = &mut output.left {
        *left -= count;
        return if *left == 0 { Step::End } else { Step::More };
    }
    if count >= MAX_OUTPUT && !output.bulk {
        output.bulk = true;
        // A terminal never gives so much. Without room for more the pipe stays as it is.
        let _ = fcntl_setpipe_size(&output.fd, BULK_PIPE);
    }
    Step::More
}

#[cfg(test)]
mod tests {
    use rustix::pipe::{PipeFlags, fcntl_getpipe_size, pipe_with};

    use super::*;

    /// A pipe that holds `bytes`, and its writing end.
    fn said(bytes: &[u8]) -> (Output, std::os::fd::OwnedFd) {
        let (fd, writer) = pipe_with(PipeFlags::NONBLOCK).unwrap();
        fcntl_setpipe_size(&writer, 1 << 20).unwrap();
        assert_eq!(rustix::io::write(&writer, bytes).unwrap(), bytes.len());
        let output = Output {
            fd,
            readable: true,
            bulk: false,
            queued: false,
            left: None,
        };
        (output, writer)
    }

    fn numbered(count: usize) -> Vec<u8> {
        (0..count).map(|at| u8::try_from(at % 251).unwrap()).collect()
    }

    /// Messages of STDOUT with these payloads, as they are sent.
    fn messages(payloads: &[&[u8]]) -> Vec<u8> {
        payloads
            .iter()
            .flat_map(|payload| [&head(MessageType::Stdout, payload.len())[..], payload].concat())
            .collect()
    }

    fn gathered(output: &mut Output, space: usize) -> (Vec<u8>, Step) {
        let mut bytes = vec![0; space];
        let (count, step) = gather(output, MessageType::Stdout, &mut bytes);
        bytes.truncate(count);
        (bytes, step)
    }

    #[test]
    fn one_read_fills_several_messages() {
        let bytes = numbered(2 * MAX_OUTPUT + 10);
        let (mut output, _writer) = said(&bytes);
        let (sent, step) = gathered(&mut output, HIGH_WATER + MESSAGE);
        let (first, rest) = bytes.split_at(MAX_OUTPUT);
        let (second, third) = rest.split_at(MAX_OUTPUT);
        assert!(sent == messages(&[first, second, third]));
        assert_eq!(step, Step::More);
        assert_eq!(gathered(&mut output, MESSAGE), (Vec::new(), Step::Empty));
    }

    #[test]
    fn space_that_ends_in_a_head_is_left() {
        let bytes = numbered(MAX_OUTPUT + 10);
        let (mut output, _writer) = said(&bytes);
        let (sent, step) = gathered(&mut output, MESSAGE + HEAD_LEN);
        assert!(sent == messages(&[&bytes[..MAX_OUTPUT]]));
        assert_eq!(step, Step::More);
    }

    #[test]
    fn a_pipe_that_fills_a_message_is_made_larger() {
        let (mut output, _writer) = said(&numbered(MAX_OUTPUT));
        fcntl_setpipe_size(&output.fd, MAX_OUTPUT).unwrap();
        gathered(&mut output, MESSAGE);
        assert_eq!(fcntl_getpipe_size(&output.fd).unwrap(), BULK_PIPE);
        assert!(output.bulk);
    }

    #[test]
    fn no_more_is_read_than_an_ended_command_left() {
        let (mut output, _writer) = said(&numbered(MAX_OUTPUT + 10));
        output.left = Some(MAX_OUTPUT + 3);
        let (sent, step) = gathered(&mut output, HIGH_WATER + MESSAGE);
        assert_eq!(sent.len(), MAX_OUTPUT + 3 + 2 * HEAD_LEN);
        assert_eq!(step, Step::End);
        assert_eq!(gathered(&mut output, MESSAGE), (Vec::new(), Step::End));
    }
}
