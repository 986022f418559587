use reeve_model::Role;

use super::*;

fn json(value: impl Serialize) -> String {
    serde_json::to_string(&value).expect("JSON")
}

fn resources(text: &str) -> Resources {
    Resources::parse(text, &Role::any()).expect("resources")
}

#[test]
fn every_kind_has_its_key_and_the_first_four_are_always_there() {
    let all = resources("cpus:2;cpus(prod):0.5;mem:128;ports:[31000-32000];disks:{a,b}");
    assert_eq!(
        json(ResourcesView(&all)),
        r#"{"cpus":2.5,"gpus":0.0,"mem":128.0,"disk":0.0,"disks":"{a, b}","ports":"[31000-32000]"}"#
    );
    let none = json(ResourcesView(&Resources::new()));
    assert_eq!(none, r#"{"cpus":0.0,"gpus":0.0,"mem":0.0,"disk":0.0}"#);
}

#[test]
fn reservations_have_a_key_per_role() {
    let all = resources("cpus:2;cpus(prod):0.5");
    let reserved = json(Reserved(&all));
    assert_eq!(reserved, r#"{"prod":{"cpus":0.5,"gpus":0.0,"mem":0.0,"disk":0.0}}"#);
}

#[test]
fn full_resources_say_their_role_both_ways() {
    let all = full(&resources("cpus(prod):0.5"));
    assert_eq!(all[0]["role"], "prod");
    assert_eq!(all[0]["reservations"][0]["role"], "prod");
    assert_eq!(all[0]["scalar"]["value"], 0.5);
}

#[test]
fn attributes_are_numbers_and_texts() {
    let all = Attributes::parse("rack:r7;level:3").expect("attributes");
    assert_eq!(json(AttributesView(&all)), r#"{"level":3.0,"rack":"r7"}"#);
}
