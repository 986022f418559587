use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    Settings::read(|name| {
        pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

const LEAST: [(&str, &str); 3] = [
    ("MESOS_FRAMEWORK_ID", "f"),
    ("MESOS_EXECUTOR_ID", "e"),
    ("MESOS_AGENT_ENDPOINT", "127.0.0.1:5051"),
];

#[test]
fn the_least_environment_suffices() {
    let settings = read(&LEAST).unwrap();
    assert_eq!(settings.path, "/slave(1)/api/v1/executor");
    assert!(!settings.checkpoint);
    assert_eq!(settings.shutdown_grace, Duration::from_secs(5));
}

#[test]
fn every_variable_counts() {
    let mut pairs = LEAST.to_vec();
    pairs.extend([
        ("MESOS_SLAVE_PID", "slave(3)@127.0.0.1:5051"),
        ("MESOS_CHECKPOINT", "1"),
        ("MESOS_RECOVERY_TIMEOUT", "15mins"),
        ("MESOS_SUBSCRIPTION_BACKOFF_MAX", "2secs"),
        ("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "1.5secs"),
        ("MESOS_EXECUTOR_AUTHENTICATION_TOKEN", "t"),
    ]);
    let settings = read(&pairs).unwrap();
    assert_eq!(settings.path, "/slave(3)/api/v1/executor");
    assert!(settings.checkpoint);
    assert_eq!(settings.recovery_timeout, Duration::from_secs(900));
    assert_eq!(settings.backoff_max, Duration::from_secs(2));
    assert_eq!(settings.shutdown_grace, Duration::from_millis(1500));
    assert_eq!(settings.token.as_deref(), Some("t"));
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    assert_eq!(read(&[]), Err(SettingsError::Missing("MESOS_AGENT_ENDPOINT")));
    let mut pairs = LEAST.to_vec();
    pairs.push(("MESOS_RECOVERY_TIMEOUT", "soon"));
    assert!(read(&pairs).unwrap_err().to_string().contains("MESOS_RECOVERY_TIMEOUT is 'soon'"));
    for text in ["", "5", "secs", "-5secs", "5 parsecs", "infsecs"] {
        assert_eq!(parse_duration(text), None, "{text}");
    }
}
