//! An agent with a credential proves who it is before it registers (LP-11).

// Tests may stop at what must not be.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::time::Duration;

use reeve_agent_core::effect::{Effect, ToMaster};
use reeve_agent_core::event::{FromMaster, Kind, Proof};
use reeve_agent_core::{AuthenticationTimes, Options};
use reeve_model::AgentId;
use rig::{AGENT, Rig, master};

/// An agent with a credential that knows its master, and has just begun to prove who it is.
fn proving() -> Rig {
    let authentication = Some(AuthenticationTimes {
        backoff: Duration::from_secs(1),
        timeout_min: Duration::from_secs(5),
        timeout_max: Duration::from_secs(60),
    });
    let mut rig = Rig::with(Options { authentication, ..Options::default() });
    rig.event(Kind::Recovered(Box::default()));
    rig.event(Kind::MasterDetected(Some(master())));
    rig.deadline();
    assert_eq!(asked(&mut rig), (1, 0));
    rig
}

/// How often it began to prove who it is, and asked for admission.
fn asked(rig: &mut Rig) -> (usize, usize) {
    let effects = rig.take();
    let count = |is: fn(&Effect) -> bool| effects.iter().filter(|effect| is(effect)).count();
    (
        count(|effect| matches!(effect, Effect::Authenticate(_))),
        count(|effect| matches!(effect, Effect::ToMaster(_, ToMaster::Register(_)))),
    )
}

fn proof(rig: &mut Rig, proof: Proof) {
    rig.event(Kind::Authenticated(master(), proof));
}

#[test]
fn it_registers_once_the_master_knows_it_and_proves_it_anew_after_a_break() {
    let mut rig = proving();
    proof(&mut rig, Proof::Accepted);
    assert_eq!(asked(&mut rig), (0, 1));
    rig.pass(Duration::from_secs(100));
    let (proofs, registrations) = asked(&mut rig);
    assert_eq!(proofs, 0);
    assert!(registrations > 1, "an answer may be long in coming");
    rig.master(FromMaster::Registered(AgentId::new(AGENT), None));
    rig.event(Kind::MasterLinkBroken(master()));
    rig.take();
    rig.deadline();
    assert_eq!(asked(&mut rig), (1, 0));
}

#[test]
fn it_tries_again_when_nobody_answers_or_something_fails() {
    let mut rig = proving();
    rig.pass(Duration::from_secs(600));
    let (proofs, registrations) = asked(&mut rig);
    assert!((9..=60).contains(&proofs), "{proofs} times in ten minutes");
    assert_eq!(registrations, 0);
    proof(&mut rig, Proof::Failed("No authenticator loaded".to_owned()));
    assert_eq!(asked(&mut rig), (0, 0), "not at once: the master may be overrun");
    rig.deadline();
    assert_eq!(asked(&mut rig), (1, 0));
}

#[test]
fn a_refusal_ends_the_agent_and_not_what_it_runs() {
    let mut rig = proving();
    proof(&mut rig, Proof::Refused);
    let said = |effect: &Effect| matches!(effect, Effect::Exit(why) if why.contains("refused authentication"));
    assert!(rig.has(said));
    assert!(!rig.has(|effect| matches!(effect, Effect::Destroy(_))));
}

#[test]
fn what_another_master_said_counts_for_nothing() {
    let mut rig = proving();
    rig.event(Kind::Authenticated(rig::pid("other"), Proof::Refused));
    assert_eq!(asked(&mut rig), (0, 0));
    proof(&mut rig, Proof::Accepted);
    proof(&mut rig, Proof::Refused);
    assert_eq!(asked(&mut rig), (0, 1), "an attempt that was given up is of no interest");
    assert!(!rig.has(|effect| matches!(effect, Effect::Exit(_))));
}
