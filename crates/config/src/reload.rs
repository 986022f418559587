//! What a second reading of the settings changes.

use crate::Settings;

/// A setting that has another value than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The setting.
    pub name: &'static str,
    /// What it was; `None` if it had no value.
    pub old: Option<String>,
    /// What it is to be; `None` if it has no value any more.
    pub new: Option<String>,
    /// Whether the daemon takes it up; else it has to be started again.
    pub reload: bool,
}

/// The settings that differ, in the order of the list.
pub fn changes<S: Settings>(old: &S, new: &S) -> Vec<Change> {
    let (old, new) = (old.flags(), new.flags());
    let of = |flags: &[(&'static str, String)], name| {
        flags.iter().find(|(flag, _)| *flag == name).map(|(_, text)| text.clone())
    };
    S::SPECS
        .iter()
        .map(|spec| Change {
            name: spec.name,
            old: of(&old, spec.name),
            new: of(&new, spec.name),
            reload: spec.reload,
        })
        .filter(|change| change.old != change.new)
        .collect()
}
