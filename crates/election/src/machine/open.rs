//! An open session: what we have there, what we know of the others, and when to look again.

use std::sync::Arc;
use std::time::Duration;

use reeve_machine::Tick;
use reeve_model::MasterInfo;

use super::vocabulary::{Failure, Happened, Remark, Request, Stand};
use super::{Candidacy, lease_of};
use crate::members::{Label, Member, Members};
use crate::payload;

/// Requests in a row that broke with their connection before the session is given up.
const MOST_BREAKS: u32 = 16;

/// An open session.
#[derive(Debug)]
pub(super) struct Open {
    timeout: Duration,
    /// Since when there is no connection.
    down: Option<Tick>,
    own: Own,
    first: First,
    /// Whether names are being listed, and are to be listed again then.
    listing: bool,
    again: bool,
    /// When a leader writes to its znode next.
    renewal: Tick,
    breaks: u32,
}

/// Our own znode.
#[derive(Clone, Debug)]
enum Own {
    /// A detector's.
    None,
    Making(Arc<[u8]>),
    Made {
        name: Arc<str>,
        data: Arc<[u8]>,
        term: Term,
    },
}

/// Whether we lead.
#[derive(Clone, Copy, Debug)]
enum Term {
    Not,
    /// Our znode is the first; a write to it is on its way.
    Claiming,
    /// We lead until then; a write to the znode may be on its way.
    Leading {
        until: Tick,
        renewing: bool,
    },
}

/// The first of the candidates.
#[derive(Debug)]
enum First {
    Unknown,
    Nobody,
    Ours,
    /// Who led before is still taken for the leader, for this moment.
    Reading(Member, Option<(String, Option<Arc<MasterInfo>>)>),
    Another(String, Option<Arc<MasterInfo>>),
}

/// What follows from an event.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) requests: Vec<Request>,
    pub(super) remarks: Vec<Remark>,
    /// The lease is longer now.
    pub(super) extended: Option<Tick>,
    /// Why the session is to be ended.
    pub(super) over: Option<String>,
}

impl Verdict {
    fn over(why: impl Into<String>) -> Self {
        Self { over: Some(why.into()), ..Self::default() }
    }

    fn ask(request: Request) -> Self {
        Self { requests: vec![request], ..Self::default() }
    }
}

impl Open {
    /// A session that was just opened, and the first request.
    pub(super) fn new(
        timeout: Duration,
        candidate: Option<&Candidacy>,
        now: Tick,
    ) -> (Self, Request) {
        let (own, request) = match candidate {
            None => (Own::None, Request::List),
            Some(one) => {
                (Own::Making(Arc::clone(&one.data)), Request::Create(Arc::clone(&one.data)))
            }
        };
        let listing = candidate.is_none();
        let first = First::Unknown;
        let open = Self {
            timeout,
            down: None,
            own,
            first,
            listing,
            again: false,
            renewal: now,
            breaks: 0,
        };
        (open, request)
    }

    /// The name of our znode.
    pub(super) fn own(&self) -> Option<Arc<str>> {
        match &self.own {
            Own::Made { name, .. } => Some(Arc::clone(name)),
            Own::None | Own::Making(_) => None,
        }
    }

    pub(super) fn stand(&self) -> Stand {
        match &self.own {
            Own::Made { name, term: Term::Leading { until, .. }, .. } => {
                Stand::Leading(*until, Arc::clone(name))
            }
            Own::Made { .. } if !matches!(self.first, First::Unknown) => Stand::Standby,
            Own::Made { .. } | Own::None | Own::Making(_) => Stand::Outside,
        }
    }

    /// The znode of the leader, and who it is if that is known.
    pub(super) fn leader(
        &self,
        own: Option<&Arc<MasterInfo>>,
    ) -> Option<(String, Option<Arc<MasterInfo>>)> {
        match (&self.first, &self.own) {
            (First::Another(name, info), _) => Some((name.clone(), info.clone())),
            (First::Reading(_, before), _) => before.clone(),
            (First::Ours, Own::Made { name, term: Term::Leading { .. }, .. }) => {
                Some((name.to_string(), own.cloned()))
            }
            (First::Unknown | First::Nobody | First::Ours, _) => None,
        }
    }

