//! Offers of the size of a share (`offer = "share"`).

use std::time::Duration;

use proptest::prelude::*;
use reeve_allocation_engine::rehearsal::{Rehearsal, Script};
use reeve_allocator_drf::{Drf, Offer, Options};
use reeve_module_sdk::allocator::{
    Allocator, Amounts, Change, FrameworkIx, Free, KindIx, RoleIx, Room, Share,
};

fn drf() -> Drf {
    Drf::new(Options::offering(Offer::Share))
}

fn cpus(units: i64) -> Amounts {
    Amounts::new([(KindIx(0), units * 1000)])
}

/// The offers of one round over agents of so many CPUs, for frameworks in these roles.
fn offers(
    agents: &[i64],
    roles: &[(&str, Option<u32>, i64)],
    frameworks: &[u32],
) -> Vec<(u32, i64)> {
    let (mut drf, mut room) = (drf(), Room { budget: 100, ..Room::default() });
    let name = "cpus".into();
    let mut changes = vec![Change::Kind { kind: KindIx(0), name, excluded: false }];
    for (role, &(name, parent, weight)) in (0u32..).zip(roles) {
        let (role, parent) = (RoleIx(role), parent.map(RoleIx).into());
        changes.push(Change::Role { role, name: name.into(), parent, weight });
    }
    for (framework, &role) in (0u32..).zip(frameworks) {
        let (id, labels) = (format!("F{framework}").into(), Default::default());
        let (framework, role) = (FrameworkIx(framework), RoleIx(role));
        changes.push(Change::Framework { framework, id, has: 0, labels });
        let minimum = Default::default();
        changes.push(Change::Demand { framework, role, wanted: true, minimum });
    }
    for (agent, &units) in (0u32..).zip(agents) {
        let (agent, id, total) =
            (reeve_module_sdk::allocator::AgentIx(agent), format!("S{agent}").into(), cpus(units));
        let free = Free { unreserved: total.clone(), ..Free::default() };
        changes.push(Change::Agent { agent, id, total, reserved: Default::default(), needs: 0 });
        changes.push(Change::Free { agent, free });
    }
    drf.apply(&changes);
    assert!(!drf.allocate(Duration::ZERO, &mut room));
    let grants = room.grants.iter();
    grants
        .map(|grant| match &grant.share {
            Share::UpTo(most) => (grant.framework.0, most.get(KindIx(0))),
            Share::All => (grant.framework.0, -1),
        })
        .collect()
}

#[test]
fn an_agent_is_divided_by_weight_among_roles_and_evenly_in_a_role() {
    let roles = [("a", None, 1000), ("b", None, 3000)];
    assert_eq!(offers(&[8], &roles, &[0, 1]), [(0, 2000), (1, 6000)]);
    assert_eq!(offers(&[8], &roles, &[0, 1, 1]), [(0, 2000), (1, 3000), (2, 3000)]);
}

#[test]
fn a_role_and_the_roles_below_it_have_its_share_together() {
    let roles = [("a", None, 1000), ("a/b", Some(0), 1000), ("c", None, 1000)];
    let mut all = offers(&[8], &roles, &[0, 1, 2]);
    all.sort_unstable();
    assert_eq!(all, [(0, 2000), (1, 2000), (2, 4000)]);
}

#[test]
fn as_long_as_agents_are_smaller_than_shares_they_stay_whole() {
    let roles = [("a", None, 1000)];
    let all = offers(&[4, 4, 4, 4], &roles, &[0, 0]);
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|&(_, amount)| amount == 4000), "{all:?}");
    assert_eq!(offers(&[8], &roles, &[0]), [(0, -1)], "alone it has all");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever the sizes of tasks: at rest, nothing is left that a task fits into.
    #[test]
    fn shares_leave_nothing_that_is_of_use(
        tasks in proptest::collection::vec((1i64..4, 1i64..4), 2..5),
        agents in proptest::collection::vec((4i64..20, 4i64..20), 1..4),
    ) {
        let mut cluster = Rehearsal::new(drf(), &["cpus", "mem"]);
        let agents: Vec<_> = agents.iter().map(|&(a, b)| cluster.agent(&[a, b])).collect();
        for (&(a, b), role) in tasks.iter().zip(["a", "b", "c", "d"]) {
            let script = Script { role, task: vec![a, b], most: 1000, ..Script::default() };
            cluster.framework(script);
        }
        cluster.pass(Duration::from_secs(60));
        for (a, b) in tasks {
            let task = Amounts::new([(KindIx(0), a * 1000), (KindIx(1), b * 1000)]);
            for &agent in &agents {
                prop_assert!(!cluster.free(agent).contains(&task), "a task fits on {agent:?}");
            }
        }
    }

    /// Who needs the same has the same, to a task.
    #[test]
    fn equals_end_as_equals(
        agents in proptest::collection::vec(1i64..20, 1..5), frameworks in 2usize..6,
    ) {
        let mut cluster = Rehearsal::new(drf(), &["cpus"]);
        for &units in &agents {
            cluster.agent(&[units]);
        }
        let script = Script { role: "*", task: vec![1], most: 1000, ..Script::default() };
        let all: Vec<_> = (0..frameworks).map(|_| cluster.framework(script.clone())).collect();
        cluster.pass(Duration::from_secs(60));
        let tasks: Vec<_> = all.into_iter().map(|framework| cluster.tasks(framework)).collect();
        prop_assert_eq!(tasks.iter().sum::<usize>() as i64, agents.iter().sum::<i64>());
        let most = tasks.iter().max().copied().unwrap_or(0);
        prop_assert!(tasks.iter().all(|&one| one + 1 >= most), "{:?}", tasks);
    }
}
