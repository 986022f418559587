//! The text grammar.

use super::*;

/// What the text grammar can express.
fn simple() -> impl Strategy<Value = Resources> {
    resource(1)
        .prop_filter_map("more than text can say", |one| {
            let is_static = one.reservations.iter().all(|level| !level.is_dynamic());
            let plain = Resource {
                reservations: one.reservations.clone(),
                ..Resource::new(one.name.clone(), one.value.clone())
            };
            is_static.then_some(plain)
        })
        .prop_map(|one| vec![one])
        .prop_flat_map(|one| vec(Just(one), 1..3))
        .prop_map(|all| all.into_iter().flatten().collect())
}

proptest! {
    #[test]
    fn text_reads_back_what_it_shows(all in simple(), more in simple()) {
        let all = all + more;
        prop_assert_eq!(parse(&all.to_string()), all);
    }

    #[test]
    fn json_reads_back_what_the_wire_shows(all in collections(2)) {
        let wire = all.to_wire(Format::PostRefinement).unwrap();
        let lines: Vec<String> =
            wire.iter().map(reeve_wire::json::to_string).collect();
        prop_assert_eq!(parse(&format!(" [{}]", lines.join(","))), all);
    }

    #[test]
    fn no_text_is_too_strange(text in any::<String>(), other in "[a-c:;()\\[\\]{},|0-9. -]{0,24}") {
        for text in [text, other] {
            if let Ok(all) = Resources::parse(&text, &Role::any()) {
                prop_assert_eq!(parse(&all.to_string()), all);
            }
            let _ = Quantities::parse(&text);
            let _ = MinAllocatable::parse(&text);
            let _ = crate::Attributes::parse(&text);
        }
    }
}

#[test]
fn all_forms_of_values_are_read() {
    let all = parse(" cpus:2.5 ; mem(prod):512;ports:[ 1-5, 7-9,11 ];tags:{b, a};;");
    assert_eq!(all.to_string(), "cpus:2.5; mem(prod):512; ports:[1-5, 7-9, 11-11]; tags:{a, b}");
    assert!(parse("").is_empty());
    assert!(parse("cpus:0").is_empty());
    assert_eq!(parse("cpus:1;cpus:2"), parse("cpus:3"));
}

#[test]
fn what_names_no_role_gets_the_default_role() {
    let all = Resources::parse("cpus:1;mem(*):2;disk(dev):3", &Role::new("prod")).unwrap();
    assert_eq!(all, parse("cpus(prod):1;mem:2;disk(dev):3"));
    let json = r#"[{"name":"cpus","type":"SCALAR","scalar":{"value":1}}]"#;
    assert_eq!(Resources::parse(json, &Role::new("prod")).unwrap(), parse("cpus(prod):1"));
}

#[test]
fn errors_say_where_and_what_was_expected() {
    let error = |text: &str| Resources::parse(text, &Role::any()).unwrap_err().to_string();
    assert_eq!(
        error("cpus:1;mem:12x"),
        "column 12: expected an amount such as 2.5, ranges such as [1-5,7-9] or a set such as \
         {a,b}, found '12x'"
    );
    assert_eq!(
        error("cpus"),
        "column 5: expected ':' and a value after the resource's name, found the end"
    );
    assert_eq!(error("cpus:1:2").split(':').next(), Some("column 6"));
    assert_eq!(error(":1"), "column 1: expected a resource's name, found ':1'");
    assert_eq!(error("cpus(prod:1"), "column 10: expected ')' after the role, found ':1'");
    assert!(error("cpus(a//b):1").starts_with("column 6: expected a role (invalid role 'a//b'"));
    assert_eq!(error("ports:[1-5"), "column 11: expected ',' or ']', found the end");
    assert_eq!(
        error("ports:[5-1]"),
        "column 10: expected a number that is not below 5, found '1]'"
    );
    assert_eq!(error("ports:[a]"), "column 8: expected a whole number such as 31000, found 'a]'");
    assert_eq!(error("ports:[1-2] x"), "column 13: expected ';' or the end, found 'x'");
    assert!(error("cpus:-1").starts_with("column 6: expected an amount"));
    assert!(error("cpus:inf").starts_with("column 6: expected an amount"));
    assert!(error("cpus:1e300").starts_with("column 6: expected an amount"));
    assert_eq!(Resources::parse("cpus:1;mem:12x", &Role::any()).unwrap_err().position(), Some(11));
}

#[test]
fn broken_json_is_refused() {
    for json in ["[", "[{}]", r#"[{"name":"cpus","type":"SCALAR"}]"#, "[1]", "[]]", r#"[],"x":[]"#]
    {
        let read = Resources::parse(json, &Role::any());
        assert!(matches!(read, Err(ParseError::Json(_))), "{json}: {read:?}");
    }
    let json = r#"[{"name":"a","type":"SCALAR","scalar":{"value":1}},{"name":"b"}]"#;
    let error = Resources::parse(json, &Role::any()).unwrap_err().to_string();
    assert!(
        error.starts_with("resource 2 of the JSON array: ") && error.contains("type"),
        "{error}"
    );
}
