use super::*;

mod ensemble;
mod world;
use world::{TIMEOUT, World, info};

/// A machine and what it wants, without a world.
struct Script {
    machine: Election,
    now: Tick,
    session: Session,
    said: Vec<Effect>,
}

impl Script {
    fn new(machine: Election) -> Self {
        let mut script = Self { machine, now: Tick::ZERO, session: Session(1), said: Vec::new() };
        script.event(Event::Timer);
        script.happened(Happened::Opened(TIMEOUT));
        script
    }

    /// A candidate whose znode is number 7.
    fn candidate() -> Self {
        let mut script = Self::new(Election::candidate(info(7), 1));
        script.happened(Happened::Created("json.info_0000000007".to_owned()));
        script
    }

    fn detector() -> Self {
        Self::new(Election::detector(1))
    }

    fn leader() -> Self {
        let mut script = Self::candidate();
        script.listed(&[7]);
        script.happened(Happened::Renewed(script.now, true));
        script
    }

    fn event(&mut self, event: Event) -> &mut Self {
        self.said.clear();
        self.machine.step(self.now, event, &mut self.said);
        self
    }

    fn happened(&mut self, happened: Happened) -> &mut Self {
        self.event(Event::With(self.session, happened))
    }

    fn listed(&mut self, numbers: &[u32]) -> &mut Self {
        let names = numbers.iter().map(|number| format!("json.info_{number:010}")).collect();
        self.happened(Happened::Listed(names))
    }

    fn read(&mut self, number: u32, of: usize) -> &mut Self {
        let data = payload::write(&info(of));
        self.happened(Happened::Read(format!("json.info_{number:010}"), Some(data)))
    }

    fn after(&mut self, time: Duration) -> &mut Self {
        self.now += time;
        self.event(Event::Timer)
    }

    fn asked(&self) -> Vec<&Request> {
        self.said
            .iter()
            .filter_map(|effect| match effect {
                Effect::Ask(_, request) => Some(request),
                _ => None,
            })
            .collect()
    }

    fn stand(&self) -> Option<(Stand, Option<String>)> {
        self.said.iter().rev().find_map(|effect| match effect {
            Effect::Stand(stand, leader) => {
                Some((stand.clone(), leader.as_ref().map(|leader| leader.id.clone())))
            }
            _ => None,
        })
    }

    fn trouble(&self) -> Option<&str> {
        self.said.iter().find_map(|effect| match effect {
            Effect::Say(Remark::Trouble(why)) => Some(why.as_str()),
            _ => None,
        })
    }
}

#[test]
fn the_first_leads_only_when_a_write_was_confirmed() {
    let mut script = Script::candidate();
    assert_eq!(script.asked(), [&Request::List]);
    script.listed(&[7, 9]);
    assert!(script.stand().is_none_or(|(stand, _)| stand == Stand::Standby));
    assert!(matches!(script.asked()[..], [Request::Renew(..)]), "{:?}", script.said);
    let sent = script.now;
    script.now += Duration::from_secs(1);
    script.happened(Happened::Renewed(sent, true));
    let until = sent + lease_of(TIMEOUT);
    let leading = Stand::Leading(until, "json.info_0000000007".into());
    assert_eq!(script.stand(), Some((leading, Some("master-7".to_owned()))));
}

#[test]
fn a_leader_that_hears_nothing_steps_down_before_its_session_ends() {
    let mut script = Script::leader();
    script.after(TIMEOUT / 6);
    assert!(matches!(script.asked()[..], [Request::Renew(..)]), "{:?}", script.said);
    let deadline = script.machine.deadline().expect("the end of the lease");
    assert_eq!(deadline, Tick::ZERO + lease_of(TIMEOUT));
    script.after(deadline - script.now);
    assert_eq!(script.stand(), Some((Stand::Outside, None)));
    assert!(matches!(script.said.last(), Some(Effect::Close(_, Some(_)))), "{:?}", script.said);
    assert!(script.trouble().expect("a reason").contains("no majority"));
}

#[test]
fn who_wakes_too_late_does_not_lead_on_what_it_finds() {
    let mut script = Script::leader();
    script.after(TIMEOUT / 6);
    let sent = script.now;
    script.now += TIMEOUT;
    script.happened(Happened::Renewed(sent, true));
    assert_eq!(script.stand(), Some((Stand::Outside, None)));
}

