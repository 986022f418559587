use reeve_module_sdk::std_types::RVec;

use super::*;

type Lists<'a> = &'a [(&'a str, &'a [&'a str])];

fn read(lists: Lists<'_>) -> Result<Settings, String> {
    let list = |texts: &[&str]| {
        let texts: RVec<_> = texts.iter().map(|&text| text.into()).collect();
        reeve_module_api::v2::ParameterValue::List(texts)
    };
    let one = |(name, texts): &(&str, &[&str])| reeve_module_api::v2::Parameter {
        name: (*name).into(),
        value: list(texts),
    };
    Settings::read(&Parameters::new(lists.iter().map(one))).map_err(|failed| failed.0)
}

#[test]
fn without_parameters_there_are_three_classes_and_nothing_else() {
    assert_eq!(read(&[]).unwrap(), Settings::new(&["high", "normal", "low"]));
}

#[test]
fn shares_are_percentages_or_fractions() {
    let settings = read(&[("reserve", &["high=12.5%", "normal = 0.1"])]).unwrap();
    assert_eq!(settings.reserves, [125, 100, 0]);
}

#[test]
fn what_makes_no_sense_is_refused_with_what_would() {
    let says = |lists: Lists<'_>, what: &str| {
        let error = read(lists).unwrap_err();
        assert!(error.contains(what), "{error}");
    };
    says(&[("classes", &["a", "a"])], "'a' is empty or there twice");
    says(&[("roles", &["eng"])], "'eng' is not such as 'eng=high'");
    says(&[("roles", &["eng=top"])], "no class 'top'; there are high, normal, low");
    says(&[("reserve", &["high=much"])], "'high=much' is not a share from 0% to 100%");
    says(&[("reserve", &["high=NaN"])], "is not a share");
    says(&[("reserve", &["high=60%", "low=60%"])], "more than 100%");
}

#[test]
fn a_number_counts_from_the_lowest_class_up() {
    let settings = Settings::new(&["high", "normal", "low"]);
    let classes = ["0", "1", "2", "99", "-5", "high", "urgent"];
    let classes = classes.map(|value| settings.class_of_label(value));
    assert_eq!(classes, [Some(2), Some(1), Some(0), Some(0), Some(2), Some(0), None]);
}

#[test]
fn a_role_has_the_class_of_the_nearest_role_above_it() {
    let settings = read(&[("roles", &["eng=normal", "eng/web=high"])]).unwrap();
    let class = |role| settings.class_of_role(role);
    assert_eq!(class("eng/web/shop"), Some(0));
    assert_eq!(class("eng/batch"), Some(1));
    assert_eq!(class("engine"), None);
}
