//! Why a framework is offered nothing, and who holds how much: read at the asker's expense.

use reeve_model::{Resources, Role};
use reeve_module_sdk::allocator::{Allocator, Amounts, FrameworkIx, RoleIx};

use super::books::Books;
use super::frameworks::Framework;
use super::host::Host;

impl<A: Allocator> Host<A> {
    /// Why the framework has no offer now, in one role or in all of its roles: one sentence each,
    /// most telling first.
    pub fn explain(&self, framework: FrameworkIx, role: Option<&Role>) -> Vec<String> {
        let Some(known) = self.books.framework(framework) else {
            return vec!["the framework is not known".to_owned()];
        };
        let Some(info) = &known.info else {
            return vec!["the framework has not subscribed since this master leads".to_owned()];
        };
        if !known.active {
            return vec!["the framework is not connected".to_owned()];
        }
        let mut reasons = Vec::new();
        match role {
            Some(role) => self.explain_role(framework, known, role, &mut reasons),
            None => info
                .roles
                .iter()
                .for_each(|role| self.explain_role(framework, known, role, &mut reasons)),
        }
        reasons.extend(self.books.explain_agents());
        reasons
    }

    fn explain_role(
        &self,
        framework: FrameworkIx,
        known: &Framework,
        role: &Role,
        reasons: &mut Vec<String>,
    ) {
        if !known.info.as_ref().is_some_and(|info| info.has_role(role)) {
            reasons.push(format!("the framework has not subscribed in role {role}"));
            return;
        }
        if known.suppressed.contains(role) {
            reasons.push(format!("the framework has suppressed offers for role {role}"));
            return;
        }
        let Some(number) = self.books.roles.find(role) else { return };
        reasons.extend(self.books.explain_refusals(framework, known, role, number));
        let module = self.allocator.explain(framework, number);
        reasons.extend(module.into_iter().map(|reason| format!("role {role}: {reason}")));
    }

    /// Weighted dominant shares of all roles that hold something, for metrics.
    pub fn shares(&self) -> Vec<(Role, f64)> {
        let books = &self.books;
        let mut held: Vec<Amounts> = Vec::new();
        for (_, framework) in books.frameworks() {
            for in_role in framework.roles.iter().filter(|in_role| !in_role.held.is_empty()) {
                let mut at = Some(in_role.role);
                while let Some(role) = at {
                    let index = role.0 as usize;
                    if held.len() <= index {
                        held.resize_with(index + 1, Amounts::default);
                    }
                    held[index].add(&in_role.held);
                    at = books.roles.parent(role);
                }
            }
        }
        let share = |(number, role): (RoleIx, &Role)| {
            let held = held.get(number.0 as usize).filter(|held| !held.is_empty())?;
            let weight = books.roles.weight(number) as f64 / 1000.0;
            Some((role.clone(), books.dominant_share(held) / weight))
        };
        books.roles.iter().filter_map(share).collect()
    }
}

impl Books {
    fn dominant_share(&self, held: &Amounts) -> f64 {
        held.iter()
            .filter(|&(kind, _)| !self.kinds.is_excluded(kind) && self.total.get(kind) > 0)
            .map(|(kind, amount)| amount as f64 / self.total.get(kind) as f64)
            .fold(0.0, f64::max)
    }

    fn explain_refusals(
        &self,
        framework: FrameworkIx,
        known: &Framework,
        role: &Role,
        number: RoleIx,
    ) -> Option<String> {
        let client = (framework, number);
        let on = |agent| self.agent(agent).map(|agent| &agent.filters);
        let refused = known.refused_on.iter().filter_map(|&agent| on(agent));
        let (mut declined, mut barred, mut first) = (0, 0, None);
        for filters in refused.filter(|filters| filters.blocks(client)) {
            match filters.first_end(client) {
                Some(end) => {
                    declined += 1;
                    first = Some(first.map_or(end, |first: reeve_machine::Tick| first.min(end)));
                }
                None => barred += 1,
            }
        }
        if declined == 0 && barred == 0 {
            return None;
        }
        let mut text = format!("role {role}:");
        if let Some(first) = first {
            let left = first.since(self.now).as_secs_f64();
            text.push_str(&format!(
                " {declined} agents are filtered because the framework declined them, the first \
                 for another {left:.1} s (REVIVE ends it)"
            ));
        }
        if barred > 0 {
            let and = if declined > 0 { ";" } else { "" };
            text.push_str(&format!(
                "{and} {barred} agents do not meet its offer constraints or suit it in no way"
            ));
        }
        Some(text)
    }

    /// What there is at all, whoever asks.
    fn explain_agents(&self) -> Vec<String> {
        let agents = self.agents().filter(|(_, agent)| agent.active).map(|(_, agent)| agent);
        let (mut count, mut largest, mut freest) = (0usize, None, None);
        for agent in agents {
            count += 1;
            let room = self.dominance(&agent.total);
            if largest.as_ref().is_none_or(|(most, _)| room > *most) {
                largest = Some((room, &agent.total));
            }
            let room = self.dominance(&agent.free);
            if freest.as_ref().is_none_or(|(most, _)| room > *most) {
                freest = Some((room, &agent.free));
            }
        }
        let (Some((_, largest)), Some((_, freest))) = (largest, freest) else {
            return vec!["no agent is registered and active".to_owned()];
        };
        let plural = if count == 1 { "agent is" } else { "agents are" };
        let mut reasons = vec![
            format!("{count} {plural} active"),
            format!("the largest agent has {}", self.describe(largest)),
        ];
        if freest.is_empty() {
            reasons.push("no agent has anything free".to_owned());
        } else {
            reasons.push(format!("the freest agent has {} free", self.describe(freest)));
        }
        reasons
    }

    fn describe(&self, resources: &Resources) -> String {
        let weighed = self.kinds.weigh(resources);
        self.kinds.quantities(&weighed.firm).to_string()
    }

    /// A measure to compare agents by: the sum of shares of what the cluster has.
    fn dominance(&self, resources: &Resources) -> f64 {
        let firm = self.kinds.weigh(resources).firm;
        let share = |(kind, amount)| amount as f64 / self.total.get(kind).max(1) as f64;
        firm.iter().map(share).sum()
    }
}