#[test]
fn a_renewal_counts_from_when_it_was_sent() {
    let mut script = Script::leader();
    script.after(TIMEOUT / 6);
    let sent = script.now;
    script.now += Duration::from_secs(3);
    script.happened(Happened::Renewed(sent, true));
    let extended = script.said.iter().any(
        |effect| matches!(effect, Effect::Extend(until) if *until == sent + lease_of(TIMEOUT)),
    );
    assert!(extended, "{:?}", script.said);
    assert_eq!(script.stand(), None, "it is the same term");
}

#[test]
fn who_stands_behind_knows_the_leader_and_follows_when_it_goes() {
    let mut script = Script::candidate();
    script.listed(&[3, 7]);
    assert_eq!(script.asked(), [&Request::Read("json.info_0000000003".to_owned())]);
    script.read(3, 3);
    assert_eq!(script.stand(), Some((Stand::Standby, Some("master-3".to_owned()))));
    script.happened(Happened::Changed);
    assert_eq!(script.asked(), [&Request::List]);
    script.listed(&[7]);
    assert!(matches!(script.asked()[..], [Request::Renew(..)]));
}

#[test]
fn a_znode_that_somebody_deleted_is_lost_and_made_anew() {
    for leading in [false, true] {
        let mut script = if leading { Script::leader() } else { Script::candidate() };
        script.listed(&[8]);
        assert_eq!(script.trouble(), Some("somebody deleted the znode of this master"));
        assert!(matches!(script.said.last(), Some(Effect::Close(..))), "{:?}", script.said);
        script.after(Duration::from_secs(1));
        assert!(matches!(script.said[..], [Effect::Open(Session(2))]), "{:?}", script.said);
        script.listed(&[7]);
        assert!(script.said.is_empty(), "what is said of the old session is nothing");
    }
    let mut script = Script::leader();
    script.happened(Happened::Renewed(script.now, false));
    assert_eq!(script.stand(), Some((Stand::Outside, None)));
}

#[test]
fn a_creation_that_may_have_been_done_is_looked_for_and_not_done_twice() {
    let mut script = Script::new(Election::candidate(info(7), 1));
    let create = script.asked()[0].clone();
    let broken = Failure::Unknown("the connection broke".to_owned());
    script.happened(Happened::Failed(create.clone(), broken.clone()));
    assert_eq!(script.asked(), [&Request::Find]);
    script.happened(Happened::Failed(Request::Find, broken));
    assert_eq!(script.asked(), [&Request::Find]);
    script.happened(Happened::Found(vec!["json.info_0000000007".to_owned()]));
    assert_eq!(script.asked(), [&Request::List]);
    let mut script = Script::new(Election::candidate(info(7), 1));
    script.happened(Happened::Found(Vec::new()));
    assert_eq!(script.asked(), [&create]);
}

#[test]
fn refusal_is_said_once_and_tried_again_for_ever() {
    let mut machine = Script::detector();
    let mut said = 0;
    for round in 1..50 {
        machine.session = Session(round);
        let refused = Failure::Refused("not authorized".to_owned());
        machine.happened(Happened::Failed(Request::List, refused));
        said += usize::from(machine.trouble().is_some());
        let until = machine.machine.deadline().expect("a next try");
        assert!(until - machine.now <= Duration::from_secs(5));
        machine.after(until - machine.now);
        machine.session = Session(round + 1);
        machine.happened(Happened::Opened(TIMEOUT));
    }
    assert_eq!(said, 1);
}

#[test]
fn a_leader_that_goes_while_it_is_read_is_looked_for_again() {
    let mut script = Script::detector();
    script.listed(&[3, 5]);
    script.happened(Happened::Read("json.info_0000000003".to_owned(), None));
    assert_eq!(script.asked(), [&Request::List]);
    script.listed(&[5]);
    assert_eq!(script.asked(), [&Request::Read("json.info_0000000005".to_owned())]);
    script.read(5, 5);
    assert_eq!(script.stand().map(|(_, leader)| leader), Some(Some("master-5".to_owned())));
}

