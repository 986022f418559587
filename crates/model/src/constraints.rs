//! Which agents a framework wants offers of (FI-4): per role, one of several groups of constraints
//! must hold, and of a group each constraint.
//!
//! Regular expressions stay text here; who matches brings an engine, and compiles each one once.

use std::collections::BTreeMap;
use std::sync::Arc;

use reeve_wire::v1::scheduler::{self, attribute_constraint, offer_constraints};

use crate::agent::Domain;
use crate::attributes::{AttributeValue, Attributes};
use crate::error::WireError;
use crate::ids::Role;

/// Constraints by role. A role without any takes every agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferConstraints(BTreeMap<Role, Vec<Vec<Constraint>>>);

/// One condition on an agent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Constraint {
    /// What is looked at.
    pub selector: Selector,
    /// What must hold for it.
    pub predicate: Predicate,
}

/// What of an agent a constraint looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selector {
    /// Its host name.
    Hostname,
    /// The region it stands in.
    Region,
    /// The zone it stands in.
    Zone,
    /// Its attributes of this name; one of them has to fit.
    Attribute(Arc<str>),
}

/// What must hold. Values that are no text always satisfy the four conditions on text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Predicate {
    /// It is there.
    Exists,
    /// It is not there.
    NotExists,
    /// It is this text.
    TextEquals(Arc<str>),
    /// It is not there, or another text.
    TextNotEquals(Arc<str>),
    /// It is a text that this RE2 expression matches as a whole.
    TextMatches(Arc<str>),
    /// It is not there, or a text that this RE2 expression does not match.
    TextNotMatches(Arc<str>),
}

/// What constraints are matched against.
#[derive(Clone, Copy, Debug)]
pub struct AgentFacts<'a> {
    /// The agent's host name.
    pub hostname: &'a str,
    /// Where it stands.
    pub domain: Option<&'a Domain>,
    /// Its attributes.
    pub attributes: &'a Attributes,
}

/// An engine for regular expressions.
pub trait Matcher {
    /// Whether `expression` matches the whole of `text`. Expressions were accepted before.
    fn matches(&self, expression: &str, text: &str) -> bool;
}

impl<F: Fn(&str, &str) -> bool> Matcher for F {
    fn matches(&self, expression: &str, text: &str) -> bool {
        self(expression, text)
    }
}

impl OfferConstraints {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The roles with constraints, and for each its groups.
    pub fn iter(&self) -> impl Iterator<Item = (&Role, &[Vec<Constraint>])> {
        self.0.iter().map(|(role, groups)| (role, groups.as_slice()))
    }

    /// Every regular expression, to be accepted or refused before matching.
    pub fn expressions(&self) -> impl Iterator<Item = &str> {
        self.0.values().flatten().flatten().filter_map(|constraint| match &constraint.predicate {
            Predicate::TextMatches(text) | Predicate::TextNotMatches(text) => Some(&**text),
            _ => None,
        })
    }

    /// Whether `role` wants offers of `agent`.
    pub fn matches(&self, role: &Role, agent: &AgentFacts<'_>, engine: &impl Matcher) -> bool {
        self.0.get(role).is_none_or(|groups| {
            groups.iter().any(|group| group.iter().all(|one| one.matches(agent, engine)))
        })
    }
}

/// From roles and their groups.
impl FromIterator<(Role, Vec<Vec<Constraint>>)> for OfferConstraints {
    fn from_iter<I: IntoIterator<Item = (Role, Vec<Vec<Constraint>>)>>(roles: I) -> Self {
        Self(roles.into_iter().collect())
    }
}

impl Constraint {
    fn matches(&self, agent: &AgentFacts<'_>, engine: &impl Matcher) -> bool {
        let text = |text: Option<&str>| self.predicate.holds(text.map(Some).into_iter(), engine);
        match &self.selector {
            Selector::Hostname => text(Some(agent.hostname)),
            Selector::Region => text(agent.domain.map(|domain| &*domain.region)),
            Selector::Zone => text(agent.domain.map(|domain| &*domain.zone)),
            Selector::Attribute(name) => {
                let values = agent.attributes.iter().filter(|one| one.name == *name);
                let texts = values.map(|one| match &one.value {
                    AttributeValue::Text(text) => Some(&**text),
                    _ => None,
                });
                self.predicate.holds(texts, engine)
            }
        }
    }
}

impl Predicate {
    /// Whether this holds for the values found: text, or `None` for another kind of value.
    fn holds<'a>(
        &self,
        mut values: impl Iterator<Item = Option<&'a str>>,
        engine: &impl Matcher,
    ) -> bool {
        // The negations hold where nothing is found, or where one value fits.
        let mut values = values.by_ref().peekable();
        let absent = values.peek().is_none();
        match self {
            Self::Exists => !absent,
            Self::NotExists => absent,
            Self::TextEquals(text) => values.any(|v| v.is_none_or(|v| v == &**text)),
            Self::TextNotEquals(text) => absent || values.any(|v| v.is_none_or(|v| v != &**text)),
            Self::TextMatches(regex) => values.any(|v| v.is_none_or(|v| engine.matches(regex, v))),
            Self::TextNotMatches(regex) => {
                absent || values.any(|v| v.is_none_or(|v| !engine.matches(regex, v)))
            }
        }
    }
}

