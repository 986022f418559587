//! What an operator relies on: who goes first, what is kept free, who rises, who gives way.

use std::time::Duration;

use reeve_allocation_engine::rehearsal::{Rehearsal, Script};
use reeve_allocator_priority::{Preemption, Priority, Settings};
use reeve_module_sdk::allocator::FrameworkIx;

const SECOND: Duration = Duration::from_secs(1);

fn settings() -> Settings {
    Settings::new(&["high", "normal", "low"])
}

fn cluster(settings: Settings) -> Rehearsal<Priority> {
    Rehearsal::new(Priority::new(settings), &["cpus", "mem"])
}

fn preempting() -> Settings {
    let rules = Preemption { patience: 10 * SECOND, grace: 5 * SECOND };
    Settings { preemption: Some(rules), ..settings() }
}

/// A framework of a class by its label, with tasks of some size.
fn framework(
    cluster: &mut Rehearsal<Priority>,
    class: &'static str,
    task: [i64; 2],
    most: usize,
) -> FrameworkIx {
    let labels = vec![("priority", class)];
    cluster.framework(Script { role: "*", task: task.into(), most, labels, says_minimum: false })
}

/// The paper's two frameworks in two classes: the tasks that they end with.
fn paper(first: &'static str, second: &'static str) -> (usize, usize) {
    let mut cluster = cluster(settings());
    cluster.agent(&[9, 18]);
    let first = framework(&mut cluster, first, [1, 4], 100);
    let second = framework(&mut cluster, second, [3, 1], 100);
    cluster.pass(60 * SECOND);
    (cluster.tasks(first), cluster.tasks(second))
}

#[test]
fn the_high_class_has_all_it_can_use_and_the_low_one_the_rest() {
    assert_eq!(paper("high", "low"), (4, 1));
    assert_eq!(paper("low", "high"), (0, 3));
    // Inside a class it is as under drf; a number counts from the lowest class up.
    assert_eq!(paper("normal", "1"), (3, 2));
}

#[test]
fn a_label_lowers_the_class_of_a_role_and_never_raises_it() {
    let roles = vec![("eng".to_owned(), 1), ("eng/batch".to_owned(), 2)];
    let mut cluster = cluster(Settings { roles, ..settings() });
    cluster.role("eng", 1000);
    cluster.agent(&[4, 4]);
    let mut add = |role, label: &'static str| {
        let labels = vec![("priority", label)];
        cluster.framework(Script { role, task: vec![1, 1], most: 4, labels, ..Script::default() })
    };
    let (boaster, child) = (add("eng/batch", "high"), add("eng/web", "nonsense"));
    let modest = add("eng", "low");
    cluster.pass(SECOND);
    let tasks = [boaster, child, modest].map(|framework| cluster.tasks(framework));
    assert_eq!(tasks, [0, 4, 0]);
}

#[test]
fn a_reserve_is_left_alone_by_lower_classes_and_found_by_its_own() {
    let mut cluster = cluster(Settings { reserves: vec![250, 0, 0], ..settings() });
    for _ in 0..4 {
        cluster.agent(&[10, 10]);
    }
    let low = framework(&mut cluster, "low", [1, 1], 100);
    cluster.pass(SECOND);
    assert_eq!(cluster.tasks(low), 30);
    let sentences = cluster.explain(low).join("\n");
    assert!(sentences.contains("is kept for class high"), "{sentences}");
    let high = framework(&mut cluster, "high", [1, 1], 5);
    cluster.pass(10 * SECOND);
    // What the class uses of its reserve is not kept free a second time.
    assert_eq!((cluster.tasks(high), cluster.tasks(low)), (5, 30));
    cluster.want(high, 100);
    cluster.finish(low, 4);
    cluster.pass(10 * SECOND);
    assert_eq!((cluster.tasks(high), cluster.tasks(low)), (14, 26));
}

#[test]
fn who_waits_rises_and_is_back_in_its_class_once_it_has_something() {
    let mut cluster = cluster(Settings { ageing: 60 * SECOND, ..settings() });
    cluster.agent(&[1, 1]);
    let high = framework(&mut cluster, "high", [1, 1], 100);
    let low = framework(&mut cluster, "low", [1, 1], 100);
    cluster.pass(SECOND);
    let churn = |cluster: &mut Rehearsal<Priority>, seconds: u32| {
        (0..seconds)
            .filter(|_| {
                cluster.finish(high, 1);
                cluster.pass(SECOND);
                let served = cluster.tasks(low) == 1;
                cluster.finish(low, 1);
                cluster.pass(SECOND / 1000);
                served
            })
            .count()
    };
    assert_eq!(churn(&mut cluster, 110), 0, "it rises to normal and is still behind high");
    assert!(cluster.explain(low).join("\n").contains("stands in class normal"));
    // It is in class high after two minutes, and has its turn: once, for then it is low again.
    assert_eq!(churn(&mut cluster, 20), 1);
    assert_eq!(churn(&mut cluster, 90), 0);
}

