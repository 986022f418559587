//! What users rely on in names.

use proptest::prelude::*;
use reeve_wire::v1;

use super::*;

#[test]
fn ids_become_directories_so_some_are_refused() {
    let refused = |text: &str| TaskId::parse(text).unwrap_err().to_string();
    assert_eq!(refused(""), "ID must not be empty");
    assert_eq!(refused(&"x".repeat(256)), "ID must not be greater than 255 characters");
    assert_eq!(refused(".."), "'..' is disallowed");
    for text in ["a/b", "a\\b", "a\nb", "\u{7f}"] {
        assert_eq!(refused(text), format!("'{text}' contains invalid characters"));
    }
    for text in ["...", "a b", "ä", "task.1_2-3@x", &"x".repeat(255)] {
        assert_eq!(TaskId::parse(text).unwrap().as_str(), text);
    }
}

#[test]
fn roles_are_paths_of_names() {
    for role in ["*", "a", "a/b/c", "a.b", "a-b", "...", "ö"] {
        assert!(Role::parse(role).is_ok(), "{role}");
    }
    let broken =
        ["", ".", "..", "-a", "/a", "a/", "a//b", "a/../b", "a/-b", "a/*", "a b", "a\tb", "a\u{8}"];
    for role in broken {
        let error = Role::parse(role).unwrap_err().to_string();
        assert!(error.starts_with(&format!("invalid role '{role}': ")), "{error}");
    }
}

#[test]
fn roles_know_what_is_above_them() {
    let role = Role::new("a/b/c");
    let above: Vec<_> = role.ancestors().collect();
    assert_eq!(above, [Role::new("a/b"), Role::new("a")]);
    assert!(above.iter().all(|one| one.is_ancestor_of(&role)));
    assert!(!role.is_ancestor_of(&role));
    assert!(!Role::new("a/b").is_ancestor_of(&Role::new("a/bc")));
    assert!(!Role::any().is_ancestor_of(&role));
    assert_eq!(Role::new("a").parent(), None);
    assert!(Role::any().is_any() && !role.is_any());
}

#[test]
fn containers_nest() {
    let inner = ContainerId::new("a").child("b").child("c");
    assert_eq!(inner.to_string(), "a.b.c");
    assert_eq!(inner.root(), &ContainerId::new("a"));
    assert_eq!(ContainerId::from(&inner.to_wire()), inner);
}

#[test]
fn endless_nesting_is_cut() {
    let mut wire = v1::ContainerId::default();
    for _ in 0..500 {
        wire = v1::ContainerId { value: "x".to_owned(), parent: Some(Box::new(wire)) };
    }
    assert_eq!(ContainerId::from(&wire).to_string().matches('x').count(), 32);
}

#[test]
fn uuids_have_sixteen_bytes() {
    let text = "123e4567-e89b-12d3-a456-426614174000";
    let uuid: Uuid = text.parse().unwrap();
    assert_eq!(uuid.to_string(), text);
    assert_eq!(Uuid::from_slice(uuid.as_bytes()), Ok(uuid));
    assert_eq!(Uuid::from_slice(&[1; 15]), Err(UuidError::Length(15)));
    assert_eq!(Uuid::from_chance([0xff; 16]).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    for broken in ["", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g"] {
        assert!(broken.parse::<Uuid>().is_err(), "{broken}");
    }
}

#[test]
fn pids_say_who_and_where() {
    let pid: Pid = "slave(1)@10.0.0.1:5051".parse().unwrap();
    assert_eq!((&*pid.id, pid.address.port()), ("slave(1)", 5051));
    assert_eq!(pid.to_string(), "slave(1)@10.0.0.1:5051");
    assert_eq!("a@[::1]:80".parse::<Pid>().unwrap().to_string(), "a@[::1]:80");
    for broken in ["", "master", "master@", "master@host:5050", "master@10.0.0.1"] {
        assert!(broken.parse::<Pid>().is_err(), "{broken}");
    }
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in any::<String>()) {
        let _ = (TaskId::parse(&text), Role::parse(&text), Principal::parse(&text));
        let _ = (text.parse::<Uuid>(), text.parse::<Pid>());
    }

    #[test]
    fn uuids_survive_text(bytes in any::<[u8; 16]>()) {
        prop_assert_eq!(Uuid(bytes).to_string().parse(), Ok(Uuid(bytes)));
    }

    #[test]
    fn an_accepted_id_stays_below_its_directory(text in "[a-z./\\\\\u{0}]{0,4}") {
        if TaskId::parse(&text).is_ok() {
            let path = std::path::Path::new("sandbox").join(&text);
            prop_assert_eq!(path.components().count(), 2);
        }
    }
}
