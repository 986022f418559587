//! The example of the paper on dominant resource fairness: 9 CPUs and 18 GB; the tasks of one
//! framework need 1 CPU and 4 GB, those of the other 3 CPUs and 1 GB.

use std::time::Duration;

use reeve_allocation_engine::rehearsal::{Rehearsal, Script};
use reeve_allocator_fair::Fair;

/// The tasks that the two end with in a cluster so many times as large.
fn tasks(resource: &str, times: i64) -> (usize, usize) {
    let mut cluster = Rehearsal::new(Fair::new(resource), &["cpus", "mem"]);
    cluster.agent(&[9 * times, 18 * times]);
    let script = |role, task| Script { role, task, most: 1000, ..Script::default() };
    let first = cluster.framework(script("a", vec![1, 4]));
    let second = cluster.framework(script("b", vec![3, 1]));
    cluster.pass(Duration::from_secs(60));
    (cluster.tasks(first), cluster.tasks(second))
}

#[test]
fn by_tasks_both_have_the_same_number_until_one_fits_nowhere() {
    // Two each, and one more of those that fit into the last CPU.
    assert_eq!(tasks("tasks", 1), (3, 2));
    // 22 each need 88 CPUs; into the last two fit two of the small ones.
    assert_eq!(tasks("tasks", 10), (24, 22));
}

#[test]
fn by_cpus_both_have_the_same_number_until_one_fits_nowhere() {
    // 41 and 42 CPUs leave 2 GB: into them fit two of those that need little memory.
    assert_eq!(tasks("cpus", 10), (41, 16));
}

#[test]
fn by_memory_both_have_the_same_amount_of_memory_until_one_fits_nowhere() {
    // Of 90 CPUs, the small tasks' framework needs 4 GB for each, the other's three for each GB.
    let (small, large) = tasks("mem", 10);
    assert!((4 * small).abs_diff(large) <= 4 || 3 * large + small > 87, "{small} and {large}");
}
