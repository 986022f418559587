//! Which framework is in which class. Inside a class, dominant resource fairness decides.

use std::collections::BTreeMap;

use reeve_allocation_engine::{Class, Dominant, Kinds, Measured, Policy};
use reeve_module_sdk::allocator::{Amounts, Change, FrameworkIx, Label, RoleIx};

use crate::settings::Settings;

/// A framework in a role.
pub(crate) type Client = (FrameworkIx, RoleIx);

/// The classes of all frameworks.
#[derive(Debug)]
pub(crate) struct Classes {
    settings: Settings,
    /// What the operator says of roles.
    roles: Vec<Option<Class>>,
    /// What frameworks say of themselves.
    frameworks: BTreeMap<FrameworkIx, Class>,
    /// By how many classes a waiting framework has risen.
    risen: BTreeMap<Client, usize>,
}

impl Classes {
    pub(crate) fn new(settings: Settings) -> Self {
        let (roles, frameworks, risen) = Default::default();
        Self { settings, roles, frameworks, risen }
    }

    /// From now on the client stands so many classes higher than its own.
    pub(crate) fn set_risen(&mut self, client: Client, by: usize) {
        if by == 0 {
            self.risen.remove(&client);
        } else {
            self.risen.insert(client, by);
        }
    }

    fn label(&self, framework: FrameworkIx, labels: &[Label]) -> Option<Class> {
        let label = labels.iter().find(|label| label.key == self.settings.label.as_str())?;
        let class = self.settings.class_of_label(&label.value);
        if class.is_none() {
            tracing::warn!(
                "framework number {} has the label {}='{}', which is no class; there are {}",
                framework.0,
                self.settings.label,
                label.value,
                self.settings.classes.join(", "),
            );
        }
        class
    }
}

impl Policy for Classes {
    fn notice(&mut self, change: &Change) {
        match change {
            Change::Role { role, name, .. } => {
                let at = role.0 as usize;
                if self.roles.len() <= at {
                    self.roles.resize(at + 1, None);
                }
                self.roles[at] = self.settings.class_of_role(name);
            }
            Change::Framework { framework, labels, .. } => {
                match self.label(*framework, labels) {
                    Some(class) => self.frameworks.insert(*framework, class),
                    None => self.frameworks.remove(framework),
                };
            }
            Change::FrameworkGone { framework } => {
                self.frameworks.remove(framework);
                self.risen.retain(|(risen, _), _| risen != framework);
            }
            _ => {}
        }
    }

    fn measure(&self, held: &Amounts, _tasks: i64, kinds: &Kinds) -> Measured {
        Dominant::of(held, kinds)
    }

    fn describe(&self, share: f64, _: &Kinds) -> String {
        format!("{} in the class", Dominant::sentence(share))
    }

    fn classes(&self) -> usize {
        self.settings.classes.len()
    }

    fn class_of(&self, framework: FrameworkIx, role: RoleIx) -> Class {
        let risen = self.risen.get(&(framework, role)).copied().unwrap_or(0);
        self.home_of(framework, role).saturating_sub(risen)
    }

    // The label is what the framework says of itself, the role's class what the operator says: a
    // label can put a framework below its role's class, never above it.
    fn home_of(&self, framework: FrameworkIx, role: RoleIx) -> Class {
        let of_role = self.roles.get(role.0 as usize).copied().flatten();
        let of_label = self.frameworks.get(&framework).copied();
        match (of_role, of_label) {
            (Some(role), Some(label)) => role.max(label),
            (Some(class), None) | (None, Some(class)) => class,
            (None, None) => self.settings.default_class,
        }
    }

    fn class_name(&self, class: Class) -> &str {
        self.settings.classes.get(class).map_or("?", String::as_str)
    }

    fn reserve(&self, class: Class) -> i64 {
        self.settings.reserves.get(class).copied().unwrap_or(0)
    }
}
