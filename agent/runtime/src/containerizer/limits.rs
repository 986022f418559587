//! Containers that broke a limit: found out, destroyed, and told of.

use std::sync::Arc;

use reeve_module_sdk::isolator::Limitation;
use tokio::task::JoinSet;

use super::Containerizer;
use crate::causes::in_one_line;

impl Containerizer {
    /// [Enforces](Self::enforce) the limits of every running container, all at once: a link that
    /// takes its time for one holds up no other. To be called every few seconds.
    pub async fn enforce_all(&self) {
        let mut looks = JoinSet::new();
        for id in self.running() {
            let this = self.clone();
            looks.spawn(async move { this.enforce(&id).await });
        }
        while looks.join_next().await.is_some() {}
    }

    /// Asks every link whether a container broke a limit, and destroys it if so; its
    /// [`wait`](Self::wait) says which. Returns whether it did; by then it is gone. Whoever asks
    /// may stop waiting; the destruction goes on.
    pub async fn enforce(&self, id: &str) -> bool {
        let (this, id) = (self.clone(), id.to_owned());
        let work = tokio::spawn(async move {
            let Some(limitation) = this.broken(&id).await else { return false };
            if let Err(error) = this.end_for(&id, Some(limitation)).await {
                tracing::error!("{}", in_one_line(&error));
            }
            true
        });
        work.await.unwrap_or(false)
    }

    /// The limit that a container broke, now or before.
    async fn broken(&self, id: &str) -> Option<Limitation> {
        let look = Arc::clone(&self.inner.containers().get(id)?.look);
        let _alone = look.lock().await;
        let found = self.each_link(id, |link, id| link.check(id)).await.unwrap_or_default();
        let found = found.into_iter().flatten().next();
        let mut containers = self.inner.containers();
        let destroyed = &mut containers.get_mut(id)?.destroyed;
        if found.is_some() {
            destroyed.get_or_insert(found);
        }
        destroyed.clone().flatten()
    }
}
