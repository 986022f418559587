//! The rules of allocators, in a cluster of three agents, two roles and three frameworks.

use std::collections::BTreeSet;
use std::time::Duration;

use reeve_module_sdk::allocator::{
    AgentIx, Allocator, Amounts, Change, FrameworkIx, Free, Grant, KindIx, RoleIx, Room, Share,
};

use super::Report;
use crate::LoadedAllocator;

const CPUS: KindIx = KindIx(0);
const MEM: KindIx = KindIx(1);
const AGENTS: u32 = 3;
const FRAMEWORKS: u32 = 3;

/// So often at the most a module is asked for what it could say at once.
const ROUNDS: usize = 100;

pub(super) fn check(module: LoadedAllocator, report: &mut Report) {
    let mut host = Scripted { module, blocked: BTreeSet::new(), now: Duration::ZERO };
    host.module.apply(&cluster());
    let first = host.round();
    report.says("proposes something where all is free and wanted", something(&first));
    report.says("proposes only what is lawful", host.lawful(&first));
    report.says("comes to rest when all is given", host.rests());
    host.undo_all(first.len());
    report.says("proposes again what was undone", something(&host.round()));
    host.block(FrameworkIx(0));
    host.free_all();
    let others = host.round();
    report.says("leaves out who is blocked", host.lawful(&others));
    let sentences = host.module.explain(FrameworkIx(0), RoleIx(0));
    let silent = sentences.is_empty() && host.fault().is_ok();
    report.says(
        "says why a framework has no offers",
        if silent { Err("it says nothing".to_owned()) } else { Ok(()) },
    );
    host.module.apply(&departure());
    let late = host.round();
    let none = late.is_empty().then_some(()).ok_or(format!("it proposes {late:?}"));
    report.says("forgets who has gone", none);
    report.says("does not fail", host.fault());
}

struct Scripted {
    module: LoadedAllocator,
    blocked: BTreeSet<FrameworkIx>,
    now: Duration,
}

impl Scripted {
    /// Asks until the module has nothing more to say.
    fn round(&mut self) -> Vec<Grant> {
        let mut all = Vec::new();
        for _ in 0..ROUNDS {
            self.now += Duration::from_millis(10);
            let mut room = Room { budget: 1000, ..Room::default() };
            let more = self.module.allocate(self.now, &mut room);
            all.extend(room.grants);
            if !more {
                break;
            }
        }
        all
    }

    fn rests(&mut self) -> Result<(), String> {
        let more = self.round();
        if more.is_empty() { Ok(()) } else { Err(format!("it goes on with {more:?}")) }
    }

    fn lawful(&self, grants: &[Grant]) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for grant in grants {
            let Grant { framework, role, agent, share } = grant;
            let known =
                framework.0 < FRAMEWORKS && agent.0 < AGENTS && *role == role_of(*framework);
            let fits = match share {
                Share::All => true,
                Share::UpTo(most) => free().unreserved.contains(most),
            };
            if !known || !fits || self.blocked.contains(framework) {
                return Err(format!("{grant:?} is not lawful"));
            }
            if !seen.insert((framework.0, role.0, agent.0)) {
                return Err(format!("{grant:?} comes twice"));
            }
        }
        self.fault()
    }

    fn fault(&self) -> Result<(), String> {
        self.module.fault().map_or(Ok(()), |fault| Err(fault.to_owned()))
    }

    fn undo_all(&mut self, grants: usize) {
        let mut changes: Vec<Change> = (0..grants).map(|grant| Change::Undone { grant }).collect();
        changes
            .extend((0..AGENTS).map(|agent| Change::Free { agent: AgentIx(agent), free: free() }));
        self.module.apply(&changes);
    }

    fn block(&mut self, framework: FrameworkIx) {
        self.blocked.insert(framework);
        let role = role_of(framework);
        let block = |agent| Change::Blocked { framework, role, agent: AgentIx(agent) };
        self.module.apply(&(0..AGENTS).map(block).collect::<Vec<_>>());
    }

    fn free_all(&mut self) {
        let free = |agent| Change::Free { agent: AgentIx(agent), free: free() };
        self.module.apply(&(0..AGENTS).map(free).collect::<Vec<_>>());
    }
}

fn something(grants: &[Grant]) -> Result<(), String> {
    if grants.is_empty() { Err("it proposes nothing".to_owned()) } else { Ok(()) }
}

fn role_of(framework: FrameworkIx) -> RoleIx {
    RoleIx(framework.0 % 2)
}

fn total() -> Amounts {
    Amounts::new([(CPUS, 8_000), (MEM, 16_384_000)])
}

fn free() -> Free {
    Free { unreserved: total(), ..Free::default() }
}

fn cluster() -> Vec<Change> {
    let kind = |kind, name: &str| Change::Kind { kind, name: name.into(), excluded: false };
    let mut changes = vec![kind(CPUS, "cpus"), kind(MEM, "mem")];
    for (number, name) in [(0, "web"), (1, "batch")] {
        let (role, parent) = (RoleIx(number), None.into());
        changes.push(Change::Role { role, name: name.into(), parent, weight: 1000 });
    }
    for number in 0..FRAMEWORKS {
        let (framework, labels) = (FrameworkIx(number), Vec::new().into());
        let id = format!("framework-{number}").into();
        changes.push(Change::Framework { framework, id, has: 0, labels });
        let (role, minimum) = (role_of(framework), Vec::new().into());
        changes.push(Change::Demand { framework, role, wanted: true, minimum });
    }
    for number in 0..AGENTS {
        let (agent, reserved) = (AgentIx(number), Vec::new().into());
        let id = format!("agent-{number}").into();
        changes.push(Change::Agent { agent, id, total: total(), reserved, needs: 0 });
        changes.push(Change::Free { agent, free: free() });
    }
    changes
}

/// All leave: the frameworks want nothing more and go, then the agents.
fn departure() -> Vec<Change> {
    let mut changes = Vec::new();
    for framework in (0..FRAMEWORKS).map(FrameworkIx) {
        let (role, minimum) = (role_of(framework), Vec::new().into());
        changes.push(Change::Demand { framework, role, wanted: false, minimum });
        changes.push(Change::FrameworkGone { framework });
    }
    changes.extend((0..AGENTS).map(|agent| Change::AgentGone { agent: AgentIx(agent) }));
    changes
}
