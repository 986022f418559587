//! The example of the paper on dominant resource fairness: 9 CPUs and 18 GB; the tasks of one
//! framework need 1 CPU and 4 GB, those of the other 3 CPUs and 1 GB.

use std::time::Duration;

use reeve_allocation_engine::rehearsal::{Rehearsal, Script};
use reeve_allocator_drf::{Drf, Offer, Options};

#[test]
fn the_frameworks_end_at_three_and_two_tasks() {
    for offer in [Offer::Agent, Offer::Share] {
        let drf = Drf::new(Options::offering(offer));
        let mut cluster = Rehearsal::new(drf, &["cpus", "mem"]);
        cluster.agent(&[9, 18]);
        let script = |role, task| Script { role, task, most: 100, ..Script::default() };
        let first = cluster.framework(script("a", vec![1, 4]));
        let second = cluster.framework(script("b", vec![3, 1]));
        cluster.pass(Duration::from_secs(60));
        assert_eq!((cluster.tasks(first), cluster.tasks(second)), (3, 2), "{offer:?}");
    }
}
