//! Masters and an ensemble on a virtual clock, with everything that can go wrong between them:
//! delays, cut links, servers that are cut off from the others and answer reads only, masters that
//! are stopped, signs of life that are passed on late.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::ensemble::{Ensemble, Id};
use super::*;

pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// How late servers tell each other of a sign of life: half a tick of two fifths of the timeout; and
/// how often the client gives one.
const LAG: Duration = Duration::from_secs(2);
const PING: Duration = Duration::from_millis(1125);

pub(super) struct World {
    pub(super) now: Tick,
    chance: Chance,
    order: u64,
    queue: BinaryHeap<Reverse<(Tick, u64, usize)>>,
    todo: BTreeMap<u64, Todo>,
    pub(super) ensemble: Ensemble,
    /// What a server that is cut off knows.
    stale: Ensemble,
    pub(super) masters: Vec<Master>,
}

pub(super) struct Master {
    election: Election,
    /// The lease, as the shell would keep it.
    pub(super) until: Option<Tick>,
    pub(super) leader: Option<Arc<MasterInfo>>,
    pub(super) terms: u32,
    session: Session,
    id: Option<Id>,
    link: Link,
    /// Stopped until then; what arrives waits.
    asleep: Tick,
    /// When the machine's timer is set to.
    timer: Tick,
    /// Requests on their way, and when the last one and its answer arrive.
    flying: BTreeMap<u64, Request>,
    last: Tick,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Link {
    Up,
    Cut,
    /// To a server that is cut off from the others.
    Stale,
}

enum Todo {
    Tell(Session, Happened),
    Open(Session),
    Ask(Session, u64, Tick, Request),
    Answer(Session, u64, Happened),
    Close(Id),
    Ping,
    Timer,
    Link(Link),
    Sleep(Duration),
}

pub(super) fn info(number: usize) -> Arc<MasterInfo> {
    let port = u16::try_from(5050 + number).unwrap();
    Arc::new(MasterInfo {
        id: format!("master-{number}"),
        ip: [10, 0, 0, 1].into(),
        port,
        hostname: format!("m{number}"),
        version: "1.11.0".to_owned(),
        pid: format!("master@10.0.0.1:{port}"),
        domain: None,
        capabilities: vec![1, 2, 3],
    })
}

impl World {
    pub(super) fn new(seed: u64, masters: usize) -> Self {
        let mut world = Self {
            now: Tick::ZERO,
            chance: Chance::new(seed),
            order: 0,
            queue: BinaryHeap::new(),
            todo: BTreeMap::new(),
            ensemble: Ensemble::default(),
            stale: Ensemble::default(),
            masters: Vec::new(),
        };
        for number in 0..masters {
            world.masters.push(Master {
                election: Election::candidate(info(number), seed + number as u64),
                until: None,
                leader: None,
                terms: 0,
                session: Session::default(),
                id: None,
                link: Link::Up,
                asleep: Tick::ZERO,
                timer: Tick::ZERO,
                flying: BTreeMap::new(),
                last: Tick::ZERO,
            });
            world.later(number, Duration::ZERO, Todo::Timer);
            world.later(number, Duration::ZERO, Todo::Ping);
        }
        world
    }

    fn later(&mut self, who: usize, wait: Duration, todo: Todo) {
        self.order += 1;
        self.queue.push(Reverse((self.now + wait, self.order, who)));
        self.todo.insert(self.order, todo);
    }

    fn delay(&mut self) -> Duration {
        let slow = self.chance.one_in(20);
        let most = if slow { Duration::from_secs(3) } else { Duration::from_millis(20) };
        self.chance.duration(Duration::ZERO..most)
    }