#[test]
fn lower_classes_give_way_the_lowest_first_and_no_more_than_is_needed() {
    let mut cluster = cluster(preempting());
    cluster.agent(&[4, 4]);
    let normal = framework(&mut cluster, "normal", [1, 1], 2);
    let low = framework(&mut cluster, "low", [1, 1], 2);
    cluster.pass(SECOND);
    let high = framework(&mut cluster, "high", [1, 1], 1);
    cluster.pass(9 * SECOND);
    assert!(cluster.reclaims.is_empty(), "patience comes first");
    assert!(cluster.explain(high).join("\n").contains("has waited"));
    cluster.pass(2 * SECOND);
    assert_eq!(cluster.reclaims.len(), 1);
    let reclaim = cluster.reclaims[0].clone();
    assert_eq!(reclaim.framework, low);
    assert!(reclaim.reason.contains("class low gives way to class high"), "{}", reclaim.reason);
    assert_eq!((cluster.tasks(high), cluster.tasks(low)), (0, 2), "grace");
    cluster.pass(5 * SECOND);
    let tasks = [high, normal, low].map(|framework| cluster.tasks(framework));
    assert_eq!(tasks, [1, 2, 1]);
    cluster.pass(600 * SECOND);
    assert_eq!(cluster.reclaims.len(), 1, "once for one need");
}

#[test]
fn preemption_goes_on_until_the_high_class_has_what_it_wants() {
    let mut cluster = cluster(preempting());
    cluster.agent(&[9, 18]);
    let low = framework(&mut cluster, "low", [3, 1], 100);
    cluster.pass(SECOND);
    assert_eq!(cluster.tasks(low), 3);
    let high = framework(&mut cluster, "high", [1, 4], 100);
    cluster.pass(3600 * SECOND);
    assert_eq!((cluster.tasks(high), cluster.tasks(low)), (4, 1));
    // A fifth task would need 2 GB that nobody below it holds.
    assert_eq!(cluster.reclaims.len(), 2);
}

#[test]
fn what_comes_back_in_parts_is_kept_until_it_is_whole() {
    let mut cluster = cluster(preempting());
    cluster.agent(&[9, 18]);
    let low = framework(&mut cluster, "low", [1, 1], 100);
    cluster.pass(SECOND);
    assert_eq!(cluster.tasks(low), 9);
    let labels = vec![("priority", "high")];
    let (task, most) = (vec![3, 1], 100);
    let says_minimum = true;
    let high = cluster.framework(Script { role: "*", task, most, labels, says_minimum });
    cluster.pass(12 * SECOND);
    assert_eq!(cluster.reclaims.len(), 1);
    // One ends sooner than the others: low would take its place at once.
    cluster.finish(low, 1);
    cluster.pass(SECOND);
    assert_eq!(cluster.tasks(low), 8);
    cluster.pass(3600 * SECOND);
    assert_eq!((cluster.tasks(high), cluster.tasks(low)), (3, 0));
}

#[test]
fn nothing_is_taken_for_who_does_not_use_it() {
    let mut cluster = cluster(preempting());
    cluster.agent(&[4, 4]);
    let low = framework(&mut cluster, "low", [1, 1], 100);
    cluster.pass(SECOND);
    // It wants offers for ever and takes none.
    framework(&mut cluster, "high", [9, 9], 1);
    cluster.pass(3600 * SECOND);
    let first_hour = cluster.reclaims.len();
    assert!(first_hour <= 8, "{first_hour} tasks ended for nothing");
    assert_eq!(cluster.tasks(low), 4);
}

#[test]
fn equals_never_take_from_each_other() {
    let mut cluster = cluster(Settings { ageing: 60 * SECOND, ..preempting() });
    cluster.agent(&[4, 4]);
    let one = framework(&mut cluster, "low", [1, 1], 100);
    cluster.pass(SECOND);
    let other = framework(&mut cluster, "low", [1, 1], 100);
    cluster.pass(3600 * SECOND);
    assert_eq!((cluster.tasks(one), cluster.tasks(other)), (4, 0));
    assert!(cluster.reclaims.is_empty());
}
