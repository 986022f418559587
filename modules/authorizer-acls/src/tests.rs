use proptest::prelude::*;
use reeve_module_sdk::Label;

use super::*;

fn acls(text: &str) -> Acls {
    Acls::parse(text).unwrap()
}

/// Whether `principal` may do `action` to what has this fact; an empty text stands for nobody, or
/// for nothing.
fn may(acls: &Acls, principal: &str, action: &str, fact: &str, value: &str) -> bool {
    let facts = [Label { key: fact.into(), value: value.into() }];
    let facts = facts.into_iter().filter(|_| !value.is_empty());
    let object = Object { facts: facts.collect::<Vec<_>>().into() };
    let named = Principal { name: Some(principal.into()).into(), ..Principal::default() };
    let principal = (!principal.is_empty()).then_some(&named);
    Authorizer::permits(acls, principal, action, &[object]).unwrap()[0]
}

#[test]
fn the_first_rule_that_speaks_of_both_decides() {
    let acls = acls(
        r#"{"run_tasks": [
            {"principals": {"values": ["alice"]}, "users": {"values": ["root", "www"]}},
            {"principals": {"values": ["alice", "bob"]}, "users": {"type": "NONE"}},
            {"principals": {"type": "NONE"}, "users": {"values": ["root"]}}
        ]}"#,
    );
    let run = |principal, user| may(&acls, principal, "run_tasks", "user", user);
    assert!(run("alice", "root") && run("alice", "www"));
    assert!(!run("alice", "games"), "no user but those two");
    assert!(!run("bob", "root"));
    assert!(!run("carol", "root"), "nobody else runs as root");
    assert!(run("carol", "games"), "where no rule speaks, permissive does");
}

#[test]
fn without_permission_by_default_only_rules_permit() {
    let acls = acls(
        r#"{"permissive": false, "view_flags": [
            {"principals": {"values": ["ops"]}, "flags": {"type": "ANY"}}
        ]}"#,
    );
    assert!(may(&acls, "ops", "view_flags", "flag", ""));
    assert!(!may(&acls, "alice", "view_flags", "flag", ""));
    assert!(!may(&acls, "ops", "run_tasks", "user", "root"), "an action without rules");
    assert!(!may(&acls, "ops", "acme_dance", "user", "root"), "an action of somebody else's");
}

#[test]
fn nobody_in_particular_is_only_spoken_of_with_all() {
    let acls = acls(
        r#"{"permissive": false, "view_tasks": [
            {"principals": {"values": ["alice"]}, "users": {"type": "ANY"}},
            {"principals": {"type": "ANY"}, "users": {"values": ["www"]}}
        ]}"#,
    );
    assert!(may(&acls, "", "view_tasks", "user", "www"));
    assert!(!may(&acls, "", "view_tasks", "user", "root"));
    assert!(may(&acls, "alice", "view_tasks", "user", ""));
    assert!(!may(&acls, "bob", "view_tasks", "user", ""), "of a thing of which nothing is known");
}

#[test]
fn a_percent_stands_for_the_roles_below() {
    let acls = acls(
        r#"{"permissive": false, "register_frameworks": [
            {"principals": {"type": "ANY"}, "roles": {"values": ["eng/%", "ops"]}}
        ], "view_tasks": [
            {"principals": {"type": "ANY"}, "users": {"values": ["eng/%"]}}
        ]}"#,
    );
    let register = |role| may(&acls, "a", "register_frameworks", "role", role);
    assert!(register("eng/web") && register("eng/web/beta") && register("ops"));
    assert!(!register("eng") && !register("eng/") && !register("engine") && !register("ops/x"));
    assert!(!may(&acls, "a", "view_tasks", "user", "eng/x"), "users are no tree");
}

#[test]
fn several_objects_are_answered_in_their_order() {
    let acls = acls(
        r#"{"view_roles": [{"principals": {"type": "ANY"}, "roles": {"values": ["a"]}},
                           {"principals": {"type": "ANY"}, "roles": {"type": "NONE"}}]}"#,
    );
    let role = |name: &str| Object {
        facts: vec![
            Label { key: "other".into(), value: "a".into() },
            Label { key: "role".into(), value: name.into() },
        ]
        .into(),
    };
    let all = [role("b"), role("a"), Object::default()];
    let answers = Authorizer::permits(&acls, None, "view_roles", &all).unwrap();
    assert_eq!(answers, [false, true, false]);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let complaint = |text: &str| Acls::parse(text).unwrap_err();
    for (text, said) in [
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("[]", "must be an object such as {\"permissive\": false, …}"),
        (r#"{"permissive": 1}"#, "permissive: must be true or false"),
        (
            r#"{"register_framework": []}"#,
            "unknown key 'register_framework'; did you mean 'register_frameworks'?",
        ),
        (r#"{"dance": []}"#, "unknown key 'dance'"),
        (r#"{"run_tasks": {}}"#, "run_tasks: must be a list of rules"),
        (r#"{"run_tasks": [1]}"#, "run_tasks[0]: must be an object"),
        (
            r#"{"run_tasks": [{"principals": {"type": "ANY"}, "roles": {"type": "ANY"}}]}"#,
            "run_tasks[0]: unknown key 'roles'; there are 'principals' and 'users'",
        ),
        (r#"{"run_tasks": [{"users": {"type": "ANY"}}]}"#, "run_tasks[0].principals: is missing"),
        (
            r#"{"run_tasks": [{"principals": {"type": "any"}, "users": {"type": "ANY"}}]}"#,
            "run_tasks[0].principals.type: must be \"ANY\", \"NONE\" or \"SOME\"",
        ),
        (
            r#"{"run_tasks": [{"principals": {"values": [1]}, "users": {"type": "ANY"}}]}"#,
            "run_tasks[0].principals.values: must be a list of texts",
        ),
    ] {
        assert_eq!(complaint(text), said, "{text}");
    }
}

#[test]
fn rules_stand_in_the_settings_or_in_a_file() {
    use reeve_module_sdk::export::v2::{Parameter, ParameterValue};
    let given = |text: &str| {
        let value = ParameterValue::Text(text.into());
        Acls::create(&Parameters::new([Parameter { name: "acls".into(), value }]))
    };
    let text = r#"{"permissive": false}"#;
    let room = tempfile::tempdir().unwrap();
    let path = room.path().join("acls.json");
    let path = path.to_str().unwrap();
    let missing = given(path).unwrap_err().to_string();
    assert!(missing.contains("acls.json: No such file"), "{missing}");
    std::fs::write(path, text).unwrap();
    assert_eq!(given(path), given(text));
    assert_eq!(given(&format!("file://{path}")), given(text));
}

#[test]
fn every_action_is_there_once() {
    let names: std::collections::BTreeSet<_> =
        actions::ACTIONS.iter().map(|action| action.name).collect();
    assert_eq!(names.len(), actions::ACTIONS.len());
}

proptest! {
    #[test]
    fn no_text_breaks_it(text in "[\\[\\]{}\":,a-z_ ]{0,80}") {
        drop(Acls::parse(&text));
    }
}
