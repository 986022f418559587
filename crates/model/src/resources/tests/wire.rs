//! Resources on the wire.

use super::*;

proptest! {
    #[test]
    fn the_new_format_brings_all_back(all in collections(2)) {
        let wire = all.to_wire(Format::PostRefinement).unwrap();
        prop_assert_eq!(Resources::try_from(&wire).unwrap(), all);
    }

    #[test]
    fn the_old_format_brings_back_what_is_not_refined(all in collections(1)) {
        let wire = all.to_wire(Format::PreRefinement).unwrap();
        prop_assert!(wire.iter().all(|one| one.reservations.is_empty()));
        prop_assert_eq!(Resources::try_from(&wire).unwrap(), all);
    }

    #[test]
    fn order_on_the_wire_does_not_matter(all in collections(2), seed in any::<prop::sample::Index>()) {
        let mut wire = all.to_wire(Format::PostRefinement).unwrap();
        if !wire.is_empty() {
            let at = seed.index(wire.len());
            wire.rotate_left(at);
        }
        prop_assert_eq!(Resources::try_from(&wire).unwrap(), all);
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in vec(any::<u8>(), 0..64)) {
        if let Ok(wire) = v1::Resource::decode(bytes.as_slice()) {
            let _ = Resource::try_from(&wire);
        }
    }

    #[test]
    fn no_number_is_too_strange(value in any::<f64>()) {
        let wire = scalar("cpus", value);
        if let Ok(read) = Resources::try_from(&vec![wire]) {
            let again = read.to_wire(Format::PreRefinement).unwrap();
            prop_assert_eq!(Resources::try_from(&again).unwrap(), read);
        }
    }
}

fn scalar(name: &str, value: f64) -> v1::Resource {
    v1::Resource {
        name: name.to_owned(),
        r#type: v1::value::Type::Scalar.into(),
        scalar: Some(v1::value::Scalar { value }),
        ..v1::Resource::default()
    }
}

fn level(role: &str, kind: v1::resource::reservation_info::Type) -> v1::resource::ReservationInfo {
    v1::resource::ReservationInfo {
        role: Some(role.to_owned()),
        r#type: Some(kind.into()),
        ..v1::resource::ReservationInfo::default()
    }
}

#[test]
#[allow(deprecated)]
fn the_old_format_says_the_role() {
    let wire = parse("cpus:1;mem(prod):2").to_wire(Format::PreRefinement).unwrap();
    assert_eq!(wire[0].role.as_deref(), Some("*"));
    assert_eq!(wire[1].role.as_deref(), Some("prod"));
    assert_eq!(wire[1].reservation, None);
    let wire = parse("mem(prod):2").to_wire(Format::PostRefinement).unwrap();
    assert_eq!(wire[0].role, None);
    assert_eq!(wire[0].reservations.len(), 1);
}

#[test]
fn the_old_format_cannot_say_a_refined_reservation() {
    let stack = Reservations::new(&[
        Reservation::Static { role: Role::new("a") },
        Reservation::dynamic(Role::new("a/b"), None),
    ]);
    let cpus = Resource::scalar("cpus", Quantity::from_units(1));
    let refined = Resources::from(Resource { reservations: stack, ..cpus });
    assert!(refined.to_wire(Format::PreRefinement).is_err());
    assert!(refined.to_wire(Format::PostRefinement).is_ok());
}

#[test]
#[allow(deprecated)]
fn broken_resources_are_refused_by_name() {
    use v1::resource::reservation_info::Type;
    let refused = |wire: v1::Resource| Resource::try_from(&wire).unwrap_err().to_string();
    assert_eq!(refused(scalar("cpus", -1.0)), "'resources.cpus.scalar' must not be negative");
    assert_eq!(refused(scalar("cpus", f64::NAN)), "'resources.cpus.scalar' must be a number");
    assert_eq!(refused(scalar("", 1.0)), "'resources.name' must not be empty");
    let empty = v1::Resource { scalar: None, ..scalar("cpus", 1.0) };
    assert_eq!(refused(empty), "'resources.cpus.scalar' must be set for a resource of this type");
    let stack = |levels: Vec<_>| v1::Resource { reservations: levels, ..scalar("cpus", 1.0) };
    let apart = stack(vec![level("a", Type::Dynamic), level("b/c", Type::Dynamic)]);
    assert!(refused(apart).contains("'b/c' is not below 'a'"));
    assert!(refused(stack(vec![level("*", Type::Dynamic)])).contains("must not be '*'"));
    assert!(refused(stack(vec![level("a b", Type::Dynamic)])).contains("whitespace"));
    let late = stack(vec![level("a", Type::Dynamic), level("a/b", Type::Static)]);
    assert!(refused(late).contains("outermost level only"));
    let both = v1::Resource {
        reservation: Some(level("a", Type::Dynamic)),
        ..stack(vec![level("a", Type::Dynamic)])
    };
    assert!(refused(both).contains("together with 'reservations'"));
    let nobody = v1::Resource {
        role: Some("*".to_owned()),
        reservation: Some(level("a", Type::Dynamic)),
        ..scalar("cpus", 1.0)
    };
    assert!(refused(nobody).contains("must not be '*' for a dynamic reservation"));
}
