//! The thread that writes checkpoints, in order, and tells the core when each is durable.

use reeve_agent_core::effect::Record;
use reeve_agent_core::event::{Kind, WriteId};
use tokio::sync::mpsc;

use crate::checkpoint::write::Writer;
use crate::shell::Input;

/// The way to the thread.
#[derive(Clone, Debug)]
pub struct Disk {
    records: std::sync::mpsc::Sender<(WriteId, Record)>,
}

impl Disk {
    /// Starts the thread. It ends when all handles are gone.
    pub fn start(mut writer: Writer, inputs: mpsc::Sender<Input>) -> std::io::Result<Self> {
        let (records, queue) = std::sync::mpsc::channel::<(WriteId, Record)>();
        let work = move || {
            for (write, record) in queue {
                let outcome = match writer.write(&record) {
                    Ok(()) => Kind::Committed(write),
                    Err(error) => {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "a checkpoint failed"
                        );
                        Kind::CommitFailed(write, error.to_string())
                    }
                };
                if inputs.blocking_send(Input::Happened(outcome)).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("checkpoints".to_owned()).spawn(work)?;
        Ok(Self { records })
    }

    /// Queues one record; `Committed` or `CommitFailed` follows.
    pub fn write(&self, write: WriteId, record: Record) {
        // The thread outlives the loop that calls this, so the queue is there.
        drop(self.records.send((write, record)));
    }
}
