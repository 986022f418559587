//! Status updates on their way up (RC-7, FL-10): one stream per task. An update is durable before
//! its executor or the master sees it; one is in flight per stream, in the order they arose, and is
//! sent again until its uuid is acknowledged. The next one waits until that is durable too, so that no
//! crash turns their order round. The acknowledged terminal one ends the stream. What an update does
//! to its task is in `tasks`.

mod stream;

use std::collections::BTreeMap;
use std::sync::Arc;

use reeve_machine::{Tick, Timers};
use reeve_model::{
    ContainerId, ExecutorId, FrameworkId, Pid, StatusUpdate, TaskId, TaskState, Uuid,
};

use crate::effect::{Effect, Record, ToMaster};
use crate::event::WriteId;
use crate::options::Options;
use crate::recovery::Logged;
use crate::step::{Step, Waiting, Writes};
use stream::Stream;

/// Where a stream's records go; streams of frameworks that do not checkpoint have no home.
pub(crate) type Home = (ExecutorId, ContainerId);

/// Whose stream.
pub(crate) type Key = (FrameworkId, TaskId);

/// What came of an update that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is on its way. `true` if it is durable already (or need not be).
    New(bool),
    /// It came before. `true` if it was made durable since.
    Duplicate(bool),
    /// A terminal one came before: this one is dropped (S3).
    TooLate,
}

/// What came of an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acknowledged {
    /// It is for no update in flight.
    Stray,
    /// The stream goes on.
    Progress,
    /// The terminal update is acknowledged; the stream is gone (S5).
    Ended,
}

/// All streams of the agent.
#[derive(Debug)]
pub(crate) struct Updates {
    streams: BTreeMap<Key, Stream>,
    timers: Timers<(Key, Alarm)>,
    /// Where updates go; none while there is no master.
    master: Option<Pid>,
    options: Options,
}

/// What a stream waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    /// The time to send again.
    Send,
    /// The time to write again.
    Write,
}

impl Updates {
    pub(crate) fn new(options: &Options) -> Self {
        Updates {
            streams: BTreeMap::new(),
            timers: Timers::new(),
            master: None,
            options: options.clone(),
        }
    }

    /// Takes an update in. `home` counts for the first update of a task.
    pub(crate) fn receive(
        &mut self,
        step: &mut Step<'_>,
        writes: &mut Writes,
        update: Arc<StatusUpdate>,
        home: Option<Home>,
    ) -> Verdict {
        let key = (update.framework.clone(), update.status.task.clone());
        let stream = self.streams.entry(key.clone()).or_insert_with(|| Stream::new(home));
        let verdict = stream.receive(update);
        if let Verdict::New(_) = verdict {
            self.write(step, writes, &key);
            self.send(step, &key);
        }
        verdict
    }

    /// A write of the stream is durable. Returns the update, for its executor to hear of.
    pub(crate) fn committed(
        &mut self,
        step: &mut Step<'_>,
        writes: &mut Writes,
        key: &Key,
        write: WriteId,
    ) -> Option<Arc<StatusUpdate>> {
        let stream = self.streams.get_mut(key)?;
        let update = if stream.noted(write) { None } else { stream.committed(write) };
        self.write(step, writes, key);
        self.send(step, key);
        update
    }

