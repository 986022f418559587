//! Counts of what reached the core, by the names of Mesos's metrics (§10 of the reference).

pub mod traffic;

use std::collections::BTreeMap;
use std::time::Duration;

use reeve_master_core::effect::TookBack;
use reeve_master_core::event::{Call, Kind};
use reeve_telemetry::{Counter, Metrics, Timer};

use self::traffic::Frameworks;

/// The messages that are counted.
const MESSAGES: [&str; 24] = [
    "authenticate",
    "deactivate_framework",
    "decline_offers",
    "executor_to_framework",
    "exited_executor",
    "framework_to_executor",
    "kill_task",
    "launch_tasks",
    "operation_status_update",
    "operation_status_update_acknowledgement",
    "reconcile_operations",
    "reconcile_tasks",
    "register_framework",
    "register_slave",
    "reregister_framework",
    "reregister_slave",
    "resource_request",
    "revive_offers",
    "status_update",
    "status_update_acknowledgement",
    "suppress_offers",
    "unregister_framework",
    "unregister_slave",
    "update_slave",
];

/// Counts since the start.
#[derive(Debug)]
pub struct Counters {
    messages: BTreeMap<&'static str, Counter>,
    dropped: Counter,
    stores: Timer,
    reclaimed_offers: Counter,
    reclaimed_tasks: Counter,
    /// What passed between the master and each framework.
    pub frameworks: Frameworks,
}

impl Counters {
    /// Counts kept in `metrics`, where they begin at 0.
    pub fn new(metrics: &Metrics) -> Self {
        let counter =
            |name: &'static str| (name, metrics.counter(&format!("master/messages_{name}")));
        Counters {
            messages: MESSAGES.into_iter().map(counter).collect(),
            dropped: metrics.counter("master/dropped_messages"),
            stores: metrics.timer("registrar/state_store_ms"),
            reclaimed_offers: metrics.counter("allocator/mesos/reclaimed_offers"),
            reclaimed_tasks: metrics.counter("allocator/mesos/reclaimed_tasks"),
            frameworks: Frameworks::default(),
        }
    }

    /// Counts a fact on its way to the core.
    pub fn arrived(&self, kind: &Kind) {
        if let Some(counter) = message(kind).and_then(|name| self.messages.get(name)) {
            counter.increment();
        }
    }

    /// Counts a message that could not be read.
    pub fn dropped(&self) {
        self.dropped.increment();
    }

    /// Counts what the allocator took from a framework for others.
    pub fn reclaimed(&self, back: &TookBack) {
        back.offers.iter().for_each(|_| self.reclaimed_offers.increment());
        back.tasks.iter().for_each(|_| self.reclaimed_tasks.increment());
    }

    /// Counts a transaction of the registry.
    pub fn stored(&self, took: Duration) {
        self.stores.record(took);
    }
}

fn message(kind: &Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::AgentRegisters(..) => "register_slave",
        Kind::AgentReregisters(..) => "reregister_slave",
        Kind::AgentUnregisters(..) => "unregister_slave",
        Kind::AgentUpdates(..) => "update_slave",
        Kind::StatusUpdated(..) => "status_update",
        Kind::ExecutorMessage(..) => "executor_to_framework",
        Kind::ExecutorExited(..) => "exited_executor",
        Kind::DriverDeactivates(..) => "deactivate_framework",
        Kind::Subscribes(_, subscription) if subscription.info.id.is_some() => {
            "reregister_framework"
        }
        Kind::Subscribes(..) => "register_framework",
        Kind::Calls(_, _, call) => return call_message(call),
        _ => return None,
    })
}

fn call_message(call: &Call) -> Option<&'static str> {
    Some(match call {
        Call::Teardown => "unregister_framework",
        Call::Accept { .. } => "launch_tasks",
        Call::Decline { .. } => "decline_offers",
        Call::Revive(_) => "revive_offers",
        Call::Suppress(_) => "suppress_offers",
        Call::Kill { .. } => "kill_task",
        Call::Acknowledge { .. } => "status_update_acknowledgement",
        Call::AcknowledgeOperation { .. } => "operation_status_update_acknowledgement",
        Call::Reconcile(_) => "reconcile_tasks",
        Call::ReconcileOperations(_) => "reconcile_operations",
        Call::Message { .. } => "framework_to_executor",
        Call::Request => "resource_request",
        Call::Shutdown(..)
        | Call::UpdateFramework { .. }
        | Call::Forbidden(_)
        | Call::AnswerInverseOffers { .. } => {
            return None;
        }
    })
}
