//! Strictness as a law, and that preemption comes to rest.

use std::time::Duration;

use proptest::prelude::*;
use reeve_allocation_engine::rehearsal::{Rehearsal, Script};
use reeve_allocator_priority::{Preemption, Priority, Settings};

const CLASSES: [&str; 3] = ["high", "normal", "low"];
const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
struct Scene {
    agents: Vec<i64>,
    /// Class and demand of each framework, in the order in which they come.
    frameworks: Vec<(usize, usize)>,
}

fn scene() -> impl Strategy<Value = Scene> {
    let agents = proptest::collection::vec(1i64..10, 1..5);
    let frameworks = proptest::collection::vec((0..CLASSES.len(), 0usize..15), 1..8);
    (agents, frameworks).prop_map(|(agents, frameworks)| Scene { agents, frameworks })
}

/// Tasks by class and demand by class. Frameworks come one by one if `late`.
fn play(
    scene: &Scene,
    settings: Settings,
    late: bool,
) -> (Rehearsal<Priority>, [(usize, usize); 3]) {
    let mut cluster = Rehearsal::new(Priority::new(settings), &["cpus"]);
    let mut numbers = Vec::new();
    for &cpus in scene.agents.iter().filter(|_| late) {
        cluster.agent(&[cpus]);
    }
    for &(class, most) in &scene.frameworks {
        let labels = vec![("priority", CLASSES[class])];
        numbers.push(cluster.framework(Script {
            role: "*",
            task: vec![1],
            most,
            labels,
            ..Script::default()
        }));
        if late {
            cluster.pass(SECOND);
        }
    }
    for &cpus in scene.agents.iter().filter(|_| !late) {
        cluster.agent(&[cpus]);
    }
    cluster.pass(Duration::from_secs(3600));
    let mut classes = [(0, 0); 3];
    for (number, &(class, most)) in numbers.into_iter().zip(&scene.frameworks) {
        classes[class].0 += cluster.tasks(number);
        classes[class].1 += most;
    }
    (cluster, classes)
}

/// What each class should have: the highest as much as it wants, the next of what is left.
fn strict(scene: &Scene, classes: [(usize, usize); 3]) -> [usize; 3] {
    let mut left = scene.agents.iter().sum::<i64>() as usize;
    classes.map(|(_, demand)| {
        let gets = demand.min(left);
        left -= gets;
        gets
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_class_has_what_those_above_it_do_not_want(scene in scene()) {
        let (_, classes) = play(&scene, Settings::new(&CLASSES), false);
        prop_assert_eq!(classes.map(|(tasks, _)| tasks), strict(&scene, classes));
    }

    /// With preemption it does not matter who came first; and no task ends in vain: with tasks of
    /// one size, each one that ends makes room for one of a higher class.
    #[test]
    fn preemption_ends_where_strict_order_would_have_begun(scene in scene()) {
        let rules = Preemption { patience: SECOND, grace: SECOND };
        let settings = Settings { preemption: Some(rules), ..Settings::new(&CLASSES) };
        let (cluster, classes) = play(&scene, settings, true);
        prop_assert_eq!(classes.map(|(tasks, _)| tasks), strict(&scene, classes));
        let wanted: usize = scene.frameworks.iter().map(|(_, most)| most).sum();
        // A task of class normal may take the place of a low one and give way to a high one.
        prop_assert!(cluster.reclaims.len() <= 2 * wanted, "{} for {wanted}", cluster.reclaims.len());
    }

    /// Whatever ages, everybody who waits is served in the end as long as anything ends.
    #[test]
    fn with_ageing_nobody_starves(high in 1usize..4, capacity in 1i64..4) {
        let settings = Settings { ageing: 60 * SECOND, ..Settings::new(&CLASSES) };
        let mut cluster = Rehearsal::new(Priority::new(settings), &["cpus"]);
        cluster.agent(&[capacity]);
        let mut add = |class: &'static str| {
            let labels = vec![("priority", class)];
            cluster.framework(Script { role: "*", task: vec![1], most: 100, labels, ..Script::default() })
        };
        let busy: Vec<_> = (0..high).map(|_| add("high")).collect();
        let low = add("low");
        let mut served = false;
        for _ in 0..200 {
            cluster.pass(SECOND);
            served |= cluster.tasks(low) > 0;
            busy.iter().for_each(|&framework| cluster.finish(framework, 1));
        }
        prop_assert!(served);
    }
}
