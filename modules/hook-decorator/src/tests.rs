use reeve_module_api::v2::{Parameter, ParameterValue};

use super::*;

fn decorator(labels: &[&str], environment: &[&str]) -> Result<Decorator, Failed> {
    let list = |name: &str, texts: &[&str]| {
        let texts = texts.iter().map(|text| (*text).into()).collect();
        Parameter { name: name.into(), value: ParameterValue::List(texts) }
    };
    Decorator::create(&Parameters::new([list("labels", labels), list("environment", environment)]))
}

fn labels(all: &[(&str, Option<&str>)]) -> Vec<u8> {
    let one = |(key, value): &(&str, Option<&str>)| WireLabel {
        key: (*key).to_owned(),
        value: value.map(str::to_owned),
    };
    TaskInfo { labels: Some(Labels { labels: all.iter().map(one).collect() }) }.encode_to_vec()
}

#[test]
fn a_task_keeps_its_labels_but_for_those_of_our_keys() {
    let decorator = decorator(&["site=Frankfurt", "rack=r7=b"], &[]).unwrap();
    let task = labels(&[("mine", None), ("site", Some("Oslo"))]);
    let all = decorator.labels(Place::Master, &task, &[]).unwrap().unwrap();
    let all: Vec<(&str, &str)> =
        all.iter().map(|label| (label.key.as_str(), label.value.as_str())).collect();
    assert_eq!(all, [("mine", ""), ("site", "Frankfurt"), ("rack", "r7=b")]);
    assert!(decorator.labels(Place::Agent, &[0xff; 9], &[]).is_err());
}

#[test]
fn without_labels_tasks_are_left_alone() {
    let decorator = decorator(&[], &["SITE=Frankfurt"]).unwrap();
    assert_eq!(decorator.labels(Place::Agent, &labels(&[("a", None)]), &[]).unwrap(), None);
    let variables = decorator.environment(&[]).unwrap();
    assert_eq!((variables[0].name.as_str(), variables[0].value.as_str()), ("SITE", "Frankfurt"));
}

#[test]
fn what_is_no_pair_is_refused() {
    let refused = decorator(&["site"], &[]).unwrap_err().to_string();
    assert_eq!(refused, "parameter 'labels' has 'site', which is not NAME=VALUE");
    assert!(decorator(&[], &["=x"]).is_err());
}
