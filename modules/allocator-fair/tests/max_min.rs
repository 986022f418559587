//! Max-min fairness as a law: nobody has more than somebody who could still use what the other has
//! too much of. Frameworks have tasks of one CPU, or of any size where tasks are counted.

use std::time::Duration;

use proptest::prelude::*;
use reeve_allocation_engine::rehearsal::{Rehearsal, Script};
use reeve_allocator_fair::Fair;

const ROLES: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Clone, Debug)]
struct Cluster {
    agents: Vec<i64>,
    /// Weight in thousandths, demand in tasks, and memory of each task, by role.
    roles: Vec<(i64, usize, i64)>,
    /// How many tasks of each role end in between, and for how many more the role then asks.
    churn: Vec<(usize, usize)>,
}

fn cluster() -> impl Strategy<Value = Cluster> {
    let role =
        (1i64..5, 0usize..40, 1i64..4).prop_map(|(weight, most, mem)| (weight * 500, most, mem));
    let agents = proptest::collection::vec(1i64..12, 1..6);
    let churn = proptest::collection::vec((0usize..10, 0usize..10), ROLES.len());
    (agents, proptest::collection::vec(role, ROLES.len()), churn)
        .prop_map(|(agents, roles, churn)| Cluster { agents, roles, churn })
}

/// Tasks and demand of each role, in the end.
fn play(fair: Fair, scene: &Cluster, churned: bool) -> Vec<(usize, usize)> {
    let mut cluster = Rehearsal::new(fair, &["cpus", "mem"]);
    let mut frameworks = Vec::new();
    for (role, &(weight, most, mem)) in ROLES.into_iter().zip(&scene.roles) {
        cluster.role(role, weight);
        let task = vec![1, mem];
        frameworks.push(cluster.framework(Script { role, task, most, ..Script::default() }));
    }
    for &cpus in &scene.agents {
        cluster.agent(&[cpus, cpus * 100]);
    }
    cluster.pass(Duration::from_secs(60));
    let mut demands: Vec<usize> = scene.roles.iter().map(|&(_, most, _)| most).collect();
    if churned {
        for ((&framework, &(end, more)), demand) in
            frameworks.iter().zip(&scene.churn).zip(&mut demands)
        {
            *demand += more;
            cluster.want(framework, *demand);
            cluster.finish(framework, end);
        }
        cluster.pass(Duration::from_secs(60));
    }
    frameworks.iter().map(|&framework| cluster.tasks(framework)).zip(demands).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// From an empty cluster: a role that could use another task has at least as much for its
    /// weight as any other had before its last task. With several agents, offers of all of them
    /// are out at once, and each may turn out differently: the last task on each is left out.
    #[test]
    fn nobody_has_more_while_somebody_lacks(scene in cluster(), by_tasks: bool) {
        let fair = Fair::new(if by_tasks { "tasks" } else { "cpus" });
        let end = play(fair, &scene, false);
        for (role, &(tasks, demand)) in end.iter().enumerate() {
            for (other, &(more, _)) in end.iter().enumerate().filter(|_| tasks < demand) {
                let (mine, theirs) = (scene.roles[role].0 as u128, scene.roles[other].0 as u128);
                prop_assert!(
                    (more as u128).saturating_sub(scene.agents.len() as u128) * mine <= tasks as u128 * theirs,
                    "{role} has {tasks} of {demand}, {other} has {more}: {scene:?}"
                );
            }
        }
    }

    /// At any time: nothing that somebody could use is left lying.
    #[test]
    fn nothing_is_left_while_somebody_lacks(scene in cluster(), by_tasks: bool) {
        let fair = Fair::new(if by_tasks { "tasks" } else { "cpus" });
        let end = play(fair, &scene, true);
        let used: usize = end.iter().map(|(tasks, _)| tasks).sum();
        let wanted: usize = end.iter().map(|(_, demand)| demand).sum();
        let all = scene.agents.iter().sum::<i64>() as usize;
        prop_assert_eq!(used, wanted.min(all));
    }
}
