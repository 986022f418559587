//! An ensemble as a model: sessions, their znodes and watches, and nothing else. Who drives it
//! decides about delays, cuts and lost messages.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reeve_machine::Tick;

use crate::machine::{Failure, Happened, Request};
use crate::members::PREFIX;

/// The id of a session at the servers; no two ever have the same.
pub type Id = u64;

/// An ensemble.
#[derive(Clone, Debug, Default)]
pub struct Ensemble {
    sessions: BTreeMap<Id, Life>,
    opened: Id,
    znodes: BTreeMap<String, Znode>,
    created: u64,
    watching: BTreeSet<Id>,
}

#[derive(Clone, Copy, Debug)]
struct Life {
    touched: Tick,
    timeout: Duration,
}

#[derive(Clone, Debug)]
struct Znode {
    owner: Id,
    data: Vec<u8>,
}

impl Ensemble {
    /// Opens a session.
    pub fn open(&mut self, now: Tick, timeout: Duration) -> Id {
        self.opened += 1;
        self.sessions.insert(self.opened, Life { touched: now, timeout });
        self.opened
    }

    /// A sign of life; false if the session is over. `when` may lie in the past: servers tell
    /// each other late.
    pub fn touch(&mut self, id: Id, when: Tick) -> bool {
        let Some(life) = self.sessions.get_mut(&id) else { return false };
        life.touched = life.touched.max(when);
        true
    }

    /// Ends a session. The sessions whose watch fires.
    pub fn close(&mut self, id: Id) -> Vec<Id> {
        self.sessions.remove(&id);
        self.watching.remove(&id);
        let before = self.znodes.len();
        self.znodes.retain(|_, znode| znode.owner != id);
        if self.znodes.len() == before { Vec::new() } else { self.fire() }
    }

    /// Deletes a znode, whoever owns it. The sessions whose watch fires.
    pub fn delete(&mut self, name: &str) -> Vec<Id> {
        if self.znodes.remove(name).is_some() { self.fire() } else { Vec::new() }
    }

    /// Ends the sessions that gave no sign of life for too long. The sessions whose watch fires.
    pub fn expire(&mut self, now: Tick) -> Vec<Id> {
        let silent = |life: &Life| now >= life.touched + life.timeout;
        let over: Vec<Id> =
            self.sessions.iter().filter(|(_, life)| silent(life)).map(|(id, _)| *id).collect();
        over.into_iter().flat_map(|id| self.close(id)).collect()
    }

    /// When the next session expires if it gives no sign of life.
    pub fn deadline(&self) -> Option<Tick> {
        self.sessions.values().map(|life| life.touched + life.timeout).min()
    }

    /// The names of all znodes.
    pub fn names(&self) -> Vec<String> {
        self.znodes.keys().cloned().collect()
    }

    /// Answers a request that was sent at `sent`. The sessions whose watch fires stand beside.
    pub fn answer(&mut self, id: Id, sent: Tick, request: &Request) -> (Happened, Vec<Id>) {
        if !self.sessions.contains_key(&id) {
            return (Happened::Over("the session expired".to_owned()), Vec::new());
        }
        let happened = match request {
            Request::List => {
                self.watching.insert(id);
                Happened::Listed(self.names())
            }
            Request::Create(data) => {
                let name = format!("{PREFIX}{:010}", self.created);
                self.created += 1;
                self.znodes.insert(name.clone(), Znode { owner: id, data: data.to_vec() });
                return (Happened::Created(name), self.fire());
            }
            Request::Find => {
                let own = self.znodes.iter().filter(|(_, znode)| znode.owner == id);
                Happened::Found(own.map(|(name, _)| name.clone()).collect())
            }
            Request::Read(name) => {
                let data = self.znodes.get(name).map(|znode| znode.data.clone());
                Happened::Read(name.clone(), data)
            }
            Request::Renew(name, _) => Happened::Renewed(sent, self.znodes.contains_key(&**name)),
        };
        (happened, Vec::new())
    }

    /// What a request comes to whose connection breaks.
    pub fn broken(request: Request) -> Happened {
        Happened::Failed(request, Failure::Unknown("the connection broke".to_owned()))
    }

    fn fire(&mut self) -> Vec<Id> {
        std::mem::take(&mut self.watching).into_iter().collect()
    }
}
