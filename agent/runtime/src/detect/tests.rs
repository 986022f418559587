use super::*;

#[test]
fn something_is_kept_for_the_system() {
    assert_eq!(offered_memory(16_384), 15_360);
    assert_eq!(offered_memory(2_048), 1_024);
    assert_eq!(offered_memory(512), 256);
    assert_eq!(offered_disk(102_400), 97_280);
    assert_eq!(offered_disk(8_192), 4_096);
}

#[test]
fn this_host_has_something_to_give() {
    let detected = detect(Path::new("/"));
    assert!(detected.cpus >= 1 && detected.mem_mb > 0 && detected.disk_mb > 0);
    assert_eq!(detected.ports, (31_000, 32_000));
}
