//! The machine that decides, for contender and detector.
//!
//! ```text
//!                        backoff over            opened
//!          ┌─▶ Waiting ───────────────▶ Opening ────────▶ Open ──┐
//!          └──────────────────────────────┴──────────────────────┘   resigned: Ended
//!                       the session is over, or is ended by us
//! ```
//!
//! A session contends once. Whatever a candidate loses (its lease, its znode, its connection for
//! the session's whole timeout), it closes the session and begins anew at the end of the queue.

mod open;
mod vocabulary;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use reeve_machine::{Chance, Machine, Tick, backoff};
use reeve_model::MasterInfo;

use crate::payload;
use open::{Open, Verdict};
pub use vocabulary::{Effect, Event, Failure, Happened, Remark, Request, Session, Stand};

/// Waits between sessions grow from somewhere below the first to somewhere below the second.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// How long a leader may act after a confirmed write was sent: two thirds of the session's timeout.
/// The rest covers how late ZooKeeper's servers tell each other of signs of life: half a tick and
/// the client's pause between pings, with ticks of up to two fifths of the timeout.
pub fn lease_of(session_timeout: Duration) -> Duration {
    session_timeout * 2 / 3
}

/// Contends, if it has a candidate, and detects who leads.
#[derive(Debug)]
pub struct Election {
    candidate: Option<Candidacy>,
    chance: Chance,
    session: Session,
    phase: Phase,
    /// Sessions in a row that came to nothing.
    failures: u32,
    shown: Shown,
    /// What was said last; nothing once things are well.
    trouble: Option<String>,
    odd: BTreeSet<String>,
}

#[derive(Clone, Debug)]
struct Candidacy {
    info: Arc<MasterInfo>,
    data: Arc<[u8]>,
}

#[derive(Debug)]
enum Phase {
    Waiting { until: Tick },
    Opening,
    Open(Box<Open>),
    Ended,
}

/// What was told last: the leader by its znode too, because one that comes again with the same
/// `MasterInfo` remembers nothing.
#[derive(Debug, PartialEq)]
struct Shown {
    stand: Stand,
    leader: Option<(String, Option<Arc<MasterInfo>>)>,
}

impl Election {
    /// Detects only.
    pub fn detector(seed: u64) -> Self {
        Self {
            candidate: None,
            chance: Chance::new(seed),
            session: Session::default(),
            phase: Phase::Waiting { until: Tick::ZERO },
            failures: 0,
            shown: Shown { stand: Stand::Outside, leader: None },
            trouble: None,
            odd: BTreeSet::new(),
        }
    }

    /// Contends for that master, too.
    pub fn candidate(info: Arc<MasterInfo>, seed: u64) -> Self {
        let data = payload::write(&info).into();
        Self { candidate: Some(Candidacy { info, data }), ..Self::detector(seed) }
    }

    fn timer(&mut self, now: Tick, out: &mut Vec<Effect>) {
        match &mut self.phase {
            Phase::Waiting { until } if now >= *until => {
                self.session.0 += 1;
                self.phase = Phase::Opening;
                out.push(Effect::Open(self.session));
            }
            Phase::Open(open) => {
                let verdict = open.timer(now);
                self.judge(now, verdict, out);
            }
            Phase::Waiting { .. } | Phase::Opening | Phase::Ended => {}
        }
    }

    fn happened(&mut self, now: Tick, happened: Happened, out: &mut Vec<Effect>) {
        match (&mut self.phase, happened) {
            (Phase::Opening, Happened::Opened(timeout)) => {
                let (open, request) = Open::new(timeout, self.candidate.as_ref(), now);
                self.phase = Phase::Open(Box::new(open));
                out.push(Effect::Ask(self.session, request));
            }
            (Phase::Opening | Phase::Open(_), Happened::Over(why)) => self.restart(now, why, out),
            (Phase::Open(open), happened) => {
                let verdict = open.happened(now, happened);
                self.judge(now, verdict, out);
            }
            (Phase::Waiting { .. } | Phase::Opening | Phase::Ended, _) => {}
        }
    }

    fn judge(&mut self, now: Tick, verdict: Verdict, out: &mut Vec<Effect>) {
        for remark in verdict.remarks {
            if !matches!(&remark, Remark::OddName(name) if !self.odd.insert(name.clone())) {
                out.push(Effect::Say(remark));
            }
        }
        if let Some(why) = verdict.over {
            return self.restart(now, why, out);
        }
        out.extend(verdict.requests.into_iter().map(|request| Effect::Ask(self.session, request)));
        if let (Some(until), Stand::Leading(..)) = (verdict.extended, &self.shown.stand) {
            out.push(Effect::Extend(until));
        }
    }

    /// Ends this session and begins anew after a while.
    fn restart(&mut self, now: Tick, why: String, out: &mut Vec<Effect>) {
        if self.trouble.as_ref() != Some(&why) {
            out.push(Effect::Say(Remark::Trouble(why.clone())));
            self.trouble = Some(why);
        }
        let (base, cap) = BACKOFF;
        let until = now + backoff(self.failures, base, cap, &mut self.chance);
        self.failures = self.failures.saturating_add(1);
        self.leave(Phase::Waiting { until }, out);
    }

    /// Steps down first, and closes then: nobody else leads before we know that we don't.
    fn leave(&mut self, phase: Phase, out: &mut Vec<Effect>) {
        let left = std::mem::replace(&mut self.phase, phase);
        self.show(out);
        match left {
            Phase::Open(open) => out.push(Effect::Close(self.session, open.own())),
            Phase::Opening => out.push(Effect::Close(self.session, None)),
            Phase::Waiting { .. } | Phase::Ended => {}
        }
    }

    fn show(&mut self, out: &mut Vec<Effect>) {
        let shown = match &self.phase {
            Phase::Open(open) => {
                let own = self.candidate.as_ref().map(|candidate| &candidate.info);
                Shown { stand: open.stand(), leader: open.leader(own) }
            }
            _ => Shown { stand: Stand::Outside, leader: None },
        };
        if matches!(&self.phase, Phase::Open(open) if open.settled()) {
            self.failures = 0;
            self.trouble = None;
        }
        // A term is told once; that it is extended is told apart.
        let same = match (&shown.stand, &self.shown.stand) {
            (Stand::Leading(_, new), Stand::Leading(_, old)) => new == old,
            (new, old) => new == old,
        };
        if same && shown.leader == self.shown.leader {
            return;
        }
        let leader = shown.leader.as_ref().and_then(|(_, info)| info.clone());
        out.push(Effect::Stand(shown.stand.clone(), leader));
        self.shown = shown;
    }
}

impl Machine for Election {
    type Event = Event;
    type Effect = Effect;

    fn step(&mut self, now: Tick, event: Event, out: &mut Vec<Effect>) {
        match event {
            Event::Timer => self.timer(now, out),
            Event::Resigned => self.leave(Phase::Ended, out),
            Event::With(session, happened) if session == self.session => {
                self.happened(now, happened, out);
            }
            Event::With(..) => {}
        }
        self.show(out);
    }

    fn deadline(&self) -> Option<Tick> {
        match &self.phase {
            Phase::Waiting { until } => Some(*until),
            Phase::Open(open) => open.deadline(),
            Phase::Opening | Phase::Ended => None,
        }
    }
}

#[cfg(test)]
mod tests;
