//! `master/frameworks/<name>/<id>/…`: the figures of each framework.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use reeve_master_core::view::{FrameworkView, Snapshot};
use reeve_wire::v1::offer::operation::Type;

use crate::counters::traffic::{Frameworks, Traffic};

/// What is escaped in the name of a framework.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b'$')
    .add(b'&')
    .add(b'+')
    .add(b',')
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'=')
    .add(b'?')
    .add(b'@')
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'#')
    .add(b'%')
    .add(b'{')
    .add(b'}')
    .add(b'|')
    .add(b'\\')
    .add(b'^')
    .add(b'~')
    .add(b'[')
    .add(b']')
    .add(b'`');

/// Sets the figures of all frameworks, the completed ones that are remembered included.
pub(super) fn write(set: &mut impl FnMut(&str, f64), snapshot: &Snapshot, frameworks: &Frameworks) {
    for view in snapshot.frameworks.values().chain(&snapshot.completed) {
        let record = &view.record;
        let name = utf8_percent_encode(&record.info.name, RESERVED);
        let prefix = format!("master/frameworks/{name}/{}/", record.id);
        let mut set = |name: &str, value: u64| set(&format!("{prefix}{name}"), value as f64);
        standing(&mut set, view);
        operations(&mut set, view);
        // One that is known from its agents alone has said nothing yet.
        traffic(&mut set, &frameworks.find(&record.id).unwrap_or_default());
    }
}

fn standing(set: &mut impl FnMut(&str, u64), view: &FrameworkView) {
    let record = &view.record;
    set("subscribed", u64::from(record.connected));
    for role in &record.info.roles {
        let suppressed = record.suppressed.contains(role);
        set(&format!("roles/{role}/suppressed"), u64::from(suppressed));
    }
    for (state, count) in view.counts.iter() {
        let kind = if state.is_terminal() { "terminal" } else { "active" };
        set(&format!("tasks/{kind}/{}", state.name().to_lowercase()), count);
    }
    let offers = &view.offer_counts;
    set("offers/sent", offers.sent);
    set("offers/accepted", offers.accepted);
    set("offers/declined", offers.declined);
    set("offers/rescinded", offers.rescinded);
}

fn operations(set: &mut impl FnMut(&str, u64), view: &FrameworkView) {
    set("operations", view.operations.values().sum());
    // 0 is UNKNOWN.
    for kind in (1..=i32::from(Type::DestroyDisk)).filter_map(|number| Type::try_from(number).ok())
    {
        let name = kind.as_str_name();
        let count = view.operations.get(name).copied().unwrap_or_default();
        set(&format!("operations/{}", name.to_lowercase()), count);
    }
}

fn traffic(set: &mut impl FnMut(&str, u64), traffic: &Traffic) {
    set("calls", traffic.calls().map(|(_, count)| count).sum());
    for (name, count) in traffic.calls() {
        set(&format!("calls/{}", name.to_lowercase()), count);
    }
    set("events", traffic.events().map(|(_, count)| count).sum());
    for (name, count) in traffic.events() {
        set(&format!("events/{}", name.to_lowercase()), count);
    }
}
