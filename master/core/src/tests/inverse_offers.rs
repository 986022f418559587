//! Frameworks are asked whether agents may go that have maintenance ahead (SC-5, SE-3, MN-2).

use std::time::Duration;

use reeve_model::{AgentId, Filters, OfferId, TaskState, Unavailability, Window};

use super::Cluster;
use super::cluster::{Session, framework, known, pid, reregistration};
use super::maintenance::{machine, schedule, start, window};
use crate::Options;
use crate::effect::{Effect, ToScheduler};
use crate::event::{Ask, Call, Kind, MaintenanceChange, Recovered, RequestId};

/// One agent with a task of one framework.
fn busy() -> (Cluster, AgentId, Session) {
    busy_with(Options::default())
}

fn busy_with(options: Options) -> (Cluster, AgentId, Session) {
    let mut c = Cluster::with(options, Recovered::default());
    let agent = c.agent("a1", "cpus:4");
    let session = c.framework();
    c.run(&session, 0, &agent, "t");
    (c, agent, session)
}

fn answer(c: &mut Cluster, by: &Session, id: &str, accepted: bool, refuse: u64) -> Vec<String> {
    let offers = vec![OfferId::new(id)];
    let filters = Filters { refuse: Duration::from_secs(refuse) };
    c.call(by, Call::AnswerInverseOffers { offers, accepted, filters })
}

/// What is said of inverse offers.
fn talk(lines: &[String]) -> Vec<&str> {
    let about = |line: &&String| line.contains("may they go?") || line.contains("inverse");
    lines.iter().filter(about).map(String::as_str).collect()
}

/// What readers know of answers.
fn answers(c: &Cluster) -> Vec<(String, bool)> {
    let view = c.view();
    let all = view.answers.values().flatten();
    all.map(|(framework, answer)| (framework.to_string(), answer.accepted)).collect()
}

/// How many inverse offers readers see.
fn outstanding(c: &Cluster) -> usize {
    c.view().frameworks.values().map(|framework| framework.inverse_offers.len()).sum()
}

#[test]
fn who_runs_something_on_a_scheduled_machine_is_asked_and_its_answer_shown() {
    let (mut c, agent, session) = busy();
    c.framework();
    let lines = schedule(&mut c, &[machine()]);
    assert_eq!(talk(&lines), ["#1 < may they go? m-O1 m-S0"], "and the other one is not");
    let Some(Effect::ToScheduler(_, ToScheduler::InverseOffers(offers))) = c
        .effects
        .iter()
        .find(|one| matches!(one, Effect::ToScheduler(_, ToScheduler::InverseOffers(_))))
    else {
        panic!("{:?}", c.effects)
    };
    assert_eq!(offers[0].unavailability, window(&[]).unavailability);
    assert_eq!((&offers[0].framework, &offers[0].agent_id), (&session.0, &agent));
    assert_eq!((outstanding(&c), answers(&c).len()), (1, 0));

    assert!(answer(&mut c, &session, "m-O1", false, 5).is_empty());
    assert_eq!(answers(&c), [("m-0000".to_owned(), false)]);
    assert_eq!(outstanding(&c), 0);
    assert!(talk(&c.pass(Duration::from_millis(4900))).is_empty());
    assert_eq!(talk(&c.pass(Duration::from_millis(200))), ["#1 < may they go? m-O2 m-S0"]);
    assert_eq!(answers(&c).len(), 1, "what it said last counts while it is asked");
    answer(&mut c, &session, "m-O2", true, 1000);
    assert_eq!(answers(&c), [("m-0000".to_owned(), true)]);
}

#[test]
fn who_gets_an_offer_of_such_an_agent_is_asked_after_it_once() {
    let mut c = Cluster::new();
    c.agent("a1", "cpus:4");
    let session = c.framework();
    assert!(talk(&schedule(&mut c, &[machine()])).is_empty());
    let offers = c.grant(0, 0, "cpus:1");
    let said: Vec<bool> = c
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::ToScheduler(_, ToScheduler::Offers(_)) => Some(true),
            Effect::ToScheduler(_, ToScheduler::InverseOffers(_)) => Some(false),
            _ => None,
        })
        .collect();
    assert_eq!(said, [true, false]);
    c.grant(0, 0, "cpus:1");
    assert_eq!(outstanding(&c), 1);
    // One who has nothing there any more is asked again when it has.
    answer(&mut c, &session, "m-O1", true, 5);
    for id in [offers[0].clone(), OfferId::new("m-O2")] {
        c.call(&session, Call::Decline { offers: vec![id], filters: Filters::DEFAULT });
    }
    assert!(talk(&c.pass(Duration::from_secs(60))).is_empty());
    c.grant(0, 0, "cpus:1");
    assert_eq!(outstanding(&c), 1);
}

#[test]
fn answers_that_come_too_late_or_from_others_are_passed_over() {
    let (mut c, _, session) = busy();
    let other = c.framework();
    schedule(&mut c, &[machine()]);
    answer(&mut c, &other, "m-O1", true, 5);
    answer(&mut c, &session, "m-O9", true, 5);
    answer(&mut c, &session, "m-O01", true, 5);
    assert!(
        c.call(
            &session,
            Call::AnswerInverseOffers {
                offers: Vec::new(),
                accepted: true,
                filters: Filters::DEFAULT
            }
        )
        .is_empty()
    );
    assert!(answers(&c).is_empty());
    answer(&mut c, &session, "m-O1", true, 5);
    answer(&mut c, &session, "m-O1", false, 5);
    assert_eq!(answers(&c), [("m-0000".to_owned(), true)]);
}

