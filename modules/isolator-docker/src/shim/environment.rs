//! The container's environment: that of the shim, without what is about this host, and the task's
//! own variables.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde_json::{Value, json};

/// Variables that say something about the host or this process, and would be wrong in the
/// container. One that the task itself sets is passed on all the same.
const OF_THE_HOST: [&str; 17] = [
    "HOME",
    "HOSTNAME",
    "LANG",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "LOGNAME",
    "OLDPWD",
    "PATH",
    "PWD",
    "REEVE_CONTAINER",
    "REEVE_REPORT",
    "SHELL",
    "SHLVL",
    "TERM",
    "TMPDIR",
    "USER",
    "_",
];

/// Puts the environment into the body of the request; what the body has already, stays.
pub(super) fn put(
    body: &mut Value,
    ours: impl Iterator<Item = (OsString, OsString)>,
    of_the_task: Vec<(String, String)>,
) {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
    };
    let passed_on = |(name, _): &(String, String)| !OF_THE_HOST.contains(&name.as_str());
    let ours = ours.filter_map(text).filter(passed_on);
    let mut all: BTreeMap<String, String> = ours.chain(of_the_task).collect();
    for entry in body["Env"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        all.insert(name.to_owned(), value.to_owned());
    }
    let all: Vec<String> = all.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    body["Env"] = json!(all);
}

#[cfg(test)]
mod tests;
