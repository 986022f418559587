use super::*;

#[test]
fn the_host_has_processors_load_and_memory() {
    let metrics = Metrics::new();
    register(&metrics);
    let snapshot = metrics.snapshot();
    assert!(snapshot["system/cpus_total"] >= 1.0);
    assert!(snapshot["system/load_15min"] >= 0.0);
    assert!(snapshot["system/mem_total_bytes"] >= snapshot["system/mem_free_bytes"]);
}

#[test]
fn what_the_host_does_not_tell_is_left_out() {
    let mut readings = Readings::default();
    load(&mut readings, "");
    load(&mut readings, "x y");
    memory(&mut readings, "MemTotal:\nMemFree: many kB\n");
    assert_eq!(format!("{readings:?}"), "Readings({})");
}