    /// Something bad for a while, then good again.
    pub(super) fn trouble(&mut self) {
        let who = self.chance.below(self.masters.len() as u64) as usize;
        let wait = self.chance.duration(Duration::ZERO..TIMEOUT * 2);
        let time = self.chance.duration(Duration::ZERO..TIMEOUT * 2);
        match self.chance.below(4) {
            0 => self.later(who, wait, Todo::Sleep(time)),
            1 => self.later(who, wait, Todo::Link(Link::Stale)),
            _ => self.later(who, wait, Todo::Link(Link::Cut)),
        }
        self.later(who, wait + time, Todo::Link(Link::Up));
    }

    /// Runs for this long; `check` sees the world after each event.
    pub(super) fn run(&mut self, time: Duration, check: impl Fn(&World)) {
        let end = self.now + time;
        while let Some(Reverse((when, order, who))) = self.queue.peek().copied() {
            let expiry = self.ensemble.deadline().unwrap_or(Tick::MAX);
            if expiry.min(when) > end {
                break;
            }
            if expiry < when {
                self.now = self.now.max(expiry);
                let fired = self.ensemble.expire(self.now);
                self.fire(fired);
            } else {
                self.queue.pop();
                self.now = self.now.max(when);
                let todo = self.todo.remove(&order).unwrap();
                self.handle(who, todo);
            }
            check(self);
        }
        self.now = end;
    }

    fn handle(&mut self, who: usize, todo: Todo) {
        // A stopped process does nothing; what comes waits for it. The network goes on.
        let asleep = self.masters[who].asleep;
        let own = matches!(todo, Todo::Tell(..) | Todo::Answer(..) | Todo::Timer | Todo::Ping);
        if own && self.now < asleep {
            return self.later(who, asleep - self.now, todo);
        }
        match todo {
            Todo::Timer => {
                self.masters[who].timer = Tick::MAX;
                self.step(who, Event::Timer);
            }
            Todo::Tell(session, happened) => self.step(who, Event::With(session, happened)),
            Todo::Answer(session, number, happened) => {
                if self.masters[who].flying.remove(&number).is_some() {
                    self.step(who, Event::With(session, happened));
                }
            }
            Todo::Open(session) => self.opened(who, session),
            Todo::Ask(session, number, sent, request) => {
                self.ask(who, session, number, sent, request)
            }
            Todo::Close(id) => {
                let fired = self.ensemble.close(id);
                self.fire(fired);
            }
            Todo::Ping => {
                self.touch(who);
                self.later(who, PING, Todo::Ping);
            }
            Todo::Sleep(time) => self.masters[who].asleep = self.now + time,
            Todo::Link(link) => self.link(who, link),
        }
    }

    fn touch(&mut self, who: usize) {
        let lag = self.chance.duration(Duration::ZERO..LAG);
        let Master { link: Link::Up, id: Some(id), session, .. } = self.masters[who] else {
            return;
        };
        if !self.ensemble.touch(id, self.now - lag) {
            let over = Happened::Over("the session expired".to_owned());
            self.later(who, Duration::ZERO, Todo::Tell(session, over));
        }
    }

    fn step(&mut self, who: usize, event: Event) {
        let mut effects = Vec::new();
        self.masters[who].election.step(self.now, event, &mut effects);
        for effect in effects {
            self.carry_out(who, effect);
        }
        let deadline = self.masters[who].election.deadline();
        if let Some(deadline) = deadline.filter(|next| self.masters[who].timer > *next) {
            self.masters[who].timer = deadline;
            self.later(who, deadline.since(self.now), Todo::Timer);
        }
    }

