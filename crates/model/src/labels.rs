//! Free key and value notes, kept in the order they came.

use std::sync::Arc;

use reeve_wire::v1;

/// Notes. No notes cost no memory; a clone is cheap.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Option<Arc<[Label]>>);

/// One note.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// Its name; may occur more than once.
    pub key: Arc<str>,
    /// Its text, if it has any.
    pub value: Option<Arc<str>>,
}

impl Labels {
    /// As the wire carries them; `None` if there are none.
    pub fn to_wire(&self) -> Option<v1::Labels> {
        let labels = self
            .0
            .as_deref()?
            .iter()
            .map(|label| v1::Label {
                key: label.key.to_string(),
                value: label.value.as_deref().map(str::to_owned),
            })
            .collect();
        Some(v1::Labels { labels })
    }
}

impl FromIterator<Label> for Labels {
    fn from_iter<I: IntoIterator<Item = Label>>(labels: I) -> Self {
        let labels: Vec<Label> = labels.into_iter().collect();
        if labels.is_empty() { Self(None) } else { Self(Some(labels.into())) }
    }
}

impl From<&v1::Labels> for Labels {
    fn from(wire: &v1::Labels) -> Self {
        wire.labels
            .iter()
            .map(|label| Label {
                key: label.key.as_str().into(),
                value: label.value.as_deref().map(Arc::from),
            })
            .collect()
    }
}

impl std::ops::Deref for Labels {
    type Target = [Label];

    fn deref(&self) -> &[Label] {
        self.0.as_deref().unwrap_or(&[])
    }
}
