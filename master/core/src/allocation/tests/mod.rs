//! What users of allocation rely on: cases in `cases`, laws over random events in `laws`.

mod cases;
mod laws;
mod ledger;
mod liar;
mod reclaims;
mod scripted;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reeve_allocation_engine::{Dominant, Engine};
use reeve_model::{Attributes, Capabilities, FrameworkInfo, Resources, Role};

use super::event::{AgentFacts, Event};
use super::{AgentIx, FrameworkIx};

/// The bundled default.
type Drf = Engine<Dominant>;

fn resources(text: &str) -> Resources {
    Resources::parse(text, &Role::any()).unwrap()
}

fn facts(agent: u32) -> Box<AgentFacts> {
    Box::new(AgentFacts {
        id: format!("S{agent}").into(),
        hostname: format!("host{agent}"),
        attributes: Attributes::default(),
        domain: None,
        capabilities: vec![1, 2, 3],
    })
}

fn agent_added(agent: u32, total: &str) -> Event {
    Event::AgentAdded {
        agent: AgentIx(agent),
        info: facts(agent),
        total: resources(total),
        used: Vec::new(),
        active: true,
    }
}

fn framework_info(framework: u32, roles: &[&str], capabilities: Capabilities) -> FrameworkInfo {
    FrameworkInfo {
        user: "root".into(),
        name: format!("framework {framework}"),
        id: Some(format!("F{framework}").into()),
        failover_timeout: Duration::ZERO,
        checkpoint: false,
        roles: roles.iter().map(|&role| role.into()).collect(),
        hostname: String::new(),
        principal: None,
        webui_url: String::new(),
        capabilities: capabilities.with(Capabilities::MULTI_ROLE),
        offer_filters: BTreeMap::new(),
        rest: Bytes::new(),
    }
}

fn framework_added(framework: u32, roles: &[&str]) -> Event {
    Event::FrameworkAdded {
        framework: FrameworkIx(framework),
        info: Arc::new(framework_info(framework, roles, Capabilities::RESERVATION_REFINEMENT)),
        suppressed: BTreeSet::new(),
        constraints: None,
        active: true,
    }
}
