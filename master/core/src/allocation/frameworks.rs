//! The books of one framework: in which roles it wants offers, and what it holds in each.

use std::collections::BTreeSet;
use std::sync::Arc;

use reeve_model::{Capabilities, FrameworkInfo, OfferConstraints, Role};
use reeve_module_sdk::allocator::{AgentIx, Amounts, RoleIx, TAKES_REVOCABLE};

use super::agents::{GPU, REGION, SINGLE_ROLE};
use super::expressions::Expressions;

/// One framework.
#[derive(Debug, Default)]
pub(super) struct Framework {
    /// What it is; none as long as only its tasks are known.
    pub(super) info: Option<Arc<FrameworkInfo>>,
    pub(super) active: bool,
    pub(super) suppressed: BTreeSet<Role>,
    pub(super) constraints: Option<Arc<OfferConstraints>>,
    pub(super) expressions: Expressions,
    /// Roles that it is or was in, sorted by number.
    pub(super) roles: Vec<InRole>,
    /// Agents with filters that name it.
    pub(super) refused_on: BTreeSet<AgentIx>,
}

/// A framework in one role.
#[derive(Debug, Default)]
pub(super) struct InRole {
    pub(super) role: RoleIx,
    /// As the module was told last.
    pub(super) wanted: bool,
    /// As the module was told last: the smallest offer, enough by any entry; empty: anything.
    pub(super) minimum: Vec<Amounts>,
    /// Scalars offered or used, without the revocable and shared ones.
    pub(super) held: Amounts,
}

impl Framework {
    pub(super) fn capabilities(&self) -> Capabilities {
        self.info.as_ref().map(|info| info.capabilities).unwrap_or_default()
    }

    /// The bits that agents may need.
    pub(super) fn has(&self) -> u32 {
        let capabilities = self.capabilities();
        let bit = |has: bool, bit: u32| if has { bit } else { 0 };
        bit(capabilities.gpu_resources(), GPU)
            | bit(capabilities.region_aware(), REGION)
            | bit(!capabilities.multi_role(), SINGLE_ROLE)
            | bit(capabilities.revocable_resources(), TAKES_REVOCABLE)
    }

    pub(super) fn in_role(&self, role: RoleIx) -> Option<&InRole> {
        let at = self.roles.binary_search_by_key(&role, |known| known.role).ok()?;
        self.roles.get(at)
    }

    /// Its books in a role, opened if there are none.
    pub(super) fn ensure_role(&mut self, role: RoleIx) -> &mut InRole {
        let at = match self.roles.binary_search_by_key(&role, |known| known.role) {
            Ok(at) => at,
            Err(at) => {
                self.roles.insert(at, InRole { role, ..InRole::default() });
                at
            }
        };
        &mut self.roles[at]
    }

    /// Whether it wants offers in a role.
    pub(super) fn wants(&self, role: &Role) -> bool {
        self.active
            && self.info.as_ref().is_some_and(|info| info.has_role(role))
            && !self.suppressed.contains(role)
    }
}
