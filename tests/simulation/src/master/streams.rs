//! Schedulers at a leader: their streams, and what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reeve_machine::sim::Node;
use reeve_master_core::effect::{Scheduler as To, ToScheduler};
use reeve_master_core::event::{
    Ask, Call, Caller, Channel, Kind, RequestId, StreamClaim, StreamId, Subscription,
};
use reeve_model::{FrameworkId, FrameworkInfo, OfferId, Operation, TaskId};

use crate::cluster::{Cluster, Who};
use crate::parcel::Parcel;

/// The streams of a leader, and what was said on them.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: BTreeMap<StreamId, (Node, u64)>,
    /// The newest stream of each framework (M9).
    newest: BTreeMap<FrameworkId, StreamId>,
    next: u64,
    next_request: u64,
    /// Offers that stand, and those that do not any more (M1).
    offers: BTreeMap<OfferId, StreamId>,
    ended: BTreeSet<OfferId>,
    /// Tasks of accepted offers (M2).
    pub(super) lawful: BTreeSet<(FrameworkId, TaskId)>,
}

impl Streams {
    pub(super) fn take_all(&mut self) -> Vec<(Node, u64)> {
        std::mem::take(&mut self.open).into_values().collect()
    }

    pub(super) fn close(&mut self, stream: StreamId) -> Option<(Node, u64)> {
        self.offers.retain(|_, of| *of != stream);
        self.open.remove(&stream)
    }

    /// Frameworks whose scheduler is there.
    pub(super) fn connected(&self) -> Vec<FrameworkId> {
        let newest = self.newest.iter().filter(|(_, stream)| self.open.contains_key(stream));
        newest.map(|(framework, _)| framework.clone()).collect()
    }

    fn find(&self, from: Node, attempt: u64) -> Option<StreamId> {
        self.open.iter().find(|(_, of)| **of == (from, attempt)).map(|(id, _)| *id)
    }

    /// M1 and M9: offers are new when they are made and known when they are taken back, and only
    /// the newest stream of a framework hears of anything.
    fn judge(&mut self, stream: StreamId, event: &ToScheduler) -> Result<(), String> {
        let is_newest = |framework| self.newest.get(framework) == Some(&stream);
        match event {
            ToScheduler::Subscribed { framework: id, .. } => {
                self.newest.insert(id.clone(), stream);
            }
            ToScheduler::Offers(offers) => {
                for offer in offers {
                    if !is_newest(&offer.framework) {
                        return Err(format!("M9: {} goes to an old stream", offer.id));
                    }
                    let old = self.offers.insert(offer.id.clone(), stream);
                    if old.is_some() || self.ended.contains(&offer.id) {
                        return Err(format!("M1: {} is made twice", offer.id));
                    }
                }
            }
            ToScheduler::Rescind(id) => {
                self.ended.insert(id.clone());
                if self.offers.remove(id).is_none() {
                    return Err(format!("M1: {id} is taken back, and was not out"));
                }
            }
            ToScheduler::Update(update) if !is_newest(&update.framework) => {
                return Err(format!("M9: {} goes to an old stream", update.status.task));
            }
            _ => {}
        }
        Ok(())
    }

    /// Offers that end with this call, and tasks that may be run by it.
    fn note(&mut self, framework: &FrameworkId, call: &Call) -> Vec<(FrameworkId, TaskId)> {
        let (Call::Accept { offers, .. } | Call::Decline { offers, .. }) = call else {
            return Vec::new();
        };
        let standing = offers.iter().all(|offer| self.offers.contains_key(offer));
        for offer in offers {
            if self.offers.remove(offer).is_some() {
                self.ended.insert(offer.clone());
            }
        }
        let Call::Accept { operations, .. } = call else { return Vec::new() };
        if !standing {
            return Vec::new();
        }
        let launched = operations.iter().filter_map(|operation| match operation {
            Operation::Launch(tasks) | Operation::LaunchGroup { tasks, .. } => Some(tasks),
            _ => None,
        });
        let launched = launched.flatten().flatten();
        launched.map(|task| (framework.clone(), task.id.clone())).collect()
    }
}

