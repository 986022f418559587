//! One rule: whether it speaks of a question, and what it says.

/// Whom or what a side of a rule means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entity {
    /// Everybody or everything.
    Any,
    /// Everybody or everything, and the answer is no.
    None,
    /// These.
    Some(Vec<Value>),
}

/// One of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// This.
    Is(String),
    /// Every role that begins so: `eng/%` is all below `eng`, and not `eng` itself.
    Below(String),
}

impl Value {
    fn means(&self, name: &str) -> bool {
        match self {
            Self::Is(value) => value == name,
            Self::Below(prefix) => name.len() > prefix.len() && name.starts_with(prefix.as_str()),
        }
    }
}

impl Entity {
    /// Whether it speaks of this one. Nobody in particular, or nothing in particular, is only
    /// spoken of by those who speak of all.
    fn speaks_of(&self, name: Option<&str>) -> bool {
        match (self, name) {
            (Self::Any | Self::None, _) => true,
            (Self::Some(values), Some(name)) => values.iter().any(|value| value.means(name)),
            (Self::Some(_), None) => false,
        }
    }
}

/// A rule: who may do something to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) principals: Entity,
    pub(crate) objects: Entity,
}

impl Rule {
    /// What it says, if it speaks of both.
    pub(crate) fn answer(&self, principal: Option<&str>, object: Option<&str>) -> Option<bool> {
        let speaks = self.principals.speaks_of(principal) && self.objects.speaks_of(object);
        speaks.then_some(self.principals != Entity::None && self.objects != Entity::None)
    }
}
