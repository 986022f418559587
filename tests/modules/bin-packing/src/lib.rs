//! A third party's allocator: it fills the agent that has the least left first, and asks the
//! frameworks in turn.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reeve_module_sdk::allocator::{
    AgentIx, Allocator, Change, FrameworkIx, Free, Grant, RoleIx, Room, Share,
};
use reeve_module_sdk::{Failed, Module, Parameters};

type Client = (FrameworkIx, RoleIx);

#[derive(Default)]
struct BinPacking {
    free: BTreeMap<AgentIx, Free>,
    wants: BTreeSet<Client>,
    blocked: BTreeSet<(Client, AgentIx)>,
    turn: usize,
}

impl Module for BinPacking {
    fn create(_: &Parameters) -> Result<Self, Failed> {
        Ok(Self::default())
    }
}

impl BinPacking {
    fn take_in(&mut self, change: &Change) {
        match change {
            Change::Demand { framework, role, wanted: true, .. } => {
                self.wants.insert((*framework, *role));
            }
            Change::Demand { framework, role, wanted: false, .. } => {
                self.wants.remove(&(*framework, *role));
            }
            Change::FrameworkGone { framework } => {
                self.wants.retain(|client| client.0 != *framework);
                self.blocked.retain(|(client, _)| client.0 != *framework);
            }
            Change::Free { agent, free } => {
                self.free.insert(*agent, free.clone());
            }
            Change::AgentGone { agent } => {
                self.free.remove(agent);
                self.blocked.retain(|(_, on)| on != agent);
            }
            Change::Blocked { framework, role, agent } => {
                self.blocked.insert(((*framework, *role), *agent));
            }
            Change::Unblocked { framework, role, agent } => {
                self.blocked.remove(&((*framework, *role), *agent));
            }
            _ => {}
        }
    }
}

impl Allocator for BinPacking {
    fn apply(&mut self, changes: &[Change]) {
        changes.iter().for_each(|change| self.take_in(change));
    }

    fn allocate(&mut self, _now: Duration, room: &mut Room) -> bool {
        let mut agents: Vec<(i64, AgentIx)> = self
            .free
            .iter()
            .filter(|(_, free)| !free.is_empty())
            .map(|(agent, free)| (free.unreserved.iter().map(|(_, amount)| amount).sum(), *agent))
            .collect();
        agents.sort();
        let clients: Vec<Client> = self.wants.iter().copied().collect();
        for (_, agent) in agents {
            let open = |client: &&Client| !self.blocked.contains(&(**client, agent));
            let mut turns = clients.iter().cycle().skip(self.turn).take(clients.len());
            let Some(&(framework, role)) = turns.find(open) else { continue };
            self.turn = (self.turn + 1) % clients.len();
            self.free.insert(agent, Free::default());
            room.grants.push(Grant { framework, role, agent, share: Share::All });
        }
        false
    }

    fn explain(&self, framework: FrameworkIx, role: RoleIx) -> Vec<String> {
        let wants = self.wants.contains(&(framework, role));
        vec![if wants { "every agent it may have is full" } else { "it wants no offers" }.to_owned()]
    }
}

reeve_module_sdk::module! {
    allocator: BinPacking,
    name: "bin-packing",
    author: "Somebody <somebody@example.com>",
    description: "Fills the agent that has the least left first",
    parameters: [],
}
