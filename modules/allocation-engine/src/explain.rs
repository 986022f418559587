//! Why a framework has no offer: sentences from the state, at the asker's expense.

use reeve_module_sdk::allocator::{Amounts, FrameworkIx, RoleIx};

use crate::engine::Engine;
use crate::policy::{Class, Policy};
use crate::tree::Client;

/// How many agents a client cannot have, by reason.
#[derive(Debug, Default)]
struct Count {
    free: usize,
    blocked: usize,
    unfit: usize,
    small: usize,
}

impl<P: Policy> Engine<P> {
    pub(crate) fn reasons(&self, framework: FrameworkIx, role: RoleIx) -> Vec<String> {
        let Some(slot) = self.client(framework, role) else {
            return vec!["the allocator does not know the framework in this role".to_owned()];
        };
        let client = &self.tree.clients[slot as usize];
        if !client.wanted {
            return vec!["the framework wants no offers for this role".to_owned()];
        }
        let mut reasons = self.quota_reasons(role);
        reasons.extend(self.class_reasons(client));
        let count = self.count(slot, client);
        let of = |n: usize| format!("{n} of {} with something free", agents(count.free));
        if count.free == 0 {
            reasons.push("no agent has anything free".to_owned());
        }
        if count.blocked > 0 {
            reasons.push(format!(
                "{}: refused by the framework or its constraints",
                of(count.blocked)
            ));
        }
        if count.unfit > 0 {
            reasons.push(format!("{}: need a capability that it lacks", of(count.unfit)));
        }
        if count.small > 0 {
            reasons.push(format!("{}: less than the smallest offer it takes", of(count.small)));
        }
        let share = self.tree.share_of_role(client.class, role).to_f64();
        let share = self.scale.policy.describe(share, &self.scale.kinds);
        reasons.push(format!("the role has {share}"));
        reasons
    }

    /// Who of another class comes first, and what is kept for other classes.
    fn class_reasons(&self, client: &Client) -> Vec<String> {
        let policy = &self.scale.policy;
        let name = |class: Class| policy.class_name(class);
        let mut reasons = Vec::new();
        for above in 0..client.class {
            match self.tree.wanting_in(above) {
                0 => {}
                1 => reasons.push(format!("1 framework of class {} goes first", name(above))),
                n => reasons.push(format!("{n} frameworks of class {} go first", name(above))),
            }
        }
        let kinds = &self.scale.kinds;
        let lacking = kinds.totals_for_shares().iter().find_map(|(kind, _)| {
            let class = self.reserves.first_lacking(client.home, kind, kinds)?;
            let available = self.quotas.available(kind);
            let surplus = self.reserves.surplus(client.home, kind, available, kinds);
            (surplus == 0 && available > 0).then_some((class, kind, available))
        });
        if let Some((class, kind, available)) = lacking {
            let free = kinds.describe_one(kind, available);
            reasons.push(format!("what is free ({free}) is kept for class {}", name(class)));
        }
        reasons
    }

    fn quota_reasons(&self, role: RoleIx) -> Vec<String> {
        let top = self.tree.top_of(role);
        let mut reasons = Vec::new();
        if let Some(limits) = self.quotas.exhausted(top) {
            let name = self.tree.role(top).map_or("?", |role| role.name.as_str());
            let limits: Vec<String> = limits
                .iter()
                .map(|limit| self.scale.kinds.describe_one(limit.kind, limit.amount))
                .collect();
            reasons
                .push(format!("role {name} has reached its quota limit of {}", limits.join(";")));
        }
        if self.quotas.any_shortfall() && self.quotas.shortfall(top).is_none() {
            reasons.push("what is free is kept for roles below their quota guarantee".to_owned());
        }
        reasons
    }

    fn count(&self, slot: u32, client: &Client) -> Count {
        let mut count = Count::default();
        for (_, agent) in self.agents.with_something_free() {
            count.free += 1;
            if agent.blocked.has(slot) {
                count.blocked += 1;
            } else if client.has & agent.needs != agent.needs {
                count.unfit += 1;
            } else {
                let scalars = self.scalars_for(client, agent);
                let enough = |all: &Amounts| scalars.contains(all);
                count.small +=
                    usize::from(!client.minimum.is_empty() && !client.minimum.iter().any(enough));
            }
        }
        count
    }
}

fn agents(count: usize) -> String {
    if count == 1 { "1 agent".to_owned() } else { format!("{count} agents") }
}
