//! An allocator that errs on purpose, after it has been asked a few times.

use std::collections::BTreeSet;
use std::time::Duration;

use reeve_module_sdk::allocator::{
    AgentIx, Allocator, Change, FrameworkIx, Grant, RoleIx, Room, Share,
};
use reeve_module_sdk::{Failed, Module, Parameters};

struct Bad {
    how: String,
    after: i64,
    asked: i64,
    agents: BTreeSet<AgentIx>,
    wants: BTreeSet<(FrameworkIx, RoleIx)>,
}

impl Module for Bad {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        let how = parameters.text("how").unwrap_or_default().to_owned();
        if how == "refuse" {
            return Err(Failed::new("it does not like this host"));
        }
        let after = parameters.integer("after").unwrap_or_default();
        Ok(Self { how, after, asked: 0, agents: BTreeSet::new(), wants: BTreeSet::new() })
    }
}

impl Bad {
    /// Everything to everybody, and to some who are not there.
    fn lie(&self, room: &mut Room) {
        for agent in self.agents.iter().copied().chain([AgentIx(4_000_000)]) {
            for &(framework, role) in &self.wants {
                let grant = Grant { framework, role, agent, share: Share::All };
                room.grants.extend([grant.clone(), grant]);
            }
            let (framework, role) = (FrameworkIx(4_000_000), RoleIx(4_000_000));
            room.grants.push(Grant { framework, role, agent, share: Share::All });
        }
    }
}

impl Allocator for Bad {
    fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Agent { agent, .. } => drop(self.agents.insert(*agent)),
                Change::Demand { framework, role, wanted: true, .. } => {
                    self.wants.insert((*framework, *role));
                }
                Change::Demand { framework, role, .. } => {
                    self.wants.remove(&(*framework, *role));
                }
                _ => {}
            }
        }
    }

    fn allocate(&mut self, _now: Duration, room: &mut Room) -> bool {
        self.asked += 1;
        self.lie(room);
        if self.asked <= self.after {
            return false;
        }
        match self.how.as_str() {
            "panic" => panic!("asked {} times, and that is too much", self.asked),
            "hang" => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            "crash" => std::process::abort(),
            _ => false,
        }
    }

    fn explain(&self, _: FrameworkIx, _: RoleIx) -> Vec<String> {
        Vec::new()
    }
}

reeve_module_sdk::module! {
    allocator: Bad,
    name: "bad",
    author: "Somebody <somebody@example.com>",
    description: "Errs on purpose",
    parameters: [
        ("how", "lie|panic|hang|crash|refuse", "lie", "What it does wrong."),
        ("after", "integer", "1", "After how many calls."),
    ],
}
