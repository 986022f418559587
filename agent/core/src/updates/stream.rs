//! The updates of one task, from the oldest that is not acknowledged on.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use reeve_model::{StatusUpdate, TaskState, Uuid};

use super::{Home, Verdict};
use crate::event::WriteId;
use crate::recovery::Logged;

/// How many uuids are remembered against duplicates. An executor only repeats what it was not told
/// to be safe, so duplicates are young.
const REMEMBERED: usize = 1024;

/// ```text
///   receive ─► to be written ─► being written ─► durable ─► in flight ─► acknowledged
///              (with a home)                     (without one: at once)
/// ```
#[derive(Debug)]
pub(super) struct Stream {
    home: Option<Home>,
    /// Not acknowledged, oldest first.
    queue: VecDeque<Arc<StatusUpdate>>,
    /// How many of the queue are durable, from its front.
    durable: usize,
    /// The write of the one after those, while it is under way. A write of an earlier stream of the
    /// same task is none of this one's.
    writing: Option<WriteId>,
    /// The write of the last acknowledgement, while it is under way. What follows is not sent
    /// before: after a crash, what was acknowledged would be sent once more behind it.
    noting: Option<WriteId>,
    /// Whether the front was sent since the master is known.
    in_flight: bool,
    /// How often the front was sent in vain.
    retries: u32,
    /// Whether the front was ever sent: only then can it be acknowledged.
    sent: bool,
    latest: Option<TaskState>,
    seen: BTreeSet<Uuid>,
    seen_order: VecDeque<Uuid>,
}

impl Stream {
    pub(super) fn new(home: Option<Home>) -> Self {
        Stream {
            home,
            queue: VecDeque::new(),
            durable: 0,
            writing: None,
            noting: None,
            in_flight: false,
            retries: 0,
            sent: false,
            latest: None,
            seen: BTreeSet::new(),
            seen_order: VecDeque::new(),
        }
    }

    /// The stream that these records tell of; none if it has ended.
    pub(super) fn replay(home: Home, log: &[Logged]) -> Option<Self> {
        let mut stream = Stream::new(Some(home));
        for record in log {
            match record {
                Logged::Update(update) => {
                    if let Verdict::New(_) = stream.receive(update.clone()) {
                        stream.durable = stream.queue.len();
                    }
                }
                Logged::Acknowledged(uuid) => {
                    // What comes before it was acknowledged too, whether or not that can be read.
                    let place = stream.queue.iter().position(|update| update.uuid == Some(*uuid));
                    for _ in place.iter().flat_map(|place| 0..=*place) {
                        stream.durable -= 1;
                        let update = stream.queue.pop_front();
                        if update.is_some_and(|update| update.status.state.is_terminal()) {
                            return None;
                        }
                    }
                }
            }
        }
        // The agent that sent the front is gone, but its acknowledgement may still be under way.
        stream.sent = !stream.queue.is_empty();
        Some(stream)
    }

    pub(super) fn receive(&mut self, update: Arc<StatusUpdate>) -> Verdict {
        if let Some(uuid) = update.uuid {
            if self.seen.contains(&uuid) {
                let waits = self.queue.iter().skip(self.durable).any(|one| one.uuid == update.uuid);
                return Verdict::Duplicate(!waits);
            }
            if self.latest.is_some_and(TaskState::is_terminal) {
                return Verdict::TooLate;
            }
            self.remember(uuid);
        }
        self.latest = Some(update.status.state);
        self.queue.push_back(update);
        if self.home.is_none() {
            self.durable = self.queue.len();
        }
        Verdict::New(self.home.is_none())
    }

    fn remember(&mut self, uuid: Uuid) {
        self.seen.insert(uuid);
        self.seen_order.push_back(uuid);
        if self.seen_order.len() > REMEMBERED
            && let Some(oldest) = self.seen_order.pop_front()
        {
            self.seen.remove(&oldest);
        }
    }

    /// The next update to be written, if none is being written.
    pub(super) fn next_write(&self) -> Option<Arc<StatusUpdate>> {
        if self.writing.is_some() {
            return None;
        }
        self.queue.get(self.durable).cloned()
    }

    pub(super) fn being_written(&mut self, write: WriteId) {
        self.writing = Some(write);
    }

    /// Returns the update that is durable now.
    pub(super) fn committed(&mut self, write: WriteId) -> Option<Arc<StatusUpdate>> {
        if !self.write_over(write) {
            return None;
        }
        let update = self.queue.get(self.durable)?.clone();
        self.durable += 1;
        Some(update)
    }

    /// Whether this was the write under way.
    pub(super) fn write_over(&mut self, write: WriteId) -> bool {
        self.writing.take_if(|writing| *writing == write).is_some()
    }

    /// The last acknowledgement is being written.
    pub(super) fn being_noted(&mut self, write: WriteId) {
        self.noting = Some(write);
    }

    /// Whether this was the write of the last acknowledgement.
    pub(super) fn noted(&mut self, write: WriteId) -> bool {
        self.noting.take_if(|noting| *noting == write).is_some()
    }

    /// The front, if it is to be sent now, and the task's latest state.
    pub(super) fn next_send(&mut self) -> Option<(Arc<StatusUpdate>, TaskState)> {
        if self.in_flight || self.noting.is_some() || self.durable == 0 {
            return None;
        }
        let update = self.queue.front()?.clone();
        self.in_flight = true;
        self.sent = true;
        let latest = self.latest.unwrap_or(update.status.state);
        Some((update, latest))
    }

    /// How long to wait for the acknowledgement of what was just sent.
    pub(super) fn wait(&self, first: Duration, longest: Duration) -> Duration {
        let factor = 1u32.checked_shl(self.retries).unwrap_or(u32::MAX);
        first.saturating_mul(factor).min(longest)
    }

    /// The wait was in vain.
    pub(super) fn again(&mut self) {
        self.in_flight = false;
        self.retries = self.retries.saturating_add(1).min(31);
    }

    /// There is another master to send to.
    pub(super) fn rewind(&mut self) {
        self.in_flight = false;
        self.retries = 0;
    }

    /// Takes the front off if this acknowledges it.
    pub(super) fn acknowledge(&mut self, uuid: Uuid) -> Option<Arc<StatusUpdate>> {
        if !self.sent || self.durable == 0 || self.queue.front()?.uuid != Some(uuid) {
            return None;
        }
        self.in_flight = false;
        self.sent = false;
        self.retries = 0;
        self.durable -= 1;
        self.queue.pop_front()
    }

    pub(super) fn home(&self) -> Option<&Home> {
        self.home.as_ref()
    }

    pub(super) fn front(&self) -> Option<&Arc<StatusUpdate>> {
        self.queue.front()
    }

    pub(super) fn latest(&self) -> Option<TaskState> {
        self.latest
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if self.durable > self.queue.len() {
            return Err("more updates are durable than there are".to_owned());
        }
        if self.in_flight && (self.durable == 0 || !self.sent) {
            return Err("S4: an update is in flight that is not durable".to_owned());
        }
        if self.in_flight && self.noting.is_some() {
            return Err("S4: an update is in flight before the last one is done with".to_owned());
        }
        let terminal = self.queue.iter().filter(|update| update.status.state.is_terminal()).count();
        if terminal > 1 {
            return Err(format!("S3: {terminal} terminal updates wait in one stream"));
        }
        Ok(())
    }
}