impl TryFrom<&scheduler::OfferConstraints> for OfferConstraints {
    type Error = WireError;

    fn try_from(wire: &scheduler::OfferConstraints) -> Result<Self, WireError> {
        let mut all = BTreeMap::new();
        for (name, constraints) in &wire.role_constraints {
            let role = Role::parse(name).map_err(|error| {
                WireError::new("offer_constraints.role_constraints", format!("hold an {error}"))
            })?;
            if constraints.groups.is_empty() {
                let field = format!("offer_constraints.role_constraints.{name}.groups");
                return Err(WireError::new(field, "must not be empty"));
            }
            let groups = constraints.groups.iter().map(|one| group(name, one));
            all.insert(role, groups.collect::<Result<_, _>>()?);
        }
        Ok(Self(all))
    }
}

fn group(
    role: &str,
    wire: &offer_constraints::role_constraints::Group,
) -> Result<Vec<Constraint>, WireError> {
    let field = |name: &str| format!("offer_constraints.role_constraints.{role}.groups.{name}");
    if wire.attribute_constraints.is_empty() {
        return Err(WireError::new(field("attribute_constraints"), "must not be empty"));
    }
    let constraints = wire.attribute_constraints.iter().map(|one| {
        let selector = selector(&one.selector).ok_or_else(|| {
            WireError::new(field("selector"), "must name an attribute, HOSTNAME, REGION or ZONE")
        })?;
        let predicate = predicate(&one.predicate)
            .ok_or_else(|| WireError::new(field("predicate"), "must be one that is known"))?;
        Ok(Constraint { selector, predicate })
    });
    constraints.collect()
}

fn selector(wire: &attribute_constraint::Selector) -> Option<Selector> {
    use attribute_constraint::selector::{PseudoattributeType, Selector as Wire};
    match wire.selector.as_ref()? {
        Wire::AttributeName(name) => Some(Selector::Attribute(name.as_str().into())),
        Wire::PseudoattributeType(number) => match PseudoattributeType::try_from(*number).ok()? {
            PseudoattributeType::Unknown => None,
            PseudoattributeType::Hostname => Some(Selector::Hostname),
            PseudoattributeType::Region => Some(Selector::Region),
            PseudoattributeType::Zone => Some(Selector::Zone),
        },
    }
}

fn predicate(wire: &attribute_constraint::Predicate) -> Option<Predicate> {
    use attribute_constraint::predicate::Predicate as Wire;
    Some(match wire.predicate.as_ref()? {
        Wire::Exists(_) => Predicate::Exists,
        Wire::NotExists(_) => Predicate::NotExists,
        Wire::TextEquals(one) => Predicate::TextEquals(one.value.as_str().into()),
        Wire::TextNotEquals(one) => Predicate::TextNotEquals(one.value.as_str().into()),
        Wire::TextMatches(one) => Predicate::TextMatches(one.regex.as_str().into()),
        Wire::TextNotMatches(one) => Predicate::TextNotMatches(one.regex.as_str().into()),
    })
}

impl OfferConstraints {
    /// As the wire carries them.
    pub fn to_wire(&self) -> scheduler::OfferConstraints {
        let role = |(role, groups): (&Role, &Vec<Vec<Constraint>>)| {
            let groups = groups
                .iter()
                .map(|group| offer_constraints::role_constraints::Group {
                    attribute_constraints: group.iter().map(Constraint::to_wire).collect(),
                })
                .collect();
            (role.to_string(), offer_constraints::RoleConstraints { groups })
        };
        scheduler::OfferConstraints { role_constraints: self.0.iter().map(role).collect() }
    }
}

impl Constraint {
    /// As the wire carries it.
    pub fn to_wire(&self) -> scheduler::AttributeConstraint {
        use attribute_constraint::predicate::{
            Exists, NotExists, Predicate as Wire, TextEquals, TextMatches, TextNotEquals,
            TextNotMatches,
        };
        use attribute_constraint::selector::{PseudoattributeType, Selector as Of};
        let selector = match &self.selector {
            Selector::Hostname => Of::PseudoattributeType(PseudoattributeType::Hostname.into()),
            Selector::Region => Of::PseudoattributeType(PseudoattributeType::Region.into()),
            Selector::Zone => Of::PseudoattributeType(PseudoattributeType::Zone.into()),
            Selector::Attribute(name) => Of::AttributeName(name.to_string()),
        };
        let predicate = match &self.predicate {
            Predicate::Exists => Wire::Exists(Exists::default()),
            Predicate::NotExists => Wire::NotExists(NotExists::default()),
            Predicate::TextEquals(text) => Wire::TextEquals(TextEquals { value: text.to_string() }),
            Predicate::TextNotEquals(text) => {
                Wire::TextNotEquals(TextNotEquals { value: text.to_string() })
            }
            Predicate::TextMatches(text) => {
                Wire::TextMatches(TextMatches { regex: text.to_string() })
            }
            Predicate::TextNotMatches(text) => {
                Wire::TextNotMatches(TextNotMatches { regex: text.to_string() })
            }
        };
        scheduler::AttributeConstraint {
            selector: attribute_constraint::Selector { selector: Some(selector) },
            predicate: attribute_constraint::Predicate { predicate: Some(predicate) },
        }
    }
}
