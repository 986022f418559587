//! The differences between the two generations of the protocol, as one table.
//!
//! v0 (packages `mesos`, `mesos.scheduler`, `mesos.internal`) and v1 (`mesos.v1`, …) are the same
//! bytes but for [`LAYOUT`]; names differ as in [`TYPES`], [`FIELDS`] and [`VALUES`] (facts: row
//! 12.1 item 8; Mesos's public protocol files). Names matter only in JSON and in libprocess message
//! names. What an endpoint does with them does not live here.

use crate::v1;

/// The calls of drivers, package `mesos.scheduler`: v1's calls with another layout of SUBSCRIBE.
pub use crate::generated::mesos::scheduler;

/// Types whose name differs beyond the package: v1, v0. Types inside them follow.
pub const TYPES: &[(&str, &str)] =
    &[("mesos.v1.AgentID", "mesos.SlaveID"), ("mesos.v1.AgentInfo", "mesos.SlaveInfo")];

/// Fields whose name differs: the message in v1, the field in v1, the field in v0.
pub const FIELDS: &[(&str, &str, &str)] = &[
    ("mesos.v1.InverseOffer", "agent_id", "slave_id"),
    ("mesos.v1.Offer", "agent_id", "slave_id"),
    ("mesos.v1.Operation", "agent_id", "slave_id"),
    ("mesos.v1.OperationStatus", "agent_id", "slave_id"),
    ("mesos.v1.Request", "agent_id", "slave_id"),
    ("mesos.v1.Task", "agent_id", "slave_id"),
    ("mesos.v1.TaskInfo", "agent_id", "slave_id"),
    ("mesos.v1.TaskStatus", "agent_id", "slave_id"),
    ("mesos.v1.agent.Response.GetAgent", "agent_info", "slave_info"),
    ("mesos.v1.executor.Event.Subscribed", "agent_info", "slave_info"),
    ("mesos.v1.master.Call.CreateVolumes", "agent_id", "slave_id"),
    ("mesos.v1.master.Call.DeactivateAgent", "agent_id", "slave_id"),
    ("mesos.v1.master.Call.DestroyVolumes", "agent_id", "slave_id"),
    ("mesos.v1.master.Call.DrainAgent", "agent_id", "slave_id"),
    ("mesos.v1.master.Call.GrowVolume", "agent_id", "slave_id"),
    ("mesos.v1.master.Call.MarkAgentGone", "agent_id", "slave_id"),
    ("mesos.v1.master.Call.ReactivateAgent", "agent_id", "slave_id"),
    ("mesos.v1.master.Call.ReserveResources", "agent_id", "slave_id"),
    ("mesos.v1.master.Call.ShrinkVolume", "agent_id", "slave_id"),
    ("mesos.v1.master.Call.UnreserveResources", "agent_id", "slave_id"),
    ("mesos.v1.master.Response.GetExecutors.Executor", "agent_id", "slave_id"),
    ("mesos.v1.scheduler.Call.Acknowledge", "agent_id", "slave_id"),
    ("mesos.v1.scheduler.Call.AcknowledgeOperationStatus", "agent_id", "slave_id"),
    ("mesos.v1.scheduler.Call.Kill", "agent_id", "slave_id"),
    ("mesos.v1.scheduler.Call.Message", "agent_id", "slave_id"),
    ("mesos.v1.scheduler.Call.Reconcile.Task", "agent_id", "slave_id"),
    ("mesos.v1.scheduler.Call.ReconcileOperations.Operation", "agent_id", "slave_id"),
    ("mesos.v1.scheduler.Call.Shutdown", "agent_id", "slave_id"),
    ("mesos.v1.scheduler.Event.Failure", "agent_id", "slave_id"),
    ("mesos.v1.scheduler.Event.Message", "agent_id", "slave_id"),
];

