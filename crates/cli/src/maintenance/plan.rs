//! Schedules of maintenance as masters tell and take them.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{anyhow, bail};
use reeve_config::duration;
use serde_json::{Value, json};

use super::answers::Frameworks;

/// The machines of a schedule.
pub(super) fn machines(schedule: &Value) -> Vec<Value> {
    windows(schedule).iter().flat_map(|window| list(window, "machine_ids")).collect()
}

/// The machines that agents are on, of `/slaves`: a schedule must name them just so.
pub(super) fn machines_of(slaves: &Value) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for one in list(slaves, "slaves") {
        let address = one["pid"].as_str().and_then(|pid| pid.rsplit_once('@')).map(|(_, at)| at);
        let ip = address.and_then(|at| at.rsplit_once(':')).map_or("", |(ip, _)| ip);
        let ip = ip.trim_start_matches('[').trim_end_matches(']');
        let machine = json!({"hostname": one["hostname"], "ip": ip});
        if !all.contains(&machine) {
            all.push(machine);
        }
    }
    all
}

/// The machines that names stand for. `HOSTNAME/IP` stands for itself.
pub(super) fn named(names: &[String], known: &[Value]) -> anyhow::Result<Vec<Value>> {
    names.iter().map(|name| one(name, known)).collect()
}

fn one(name: &str, known: &[Value]) -> anyhow::Result<Value> {
    if let Some((hostname, ip)) = name.split_once('/') {
        return Ok(json!({"hostname": hostname, "ip": ip}));
    }
    let is = |machine: &&Value| {
        let text = |key: &str| machine[key].as_str().unwrap_or_default();
        text("hostname").eq_ignore_ascii_case(name) || text("ip") == name
    };
    let mut found = known.iter().filter(is);
    let machine = found.next().ok_or_else(|| {
        anyhow!("'{name}' is no machine that the master knows here; name it as HOSTNAME/IP")
    })?;
    if found.next().is_some() {
        bail!("'{name}' may be several machines; name it as HOSTNAME/IP");
    }
    Ok(machine.clone())
}

/// When machines are to be down that go down so long from now, for so long.
pub(super) fn unavailability(now: i64, wait: Duration, lasts: Option<Duration>) -> Value {
    let nanoseconds = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
    let start = now.saturating_add(nanoseconds(wait));
    let mut unavailability = json!({"start": {"nanoseconds": start}});
    if let Some(lasts) = lasts {
        unavailability["duration"] = json!({"nanoseconds": nanoseconds(lasts)});
    }
    unavailability
}

/// A schedule in which these machines are to be down then, or not at all; for others it stays.
pub(super) fn planned(present: Value, machines: &[Value], when: Option<Value>) -> Value {
    let mut windows = windows(&present);
    for window in &mut windows {
        let mut left = list(window, "machine_ids");
        left.retain(|one| !machines.iter().any(|other| same(one, other)));
        window["machine_ids"] = left.into();
    }
    windows.retain(|window| window["machine_ids"] != json!([]));
    if let Some(unavailability) = when {
        windows.push(json!({"machine_ids": machines, "unavailability": unavailability}));
    }
    json!({ "windows": windows })
}

/// The status as people read it, with the times of the schedule and what frameworks say to it.
pub(super) fn listing(
    status: &Value,
    schedule: &Value,
    frameworks: &Frameworks,
    now: i64,
) -> String {
    let mut out = String::new();
    let windows = windows(schedule);
    let draining = list(status, "draining_machines");
    let draining = draining.iter().map(|one| {
        let asked = frameworks.asked(|machine| same(machine, &one["id"]));
        (&one["id"], "to be down", frameworks.lines(&list(one, "statuses"), &asked, now))
    });
    let down = list(status, "down_machines");
    let down = down.iter().map(|one| (one, "down", String::new()));
    for (machine, state, answers) in draining.chain(down) {
        let is_in =
            |window: &&Value| list(window, "machine_ids").iter().any(|one| same(one, machine));
        let when = windows.iter().find(is_in).map(|window| time(window, now)).unwrap_or_default();
        // Writing to a text can't fail.
        let _ = writeln!(out, "{}  {state}{when}", show(machine));
        out += &answers;
    }
    out
}

