//! One client of a step's socket, joined with the host: what it says goes to standard output, its answers come from standard input.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

use crate::errand::{Session, own};
use crate::failure::{Code, Failure};

/// Waits for a client and serves it until it has gone.
///
/// # Errors
/// `io`.
pub fn relay(session: &mut Session) -> Result<(), Failure> {
    let listener = session.kept.take().map(UnixListener::from);
    let listener = listener.ok_or_else(|| Failure::new(Code::Io, "relay", "no socket"))?;
    let (client, _) = listener.accept().map_err(|e| told(&e))?;
    drop(listener);
    session.begin();
    let answers = client.try_clone().map_err(|e| told(&e))?;
    let input = File::from(own(rustix::stdio::stdin())?);
    let answering = thread::spawn(move || pass_on(input, answers));
    let mut output = File::from(own(rustix::stdio::stdout())?);
    // A client that goes without a word has ended, too.
    pass_bytes(&client, &mut output);
    // It may still listen: it is served until the host has no more to say, or it cannot be told.
    let _ = rustix::io::write(rustix::stdio::stderr(), b"\n");
    let _ = answering.join();
    Ok(())
}

fn pass_on(mut input: File, mut answers: UnixStream) {
    pass_bytes(&mut input, &mut answers);
    let _ = answers.shutdown(Shutdown::Write);
}

/// To the end of either. By hand: `io::copy` would splice, and a socket that is spliced both ways holds locks of both its ends.
fn pass_bytes(mut from: impl Read, to: &mut impl Write) {
    let mut piece = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut piece) {
        if to.write_all(&piece[..count]).is_err() {
            return;
        }
    }
}

fn told(error: &io::Error) -> Failure {
    Failure::new(Code::Io, "relay", error.to_string())
}
