use super::*;

fn environment(recovery: Option<(Duration, Duration)>) -> BTreeMap<String, String> {
    ExecutorEnvironment {
        framework_id: "f".into(),
        executor_id: "e".into(),
        agent_id: "a-S0".into(),
        agent_pid: "slave(1)@10.0.0.1:5051".into(),
        agent_endpoint: "10.0.0.1:5051".into(),
        sandbox: "/s".into(),
        recovery,
        shutdown_grace: Duration::from_secs(5),
        token: None,
    }
    .variables()
}

#[test]
fn only_checkpointing_executors_are_told_to_wait() {
    let without = environment(None);
    assert_eq!(without["MESOS_CHECKPOINT"], "0");
    assert!(!without.contains_key("MESOS_RECOVERY_TIMEOUT"));
    assert_eq!(without["MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD"], "5secs");

    let with = environment(Some((Duration::from_secs(900), Duration::from_secs(2))));
    assert_eq!(with["MESOS_CHECKPOINT"], "1");
    assert_eq!(with["MESOS_RECOVERY_TIMEOUT"], "15mins");
    assert_eq!(with["MESOS_SUBSCRIPTION_BACKOFF_MAX"], "2secs");
}

#[test]
fn durations_keep_their_value() {
    assert_eq!(duration_text(Duration::from_millis(1500)), "1500ms");
    assert_eq!(duration_text(Duration::from_secs(7 * 86_400)), "1weeks");
    assert_eq!(duration_text(Duration::from_nanos(1_001)), "1001ns");
    assert_eq!(duration_text(Duration::ZERO), "0ns");
}
