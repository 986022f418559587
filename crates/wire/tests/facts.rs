//! Holds our descriptors against facts: every public message and enum of Mesos's protocols with
//! numbers, labels, types, names and defaults, in the order of declaration.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use reeve_wire::desc::{Default, Desc, EnumDesc, Field, Kind, Label, enums, messages};
use reeve_wire::v0;

const FACTS: &[&str] = &[
    include_str!("facts/internal-messages.tsv"),
    include_str!("facts/registry.tsv"),
    include_str!("facts/v0.tsv"),
    include_str!("facts/v1-agent.tsv"),
    include_str!("facts/v1-allocator.tsv"),
    include_str!("facts/v1-executor.tsv"),
    include_str!("facts/v1-maintenance.tsv"),
    include_str!("facts/v1-master.tsv"),
    include_str!("facts/v1-mesos.tsv"),
    include_str!("facts/v1-quota.tsv"),
    include_str!("facts/v1-resource_provider.tsv"),
    include_str!("facts/v1-scheduler.tsv"),
];

/// By `message` or `enum` and full name: the lines of the fields or values.
type Book = BTreeMap<String, Vec<String>>;

fn facts() -> Book {
    let mut book = Book::new();
    for file in FACTS {
        let (mut package, mut current) = ("", String::new());
        for line in file.lines().filter(|line| !line.is_empty()) {
            match line.split_once(' ').expect("every line has a space") {
                ("file", rest) => {
                    let package_part = rest.split('\t').nth(1).expect("a package");
                    package = package_part.strip_prefix("package ").expect("a package");
                }
                ("message" | "enum", name) => {
                    let kind = line.split(' ').next().expect("a kind");
                    current = format!("{kind} {package}.{name}");
                    assert_eq!(book.insert(current.clone(), Vec::new()), None, "{current} twice");
                }
                _ => {
                    let line = line.trim_start();
                    // Which enum values are deprecated changes nothing on the wire.
                    let line = match current.starts_with("enum") {
                        true => line.trim_end_matches("\tdeprecated"),
                        false => line,
                    };
                    book.get_mut(&current).expect("a message first").push(line.to_owned());
                }
            }
        }
    }
    book
}

fn ours() -> Book {
    let message = |desc: &&Desc| {
        let fields = desc.fields.iter().map(|field| field_line(desc, field)).collect();
        (format!("message {}", desc.name), fields)
    };
    let of_enum = |desc: &&EnumDesc| {
        let values = desc.values.iter();
        let values = values.map(|value| format!("{}\t{}", value.number, value.name)).collect();
        (format!("enum {}", desc.name), values)
    };
    let all = messages().iter().map(message).chain(enums().iter().map(of_enum));
    // Our own messages are no facts about Mesos.
    all.filter(|(name, _)| !name.contains(" reeve.")).collect()
}

fn field_line(desc: &Desc, field: &Field) -> String {
    let kind = kind_name(desc, field.kind);
    let (label, kind) = match field.label {
        Label::Optional => ("optional", kind),
        Label::Required => ("required", kind),
        Label::Repeated => ("repeated", kind),
        Label::Map => ("map", format!("map<string,{kind}>")),
    };
    let mut line = format!("{}\t{label}\t{kind}\t{}", field.number, field.name);
    if let Some(default) = field.default {
        line += &format!("\tdefault={}", default_text(field, default));
    }
    if let Some(oneof) = field.oneof {
        line += &format!("\toneof={oneof}");
    }
    if field.deprecated {
        line += "\tdeprecated";
    }
    line
}

/// The name of a type as the facts about a message of this package have it.
fn kind_name(desc: &Desc, kind: Kind) -> String {
    let named = |name: &str| match desc.name.starts_with("mesos.v1.") {
        true => name.to_owned(),
        false => v0::type_name(name),
    };
    match kind {
        Kind::Enum(inner) => named(inner.name),
        Kind::Message(inner) => named(inner.name),
        Kind::Duration => "google.protobuf.Duration".into(),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn default_text(field: &Field, default: Default) -> String {
    match (default, field.kind) {
        (Default::Bool(value), _) => value.to_string(),
        (Default::Int(value), _) => value.to_string(),
        (Default::Double(value), _) => value.to_string(),
        (Default::Text(value), _) => value.to_owned(),
        (Default::Enum(number), Kind::Enum(inner)) => {
            inner.by_number(number).expect("a default has a name").name.to_owned()
        }
        (Default::Enum(_), kind) => panic!("{} has the default of an enum: {kind:?}", field.name),
    }
}

#[test]
fn every_fact_is_in_our_descriptors_and_nothing_else() {
    let (facts, ours) = (facts(), ours());
    assert!(facts.len() > 450, "only {} facts were read", facts.len());
    let mut wrong = Vec::new();
    for name in facts.keys().chain(ours.keys().filter(|name| !facts.contains_key(*name))) {
        if facts.get(name) != ours.get(name) {
            wrong.push(format!(
                "{name}\n  fact {:?}\n  ours {:?}",
                facts.get(name),
                ours.get(name)
            ));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn numbers_lead_back_to_their_fields() {
    for desc in messages() {
        for (place, field) in desc.fields.iter().enumerate() {
            assert_eq!(desc.place(field.number), Some(place), "{}.{}", desc.name, field.name);
        }
        assert_eq!(desc.place(0), None);
        assert_eq!(desc.place(u32::MAX), None);
    }
}
