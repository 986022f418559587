//! A framework that describes itself anew, or wants more or fewer offers (SC-6, SC-7, SC-16).

use std::sync::Arc;

use reeve_model::{FrameworkInfo, Role};
use reeve_module_sdk::allocator::FrameworkIx;

use super::subscribe::check_roles;
use super::{Pending, Wishes};
use crate::allocation;
use crate::answer::{Answer, Refusal};
use crate::effect::{Mutation, ToAgent};
use crate::event::RequestId;
use crate::master::Master;
use crate::step::Step;

impl Master {
    /// UPDATE_FRAMEWORK: all or nothing. A new description is written first; then the answer
    /// follows, if there is a request.
    ///
    /// # Errors
    /// If the description is wrong, or changes what cannot change.
    pub(super) fn update_framework(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        request: Option<RequestId>,
        info: &FrameworkInfo,
        wishes: Wishes,
    ) -> Result<Option<Answer>, Refusal> {
        let framework = self.frameworks.get(fx).ok_or(Refusal::UnknownFramework)?;
        check_roles(info, &wishes.suppressed, wishes.constraints.as_deref())
            .map_err(Refusal::Invalid)?;
        check_fixed(&framework.info, info)?;
        let id = framework.id.clone();
        let info = Arc::new(FrameworkInfo { id: Some(id.clone()), ..info.clone() });
        if framework.recorded && framework.info == info {
            self.redescribe_framework(step, fx, info, wishes);
            return Ok(Some(Answer::Done));
        }
        let mutation = Mutation::Describe(info.clone(), framework.registered);
        self.write_framework(step, id, mutation, Pending::Update(request, info, wishes));
        Ok(None)
    }

    /// A framework's description is durable. Offers in roles it gives up are taken back.
    pub(super) fn redescribe_framework(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        info: Arc<FrameworkInfo>,
        wishes: Wishes,
    ) {
        let Some(framework) = self.frameworks.get_mut(fx) else { return };
        framework.info = info.clone();
        framework.recorded = true;
        let offers: Vec<_> = framework.offers.iter().copied().collect();
        self.set_wishes(fx, wishes);
        for offer in offers {
            if self.offers.get(offer).is_some_and(|o| !info.has_role(&o.offer.role)) {
                self.rescind(step, offer);
            }
        }
        self.describe_framework(step, fx);
        if let Some(framework) = self.frameworks.get(fx) {
            step.changed(framework.change());
        }
        self.ask_again(step, fx);
    }

    /// Tells the allocation machine, and the agents the framework is on, what it is now.
    pub(super) fn describe_framework(&self, step: &mut Step<'_>, fx: FrameworkIx) {
        let Some(framework) = self.frameworks.get(fx) else { return };
        step.allocation(allocation::Event::FrameworkChanged {
            framework: fx,
            info: framework.info.clone(),
            suppressed: framework.suppressed.clone(),
            constraints: framework.constraints.clone(),
        });
        for ix in framework.agents.keys() {
            let Some(agent) = self.agents.get(*ix) else { continue };
            let driver = framework.driver().cloned();
            step.agent(&agent.pid, ToAgent::UpdateFramework(framework.info.clone(), driver));
        }
    }

    /// REVIVE: offers are wanted again, also of what was declined.
    pub(super) fn revive(&mut self, step: &mut Step<'_>, fx: FrameworkIx, roles: Vec<Role>) {
        let Some(roles) = self.own_roles(fx, roles) else { return };
        let Some(framework) = self.frameworks.get_mut(fx) else { return };
        if roles.is_empty() {
            framework.suppressed.clear();
        }
        for role in &roles {
            framework.suppressed.remove(role);
        }
        step.changed(framework.change());
        step.allocation(allocation::Event::Revive { framework: fx, roles });
        self.ask_again(step, fx);
    }

    /// SUPPRESS: no offers are wanted.
    pub(super) fn suppress(&mut self, step: &mut Step<'_>, fx: FrameworkIx, roles: Vec<Role>) {
        let Some(roles) = self.own_roles(fx, roles) else { return };
        let Some(framework) = self.frameworks.get_mut(fx) else { return };
        let all = if roles.is_empty() { framework.info.roles.clone() } else { roles.clone() };
        framework.suppressed.extend(all);
        step.changed(framework.change());
        step.allocation(allocation::Event::Suppress { framework: fx, roles });
    }

    /// Those of the roles that are the framework's; none if only foreign ones were named.
    fn own_roles(&self, fx: FrameworkIx, roles: Vec<Role>) -> Option<Vec<Role>> {
        let framework = self.frameworks.get(fx)?;
        let all = roles.is_empty();
        let own: Vec<Role> =
            roles.into_iter().filter(|role| framework.info.has_role(role)).collect();
        (all || !own.is_empty()).then_some(own)
    }
}

/// What a framework cannot change.
fn check_fixed(old: &FrameworkInfo, new: &FrameworkInfo) -> Result<(), Refusal> {
    let wrong = |text: String| Err(Refusal::Invalid(text));
    if old.principal != new.principal {
        return wrong("Changing framework's principal is not allowed.".to_owned());
    }
    if old.user != new.user {
        return wrong(format!(
            "Updating 'FrameworkInfo.user' is unsupported; attempted to update from '{}' to '{}'",
            old.user, new.user
        ));
    }
    if old.checkpoint != new.checkpoint {
        return wrong(format!(
            "Updating 'FrameworkInfo.checkpoint' is unsupported; attempted to update from '{}' to \
             '{}'",
            old.checkpoint, new.checkpoint
        ));
    }
    Ok(())
}
