use reeve_module_api::v2::{Parameter, ParameterValue};

use super::*;

fn read(name: &str, value: ParameterValue) -> Result<Settings, Failed> {
    Settings::read(&Parameters::new([Parameter { name: name.into(), value }]))
}

fn text(name: &str, value: &str) -> Result<Settings, Failed> {
    read(name, ParameterValue::Text(value.into()))
}

#[test]
fn unset_parameters_have_the_manifests_defaults() {
    let settings = Settings::read(&Parameters::default()).unwrap();
    assert_eq!(settings.socket, PathBuf::from("/var/run/docker.sock"));
    assert_eq!(settings.runtime_dir, PathBuf::from("/run/reeve/docker"));
    assert_eq!(settings.sandbox, "/mnt/mesos/sandbox");
    assert!(settings.shim.ends_with("reeve-docker") && settings.shim.is_absolute());
    assert_eq!((settings.cpu, settings.config), (Cpu::Weight, None));
    let minutes = settings.pull_patience.as_secs() / 60;
    assert_eq!((settings.patience.as_secs(), minutes), (10, 20));
}

#[test]
fn parameters_are_taken_and_bad_ones_named() {
    assert_eq!(text("socket", "unix:///s").unwrap().socket, PathBuf::from("/s"));
    assert_eq!(text("socket", "/s").unwrap().socket, PathBuf::from("/s"));
    assert_eq!(text("sandbox_directory", "/box/").unwrap().sandbox, "/box");
    assert_eq!(read("enable_cfs", ParameterValue::Switch(true)).unwrap().cpu, Cpu::Quota);
    let why = |error: Result<Settings, Failed>| error.unwrap_err().to_string();
    assert!(why(text("socket", "tcp://host:2375")).contains("'tcp://host:2375'"));
    assert!(why(text("runtime_dir", "run")).contains("'runtime_dir'"));
    assert!(why(read("timeout", ParameterValue::Duration(0))).contains("'timeout'"));
}
