//! What the agent says over HTTP: the executor API, and the endpoints that people and tools look
//! at (§1.6, §1.10). Reads come from the published view; nothing here waits for the core but a
//! call that changes something.

mod executor;
mod info;
mod sight;
mod state;
mod usage;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arc_swap::ArcSwap;
use reeve_access::{Doors, Permissions};
use reeve_agent_core::view::View;
use reeve_agent_runtime::Containerizer;
use reeve_machine::Wall;
use reeve_model::AgentInfo;
use reeve_module_host::Facts;
use reeve_transport::Router;
use reeve_transport::files::Files;
use tokio::sync::mpsc;

use crate::access::guarded;
use crate::shell::{ACTOR, Input};

pub(crate) use info::show_metrics;
pub(crate) use sight::Sandboxes;

/// What the handlers share.
#[derive(Debug)]
pub struct Shared {
    /// The read model.
    pub view: Arc<ArcSwap<View>>,
    /// This agent, as its settings and its machine describe it.
    pub info: AgentInfo,
    /// Where it is reached.
    pub address: SocketAddr,
    /// Settings by name, as text.
    pub flags: Vec<(&'static str, String)>,
    /// Containers, for their usage.
    pub containerizer: Containerizer,
    /// The modules that were loaded.
    pub modules: Vec<Facts>,
    /// The way to the core.
    pub inputs: mpsc::Sender<Input>,
    /// The next executor stream.
    pub streams: Arc<AtomicU64>,
    /// When the daemon started.
    pub started: Wall,
    /// Who is let in.
    pub doors: Arc<Doors>,
    /// What they may do.
    pub permissions: Permissions,
}

/// All routes of an agent.
pub fn routes(shared: &Arc<Shared>, files: &Files) -> Router {
    let router = Router::new(ACTOR);
    let router = executor::routes(router, shared);
    let router = state::routes(router, shared);
    let router = usage::routes(router, shared);
    let router = files.routes(info::routes(router, shared));
    guarded(router, Arc::clone(&shared.doors))
}
