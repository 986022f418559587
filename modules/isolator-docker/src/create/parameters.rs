//! The free `parameters` of a DockerInfo: options of `docker run`, by name without the dashes.

use serde_json::{Value, json};

use super::{Refused, mount, push};
use crate::message::Parameter;

/// How a value is read, and where it goes.
enum Kind {
    Text,
    /// One more of several.
    List,
    Number,
    /// Bytes, with a unit if it likes.
    Size,
    /// Set unless `false`.
    Switch,
    /// `NAME=VALUE`.
    Map,
    /// Something of its own; none if it cannot be read.
    With(fn(&mut Value, &str) -> Option<()>),
    /// Not for a task to set, and why.
    Never(&'static str),
}

use Kind::{List, Map, Never, Number, Size, Switch, Text, With};

const OF_RESOURCES: Kind = Never("it follows from the task's resources");
const OF_NETWORK: Kind = Never("set 'network' of the DockerInfo, and 'network_infos'");
const OF_AGENT: Kind = Never("the agent sees to it");

/// The options: the name, how it is read, and the section of the body (`""` for the body itself)
/// and the field there that it goes to.
const TABLE: &[(&str, Kind, &str, &str)] = &[
    ("add-host", List, "HostConfig", "ExtraHosts"),
    ("blkio-weight", Number, "HostConfig", "BlkioWeight"),
    ("cap-add", List, "HostConfig", "CapAdd"),
    ("cap-drop", List, "HostConfig", "CapDrop"),
    ("cgroup-parent", Text, "HostConfig", "CgroupParent"),
    ("cgroupns", Text, "HostConfig", "CgroupnsMode"),
    ("cpu-period", OF_RESOURCES, "", ""),
    ("cpu-quota", OF_RESOURCES, "", ""),
    ("cpu-shares", OF_RESOURCES, "", ""),
    ("cpus", OF_RESOURCES, "", ""),
    ("cpuset-cpus", Text, "HostConfig", "CpusetCpus"),
    ("cpuset-mems", Text, "HostConfig", "CpusetMems"),
    ("detach", OF_AGENT, "", ""),
    ("device", With(device), "", ""),
    ("device-cgroup-rule", List, "HostConfig", "DeviceCgroupRules"),
    ("dns", List, "HostConfig", "Dns"),
    ("dns-opt", List, "HostConfig", "DnsOptions"),
    ("dns-option", List, "HostConfig", "DnsOptions"),
    ("dns-search", List, "HostConfig", "DnsSearch"),
    ("domainname", Text, "", "Domainname"),
    ("entrypoint", With(entry_point), "", ""),
    ("env", List, "", "Env"),
    ("expose", With(expose), "", ""),
    ("gpus", With(gpus), "", ""),
    ("group-add", List, "HostConfig", "GroupAdd"),
    ("hostname", Text, "", "Hostname"),
    ("init", Switch, "HostConfig", "Init"),
    ("interactive", Switch, "", "OpenStdin"),
    ("ipc", Text, "HostConfig", "IpcMode"),
    ("label", With(label), "", ""),
    ("log-driver", With(log_driver), "", ""),
    ("log-opt", With(log_option), "", ""),
    ("mac-address", Text, "", "MacAddress"),
    ("memory", OF_RESOURCES, "", ""),
    ("memory-reservation", OF_RESOURCES, "", ""),
    ("memory-swap", Size, "HostConfig", "MemorySwap"),
    ("memory-swappiness", Number, "HostConfig", "MemorySwappiness"),
    ("mount", With(mount::put), "", ""),
    ("name", OF_AGENT, "", ""),
    ("net", OF_NETWORK, "", ""),
    ("network", OF_NETWORK, "", ""),
    ("oom-kill-disable", Switch, "HostConfig", "OomKillDisable"),
    ("oom-score-adj", Number, "HostConfig", "OomScoreAdj"),
    ("pid", Text, "HostConfig", "PidMode"),
    ("pids-limit", Number, "HostConfig", "PidsLimit"),
    ("privileged", Switch, "HostConfig", "Privileged"),
    ("publish", Never("use 'port_mappings' of the DockerInfo"), "", ""),
    ("publish-all", Never("use 'port_mappings' of the DockerInfo"), "", ""),
    ("read-only", Switch, "HostConfig", "ReadonlyRootfs"),
    ("restart", Never("the framework starts its tasks again"), "", ""),
    ("rm", OF_AGENT, "", ""),
    ("runtime", Text, "HostConfig", "Runtime"),
    ("security-opt", List, "HostConfig", "SecurityOpt"),
    ("shm-size", Size, "HostConfig", "ShmSize"),
    ("stop-signal", Text, "", "StopSignal"),
    ("storage-opt", Map, "HostConfig", "StorageOpt"),
    ("sysctl", Map, "HostConfig", "Sysctls"),
    ("tmpfs", With(tmpfs), "", ""),
    ("tty", Switch, "", "Tty"),
    ("ulimit", With(ulimit), "", ""),
    ("user", Text, "", "User"),
    ("userns", Text, "HostConfig", "UsernsMode"),
    ("uts", Text, "HostConfig", "UTSMode"),
    ("volume", List, "HostConfig", "Binds"),
    ("volume-driver", Text, "HostConfig", "VolumeDriver"),
    ("volumes-from", List, "HostConfig", "VolumesFrom"),
    ("workdir", Text, "", "WorkingDir"),
];

/// The short names.
const SHORT: &[(&str, &str)] = &[
    ("c", "cpu-shares"),
    ("d", "detach"),
    ("e", "env"),
    ("h", "hostname"),
    ("i", "interactive"),
    ("l", "label"),
    ("m", "memory"),
    ("p", "publish"),
    ("t", "tty"),
    ("u", "user"),
    ("v", "volume"),
    ("w", "workdir"),
];

/// Puts the parameters into the body, each over what is there.
pub(crate) fn put(body: &mut Value, parameters: &[Parameter]) -> Result<(), Refused> {
    parameters.iter().try_for_each(|parameter| put_one(body, parameter))
}

fn put_one(body: &mut Value, Parameter { key, value }: &Parameter) -> Result<(), Refused> {
    let name = SHORT.iter().find(|(short, _)| short == key).map_or(key.as_str(), |(_, long)| long);
    let Some((_, kind, section, field)) = TABLE.iter().find(|(known, ..)| *known == name) else {
        return Err(Refused(format!(
            "DockerInfo has the parameter '{key}', which is not known here; the README of the \
             docker isolator lists those that are"
        )));
    };
    if let Never(why) = kind {
        return Err(Refused(format!("DockerInfo may not have the parameter '{key}': {why}")));
    }
    kind.put(body, section, field, value).ok_or_else(|| {
        Refused(format!("DockerInfo's parameter '{key}' has the value '{value}', which it cannot"))
    })
}

impl Kind {
    /// Puts a value where it goes; none if it cannot be read.
    fn put(&self, body: &mut Value, section: &str, field: &str, value: &str) -> Option<()> {
        if let With(put) = self {
            return put(body, value);
        }
        let section = if section.is_empty() { body } else { &mut body[section] };
        let place = &mut section[field];
        match self {
            Text => *place = json!(value),
            List => push(place, json!(value)),
            Number => *place = json!(value.parse::<i64>().ok()?),
            Size => *place = json!(bytes(value)?),
            Switch => *place = json!(truth(value)?),
            Map => {
                let (name, value) = value.split_once('=').unwrap_or((value, ""));
                place[name] = json!(value);
            }
            With(_) | Never(_) => return None,
        }
        Some(())
    }
}

fn truth(value: &str) -> Option<bool> {
    match value {
        "" | "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// A size as Docker writes it: `64m`, `1.5g`, `512`; -1 is no limit.
pub(super) fn bytes(value: &str) -> Option<i64> {
    if value == "-1" {
        return Some(-1);
    }
    let lower = value.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let exponent = match lower[digits.len()..].trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return None,
    };
    let bytes = digits.parse::<f64>().ok()? * 1_024_f64.powi(exponent);
    (0.0..9.0e18).contains(&bytes).then_some(bytes as i64)
}

/// Labels of ours are how an agent knows its containers; a task must not write them.
fn label(body: &mut Value, value: &str) -> Option<()> {
    let (name, value) = value.split_once('=').unwrap_or((value, ""));
    if name.starts_with("reeve.") {
        return None;
    }
    body["Labels"][name] = json!(value);
    Some(())
}

/// `HOST[:CONTAINER[:PERMISSIONS]]`.
fn device(body: &mut Value, value: &str) -> Option<()> {
    let mut parts = value.splitn(3, ':');
    let outside = parts.next().filter(|path| path.starts_with('/'))?;
    let (inside, permissions) = match (parts.next(), parts.next()) {
        (Some(permissions), None) if !permissions.starts_with('/') => (outside, permissions),
        (inside, permissions) => (inside.unwrap_or(outside), permissions.unwrap_or("rwm")),
    };
    let device = json!({
        "PathOnHost": outside, "PathInContainer": inside, "CgroupPermissions": permissions,
    });
    push(&mut body["HostConfig"]["Devices"], device);
    Some(())
}

/// A program over the image's entry point; an empty one resets it.
fn entry_point(body: &mut Value, value: &str) -> Option<()> {
    body["Entrypoint"] = json!([value]);
    Some(())
}

fn expose(body: &mut Value, value: &str) -> Option<()> {
    let (port, protocol) = value.split_once('/').unwrap_or((value, "tcp"));
    let port: u16 = port.parse().ok()?;
    body["ExposedPorts"][format!("{port}/{protocol}")] = json!({});
    Some(())
}

/// `all`, a number, or `device=ID,ID`, with quotes around it or not.
fn gpus(body: &mut Value, value: &str) -> Option<()> {
    let value = value.trim_matches('"');
    let mut request = json!({ "Capabilities": [["gpu"]] });
    match (value, value.strip_prefix("device=")) {
        ("all", _) => request["Count"] = json!(-1),
        (_, Some(ids)) => request["DeviceIDs"] = json!(ids.split(',').collect::<Vec<_>>()),
        (number, None) => request["Count"] = json!(number.parse::<u32>().ok()?),
    }
    push(&mut body["HostConfig"]["DeviceRequests"], request);
    Some(())
}

fn log_driver(body: &mut Value, value: &str) -> Option<()> {
    body["HostConfig"]["LogConfig"]["Type"] = json!(value);
    Some(())
}

fn log_option(body: &mut Value, value: &str) -> Option<()> {
    let (name, value) = value.split_once('=')?;
    body["HostConfig"]["LogConfig"]["Config"][name] = json!(value);
    Some(())
}

/// `PATH[:OPTIONS]`.
fn tmpfs(body: &mut Value, value: &str) -> Option<()> {
    let (path, options) = value.split_once(':').unwrap_or((value, ""));
    body["HostConfig"]["Tmpfs"][path] = json!(options);
    Some(())
}

/// `NAME=SOFT[:HARD]`.
fn ulimit(body: &mut Value, value: &str) -> Option<()> {
    let (name, limits) = value.split_once('=')?;
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let limit = json!({
        "Name": name, "Soft": soft.parse::<i64>().ok()?, "Hard": hard.parse::<i64>().ok()?,
    });
    push(&mut body["HostConfig"]["Ulimits"], limit);
    Some(())
}

#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, ..)| *name)
}
