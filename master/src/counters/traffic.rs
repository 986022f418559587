//! Calls of each framework and events to it, by their types: `master/frameworks/<name>/<id>/calls`
//! and `…/events`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reeve_master_core::effect::ToScheduler;
use reeve_master_core::event::Call;
use reeve_model::FrameworkId;
use reeve_wire::v1::scheduler::{call, event};

/// More than any type's number on the wire.
const TYPES: usize = 32;

/// What passed between the master and one framework.
#[derive(Debug, Default)]
pub struct Traffic {
    calls: [AtomicU64; TYPES],
    events: [AtomicU64; TYPES],
}

impl Traffic {
    /// The framework called.
    pub fn called(&self, kind: call::Type) {
        count(&self.calls, kind.into());
    }

    /// The framework was told.
    pub fn told(&self, event: &ToScheduler) {
        count(&self.events, event_type(event).into());
    }

    /// All types of calls, by name, with how many there were.
    pub fn calls(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let name = |number| call::Type::try_from(number).ok().map(|kind| kind.as_str_name());
        named(&self.calls, name)
    }

    /// All types of events, by name, with how many there were.
    pub fn events(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let name = |number| event::Type::try_from(number).ok().map(|kind| kind.as_str_name());
        named(&self.events, name)
    }
}

fn count(counts: &[AtomicU64; TYPES], number: i32) {
    if let Some(count) = usize::try_from(number).ok().and_then(|number| counts.get(number)) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// The counts whose numbers have names; 0 is `UNKNOWN`, which nothing is.
fn named(
    counts: &[AtomicU64; TYPES],
    name: impl Fn(i32) -> Option<&'static str>,
) -> impl Iterator<Item = (&'static str, u64)> {
    let numbered = (0_i32..).zip(counts).skip(1);
    numbered.filter_map(move |(number, count)| Some((name(number)?, count.load(Ordering::Relaxed))))
}

/// The traffic of all frameworks that readers can see.
#[derive(Debug, Default)]
pub struct Frameworks(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    traffic: BTreeMap<FrameworkId, Arc<Traffic>>,
    /// Those that ended, oldest first.
    completed: VecDeque<FrameworkId>,
}

impl Frameworks {
    /// The traffic of a framework that subscribes.
    pub fn of(&self, id: &FrameworkId) -> Arc<Traffic> {
        self.lock().traffic.entry(id.clone()).or_default().clone()
    }

    /// The traffic of a framework, if it ever subscribed.
    pub fn find(&self, id: &FrameworkId) -> Option<Arc<Traffic>> {
        self.lock().traffic.get(id).cloned()
    }

    /// A framework ended; so many are remembered, as readers do.
    pub fn completed(&self, id: &FrameworkId, remembered: usize) {
        let mut known = self.lock();
        known.completed.push_back(id.clone());
        while known.completed.len() > remembered
            && let Some(oldest) = known.completed.pop_front()
        {
            known.traffic.remove(&oldest);
        }
    }

    /// A new term begins: its frameworks are counted anew.
    pub fn forget(&self) {
        *self.lock() = Known::default();
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // A poisoned lock only means that a thread died between two whole changes.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The type of a call on the wire.
pub fn call_type(call: &Call) -> call::Type {
    match call {
        Call::Teardown => call::Type::Teardown,
        Call::Accept { .. } => call::Type::Accept,
        Call::Decline { .. } => call::Type::Decline,
        Call::Revive(_) => call::Type::Revive,
        Call::Suppress(_) => call::Type::Suppress,
        Call::Kill { .. } => call::Type::Kill,
        Call::Shutdown(..) => call::Type::Shutdown,
        Call::Acknowledge { .. } => call::Type::Acknowledge,
        Call::AcknowledgeOperation { .. } => call::Type::AcknowledgeOperationStatus,
        Call::Reconcile(_) => call::Type::Reconcile,
        Call::ReconcileOperations(_) => call::Type::ReconcileOperations,
        Call::Message { .. } => call::Type::Message,
        Call::Request => call::Type::Request,
        // No other call is forbidden as a whole.
        Call::UpdateFramework { .. } | Call::Forbidden(_) => call::Type::UpdateFramework,
        Call::AnswerInverseOffers { accepted: true, .. } => call::Type::AcceptInverseOffers,
        Call::AnswerInverseOffers { accepted: false, .. } => call::Type::DeclineInverseOffers,
    }
}

fn event_type(event: &ToScheduler) -> event::Type {
    match event {
        ToScheduler::Subscribed { .. } => event::Type::Subscribed,
        ToScheduler::Offers(_) => event::Type::Offers,
        ToScheduler::Rescind(_) => event::Type::Rescind,
        ToScheduler::InverseOffers(_) => event::Type::InverseOffers,
        ToScheduler::RescindInverse(_) => event::Type::RescindInverseOffer,
        ToScheduler::Update(_) => event::Type::Update,
        ToScheduler::Message(..) => event::Type::Message,
        ToScheduler::Failure(..) => event::Type::Failure,
        ToScheduler::Error(_) => event::Type::Error,
        ToScheduler::Heartbeat => event::Type::Heartbeat,
        ToScheduler::OperationUpdate(_) => event::Type::UpdateOperationStatus,
    }
}
