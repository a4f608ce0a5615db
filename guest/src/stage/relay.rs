//! One client of a step's socket, joined with the host: what it says goes to standard output, its answers come from standard input.

use std::fs::File;
use std::io;
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
    let _ = io::copy(&mut &client, &mut output);
    // It may still listen: it is served until the host has no more to say, or it cannot be told.
    let _ = rustix::io::write(rustix::stdio::stderr(), b"\n");
    let _ = answering.join();
    Ok(())
}

fn pass_on(mut input: File, mut answers: UnixStream) {
    let _ = io::copy(&mut input, &mut answers);
    let _ = answers.shutdown(Shutdown::Write);
}

fn told(error: &io::Error) -> Failure {
    Failure::new(Code::Io, "relay", error.to_string())
}