/// Values of enums whose name differs: the enum in v1, the value in v1, the value in v0.
pub const VALUES: &[(&str, &str, &str)] = &[
    ("mesos.v1.TaskStatus.Source", "SOURCE_AGENT", "SOURCE_SLAVE"),
    ("mesos.v1.TaskStatus.Reason", "REASON_AGENT_DISCONNECTED", "REASON_SLAVE_DISCONNECTED"),
    ("mesos.v1.TaskStatus.Reason", "REASON_AGENT_DRAINING", "REASON_SLAVE_DRAINING"),
    ("mesos.v1.TaskStatus.Reason", "REASON_AGENT_REMOVED", "REASON_SLAVE_REMOVED"),
    (
        "mesos.v1.TaskStatus.Reason",
        "REASON_AGENT_REMOVED_BY_OPERATOR",
        "REASON_SLAVE_REMOVED_BY_OPERATOR",
    ),
    ("mesos.v1.TaskStatus.Reason", "REASON_AGENT_REREGISTERED", "REASON_SLAVE_REREGISTERED"),
    ("mesos.v1.TaskStatus.Reason", "REASON_AGENT_RESTARTED", "REASON_SLAVE_RESTARTED"),
    ("mesos.v1.TaskStatus.Reason", "REASON_AGENT_UNKNOWN", "REASON_SLAVE_UNKNOWN"),
];

/// Where the bytes differ: the message in v1, its layout in v0, its layout in v1.
pub const LAYOUT: &[(&str, &str, &str)] = &[
    (
        "mesos.v1.scheduler.Call.Subscribe",
        "force = 2, suppressed_roles = 3, offer_constraints = 4",
        "suppressed_roles = 2, offer_constraints = 3",
    ),
    ("mesos.v1.AgentInfo", "checkpoint = 7", "no field 7"),
    (
        "mesos.v1.master.Call.DrainAgent",
        "max_grace_period = 2 as mesos.DurationInfo",
        "max_grace_period = 2 as google.protobuf.Duration",
    ),
];

/// The v0 name of a field: `field("mesos.v1.Offer", "agent_id")` is `slave_id`.
pub fn field(message: &str, field: &'static str) -> &'static str {
    if !field.starts_with("agent_") {
        return field;
    }
    let mut renames = FIELDS.iter();
    let rename = renames.find(|(of, v1, _)| *of == message && *v1 == field);
    rename.map_or(field, |(_, _, v0)| v0)
}

/// The v0 name of an enum's value: `SOURCE_AGENT` of `mesos.v1.TaskStatus.Source` is `SOURCE_SLAVE`.
pub fn value(of: &str, value: &'static str) -> &'static str {
    let rename = VALUES.iter().find(|(this, v1, _)| *v1 == value && *this == of);
    rename.map_or(value, |(_, _, v0)| v0)
}

/// The v0 name of a message or enum: `mesos.v1.AgentInfo.Capability` is `mesos.SlaveInfo.Capability`.
pub fn type_name(v1: &str) -> String {
    for (new, old) in TYPES {
        match v1.strip_prefix(new) {
            Some(rest) if rest.is_empty() || rest.starts_with('.') => {
                return format!("{old}{rest}");
            }
            _ => {}
        }
    }
    match v1.strip_prefix("mesos.v1.") {
        Some(rest) => format!("mesos.{rest}"),
        None => v1.to_owned(),
    }
}

/// The name of a task's state, source or reason in v0 words; `None` for a number without a name.
pub fn enum_name(of: &'static crate::desc::EnumDesc, number: i32) -> Option<&'static str> {
    of.by_number(number).map(|known| value(of.name, known.name))
}

impl From<scheduler::Call> for (v1::scheduler::Call, bool) {
    /// The v1 call, and whether a subscription is forced: drivers set `force` when they register
    /// for the first time after a failover.
    fn from(call: scheduler::Call) -> Self {
        let force = call.subscribe.as_ref().and_then(|subscribe| subscribe.force);
        let subscribe = call.subscribe.map(|subscribe| v1::scheduler::call::Subscribe {
            framework_info: subscribe.framework_info,
            suppressed_roles: subscribe.suppressed_roles,
            offer_constraints: subscribe.offer_constraints,
        });
        let call = v1::scheduler::Call {
            framework_id: call.framework_id,
            r#type: call.r#type,
            subscribe,
            accept: call.accept,
            decline: call.decline,
            accept_inverse_offers: call.accept_inverse_offers,
            decline_inverse_offers: call.decline_inverse_offers,
            revive: call.revive,
            kill: call.kill,
            shutdown: call.shutdown,
            acknowledge: call.acknowledge,
            acknowledge_operation_status: call.acknowledge_operation_status,
            reconcile: call.reconcile,
            reconcile_operations: call.reconcile_operations,
            message: call.message,
            request: call.request,
            suppress: call.suppress,
            update_framework: call.update_framework,
        };
        (call, force.unwrap_or(false))
    }
}

#[cfg(test)]
mod tests;
