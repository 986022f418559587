//! Calls over a few connections, each sent without waiting for the answers of those before
//! (HTTP pipelining): a general client's cost per call would be most of what is measured.
//! Answers are counted, and any that is not "202 Accepted" is told.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, bail};
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// What is read at once.
const READ_SIZE: usize = 64 << 10;

/// The connections for calls.
#[derive(Debug)]
pub(super) struct Calls {
    head: String,
    posted: usize,
    connections: Vec<Connection>,
    answers: watch::Receiver<Answers>,
}

/// One of them.
#[derive(Debug)]
struct Connection {
    queue: Arc<Queue>,
    writer: JoinHandle<()>,
    reader: JoinHandle<()>,
}

/// What waits to be written.
#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Vec<u8>>,
    wake: Notify,
}

#[derive(Clone, Debug, Default)]
struct Answers {
    accepted: usize,
    refusal: Option<String>,
}

impl Calls {
    /// `head` is each request's up to the number of its length.
    pub(super) async fn connect(
        master: SocketAddr,
        connections: u32,
        head: String,
    ) -> anyhow::Result<Calls> {
        let (tells, answers) = watch::channel(Answers::default());
        let mut calls = Calls { head, posted: 0, connections: Vec::new(), answers };
        for _ in 0..connections.max(1) {
            let stream = TcpStream::connect(master).await.context("connecting for calls")?;
            stream.set_nodelay(true)?;
            let (reads, writes) = stream.into_split();
            let queue = Arc::new(Queue::default());
            let writer = tokio::spawn(write(writes, Arc::clone(&queue)));
            let reader = tokio::spawn(read(reads, tells.clone()));
            calls.connections.push(Connection { queue, writer, reader });
        }
        Ok(calls)
    }

    /// Queues a call. The connections take turns.
    pub(super) fn post(&mut self, body: &[u8]) {
        let turn = self.posted % self.connections.len().max(1);
        let Some(Connection { queue, .. }) = self.connections.get(turn) else { return };
        self.posted += 1;
        let mut waiting = queue.lock();
        let first = waiting.is_empty();
        waiting.extend_from_slice(self.head.as_bytes());
        // Writing to memory never fails.
        let _ = write!(waiting, "{}\r\n\r\n", body.len());
        waiting.extend_from_slice(body);
        drop(waiting);
        if first {
            queue.wake.notify_one();
        }
    }

    /// Waits for a call to be refused.
    pub(super) async fn refused(&mut self) -> String {
        match self.answers.wait_for(|answers| answers.refusal.is_some()).await {
            Ok(answers) => answers.refusal.clone().unwrap_or_default(),
            Err(_) => "the connection's task is gone".to_owned(),
        }
    }

    /// Waits until all calls have been answered.
    ///
    /// # Errors
    /// If one was refused.
    pub(super) async fn answered(&mut self) -> anyhow::Result<()> {
        let posted = self.posted;
        let all = |answers: &Answers| answers.accepted >= posted || answers.refusal.is_some();
        let answers = self.answers.wait_for(all).await?;
        match &answers.refusal {
            Some(refusal) => bail!("the master refused a call: {refusal}"),
            None => Ok(()),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.writer.abort();
        self.reader.abort();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        // A poisoned lock only means that a thread died between two whole requests.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write(mut writes: OwnedWriteHalf, queue: Arc<Queue>) {
    let mut batch = Vec::new();
    loop {
        std::mem::swap(&mut *queue.lock(), &mut batch);
        if batch.is_empty() {
            queue.wake.notified().await;
        } else if writes.write_all(&batch).await.is_err() {
            // The reader tells that the connection broke.
            return;
        }
        batch.clear();
    }
}

async fn read(mut reads: OwnedReadHalf, tells: watch::Sender<Answers>) {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(READ_SIZE);
        let refusal = match reads.read_buf(&mut buffer).await {
            Ok(0) => Some("the connection was closed".to_owned()),
            Ok(_) => count(&mut buffer, &tells),
            Err(error) => Some(error.to_string()),
        };
        if refusal.is_some() {
            tells.send_modify(|answers| answers.refusal = refusal);
            return;
        }
    }
}

/// Takes all whole answers out of the buffer; the first refusal, if one is among them.
fn count(buffer: &mut BytesMut, tells: &watch::Sender<Answers>) -> Option<String> {
    let mut accepted = 0;
    let mut refusal = None;
    while refusal.is_none() {
        let Some(answer) = answer(buffer) else { break };
        match answer.status {
            202 => accepted += 1,
            status => {
                let body = buffer.get(answer.head..answer.head + answer.body).unwrap_or_default();
                refusal = Some(format!("{status} {}", String::from_utf8_lossy(body)));
            }
        }
        buffer.advance(answer.head + answer.body);
    }
    if accepted > 0 {
        tells.send_modify(|answers| answers.accepted += accepted);
    }
    refusal
}

/// One answer: its status, and how long its head and its body are.
struct Answer {
    status: u16,
    head: usize,
    body: usize,
}

/// The answer at the front of the buffer, once all of it is there.
fn answer(buffer: &[u8]) -> Option<Answer> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response.parse(buffer) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return None,
        Err(_) => return Some(Answer { status: 0, head: 0, body: buffer.len() }),
    };
    let length =
        response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("Content-Length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok());
    let body = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    let status = response.code.unwrap_or(0);
    (buffer.len() >= head + body).then_some(Answer { status, head, body })
}

#[cfg(test)]
mod tests;
