//! What the container writes, to this program's own standard output and error.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::engine::Body;

/// How long what the container wrote last may take to arrive after its end.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long an output may take to end after the connection that says so.
const MOMENT: Duration = Duration::from_secs(1);

/// A thread that follows one output to its end.
pub(super) struct Follower {
    /// Closed at the end.
    end: Receiver<()>,
}

impl Follower {
    /// Begins to follow. The output of a terminal is one stream, any other is two in one.
    pub(super) fn begin(output: Body, terminal: bool) -> Self {
        let (sender, end) = channel();
        std::thread::spawn(move || {
            // An output that breaks off is followed anew by whoever waits for the container.
            drop(copy(output, terminal, &mut io::stdout(), &mut io::stderr()));
            drop(sender);
        });
        Self { end }
    }

    /// Waits until all has been written.
    pub(super) fn finish(self) {
        let _late = self.end.recv_timeout(PATIENCE);
    }

    /// Waits for the output's end, however long that takes.
    pub(super) fn finish_when_it_ends(self) {
        let _closed = self.end.recv();
    }

    /// Whether the output has come to its end.
    pub(super) fn has_ended(&self) -> bool {
        self.end.recv_timeout(MOMENT) == Err(RecvTimeoutError::Disconnected)
    }
}

/// Copies an output. It is read to its end also when nobody takes it any more: a container whose
/// output is not read stands still.
fn copy(
    mut output: impl Read,
    terminal: bool,
    stdout: &mut impl Write,
    stderr: &mut impl Write,
) -> io::Result<()> {
    let mut buffer = [0; 16 << 10];
    if terminal {
        loop {
            match output.read(&mut buffer)? {
                0 => return Ok(()),
                count => put(stdout, &buffer[..count]),
            }
        }
    }
    // A frame: one byte for the stream, three of nothing, four for the length.
    let mut head = [0; 8];
    loop {
        output.read_exact(&mut head)?;
        let [stream, _, _, _, length @ ..] = head;
        let mut left = u32::from_be_bytes(length) as usize;
        while left > 0 {
            let room = left.min(buffer.len());
            let count = output.read(&mut buffer[..room])?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            left -= count;
            match stream {
                2 => put(stderr, &buffer[..count]),
                _ => put(stdout, &buffer[..count]),
            }
        }
    }
}

fn put(to: &mut impl Write, bytes: &[u8]) {
    drop(to.write_all(bytes).and_then(|()| to.flush()));
}

#[cfg(test)]
mod tests;
