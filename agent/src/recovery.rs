//! What a starting agent does about the one before it: it reads the checkpoints, puts damaged ones
//! away, and looks for what outlived it. What that means is decided in the core.

use std::sync::Arc;

use reeve_agent_core::event::Kind;
use reeve_agent_runtime::Containerizer;
use reeve_agent_runtime::checkpoint::Store;
use reeve_model::{AgentInfo, ContainerId};
use tokio::sync::mpsc;
use tracing::warn;

use crate::checkpoint::damage::Lost;
use crate::checkpoint::layout::Layout;
use crate::checkpoint::read::{self, Found};
use crate::containers::{Surroundings, fates};
use crate::daemon::StartError;
use crate::shell::{Input, watch};

/// Reads the checkpoints. What is damaged is named and put away, or, if that is asked for, keeps
/// the agent from starting.
pub(crate) fn look_back(
    layout: &Layout,
    boot_id: &str,
    info: &AgentInfo,
    store: &Store,
    strict: bool,
) -> Result<Found, StartError> {
    let mut found = read::read(layout, boot_id);
    let real = found.damage.iter().filter(|damage| damage.lost != Lost::Nothing);
    found.recovered.errors = real.clone().count() as u64;
    if let Some(first) = real.clone().next().filter(|_| strict) {
        let more = match real.count() {
            1 => String::new(),
            count => format!(", and {} more", count - 1),
        };
        return Err(StartError::Damaged { first: first.clone(), more });
    }
    for damage in &found.damage {
        match damage.put_away(layout, store) {
            Ok(to) => warn!(now_at = %to.display(), "a checkpoint is damaged: {damage}"),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                warn!(error, "a checkpoint is damaged and can't be moved: {damage}");
            }
        }
    }
    // Which agent this is, is known by more than its description.
    let same = || Arc::new(AgentInfo { id: found.id.clone(), ..info.clone() });
    if found.id.is_some() {
        found.recovered.agent.get_or_insert_with(same);
    }
    Ok(found)
}

/// Looks for what outlived an earlier agent and tells the core all that was found.
pub(crate) async fn recover(
    mut found: Found,
    surroundings: &Surroundings,
    containerizer: &Containerizer,
    inputs: &mpsc::Sender<Input>,
) {
    match containerizer.recover(surroundings.known(&found.runs)).await {
        Ok(survived) => {
            fates(&mut found.recovered, &survived);
            for id in &survived.orphans {
                warn!(container = %id, "a container that nobody knew was killed");
            }
            for (id, _) in survived.living {
                let container = ContainerId::new(id);
                tokio::spawn(watch(containerizer.clone(), container, inputs.clone()));
            }
        }
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "containers could not be looked for");
        }
    }
    drop(inputs.send(Input::Happened(Kind::Recovered(Box::new(found.recovered)))).await);
}
