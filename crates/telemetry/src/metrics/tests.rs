use std::time::Duration;

use proptest::prelude::*;

use super::*;

#[test]
fn handles_of_one_name_are_one_metric() {
    let metrics = Metrics::new();
    metrics.counter("master/dropped_messages").increment();
    metrics.counter("master/dropped_messages").add(2);
    metrics.gauge("master/elected").set(1.0);
    let snapshot = metrics.snapshot();
    assert_eq!(snapshot["master/dropped_messages"], 3.0);
    assert_eq!(snapshot["master/elected"], 1.0);
    assert_eq!(snapshot.len(), 2);
}

#[test]
fn a_timer_has_mesos_statistics_once_it_has_measured() {
    let metrics = Metrics::new();
    let timer = metrics.timer("registrar/state_store_ms");
    assert!(metrics.snapshot().is_empty());
    for ms in [30, 10, 20] {
        timer.record(Duration::from_millis(ms));
    }
    let snapshot = metrics.snapshot();
    assert_eq!(snapshot["registrar/state_store_ms"], 20.0);
    let of = |suffix: &str| snapshot[&format!("registrar/state_store_ms/{suffix}")];
    assert_eq!((of("count"), of("min"), of("p50"), of("max")), (3.0, 10.0, 20.0, 30.0));
    assert!((of("p90") - 28.0).abs() < 1e-9);
    assert!(of("p95") < of("p99") && of("p999") < of("p9999"));
    assert_eq!(snapshot.len(), 10);
}

#[test]
fn sources_are_asked_when_metrics_are_read() {
    let metrics = Metrics::new();
    let tasks = Arc::new(AtomicU64::new(1));
    let counted = Arc::clone(&tasks);
    metrics.source(move |readings| {
        readings.gauge("master/tasks_running", counted.load(Ordering::Relaxed) as f64);
    });
    assert_eq!(metrics.snapshot()["master/tasks_running"], 1.0);
    tasks.store(5, Ordering::Relaxed);
    assert_eq!(metrics.snapshot()["master/tasks_running"], 5.0);
}

#[test]
fn what_is_gone_is_removed_with_all_below_it_and_nothing_beside() {
    let metrics = Metrics::new();
    for name in ["frameworks/a", "frameworks/a/calls", "frameworks/ab", "frameworks/a-b/calls"] {
        metrics.counter(name);
    }
    metrics.remove("frameworks/a");
    let left: Vec<String> = metrics.snapshot().into_keys().collect();
    assert_eq!(left, ["frameworks/a-b/calls", "frameworks/ab"]);
}

#[test]
fn openmetrics_has_types_and_an_end() {
    let metrics = Metrics::new();
    metrics.counter("master/dropped_messages").add(3);
    metrics.gauge("master/cpus_total").set(2.5);
    metrics.timer("registrar/state_fetch_ms").record(Duration::from_millis(8));
    metrics.source(|readings| readings.gauge("system/load_1min", 0.25));
    let text = metrics.openmetrics();
    let expected = "# TYPE mesos_system_load_1min gauge\n\
                    mesos_system_load_1min 0.25\n\
                    # TYPE mesos_master_cpus gauge\n\
                    mesos_master_cpus 2.5\n\
                    # TYPE mesos_master_dropped_messages counter\n\
                    mesos_master_dropped_messages_total 3\n\
                    # TYPE mesos_registrar_state_fetch_ms summary\n";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("\nmesos_registrar_state_fetch_ms{quantile=\"0.5\"} 8\n"), "{text}");
    assert!(text.contains("\nmesos_registrar_state_fetch_ms_count 1\n"), "{text}");
    assert!(text.ends_with("\n# EOF\n"), "{text}");
}

#[test]
fn names_that_fall_together_are_written_once() {
    let metrics = Metrics::new();
    metrics.counter("a/b");
    metrics.counter("a-b");
    assert_eq!(metrics.openmetrics().matches("# TYPE").count(), 1);
}

proptest! {
    #[test]
    fn percentiles_are_ordered_and_within_what_was_measured(
        durations in prop::collection::vec(0..10_000u64, 1..1500),
    ) {
        let timer = Timer::default();
        for ms in &durations {
            timer.record(Duration::from_millis(*ms));
        }
        let rows = timer.statistics().unwrap().rows();
        let recent = &durations[durations.len().saturating_sub(1000)..];
        prop_assert_eq!(rows[0].1, recent.len() as f64);
        prop_assert_eq!(rows[1].1, recent.iter().copied().max().unwrap() as f64);
        prop_assert_eq!(rows[2].1, recent.iter().copied().min().unwrap() as f64);
        for pair in rows[2..].windows(2) {
            prop_assert!(pair[0].1 <= pair[1].1);
        }
    }
}