    /// Whether the session came to what it is for.
    pub(super) fn settled(&self) -> bool {
        match self.first {
            First::Unknown | First::Reading(..) => false,
            First::Ours => matches!(self.stand(), Stand::Leading(..)),
            First::Nobody | First::Another(..) => true,
        }
    }

    pub(super) fn deadline(&self) -> Option<Tick> {
        let forgotten = self.down.map(|since| since + self.timeout);
        let term = match &self.own {
            Own::Made { term: Term::Leading { until, renewing }, .. } => {
                Some(if *renewing { *until } else { self.renewal.min(*until) })
            }
            _ => None,
        };
        [forgotten, term].into_iter().flatten().min()
    }

    pub(super) fn timer(&mut self, now: Tick) -> Verdict {
        if self.lapsed(now) {
            return Verdict::over(
                "no majority of ZooKeeper confirmed in time that this master leads",
            );
        }
        if self.down.is_some_and(|since| now >= since + self.timeout) {
            return Verdict::over("ZooKeeper was not reached for the whole session timeout");
        }
        if now >= self.renewal { self.renew(now) } else { Verdict::default() }
    }

    fn lapsed(&self, now: Tick) -> bool {
        matches!(&self.own,
            Own::Made { term: Term::Leading { until, .. }, .. } if now >= *until)
    }

    /// Writes to the znode of a leader, unless such a write is on its way.
    fn renew(&mut self, now: Tick) -> Verdict {
        let Own::Made { name, data, term: Term::Leading { renewing, .. } } = &mut self.own else {
            return Verdict::default();
        };
        if std::mem::replace(renewing, true) {
            return Verdict::default();
        }
        self.renewal = now + self.timeout / 6;
        Verdict::ask(Request::Renew(Arc::clone(name), Arc::clone(data)))
    }

    pub(super) fn happened(&mut self, now: Tick, happened: Happened) -> Verdict {
        // Whoever slept past the end of its lease does not go on as if nothing were.
        if self.lapsed(now) {
            return self.timer(now);
        }
        if !matches!(happened, Happened::Failed(..)) {
            self.breaks = 0;
        }
        match happened {
            Happened::Opened(_) | Happened::Over(_) => Verdict::default(),
            Happened::Down => {
                self.down.get_or_insert(now);
                Verdict::default()
            }
            // A watch may have been lost with the connection.
            Happened::Up => {
                self.down = None;
                let mut verdict = self.renew(now);
                verdict.requests.extend(self.list().requests);
                verdict
            }
            Happened::Changed => self.list(),
            Happened::Listed(names) => self.listed(&names),
            Happened::Created(name) => self.made(&name),
            Happened::Found(names) => self.found(names),
            Happened::Read(name, data) => self.read(&name, data.as_deref()),
            Happened::Renewed(sent, there) => self.renewed(now, sent, there),
            Happened::Failed(request, failure) => self.failed(request, failure),
        }
    }

    /// Lists the names; once more if that is being done, for it may be too late for the change.
    fn list(&mut self) -> Verdict {
        if matches!(self.own, Own::Making(_)) {
            return Verdict::default();
        }
        if std::mem::replace(&mut self.listing, true) {
            self.again = true;
            return Verdict::default();
        }
        Verdict::ask(Request::List)
    }

    fn made(&mut self, name: &str) -> Verdict {
        let Own::Making(data) = &self.own else { return Verdict::default() };
        self.own = Own::Made { name: name.into(), data: Arc::clone(data), term: Term::Not };
        self.list()
    }

    /// After a break: what was asked for may have been done.
    fn found(&mut self, mut names: Vec<String>) -> Verdict {
        let Own::Making(data) = &self.own else { return Verdict::default() };
        names.sort();
        match names.first() {
            Some(name) => self.made(name),
            None => Verdict::ask(Request::Create(Arc::clone(data))),
        }
    }

