use std::path::PathBuf;

use reeve_config::{Module, Parameter as Told};

use super::*;
use crate::Kind;

fn manifest() -> Manifest {
    let text = "reeve-module=1\0generation=1\0kind=isolator\0name=demo\0version=1\0author=a\0\
        description=d\0parameter=offer\0type=agent|share\0default=agent\0meaning=m\0\
        parameter=wait\0type=duration\0default=5secs\0meaning=m\0\
        parameter=room\0type=size\0meaning=m\0parameter=share\0type=number\0meaning=m\0\
        parameter=count\0type=integer\0meaning=m\0parameter=on\0type=switch\0meaning=m\0\
        parameter=names\0type=list\0meaning=m\0";
    let manifest = Manifest::parse(text.as_bytes()).unwrap();
    assert_eq!((manifest.kind, manifest.parameters.len()), (Kind::Isolator, 7));
    manifest
}

fn origin() -> Origin {
    Origin::File(PathBuf::from("/etc/reeve/agent.toml"), 7, 1)
}

fn told(parameters: &[(&str, Given)]) -> Module {
    let told = |(name, given): &(&str, Given)| {
        ((*name).to_owned(), Told { given: given.clone(), origin: origin() })
    };
    Module { parameters: parameters.iter().map(told).collect(), ..Module::named(origin()) }
}

fn one(text: &str) -> Given {
    Given::One(text.to_owned())
}

#[test]
fn what_is_not_set_has_its_default_or_is_not_there() {
    let all = settle(&manifest(), None).unwrap();
    let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["offer", "wait"]);
    assert_eq!(all[1].value, ParameterValue::Duration(5_000_000_000));
}

#[test]
fn every_type_is_read() {
    let names = Given::Many(vec!["a".to_owned(), "b,c".to_owned()]);
    let module = told(&[
        ("offer", one("share")),
        ("room", one("2KB")),
        ("share", one("0.5")),
        ("count", one("-3")),
        ("on", one("true")),
        ("names", names),
    ]);
    let all = settle(&manifest(), Some(&module)).unwrap();
    let value = |name: &str| &all.iter().find(|one| one.name == name).unwrap().value;
    assert_eq!(*value("offer"), ParameterValue::Text("share".into()));
    assert_eq!(*value("room"), ParameterValue::Integer(2048));
    assert_eq!(*value("share"), ParameterValue::Number(0.5));
    assert_eq!(*value("count"), ParameterValue::Integer(-3));
    assert_eq!(*value("on"), ParameterValue::Switch(true));
    let list = ParameterValue::List(vec!["a".into(), "b,c".into()].into());
    assert_eq!(*value("names"), list);
}

#[test]
fn a_wrong_name_or_value_is_refused_where_it_stands() {
    let refused = |name: &str, text: &str| {
        settle(&manifest(), Some(&told(&[(name, one(text))]))).unwrap_err().to_string()
    };
    assert_eq!(
        refused("ofer", "agent"),
        "/etc/reeve/agent.toml:7:1: module 'demo' has no parameter 'ofer'; did you mean 'offer'?"
    );
    assert_eq!(
        refused("offer", "all"),
        "/etc/reeve/agent.toml:7:1: parameter 'offer' of module 'demo' takes one of agent, share, \
         not 'all'"
    );
    for (name, text) in [
        ("wait", "soon"),
        ("room", "2"),
        ("share", "inf"),
        ("share", "half"),
        ("count", "1.5"),
        ("on", "yes"),
    ] {
        assert!(refused(name, text).contains(&format!("not '{text}'")), "{name}={text}");
    }
    let list = told(&[("count", Given::Many(vec!["1".to_owned()]))]);
    assert!(settle(&manifest(), Some(&list)).is_err());
}
