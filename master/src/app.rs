//! What all request handlers share, of a leader and of a standby.

use std::sync::Arc;

use reeve_access::{Doors, Permissions};
use reeve_master_core::Options;
use reeve_module_host::{Facts, Hooks};
use reeve_telemetry::Metrics;
use reeve_transport::files::Files;

use crate::identity::Identity;
use crate::office::Office;

/// What request handlers share. Clones are the same.
#[derive(Clone, Debug)]
pub struct App(Arc<Shared>);

/// The parts of an [`App`].
#[derive(Debug)]
pub struct Shared {
    /// Who this master is.
    pub identity: Identity,
    /// The settings it was started with, as texts.
    pub flags: Vec<(&'static str, String)>,
    /// The cluster's name.
    pub cluster: Option<String>,
    /// Where something else writes the log.
    pub log: Option<std::path::PathBuf>,
    /// The core's settings.
    pub options: Options,
    /// Who leads.
    pub office: Office,
    /// Who has a say in launches.
    pub hooks: Hooks,
    /// Files that people may look at.
    pub files: Files,
    /// All metrics.
    pub metrics: Metrics,
    /// Who is let in.
    pub doors: Arc<Doors>,
    /// What they may do.
    pub permissions: Permissions,
    /// The modules at work, but for the allocator.
    pub modules: Vec<Facts>,
}

impl App {
    /// Of these parts.
    pub fn new(shared: Shared) -> Self {
        App(Arc::new(shared))
    }
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