#[test]
fn another_time_is_another_question() {
    let (mut c, _, session) = busy();
    schedule(&mut c, &[machine()]);
    answer(&mut c, &session, "m-O1", true, 1000);
    let change = |start| {
        let unavailability = Unavailability { start, duration: None };
        MaintenanceChange::Schedule(vec![Window { machines: vec![machine()], unavailability }])
    };
    let later =
        |c: &mut Cluster, at| c.step(Kind::Asks(RequestId(3), Ask::Maintenance(change(at))));
    assert_eq!(talk(&later(&mut c, 5)), ["#1 < may they go? m-O2 m-S0"]);
    assert!(answers(&c).is_empty());
    assert!(talk(&later(&mut c, 5)).is_empty(), "nothing changed");
    assert_eq!(
        talk(&later(&mut c, 6)),
        ["#1 < rescind inverse m-O2", "#1 < may they go? m-O3 m-S0"]
    );
    assert_eq!(talk(&schedule(&mut c, &[])), ["#1 < rescind inverse m-O3"]);
    assert_eq!(outstanding(&c), 0);
}

#[test]
fn one_who_asks_for_it_is_asked_again() {
    let (mut c, _, session) = busy();
    schedule(&mut c, &[machine()]);
    answer(&mut c, &session, "m-O1", false, 1000);
    let lines = c.call(&session, Call::Revive(Vec::new()));
    assert_eq!(talk(&lines), ["#1 < may they go? m-O2 m-S0"]);
    // Not without a pause, though.
    assert!(talk(&answer(&mut c, &session, "m-O2", false, 0)).is_empty());
    assert_eq!(talk(&c.pass(Duration::from_secs(1))), ["#1 < may they go? m-O3 m-S0"]);
}

#[test]
fn an_inverse_offer_has_its_time_as_offers_have() {
    let options = Options { offer_timeout: Some(Duration::from_secs(30)), ..Options::default() };
    let (mut c, _, _) = busy_with(options);
    schedule(&mut c, &[machine()]);
    assert_eq!(
        talk(&c.pass(Duration::from_secs(31))),
        ["#1 < rescind inverse m-O1", "#1 < may they go? m-O2 m-S0"]
    );
}

#[test]
fn agents_that_are_out_of_use_are_not_asked_about() {
    let (mut c, agent, _) = busy();
    schedule(&mut c, &[machine()]);
    let lines = c.step(Kind::Asks(RequestId(3), Ask::Deactivate(agent.clone())));
    assert_eq!(talk(&lines), ["#1 < rescind inverse m-O1"]);
    let lines = c.step(Kind::Asks(RequestId(3), Ask::Reactivate(agent.clone())));
    assert_eq!(talk(&lines), ["#1 < may they go? m-O2 m-S0"]);
    assert_eq!(talk(&c.step(Kind::LinkBroken(pid("a1")))), ["#1 < rescind inverse m-O2"]);
    let mut back = reregistration(&agent, "cpus:4");
    back.tasks.push(known("t", &"m-0000".into(), TaskState::Running, "cpus:1"));
    let lines = c.step(Kind::AgentReregisters(pid("a1"), Box::new(back)));
    assert_eq!(talk(&lines), ["#1 < may they go? m-O3 m-S0"]);
    let lines = start(&mut c, &[machine()]);
    assert_eq!(talk(&lines), ["#1 < rescind inverse m-O3"]);
    assert!(c.view().answers.is_empty());
}

#[test]
fn a_scheduler_that_takes_over_is_asked_anew_and_the_answer_stays_until_the_end() {
    let (mut c, _, session) = busy();
    schedule(&mut c, &[machine()]);
    answer(&mut c, &session, "m-O1", true, 1000);
    let mut info = framework();
    info.id = Some(session.0.clone());
    let (_, _, lines) = c.subscribe(info.clone());
    assert_eq!(talk(&lines), ["#2 < may they go? m-O2 m-S0"]);
    assert!(talk(&c.step(Kind::StreamClosed(crate::event::StreamId(2)))).is_empty());
    assert_eq!((outstanding(&c), answers(&c).len()), (0, 1));
    let (_, _, lines) = c.subscribe(info);
    assert_eq!(talk(&lines), ["#3 < may they go? m-O3 m-S0"]);
    c.step(Kind::TeardownAsked(RequestId(4), session.0));
    assert!(c.view().answers.is_empty());
}

#[test]
fn a_new_leader_asks_as_agents_and_schedulers_return() {
    let recovered = Recovered {
        schedule: vec![window(&[machine()])],
        machines: vec![reeve_model::Machine {
            id: machine(),
            mode: reeve_model::MachineMode::Draining,
            unavailability: Some(window(&[]).unavailability),
        }],
        ..Recovered::default()
    };
    let id = AgentId::new("old-S0");
    for scheduler_first in [true, false] {
        let mut c = Cluster::with(Options::default(), recovered.clone());
        let mut info = framework();
        info.id = Some("old-0000".into());
        let mut back = reregistration(&id, "cpus:4");
        back.frameworks.push(std::sync::Arc::new(info.clone()));
        back.tasks.push(known("t", &"old-0000".into(), TaskState::Running, "cpus:1"));
        let agent = Kind::AgentReregisters(pid("a1"), Box::new(back));
        let lines = if scheduler_first {
            c.subscribe(info);
            c.step(agent)
        } else {
            c.step(agent);
            c.subscribe(info).2
        };
        assert_eq!(talk(&lines), ["#1 < may they go? m-O0 old-S0"]);
    }
}
