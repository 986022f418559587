//! What operations do to resources.

use super::*;

fn reserved(text: &str, role: &str) -> Resources {
    let level = Reservation::dynamic(Role::new(role), Some(Principal::new("ops")));
    let all = parse(text);
    all.iter()
        .map(|one| Resource { reservations: one.reservations.push(level.clone()), ..one.clone() })
        .collect()
}

fn volume(text: &str, role: &str) -> Resources {
    let disk = Disk {
        persistence: Some(Persistence { id: "data".into(), principal: None }),
        ..Disk::default()
    };
    let disk = Arc::new(disk);
    let all = reserved(text, role);
    all.iter().map(|one| Resource { disk: Some(disk.clone()), ..one.clone() }).collect()
}

#[test]
fn reserving_pushes_a_level_and_unreserving_pops_it() {
    let before = parse("cpus:4;mem(eng):8");
    let wanted = reserved("cpus:1;mem(eng):2", "eng/web");
    let after = before.apply(&Conversion::reserve(&Resources::new(), &wanted).unwrap()).unwrap();
    assert_eq!(after, parse("cpus:3;mem(eng):6") + &wanted);
    assert_eq!(after.apply(&Conversion::unreserve(&wanted).unwrap()).unwrap(), before);
}

#[test]
fn a_reservation_can_change_hands() {
    let (from, to) = (reserved("cpus:1", "dev"), reserved("cpus:1", "prod"));
    let conversion = Conversion::reserve(&from, &to).unwrap();
    assert_eq!(from.apply(&conversion).unwrap(), to);
}

#[test]
fn volumes_are_made_of_reserved_disk() {
    let before = reserved("disk:10", "eng");
    let made = volume("disk:4", "eng");
    let after = before.apply(&Conversion::create(&made).unwrap()).unwrap();
    assert_eq!(after, reserved("disk:6", "eng") + &made);
    assert_eq!(after.apply(&Conversion::destroy(&made).unwrap()).unwrap(), before);
}

#[test]
fn what_was_checkpointed_takes_the_place_of_what_it_was_made_of() {
    let flags = parse("cpus:4;mem(eng):8;disk:10");
    let kept = reserved("mem(eng):2", "eng/web") + &volume("disk:4", "eng");
    assert_eq!(flags.with_checkpointed(&kept), parse("cpus:4;mem(eng):6;disk:6") + &kept);
    assert_eq!(flags.with_checkpointed(&Resources::new()), flags);
}

#[test]
fn what_is_not_there_cannot_be_converted() {
    let conversion = Conversion::reserve(&Resources::new(), &reserved("cpus:2", "eng")).unwrap();
    let error = parse("cpus:1").apply(&conversion).unwrap_err();
    assert_eq!(error.to_string(), "cpus:1 does not contain cpus:2");
}

#[test]
fn operations_refuse_what_they_do_not_fit() {
    let refused = |result: Result<Conversion, ConversionError>| result.unwrap_err().to_string();
    assert_eq!(
        refused(Conversion::unreserve(&parse("cpus(eng):1"))),
        "resource 'cpus(eng):1' has no dynamic reservation"
    );
    assert!(refused(Conversion::unreserve(&volume("disk:1", "eng"))).contains("destroy it first"));
    assert!(
        refused(Conversion::create(&reserved("disk:1", "eng"))).contains("no persistent volume")
    );
    let revocable: Resources = reserved("cpus:1", "eng")
        .iter()
        .map(|one| Resource { revocable: true, ..one.clone() })
        .collect();
    assert!(refused(Conversion::reserve(&Resources::new(), &revocable)).contains("revocable"));
}

proptest! {
    #[test]
    fn reserving_keeps_all_quantities(all in collections(2)) {
        let plain = all.filter(|one| !one.revocable && !one.is_persistent());
        let role = |one: &Resource| match one.reservation_role() {
            Some(role) => Role::new(format!("{role}/new")),
            None => Role::new("new"),
        };
        let wanted: Resources = plain
            .iter()
            .map(|one| {
                let level = Reservation::dynamic(role(one), None);
                Resource { reservations: one.reservations.push(level), ..one.clone() }
            })
            .collect();
        let conversion = Conversion::reserve(&Resources::new(), &wanted).unwrap();
        let after = all.apply(&conversion).unwrap();
        prop_assert_eq!(after.quantities(), all.quantities());
        let back = after.apply(&Conversion::unreserve(&wanted).unwrap()).unwrap();
        prop_assert_eq!(back, all);
    }
}
