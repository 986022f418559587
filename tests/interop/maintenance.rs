//! Machines with maintenance ahead: a framework that is asked whether they may go, and an operator
//! who looks at its answer, see the same of a master of either kind.

use std::net::SocketAddr;

use reeve_tests::{Agent, Master, Room, Scheduler, http, until};
use serde_json::{Value, json};

use crate::real::RealMaster;

#[test]
fn inverse_offers_are_those_of_a_real_master() {
    let (room, other) = (Room::new(), Room::new());
    let Some(real) = RealMaster::start(&room) else { return };
    let ours = Master::start(&other, &[]);
    let _agents = [Agent::start(&room, real.address, &[]), Agent::start(&other, ours.address, &[])];
    real.agent();
    ours.wait_agents(1);
    let (theirs, ours) = (seen(&room, real.address), seen(&other, ours.address));
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 7);
}

/// What is seen of it all, without what is never the same.
fn seen(room: &Room, master: SocketAddr) -> Vec<Value> {
    let mut scheduler = Scheduler::new(master);
    scheduler.run("sleeper", "sleep 1000");
    let mut seen = Vec::new();
    plan(room, master, Some(1000));
    let asked = scheduler.event("INVERSE_OFFERS");
    let offer = asked["inverse_offers"]["inverse_offers"][0].clone();
    seen.push(asked);
    seen.push(status(master, &[0]));
    answer(&scheduler, "ACCEPT", &offer);
    seen.push(status(master, &[1]));
    // Another time is another question.
    plan(room, master, Some(2000));
    let asked = scheduler.event("INVERSE_OFFERS");
    let again = asked["inverse_offers"]["inverse_offers"][0].clone();
    assert_ne!(offer["id"], again["id"]);
    seen.push(asked);
    seen.push(status(master, &[0]));
    // What is over already is passed over.
    answer(&scheduler, "DECLINE", &offer);
    plan(room, master, None);
    let void = scheduler.event("RESCIND_INVERSE_OFFER");
    assert_eq!(void["rescind_inverse_offer"]["inverse_offer_id"], again["id"]);
    seen.push(void);
    answer(&scheduler, "ACCEPT", &again);
    seen.push(status(master, &[]));
    let address = &offer["url"]["address"];
    let (ip, port) = (room.ip.to_string(), address["port"].to_string());
    let text = |value: &Value| value["value"].as_str().expect("an id").to_owned();
    let names = [
        (text(&offer["id"]), "offer"),
        (text(&again["id"]), "offer"),
        (text(&offer["agent_id"]), "agent"),
        (text(&offer["framework_id"]), "framework"),
        (ip, "ip"),
        (port, "0"),
    ];
    let mask = |text: String, (from, to): &(String, &str)| text.replace(from, to);
    let masked = |value: Value| names.iter().fold(value.to_string(), mask);
    seen.into_iter().map(|one| serde_json::from_str(&masked(one)).expect("JSON")).collect()
}

/// The room's machine is to be down at that time, or not.
fn plan(room: &Room, master: SocketAddr, start: Option<i64>) {
    let windows = start.map(|start| {
        let unavailability =
            json!({"start": {"nanoseconds": start}, "duration": {"nanoseconds": 60}});
        let machine = json!({"hostname": "localhost", "ip": room.ip.to_string()});
        json!({"machine_ids": [machine], "unavailability": unavailability})
    });
    let body = json!({"windows": windows.as_slice()}).to_string();
    let headers = [("Content-Type", "application/json")];
    let path = "/master/maintenance/schedule";
    let answer = http::send(master, "POST", path, &headers, body.as_bytes());
    assert_eq!(answer.status(), 200, "{}", answer.text());
}

/// What operators are shown once each machine with maintenance ahead has so many answers; without
/// the times.
fn status(master: SocketAddr, answers: &[usize]) -> Value {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut status = until("the status of maintenance", || {
        let status = http::try_json(master, "/master/maintenance/status")?;
        let machines = list(&status["draining_machines"]);
        let counts = machines.iter().map(|machine| list(&machine["statuses"]).len());
        counts.eq(answers.iter().copied()).then_some(status)
    });
    for (machine, answers) in answers.iter().enumerate() {
        for answer in 0..*answers {
            let time = &mut status["draining_machines"][machine]["statuses"][answer]["timestamp"];
            assert!(time["nanoseconds"].take().is_number(), "{status:#}");
        }
    }
    status
}

fn answer(scheduler: &Scheduler, kind: &str, offer: &Value) {
    let filters = json!({"refuse_seconds": 1000.0});
    let answer = json!({"inverse_offer_ids": [offer["id"]], "filters": filters});
    let call = format!("{kind}_INVERSE_OFFERS");
    scheduler.accepted(json!({"type": call, call.to_lowercase(): answer}));
}
