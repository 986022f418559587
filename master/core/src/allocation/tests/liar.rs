//! A module that lies: it passes on what `drf` grants and mixes in what is not lawful.

use std::time::Duration;

use reeve_module_sdk::allocator::{
    AgentIx, Allocator, Amounts, Change, FrameworkIx, Grant, KindIx, Reclaim, RoleIx, Room, Share,
};

use super::Drf;

#[derive(Debug, Default)]
pub(super) struct Liar {
    honest: Drf,
    calls: u32,
}

impl Allocator for Liar {
    fn apply(&mut self, changes: &[Change]) {
        self.honest.apply(changes);
    }

    fn allocate(&mut self, now: Duration, room: &mut Room) -> bool {
        let more = self.honest.allocate(now, room);
        self.calls += 1;
        let mut lies = Vec::new();
        for grant in &room.grants {
            let mut lie = grant.clone();
            match (self.calls + lies.len() as u32) % 7 {
                0 => lie.framework = FrameworkIx(999),
                1 => lie.agent = AgentIx(lie.agent.0 + 1),
                2 => lie.role = RoleIx(lie.role.0 ^ 1),
                3 => lie.share = Share::UpTo(Amounts::new([(KindIx(0), i64::MAX)])),
                4 => lie.framework = FrameworkIx(lie.framework.0 ^ 1),
                5 => lie.share = Share::UpTo(Amounts::new([(KindIx(0), -1000)])),
                _ => lie.share = Share::All,
            }
            lies.push(lie);
        }
        let (framework, role, agent) =
            (FrameworkIx(self.calls % 3), RoleIx(self.calls % 5), AgentIx(self.calls % 4));
        lies.push(Grant { framework, role, agent, share: Share::All });
        // Lies come first and last, so that honest grants meet their consequences.
        if self.calls.is_multiple_of(2) {
            lies.extend(std::mem::take(&mut room.grants));
            room.grants = lies.into();
        } else {
            room.grants.extend(lies);
        }
        let amount = [1000, 1, i64::MAX, -5, 0][self.calls as usize % 5];
        for framework in [framework, FrameworkIx(framework.0 ^ 1), framework] {
            room.reclaims.push(Reclaim {
                framework,
                role,
                agent,
                amounts: Amounts::new([(KindIx((self.calls % 3) as u16), amount)]),
                grace: u64::MAX,
                reason: "because".into(),
            });
        }
        room.wake_after = 1;
        more
    }

    fn explain(&self, framework: FrameworkIx, role: RoleIx) -> Vec<String> {
        self.honest.explain(framework, role)
    }
}