    /// A write of the stream failed. That of an update is tried again, since nothing may overtake
    /// it; without that of an acknowledgement an update may be told twice, but it is told.
    pub(crate) fn commit_failed(&mut self, step: &mut Step<'_>, key: &Key, write: WriteId) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        if stream.write_over(write) {
            self.timers.set((key.clone(), Alarm::Write), step.now + self.options.write_retry);
        } else if stream.noted(write) {
            self.send(step, key);
        }
    }

    /// An acknowledgement from the framework.
    pub(crate) fn acknowledge(
        &mut self,
        step: &mut Step<'_>,
        writes: &mut Writes,
        key: &Key,
        uuid: Uuid,
    ) -> Acknowledged {
        let Some(stream) = self.streams.get_mut(key) else { return Acknowledged::Stray };
        let Some(update) = stream.acknowledge(uuid) else { return Acknowledged::Stray };
        self.timers.cancel(&(key.clone(), Alarm::Send));
        if let Some((executor, container)) = stream.home() {
            let (framework, task) = key.clone();
            let (executor, container) = (executor.clone(), container.clone());
            let record = Record::Acknowledged(framework, executor, container, task, uuid);
            stream.being_noted(writes.write(step, record, Waiting::Update(key.clone())));
        }
        if update.status.state.is_terminal() {
            self.drop_stream(key);
            return Acknowledged::Ended;
        }
        self.send(step, key);
        Acknowledged::Progress
    }

    /// There is a master to send to: whatever waits is sent again.
    pub(crate) fn resume(&mut self, step: &mut Step<'_>, master: Pid) {
        self.master = Some(master);
        let keys: Vec<Key> = self.streams.keys().cloned().collect();
        for key in keys {
            if let Some(stream) = self.streams.get_mut(&key) {
                stream.rewind();
            }
            self.send(step, &key);
        }
    }

    /// There is no master: nothing is sent until there is.
    pub(crate) fn pause(&mut self) {
        self.master = None;
        let keys: Vec<Key> = self.streams.keys().cloned().collect();
        for key in keys {
            self.timers.cancel(&(key, Alarm::Send));
        }
    }

    /// Times that have come.
    pub(crate) fn alarms(&mut self, step: &mut Step<'_>, writes: &mut Writes) {
        while let Some((key, alarm)) = self.timers.due(step.now) {
            match alarm {
                Alarm::Send => self.send_again(step, &key),
                Alarm::Write => self.write(step, writes, &key),
            }
        }
    }

    pub(crate) fn deadline(&self) -> Option<Tick> {
        self.timers.next()
    }

    /// A framework's end is nobody's news any more.
    pub(crate) fn forget(&mut self, framework: &FrameworkId) {
        let from = (framework.clone(), TaskId::new(""));
        let keys: Vec<Key> = self
            .streams
            .range(from..)
            .take_while(|((of, _), _)| of == framework)
            .map(|(key, _)| key.clone())
            .collect();
        keys.iter().for_each(|key| self.drop_stream(key));
    }

    /// Whether the task's updates are not all acknowledged.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.streams.contains_key(key)
    }

    /// The update that waits for its acknowledgement.
    pub(crate) fn pending(&self, key: &Key) -> Option<&Arc<StatusUpdate>> {
        self.streams.get(key)?.front()
    }

    /// How many streams there are.
    pub(crate) fn len(&self) -> usize {
        self.streams.len()
    }

    /// Builds a stream anew from its records. Nothing is left of one whose terminal update was
    /// acknowledged: returns `false`.
    pub(crate) fn replay(&mut self, key: Key, home: Home, log: &[Logged]) -> bool {
        let Some(stream) = Stream::replay(home, log) else { return false };
        if !stream.is_empty() || stream.latest().is_some() {
            self.streams.insert(key, stream);
        }
        true
    }

    /// Laws that hold between steps (S1, S4).
    pub(crate) fn check(&self) -> Result<(), String> {
        self.streams.iter().try_for_each(|((framework, task), stream)| {
            stream.check().map_err(|law| format!("stream of {task} of {framework}: {law}"))
        })
    }

    fn drop_stream(&mut self, key: &Key) {
        self.streams.remove(key);
        self.timers.cancel(&(key.clone(), Alarm::Send));
        self.timers.cancel(&(key.clone(), Alarm::Write));
    }

    /// Writes the next update that is not durable, one at a time so that their order is that of
    /// the file.
    fn write(&mut self, step: &mut Step<'_>, writes: &mut Writes, key: &Key) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        if self.timers.get(&(key.clone(), Alarm::Write)).is_some() {
            return;
        }
        let Some(update) = stream.next_write() else { return };
        let Some((executor, container)) = stream.home().cloned() else { return };
        let record = Record::Update(key.0.clone(), executor, container, update);
        let write = writes.write(step, record, Waiting::Update(key.clone()));
        stream.being_written(write);
    }

    fn send(&mut self, step: &mut Step<'_>, key: &Key) {
        let Some(master) = self.master.clone() else { return };
        let Some(stream) = self.streams.get_mut(key) else { return };
        let Some((update, latest)) = stream.next_send() else { return };
        let wait = stream.wait(self.options.update_retry, self.options.update_retry_max);
        self.timers.set((key.clone(), Alarm::Send), step.now + wait);
        step.emit(Effect::ToMaster(master, ToMaster::Status(with_latest(update, latest))));
    }

    fn send_again(&mut self, step: &mut Step<'_>, key: &Key) {
        if let Some(stream) = self.streams.get_mut(key) {
            stream.again();
        }
        self.send(step, key);
    }
}

/// The update, telling how far its task is by now.
fn with_latest(update: Arc<StatusUpdate>, latest: TaskState) -> Arc<StatusUpdate> {
    if update.latest_state == Some(latest) {
        return update;
    }
    Arc::new(StatusUpdate { latest_state: Some(latest), ..(*update).clone() })
}