impl Cluster {
    /// The core says something to a scheduler.
    pub(super) fn master_speaks(&mut self, which: usize, to: To, event: ToScheduler) {
        let node = self.masters[which].node;
        let To::Stream(stream) = to else { return };
        let Some(term) = self.term(which) else { return };
        let Some((to, attempt)) = term.streams.open.get(&stream).copied() else { return };
        let mut verdict = term.streams.judge(stream, &event);
        if let ToScheduler::Subscribed { framework, .. } = &event {
            verdict = verdict.and_then(|()| self.registry(which).judge_subscribed(framework));
        }
        self.world.send(node, to, Parcel::Event(attempt, event));
        if let Err(law) = verdict {
            self.violated(law);
        }
    }

    /// A scheduler subscribes; at a master that does not lead it is told to go elsewhere.
    pub(crate) fn scheduler_subscribes(
        &mut self,
        which: usize,
        from: Node,
        attempt: u64,
        info: Arc<FrameworkInfo>,
    ) {
        let node = self.masters[which].node;
        let Some(term) = self.term(which) else {
            return self.world.send(node, from, Parcel::StreamEnds(attempt));
        };
        term.streams.next += 1;
        let stream = StreamId(term.streams.next);
        term.streams.open.insert(stream, (from, attempt));
        self.world.watch(node, from);
        let subscription = Subscription {
            info,
            suppressed: BTreeSet::new(),
            constraints: None,
            channel: Channel::Http,
            force: false,
        };
        self.master_step(which, Kind::Subscribes(stream, Box::new(subscription)));
    }

    /// A scheduler calls.
    pub(crate) fn scheduler_calls(
        &mut self,
        which: usize,
        from: Node,
        attempt: u64,
        framework: FrameworkId,
        call: Call,
    ) {
        let Some(term) = self.term(which) else { return };
        let streams = &mut term.streams;
        let stream = streams.find(from, attempt);
        let claim = stream.map_or(StreamClaim::Unknown, StreamClaim::Is);
        streams.next_request += 1;
        let request = RequestId(streams.next_request);
        if stream.is_some() && streams.newest.get(&framework) == stream.as_ref() {
            let lawful = streams.note(&framework, &call);
            streams.lawful.extend(lawful);
        }
        self.master_step(
            which,
            Kind::Calls(framework, Caller::Request(request, claim, None), call),
        );
    }

    /// An operator asks.
    pub(crate) fn master_is_asked(&mut self, which: usize, ask: Ask) {
        let Some(term) = self.term(which) else { return };
        term.streams.next_request += 1;
        let request = RequestId(term.streams.next_request);
        self.master_step(which, Kind::Asks(request, ask));
    }

    /// A scheduler closes its stream.
    pub(crate) fn stream_ends(&mut self, which: usize, from: Node, attempt: u64) {
        let Some(term) = self.term(which) else { return };
        if let Some(stream) = term.streams.find(from, attempt) {
            self.stream_is_over(which, stream);
        }
    }

    fn stream_is_over(&mut self, which: usize, stream: StreamId) {
        self.judge_presence(which);
        if let Some(term) = self.term(which) {
            term.streams.close(stream);
            self.master_step(which, Kind::StreamClosed(stream));
        }
    }

    /// A connection of the master's broke.
    pub(crate) fn master_alone(&mut self, which: usize, peer: Node) {
        let node = self.masters[which].node;
        let Some(term) = self.term(which) else { return };
        let streams = term.streams.open.iter().filter(|(_, (node, _))| *node == peer);
        let broken: Vec<(StreamId, u64)> =
            streams.map(|(id, (_, attempt))| (*id, *attempt)).collect();
        for (stream, attempt) in broken {
            // If it was opened since, its other end has to hear that it is given up.
            self.world.send(node, peer, Parcel::StreamEnds(attempt));
            self.stream_is_over(which, stream);
        }
        if matches!(self.who[peer.0 as usize], Who::Agent(_)) {
            let pid = self.pid_of(peer);
            self.master_step(which, Kind::LinkBroken(pid));
        }
    }
}