#[test]
fn the_same_master_with_a_new_znode_is_told_again() {
    let mut script = Script::detector();
    script.listed(&[3]).read(3, 3);
    script.happened(Happened::Changed).listed(&[4]);
    assert_eq!(script.stand(), None, "until the next one is known");
    script.read(4, 3);
    assert_eq!(script.stand().map(|(_, leader)| leader), Some(Some("master-3".to_owned())));
}

#[test]
fn the_leader_is_forgotten_after_the_session_timeout_and_not_before() {
    let mut script = Script::detector();
    script.listed(&[3]).read(3, 3);
    script.happened(Happened::Down);
    assert_eq!(script.stand(), None);
    script.after(TIMEOUT - Duration::from_millis(1));
    assert_eq!(script.stand(), None);
    script.after(Duration::from_millis(1));
    assert_eq!(script.stand(), Some((Stand::Outside, None)));
}

#[test]
fn a_reconnection_looks_again_for_what_a_lost_watch_would_have_told() {
    let mut script = Script::detector();
    script.listed(&[3]).read(3, 3);
    script.happened(Happened::Down).happened(Happened::Up);
    assert_eq!(script.asked(), [&Request::List]);
    script.listed(&[4]);
    assert_eq!(script.asked(), [&Request::Read("json.info_0000000004".to_owned())]);
    let mut script = Script::leader();
    script.happened(Happened::Down).happened(Happened::Up);
    assert!(matches!(script.asked()[..], [Request::Renew(..), Request::List]));
}

#[test]
fn a_leader_that_can_t_be_read_is_no_leader_but_no_other_takes_its_place() {
    let mut script = Script::candidate();
    script.listed(&[3, 7]);
    script.happened(Happened::Read("json.info_0000000003".to_owned(), Some(b"?".to_vec())));
    assert!(script.said.iter().any(|one| matches!(one, Effect::Say(Remark::Unreadable(..)))));
    assert_eq!(script.machine.shown.stand, Stand::Standby);
    assert!(script.asked().is_empty());
}

#[test]
fn odd_names_are_said_once() {
    let mut script = Script::detector();
    for round in 0..3 {
        script.happened(Happened::Listed(vec!["0000000001".to_owned()]));
        let odd = script.said.iter().any(|one| matches!(one, Effect::Say(Remark::OddName(_))));
        assert_eq!(odd, round == 0);
        script.happened(Happened::Changed);
    }
}

#[test]
fn who_resigns_steps_down_before_its_znode_goes() {
    let mut script = Script::leader();
    script.event(Event::Resigned);
    let [Effect::Stand(Stand::Outside, None), Effect::Close(Session(1), Some(own))] =
        &script.said[..]
    else {
        panic!("{:?}", script.said)
    };
    assert_eq!(&**own, "json.info_0000000007");
    assert_eq!(script.machine.deadline(), None);
    script.after(TIMEOUT);
    assert!(script.said.is_empty());
}

/// Whatever goes wrong, no two masters may act as leaders at once; and when nothing goes wrong any
/// more one leads and all know it.
#[test]
fn no_two_leases_hold_at_once() {
    let mut terms = 0;
    for seed in 0..200 {
        let mut world = World::new(seed, 3);
        let check = |world: &World| {
            let leading = world.leading();
            assert!(leading.len() < 2, "seed {seed}: {leading:?} lead at {}", world.now);
        };
        for _ in 0..20 {
            world.trouble();
            world.trouble();
            world.run(TIMEOUT * 2, check);
        }
        world.run(TIMEOUT * 8, check);
        let leading = world.leading();
        assert_eq!(leading.len(), 1, "seed {seed}");
        for master in &world.masters {
            assert_eq!(master.leader, Some(info(leading[0])), "seed {seed}");
        }
        terms += world.masters.iter().map(|master| master.terms).sum::<u32>();
    }
    assert!(terms > 1500, "only {terms} terms: the world is too kind");
}

/// Somebody who deletes others' znodes makes two leaders possible for a moment, never for long.
#[test]
fn after_vandalism_one_leads_again() {
    for seed in 0..50 {
        let mut world = World::new(seed, 3);
        world.run(TIMEOUT, |_| {});
        for _ in 0..5 {
            world.vandalise();
            world.run(TIMEOUT * 3, |_| {});
            assert_eq!(world.leading().len(), 1, "seed {seed}");
        }
    }
}