    fn carry_out(&mut self, who: usize, effect: Effect) {
        let delay = self.delay();
        let now = self.now;
        let master = &mut self.masters[who];
        match effect {
            Effect::Open(session) => {
                master.session = session;
                master.id = None;
                master.last = now;
                self.later(who, delay, Todo::Open(session));
            }
            Effect::Close(..) => {
                master.flying.clear();
                if let (Some(id), Link::Up) = (master.id.take(), master.link) {
                    self.later(who, delay, Todo::Close(id));
                }
            }
            Effect::Ask(session, request) => {
                self.order += 1;
                let number = self.order;
                let master = &mut self.masters[who];
                master.flying.insert(number, request.clone());
                // One connection keeps the order.
                master.last = master.last.max(now + delay);
                let wait = master.last - now;
                self.later(who, wait, Todo::Ask(session, number, now, request));
            }
            Effect::Stand(stand, leader) => {
                master.leader = leader;
                master.until = match stand {
                    Stand::Leading(until, _) => {
                        master.terms += 1;
                        Some(until)
                    }
                    Stand::Outside | Stand::Standby => None,
                };
            }
            Effect::Extend(until) => master.until = Some(until),
            Effect::Say(_) => {}
        }
    }

    fn opened(&mut self, who: usize, session: Session) {
        if self.masters[who].session != session {
            return;
        }
        if self.masters[who].link == Link::Up {
            let id = self.ensemble.open(self.now, TIMEOUT);
            self.masters[who].id = Some(id);
            self.later(who, Duration::ZERO, Todo::Tell(session, Happened::Opened(TIMEOUT)));
        } else {
            let over = Happened::Over("nobody answers".to_owned());
            self.later(who, TIMEOUT, Todo::Tell(session, over));
        }
    }

    fn ask(&mut self, who: usize, session: Session, number: u64, sent: Tick, request: Request) {
        let master = &self.masters[who];
        let Some(id) = master.id.filter(|_| master.flying.contains_key(&number)) else { return };
        let reads = matches!(request, Request::List | Request::Read(_));
        let (happened, fired) = match master.link {
            Link::Up => {
                let answer = self.ensemble.answer(id, sent, &request);
                self.touch(who);
                answer
            }
            Link::Stale if reads => (self.stale.answer(id, sent, &request).0, Vec::new()),
            // It fails when the link comes back.
            Link::Cut | Link::Stale => return,
        };
        self.fire(fired);
        let wait = self.delay();
        let arrival = self.masters[who].last.max(self.now + wait);
        self.masters[who].last = arrival;
        self.later(who, arrival - self.now, Todo::Answer(session, number, happened));
    }

    fn fire(&mut self, fired: Vec<Id>) {
        for id in fired {
            let who = self.masters.iter().position(|one| one.id == Some(id));
            // A watch that fires while the link is cut is lost.
            let Some(who) = who.filter(|who| self.masters[*who].link == Link::Up) else { continue };
            let (session, wait) = (self.masters[who].session, self.delay());
            self.later(who, wait, Todo::Tell(session, Happened::Changed));
        }
    }

    fn link(&mut self, who: usize, link: Link) {
        let master = &mut self.masters[who];
        let (before, session) = (std::mem::replace(&mut master.link, link), master.session);
        let Some(id) = master.id.filter(|_| before != link) else { return };
        if link == Link::Stale {
            self.stale = self.ensemble.clone();
            return;
        }
        self.later(who, Duration::ZERO, Todo::Tell(session, Happened::Down));
        for (number, request) in self.masters[who].flying.clone() {
            let broken = Ensemble::broken(request);
            self.later(who, Duration::ZERO, Todo::Answer(session, number, broken));
        }
        if link == Link::Up {
            let lives = self.ensemble.touch(id, self.now);
            let over = Happened::Over("the session expired".to_owned());
            let happened = if lives { Happened::Up } else { over };
            self.later(who, Duration::from_millis(1), Todo::Tell(session, happened));
        }
    }

    /// The masters that may act as leaders now.
    pub(super) fn leading(&self) -> Vec<usize> {
        let leads = |one: &Master| one.until.is_some_and(|until| self.now < until);
        (0..self.masters.len()).filter(|who| leads(&self.masters[*who])).collect()
    }

    /// A client deletes a znode that is not its own.
    pub(super) fn vandalise(&mut self) {
        if let Some(name) = self.ensemble.names().first() {
            let fired = self.ensemble.delete(name);
            self.fire(fired);
        }
    }
}