    fn listed(&mut self, names: &[String]) -> Verdict {
        self.listing = false;
        if std::mem::take(&mut self.again) {
            return self.list();
        }
        let members = Members::read(names);
        let mut verdict = Verdict::default();
        verdict.remarks.extend(members.odd.iter().cloned().map(Remark::OddName));
        let own = self.own();
        if own.as_deref().is_some_and(|own| !members.has(own)) {
            verdict.over = Some("somebody deleted the znode of this master".to_owned());
            return verdict;
        }
        match members.first() {
            None => self.first = First::Nobody,
            Some(first) if own.as_deref() == Some(first.name.as_str()) => {
                self.first = First::Ours;
                verdict.requests.extend(self.claim());
            }
            Some(_) if matches!(self.stand(), Stand::Leading(..)) => {
                verdict.over = Some("another master came before this one".to_owned());
            }
            Some(first) => verdict.requests.extend(self.look_at(first.clone())),
        }
        verdict
    }

    /// Our znode is the first. A list may come from a server that is cut off; a write does not.
    fn claim(&mut self) -> Option<Request> {
        let Own::Made { name, data, term } = &mut self.own else { return None };
        if !matches!(term, Term::Not) {
            return None;
        }
        *term = Term::Claiming;
        Some(Request::Renew(Arc::clone(name), Arc::clone(data)))
    }

    fn look_at(&mut self, first: Member) -> Option<Request> {
        let before = match &self.first {
            First::Another(name, _) if *name == first.name => return None,
            First::Reading(reading, _) if *reading == first => return None,
            First::Another(name, info) => Some((name.clone(), info.clone())),
            First::Reading(_, before) => before.clone(),
            First::Unknown | First::Nobody | First::Ours => None,
        };
        let request = Request::Read(first.name.clone());
        self.first = First::Reading(first, before);
        Some(request)
    }

    fn read(&mut self, name: &str, data: Option<&[u8]>) -> Verdict {
        let First::Reading(member, _) = &self.first else { return Verdict::default() };
        if member.name != name {
            return Verdict::default();
        }
        let (name, mut verdict) = (member.name.clone(), Verdict::default());
        let Some(data) = data else {
            // It went while we asked; the list that shows who is next may be on its way.
            return self.list();
        };
        let info = payload::read(member.label, data);
        if member.label == Label::Binary && info.is_ok() {
            verdict.remarks.push(Remark::OldLeader(name.clone()));
        }
        let info = info.map(Arc::new).map_err(|why| {
            verdict.remarks.push(Remark::Unreadable(name.clone(), why));
        });
        self.first = First::Another(name, info.ok());
        verdict
    }

    fn renewed(&mut self, now: Tick, sent: Tick, there: bool) -> Verdict {
        if !there {
            return Verdict::over("somebody deleted the znode of this master");
        }
        let confirmed = sent + lease_of(self.timeout);
        let Own::Made { name, data, term } = &mut self.own else { return Verdict::default() };
        let mut verdict = Verdict::default();
        match term {
            Term::Not => return verdict,
            // It took so long that it says nothing any more.
            Term::Claiming if confirmed <= now => {
                return Verdict::ask(Request::Renew(Arc::clone(name), Arc::clone(data)));
            }
            Term::Claiming => *term = Term::Leading { until: confirmed, renewing: false },
            Term::Leading { until, renewing } => {
                *renewing = false;
                *until = confirmed.max(*until);
                verdict.extended = Some(*until);
            }
        }
        self.renewal = sent + self.timeout / 6;
        verdict
    }

    fn failed(&mut self, request: Request, failure: Failure) -> Verdict {
        let why = match failure {
            Failure::Refused(why) => return Verdict::over(refused(&request, &why)),
            Failure::Unknown(why) => why,
        };
        self.breaks += 1;
        if self.breaks > MOST_BREAKS {
            return Verdict::over(refused(&request, &why));
        }
        match request {
            Request::Create(_) => Verdict::ask(Request::Find),
            // All others can be done twice.
            again => Verdict::ask(again),
        }
    }
}

fn refused(request: &Request, why: &str) -> String {
    let what = match request {
        Request::List => "list the candidates".to_owned(),
        Request::Create(_) => "become a candidate".to_owned(),
        Request::Find => "find the own znode".to_owned(),
        Request::Read(name) => format!("read the leader's znode {name}"),
        Request::Renew(name, _) => format!("write to the own znode {name}"),
    };
    format!("ZooKeeper refused to {what}: {why}")
}
