//! The names below an election's path (ZK-2).

/// What a candidate's znode holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// `json.info`: JSON, since Mesos 0.24.
    Json,
    /// `info`: protobuf, of the masters before.
    Binary,
}

/// A candidate's znode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The number that ZooKeeper gave it: the lowest leads.
    pub sequence: i64,
    /// What it holds.
    pub label: Label,
    /// Its name below the path.
    pub name: String,
}

/// What a list of names says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// The candidates, the leader first.
    pub candidates: Vec<Member>,
    /// Names with a number and no label that we know: nobody's that we know of.
    pub odd: Vec<String>,
}

/// The label and the underscore that our own names begin with.
pub const PREFIX: &str = "json.info_";

impl Members {
    /// Reads the names. Those without a number belong to others, such as `log_replicas`, where
    /// Mesos's masters keep their registry.
    pub fn read(names: &[String]) -> Self {
        let mut members = Self::default();
        for name in names {
            let (label, number) = match name.rsplit_once('_') {
                Some((label, number)) => (Some(label), number),
                None => (None, name.as_str()),
            };
            let Ok(sequence) = number.parse::<i64>() else { continue };
            let label = match label {
                Some("json.info") => Label::Json,
                Some("info") => Label::Binary,
                _ => {
                    members.odd.push(name.clone());
                    continue;
                }
            };
            members.candidates.push(Member { sequence, label, name: name.clone() });
        }
        members.candidates.sort_by(|a, b| (a.sequence, &a.name).cmp(&(b.sequence, &b.name)));
        members
    }

    /// Who leads.
    pub fn first(&self) -> Option<&Member> {
        self.candidates.first()
    }

    /// Whether a znode is there.
    pub fn has(&self, name: &str) -> bool {
        self.candidates.iter().any(|one| one.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_lowest_number_leads_whatever_its_label() {
        let members = Members::read(&names(&[
            "json.info_0000000012",
            "log_replicas",
            "info_0000000009",
            "reeve",
            "json.info_0000000010",
        ]));
        let order: Vec<_> = members.candidates.iter().map(|one| one.sequence).collect();
        assert_eq!(order, [9, 10, 12]);
        assert_eq!(members.first().map(|one| one.label), Some(Label::Binary));
        assert!(members.has("json.info_0000000012") && !members.has("json.info_0000000013"));
        assert!(members.odd.is_empty());
    }

    #[test]
    fn numbers_without_a_known_label_are_told_apart_from_candidates() {
        let members = Members::read(&names(&["0000000001", "other_0000000002", "x_y"]));
        assert_eq!(members.first(), None);
        assert_eq!(members.odd, ["0000000001", "other_0000000002"]);
    }

    #[test]
    fn a_number_of_more_digits_is_a_higher_one() {
        let members = Members::read(&names(&["json.info_10000000000", "json.info_9999999999"]));
        assert_eq!(members.first().map(|one| one.sequence), Some(9_999_999_999));
    }
}
