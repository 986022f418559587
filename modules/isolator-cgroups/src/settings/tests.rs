use reeve_module_sdk::std_types::RString;

use super::*;

use crate::controller::tests::parameters;

fn refused(name: &str, value: &str) -> String {
    Settings::new(&parameters(&[(name, value)])).unwrap_err().to_string()
}

#[test]
fn what_nobody_sets_is_as_in_the_manifest() {
    let settings = Settings::new(&Parameters::default()).unwrap();
    assert_eq!(settings.root, Path::new("reeve"));
    assert_eq!(settings.controllers, [Controller::Cpu, Controller::Memory, Controller::Pids]);
    assert!(!settings.enable_cfs && !settings.limit_swap);
    assert_eq!((settings.cfs_period, settings.pids_max), (100_000, Some(4096)));
    assert_eq!(settings.destroy_timeout, Duration::from_secs(20));
}

#[test]
fn controllers_go_by_the_names_of_either_version() {
    let list = |text| Settings::new(&parameters(&[("controllers", text)])).unwrap().controllers;
    assert_eq!(list("mem,blkio,io"), [Controller::Memory, Controller::Io]);
    assert_eq!(list("cpu,all"), []);
    assert!(refused("controllers", "cpu,gpu").contains("'gpu' is none of cpu, memory"));
}

#[test]
fn a_value_without_sense_is_refused_by_name() {
    for root in ["", "/", ".", "../up", "a/../b"] {
        assert!(refused("root", root).starts_with("parameter 'root': "), "{root:?}");
    }
    for (name, value) in [
        ("pids_max", "-1"),
        ("io_weight", "0"),
        ("io_weight", "1001"),
        ("io_limits", "8:0"),
        ("io_limits", "sda rbps=1"),
        ("io_limits", "8:0 rbps=0"),
        ("io_limits", "8:0 speed=1"),
        ("allowed_devices", "fuse rw"),
        ("allowed_devices", "/dev/fuse rx"),
    ] {
        assert!(refused(name, value).starts_with(&format!("parameter '{name}': ")), "{name}");
    }
    let long = reeve_module_sdk::export::v2::Parameter {
        name: RString::from("cfs_period"),
        value: reeve_module_sdk::export::v2::ParameterValue::Duration(2_000_000_000),
    };
    assert!(Settings::new(&Parameters::new([long])).is_err());
}

#[test]
fn a_setting_of_a_controller_that_is_not_in_use_is_refused() {
    let settings = Settings::new(&parameters(&[("cpuset_cpus", "0-3")])).unwrap();
    let error = settings.check_use(&[Controller::Cpu]).unwrap_err().to_string();
    assert!(error.contains("'cpuset' is not in use"), "{error}");
    settings.check_use(&[Controller::Cpuset]).unwrap();
}
