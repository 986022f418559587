//! Events of frameworks into the books: who wants offers in which role.

use std::collections::BTreeSet;
use std::sync::Arc;

use reeve_model::{FrameworkInfo, OfferConstraints, Role};
use reeve_module_sdk::allocator::{AgentIx, Amounts, Change, FrameworkIx, Label};

use super::agents::Agent;
use super::books::Books;
use super::expressions::Expressions;

impl Books {
    /// A framework is new, or describes itself anew.
    pub(super) fn describe_framework(
        &mut self,
        framework: FrameworkIx,
        info: Arc<FrameworkInfo>,
        suppressed: BTreeSet<Role>,
        constraints: Option<Arc<OfferConstraints>>,
        active: Option<bool>,
    ) {
        let known = self.ensure_framework(framework);
        let judged_anew =
            known.constraints != constraints || known.capabilities() != info.capabilities;
        if known.constraints != constraints {
            known.expressions = Expressions::of(constraints.as_deref());
        }
        let revived: BTreeSet<Role> = known.suppressed.difference(&suppressed).cloned().collect();
        let id = info.id.as_ref().map_or(info.name.clone(), ToString::to_string).into();
        let labels = info.labels().map(|all| all.labels).unwrap_or_default();
        let labels = labels.into_iter().map(|one| label(one.key, one.value)).collect();
        known.info = Some(info);
        known.suppressed = suppressed;
        known.constraints = constraints;
        known.active = active.unwrap_or(known.active);
        let has = known.has();
        self.changes.push(Change::Framework { framework, id, has, labels });
        if judged_anew {
            self.judge_anew(framework);
        }
        for role in revived {
            self.clear_refusals(framework, Some(&role));
        }
        self.tell_demand(framework);
    }

    pub(super) fn set_framework_active(&mut self, framework: FrameworkIx, active: bool) {
        let Some(known) = self.framework_mut(framework) else { return };
        known.active = active;
        if !active {
            self.clear_refusals(framework, None);
        }
        self.tell_demand(framework);
    }

    pub(super) fn remove_framework(&mut self, framework: FrameworkIx) {
        self.set_framework_active(framework, false);
        self.judge_anew(framework);
        let Some(gone) = self.framework(framework) else { return };
        if gone.roles.iter().any(|role| !role.held.is_empty()) {
            let holding = |(number, agent): (AgentIx, &Agent)| {
                Some((number, agent.held.get(framework)?.clone()))
            };
            let left: Vec<_> = self.agents().filter_map(holding).collect();
            for (agent, resources) in left {
                self.recover(framework, agent, &resources, None);
            }
        }
        self.frameworks[framework.0 as usize] = None;
        self.changes.push(Change::FrameworkGone { framework });
    }

    pub(super) fn suppress(&mut self, framework: FrameworkIx, roles: Vec<Role>) {
        let Some(known) = self.framework_mut(framework) else { return };
        let all = known.info.as_ref().map(|info| info.roles.clone()).unwrap_or_default();
        known.suppressed.extend(if roles.is_empty() { all } else { roles });
        self.tell_demand(framework);
    }

    pub(super) fn revive(&mut self, framework: FrameworkIx, roles: &[Role]) {
        let Some(known) = self.framework_mut(framework) else { return };
        if roles.is_empty() {
            known.suppressed.clear();
            self.clear_refusals(framework, None);
        }
        for role in roles {
            if let Some(known) = self.framework_mut(framework) {
                known.suppressed.remove(role);
            }
            self.clear_refusals(framework, Some(role));
        }
        self.tell_demand(framework);
    }

    /// Tells the module in which roles the framework wants offers, as far as that is news.
    fn tell_demand(&mut self, framework: FrameworkIx) {
        let Some(known) = self.frameworks.get_mut(framework.0 as usize).and_then(Option::as_mut)
        else {
            return;
        };
        let Some(info) = known.info.clone() else { return };
        for role in &info.roles {
            let number = self.roles.ensure(role, &mut self.changes);
            known.ensure_role(number);
        }
        for at in 0..known.roles.len() {
            let number = known.roles[at].role;
            let Some(role) = self.roles.role(number) else { continue };
            let wanted = known.wants(role);
            let rules = info.offer_filters.get(role).unwrap_or(&self.options.min_allocatable);
            let minimum: Vec<Amounts> = rules
                .rules()
                .iter()
                .map(|rule| self.kinds.amounts(rule, &mut self.changes))
                .collect();
            let book = &mut known.roles[at];
            if book.wanted == wanted && (!wanted || book.minimum == minimum) {
                continue;
            }
            (book.wanted, book.minimum) = (wanted, minimum.clone());
            let minimum = minimum.into();
            self.changes.push(Change::Demand { framework, role: number, wanted, minimum });
        }
    }
}

fn label(key: String, value: Option<String>) -> Label {
    Label { key: key.into(), value: value.unwrap_or_default().into() }
}
