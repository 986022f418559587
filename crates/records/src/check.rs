//! Whether records are what they should be.

use std::fmt;

use crate::{CAPABILITIES, Kind, Records};

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The key of the record.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
    /// Whether the registry is right again without the record.
    pub removable: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.what)
    }
}

/// What is wrong with the records: each must be readable, describe what its key says, and agree
/// with the others.
pub fn check(records: &Records) -> Vec<Finding> {
    records.iter().filter_map(|(key, value)| check_one(records, key, value)).collect()
}

fn check_one(records: &Records, key: &str, value: &[u8]) -> Option<Finding> {
    let finding = |removable, what| Some(Finding { key: key.to_owned(), what, removable });
    let Some((kind, id)) = Kind::of(key) else {
        let what = "this version does not know such records; a newer one may have written it, and \
                    masters of this version leave it alone";
        return finding(false, what.to_owned());
    };
    if let Err(why) = kind.check(id, value) {
        return finding(true, format!("{why}; {}", loss(kind)));
    }
    if kind == Kind::Capabilities && !CAPABILITIES.contains(&id) {
        let what = "a newer version put it here because masters of this version would misread the \
                    registry: they don't lead, so run the newer version again";
        return finding(false, what.to_owned());
    }
    let other = disagreeing(kind).iter().find(|other| records.contains_key(&other.key(id)))?;
    finding(true, format!("contradicts {}, which counts", other.key(id)))
}

/// What is lost with a record of this kind that can't be read.
fn loss(kind: Kind) -> &'static str {
    match kind {
        Kind::Master => "the next leader writes it anew",
        Kind::Agents => "without it the agent is admitted again when it returns",
        Kind::Unreachable => "without it the agent counts as unknown until it returns",
        Kind::Gone => "without it the agent could return: mark it gone again",
        Kind::Drain => "without it the agent gets offers: drain it again",
        Kind::Machines | Kind::Maintenance => "without it, schedule the maintenance again",
        Kind::Quota => "without it the role has no quota: set it again",
        Kind::Weights => "without it the role has the weight 1: set it again",
        Kind::Capabilities => "the master writes it anew when it is needed",
        Kind::Frameworks => "without it the framework is unknown until it or its tasks return",
        Kind::Completed => "without it the framework could return: tear it down again",
    }
}

/// The kinds whose record with the same id makes one of this kind wrong. What an operator said
/// counts most, then what lets an agent return.
fn disagreeing(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::Agents => &[Kind::Gone],
        Kind::Unreachable => &[Kind::Gone, Kind::Agents],
        Kind::Drain => &[Kind::Gone],
        Kind::Frameworks => &[Kind::Completed],
        _ => &[],
    }
}
