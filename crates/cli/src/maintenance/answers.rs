//! What frameworks say to the maintenance of machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use reeve_config::duration;
use serde_json::Value;

use super::plan::list;

/// What GET_FRAMEWORKS tells of those that did not end.
pub(super) struct Frameworks {
    /// Their names, by id.
    names: BTreeMap<String, String>,
    /// Who is asked about which machine, and has not answered.
    asked: Vec<(String, Value)>,
}

impl Frameworks {
    /// Reads the answer to GET_FRAMEWORKS.
    pub(super) fn read(answer: &Value) -> Self {
        let mut all = Frameworks { names: BTreeMap::new(), asked: Vec::new() };
        for one in list(&answer["get_frameworks"], "frameworks") {
            let info = &one["framework_info"];
            let id = text(&info["id"]["value"]);
            all.names.insert(id.clone(), text(&info["name"]));
            let machines = list(&one, "inverse_offers");
            let machines = machines.iter().map(|offer| offer["url"]["address"].clone());
            all.asked.extend(machines.map(|machine| (id.clone(), machine)));
        }
        all
    }

    /// Who is asked about a machine.
    pub(super) fn asked(&self, is_meant: impl Fn(&Value) -> bool) -> Vec<&str> {
        let asked = self.asked.iter().filter(|(_, machine)| is_meant(machine));
        asked.map(|(id, _)| id.as_str()).collect()
    }

    /// A line for each answer, and for each framework of those asked that has given none. Who has,
    /// is asked again from time to time.
    pub(super) fn lines(&self, answers: &[Value], asked: &[&str], now: i64) -> String {
        let mut out = String::new();
        // Writing to a text can't fail.
        for answer in answers {
            let said = if answer["status"] == "ACCEPT" { "accepted" } else { "declined" };
            let at = answer["timestamp"]["nanoseconds"].as_i64().unwrap_or(now);
            let ago = duration::show(Duration::from_secs(now.abs_diff(at) / 1_000_000_000));
            let framework = self.show(&text(&answer["framework_id"]["value"]));
            let _ = writeln!(out, "    {said} {ago} ago by {framework}");
        }
        let has_answered =
            |id: &str| answers.iter().any(|answer| answer["framework_id"]["value"] == id);
        for id in asked.iter().filter(|id| !has_answered(id)) {
            let _ = writeln!(out, "    not answered yet by {}", self.show(id));
        }
        out
    }

    fn show(&self, id: &str) -> String {
        match self.names.get(id) {
            Some(name) => format!("{name} ({id})"),
            None => id.to_owned(),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