fn show(machine: &Value) -> String {
    match (machine["hostname"].as_str(), machine["ip"].as_str()) {
        (Some(hostname), Some(ip)) => format!("{hostname}/{ip}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "?".to_owned(),
    }
}

/// When a window begins and how long it lasts.
fn time(window: &Value, now: i64) -> String {
    let start = window["unavailability"]["start"]["nanoseconds"].as_i64().unwrap_or(now);
    let seconds =
        |nanoseconds: u64| duration::show(Duration::from_secs(nanoseconds / 1_000_000_000));
    let distance = seconds(start.abs_diff(now));
    let begins =
        if start > now { format!(", in {distance}") } else { format!(", since {distance}") };
    match window["unavailability"]["duration"]["nanoseconds"].as_u64() {
        Some(lasts) => format!("{begins}, for {}", seconds(lasts)),
        None => begins,
    }
}

/// Whether both are the same machine: names of hosts are the same in capitals.
fn same(one: &Value, other: &Value) -> bool {
    let text =
        |machine: &Value, key: &str| machine[key].as_str().unwrap_or_default().to_ascii_lowercase();
    ["hostname", "ip"].iter().all(|key| text(one, key) == text(other, key))
}

fn windows(schedule: &Value) -> Vec<Value> {
    list(schedule, "windows")
}

pub(super) fn list(value: &Value, key: &str) -> Vec<Value> {
    value[key].as_array().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn machine(hostname: &str, ip: &str) -> Value {
        json!({"hostname": hostname, "ip": ip})
    }

    #[test]
    fn a_machine_is_named_by_either_name_if_that_is_one_machine() {
        let slaves = json!({"slaves": [
            {"hostname": "a", "pid": "slave(1)@10.0.0.1:5051"},
            {"hostname": "a", "pid": "slave(1)@10.0.0.1:5052"},
            {"hostname": "b", "pid": "slave(1)@[::1]:5051"},
            {"hostname": "c", "pid": "slave(1)@10.0.0.3:5051"},
            {"hostname": "c", "pid": "slave(1)@10.0.0.4:5051"},
        ]});
        let known = machines_of(&slaves);
        let named = |name: &str| named(&[name.to_owned()], &known).map(|found| found[0].clone());
        assert_eq!(named("A").unwrap(), machine("a", "10.0.0.1"));
        assert_eq!(named("::1").unwrap(), machine("b", "::1"));
        assert!(named("c").unwrap_err().to_string().contains("several machines"));
        assert!(named("d").unwrap_err().to_string().contains("no machine"));
        assert_eq!(named("d/10.0.0.9").unwrap(), machine("d", "10.0.0.9"));
    }

    #[test]
    fn a_plan_moves_machines_and_leaves_the_others() {
        let (a, b) = (machine("a", "10.0.0.1"), machine("b", "10.0.0.2"));
        let when = unavailability(5, Duration::from_secs(1), None);
        assert_eq!(when, json!({"start": {"nanoseconds": SECOND + 5}}));
        let all = planned(json!({}), &[a.clone(), b.clone()], Some(when.clone()));
        let later = unavailability(9, Duration::ZERO, Some(Duration::from_secs(2)));
        let moved = planned(all, std::slice::from_ref(&a), Some(later.clone()));
        assert_eq!(
            moved,
            json!({"windows": [
                {"machine_ids": [b], "unavailability": when},
                {"machine_ids": [a], "unavailability": later},
            ]})
        );
        assert_eq!(planned(moved, &[machine("A", "10.0.0.1"), b], None), json!({"windows": []}));
    }

    #[test]
    fn the_status_tells_when() {
        let (a, b) = (machine("a", "10.0.0.1"), machine("b", "10.0.0.2"));
        let schedule = json!({"windows": [
            {"machine_ids": [a], "unavailability":
                unavailability(0, Duration::from_secs(7200), Some(Duration::from_secs(60)))},
            {"machine_ids": [b], "unavailability": unavailability(0, Duration::ZERO, None)},
        ]});
        let answer = |id: &str, answer: &str| {
            json!({"framework_id": {"value": id}, "status": answer,
                "timestamp": {"nanoseconds": 3595 * SECOND}})
        };
        let statuses = json!([answer("f-1", "ACCEPT"), answer("f-2", "DECLINE")]);
        let status = json!({
            "draining_machines": [{"id": a, "statuses": statuses}], "down_machines": [b]});
        let framework = |id: &str, name: &str, asked: &Value| {
            let url = json!({"address": asked});
            json!({"framework_info": {"id": {"value": id}, "name": name},
                "inverse_offers": [{"url": url}]})
        };
        let frameworks = json!({"get_frameworks": {"frameworks": [
            framework("f-1", "web", &a), framework("f-3", "batch", &a), framework("f-4", "x", &b),
        ]}});
        assert_eq!(
            listing(&status, &schedule, &Frameworks::read(&frameworks), 3600 * SECOND),
            "a/10.0.0.1  to be down, in 1hrs, for 1mins\n\
             \x20   accepted 5secs ago by web (f-1)\n\
             \x20   declined 5secs ago by f-2\n\
             \x20   not answered yet by batch (f-3)\n\
             b/10.0.0.2  down, since 1hrs\n"
        );
    }
}
