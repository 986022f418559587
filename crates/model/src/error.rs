//! Why something from the wire is not what it should be.

/// A field that breaks a rule. Its text is meant for whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{field}' {rule}")]
pub struct WireError {
    /// The field, with dots down from the message at hand: `resources.cpus.scalar`.
    pub field: String,
    /// What is wrong with it, to be read after its name: `must not be negative`.
    pub rule: String,
}

impl WireError {
    /// The `field` breaks the `rule`.
    pub fn new(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { field: field.into(), rule: rule.into() }
    }

    /// The bytes of the whole `field` are no message.
    pub(crate) fn message(field: &str, error: &dyn std::error::Error) -> Self {
        Self::new(field, format!("is broken: {error}"))
    }

    /// The same, seen from one message further out.
    #[must_use]
    pub fn inside(mut self, outer: &str) -> Self {
        self.field = format!("{outer}.{}", self.field);
        self
    }
}
