//! What users rely on in resources.

mod algebra;
mod operations;
mod text;
mod values;
mod wire;

use std::sync::Arc;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message;
use reeve_wire::v1;

use super::*;
use crate::ids::{Principal, ResourceProviderId, Role};
use crate::labels::{Label, Labels};

/// The text as resources kept for nobody.
pub(super) fn parse(text: &str) -> Resources {
    Resources::parse(text, &Role::any()).unwrap()
}

pub(super) fn amounts() -> impl Strategy<Value = Quantity> {
    (0..5_000_000_i64).prop_map(Quantity::from_thousandths)
}

pub(super) fn ranges() -> impl Strategy<Value = Ranges> {
    vec((0..60_u64, 0..60_u64), 0..5).prop_map(|all| all.into_iter().collect())
}

fn sets() -> impl Strategy<Value = Set> {
    vec("[a-f]{1,2}", 0..4).prop_map(|all| all.iter().map(String::as_str).collect())
}

fn roles() -> impl Strategy<Value = Role> {
    prop_oneof![Just("a"), Just("a/b"), Just("prod")].prop_map(Role::new)
}

fn labels() -> impl Strategy<Value = Labels> {
    let label = ("[a-c]", option::of("[x-z]"))
        .prop_map(|(key, value)| Label { key: key.into(), value: value.map(Arc::from) });
    vec(label, 0..2).prop_map(|all| all.into_iter().collect())
}

fn dynamic(role: Role) -> impl Strategy<Value = Reservation> {
    (option::of("[p-r]"), labels()).prop_map(move |(principal, labels)| Reservation::Dynamic {
        role: role.clone(),
        principal: principal.map(Principal::new),
        labels,
    })
}

/// Stacks of up to `deepest` levels.
fn reservations(deepest: usize) -> impl Strategy<Value = Reservations> {
    let outer = prop_oneof![
        roles().prop_map(|role| Reservation::Static { role }),
        roles().prop_flat_map(dynamic),
    ];
    (option::of((outer, dynamic(Role::new("x")))), 0..=deepest).prop_map(|(levels, deep)| {
        match levels {
            None => Reservations::default(),
            Some(_) if deep == 0 => Reservations::default(),
            Some((outer, _)) if deep == 1 => Reservations::new(&[outer]),
            Some((outer, Reservation::Dynamic { principal, labels, .. })) => {
                let role = Role::new(format!("{}/inner", outer.role()));
                Reservations::new(&[outer, Reservation::Dynamic { role, principal, labels }])
            }
            Some((outer, _)) => Reservations::new(&[outer]),
        }
    })
}

fn disks() -> impl Strategy<Value = Disk> {
    let kind = prop_oneof![
        Just(DiskKind::Path),
        Just(DiskKind::Mount),
        Just(DiskKind::Block),
        Just(DiskKind::Raw)
    ];
    let source = (kind, option::of("[/][a-c]"), option::of("[v-w]"), labels()).prop_map(
        |(kind, root, id, metadata)| DiskSource {
            kind,
            root: matches!(kind, DiskKind::Path | DiskKind::Mount)
                .then(|| root.map(Arc::<str>::from)),
            vendor: None,
            id: id.map(Arc::from),
            metadata,
            profile: None,
        },
    );
    let persistence = "[a-c]".prop_map(|id| Persistence { id: id.into(), principal: None });
    (option::of(persistence), option::of(source)).prop_filter_map(
        "plain",
        |(persistence, source)| {
            let volume = v1::Volume {
                mode: v1::volume::Mode::Rw.into(),
                container_path: "data".to_owned(),
                ..v1::Volume::default()
            };
            let volume = persistence.is_some().then(|| Bytes::from(volume.encode_to_vec()));
            (persistence.is_some() || source.is_some()).then_some(Disk {
                persistence,
                volume,
                source,
            })
        },
    )
}

/// Any resource at all, reserved at most `deepest` times.
pub(super) fn resource(deepest: usize) -> impl Strategy<Value = Resource> {
    let value = prop_oneof![
        (prop_oneof![Just("cpus"), Just("mem"), Just("gpus"), Just("love")], amounts())
            .prop_map(|(name, amount)| (name, Value::Scalar(amount), None)),
        (amounts(), option::of(disks())).prop_map(|(amount, disk)| (
            "disk",
            Value::Scalar(amount),
            disk.map(Arc::new)
        )),
        ranges().prop_map(|ranges| ("ports", Value::Ranges(ranges), None)),
        sets().prop_map(|set| ("tags", Value::Set(set), None)),
    ];
    let marks = (option::of(roles()), option::of("[r-s]"), any::<(bool, bool)>());
    (value, reservations(deepest), marks).prop_map(
        |((name, value, disk), reservations, (allocation, provider, (revocable, shared)))| {
            let shared = shared && disk.as_ref().is_some_and(|disk| disk.persistence.is_some());
            Resource {
                reservations,
                allocation,
                disk,
                provider: provider.map(ResourceProviderId::new),
                revocable,
                shared,
                ..Resource::new(name, value)
            }
        },
    )
}

/// Any collection, of up to eight resources reserved at most `deepest` times.
pub(super) fn collections(deepest: usize) -> impl Strategy<Value = Resources> {
    vec(resource(deepest), 0..8).prop_map(|all| all.into_iter().collect())
}
