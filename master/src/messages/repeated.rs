//! Agents that ask once more to be had back, although they are.
//!
//! After a failover an agent's turn may come later than its patience ends. Then it says the same
//! again, and each such message is as large as all that runs on the agent.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reeve_model::{AgentId, Pid};

use crate::readers::Readers;

/// For so long what an agent said is remembered: as long as our answer may be under way.
const MEMORY: Duration = Duration::from_secs(15);

/// Who returned lately, and what they said.
#[derive(Debug)]
pub(super) struct Returned {
    readers: Readers,
    said: HashMap<Pid, Said>,
    swept: Instant,
}

#[derive(Debug)]
struct Said {
    agent: AgentId,
    sum: u32,
    at: Instant,
}

impl Returned {
    pub(super) fn new(readers: Readers) -> Self {
        Returned { readers, said: HashMap::new(), swept: Instant::now() }
    }

    /// Whether an agent says what it said before, and is registered and connected: then our answer
    /// is on its way. That is believed once. Who says the same a third time is read again, since
    /// an answer can get lost on a connection of which nobody knows yet that it is broken.
    pub(super) fn repeats(&mut self, from: &Pid, body: &Bytes) -> bool {
        let Some(said) = self.said.get(from) else { return false };
        if said.at.elapsed() > MEMORY || said.sum != crc32c::crc32c(body) {
            return false;
        }
        let snapshot = self.readers.snapshot();
        let known = snapshot.agents.get(&said.agent);
        let is_here =
            known.is_some_and(|agent| agent.record.connected && agent.record.pid == *from);
        if is_here {
            self.said.remove(from);
        }
        is_here
    }

    /// Remembers what an agent says.
    pub(super) fn note(&mut self, from: &Pid, body: &Bytes, agent: Option<&AgentId>) {
        let at = Instant::now();
        if at.duration_since(self.swept) > MEMORY {
            self.swept = at;
            self.said.retain(|_, said| at.duration_since(said.at) <= MEMORY);
        }
        if let Some(agent) = agent.cloned() {
            self.said.insert(from.clone(), Said { agent, sum: crc32c::crc32c(body), at });
        }
    }
}
