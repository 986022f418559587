//! The right to lead, which ends by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reeve_machine::Tick;
use tokio_util::sync::CancellationToken;

use crate::clock;

/// The right to lead for one term. Ask [`Lease::holds`] before each thing that only a leader may
/// do: it reads a clock and a number, nothing else. Clones are the same lease; once it is over it
/// never holds again.
#[derive(Clone, Debug)]
pub struct Lease {
    term: Arc<Term>,
}

#[derive(Debug)]
struct Term {
    /// Until when, in ticks of [`clock::now`]; 0 when it is over.
    until: AtomicU64,
    over: CancellationToken,
    znode: Option<Arc<str>>,
}

impl Lease {
    /// One that never ends: of a master without rivals.
    pub fn forever() -> Self {
        Self::with(Tick::MAX, None)
    }

    pub(crate) fn new(until: Tick, znode: Arc<str>) -> Self {
        Self::with(until, Some(znode))
    }

    fn with(until: Tick, znode: Option<Arc<str>>) -> Self {
        let over = CancellationToken::new();
        Self { term: Arc::new(Term { until: AtomicU64::new(until.0), over, znode }) }
    }

    /// Whether this process may still act as the leader.
    pub fn holds(&self) -> bool {
        let until = self.term.until.load(Ordering::Acquire);
        until == u64::MAX || clock::now().0 < until
    }

    /// The leader's znode below the election's path, such as `json.info_0000000042`. While it is
    /// there nobody else leads; a write to ZooKeeper in one `multi` with a check of it is refused
    /// to those who don't lead any more.
    pub fn znode(&self) -> Option<&str> {
        self.term.znode.as_deref()
    }

    /// Ends when the lease does. May be cancelled.
    pub async fn lost(&self) {
        loop {
            let until = self.term.until.load(Ordering::Acquire);
            if until == u64::MAX {
                return std::future::pending().await;
            }
            let left = Tick(until).since(clock::now());
            if left == Duration::ZERO {
                return;
            }
            tokio::select! {
                () = self.term.over.cancelled() => return,
                () = tokio::time::sleep(left) => {}
            }
        }
    }

    /// Lets it last longer. One that is over stays so: it may have been seen to be.
    pub(crate) fn extend(&self, until: Tick) {
        let longer = |old: u64| (clock::now().0 < old && old < until.0).then_some(until.0);
        let _shorter = self.term.until.fetch_update(Ordering::AcqRel, Ordering::Acquire, longer);
    }

    /// Ends it now.
    pub(crate) fn end(&self) {
        self.term.until.store(0, Ordering::Release);
        self.term.over.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(time: Duration) -> Lease {
        Lease::new(clock::now() + time, "json.info_0000000000".into())
    }

    #[tokio::test]
    async fn it_ends_by_itself_and_for_ever() {
        let lease = lease(Duration::from_millis(20));
        lease.clone().lost().await;
        assert!(!lease.holds());
        lease.extend(clock::now() + Duration::from_secs(9));
        assert!(!lease.holds(), "somebody may have seen that it was over");
    }

    #[tokio::test]
    async fn it_is_as_long_as_it_was_made_and_ends_early_when_it_is_given_up() {
        let lease = lease(Duration::from_millis(200));
        lease.extend(clock::now() + Duration::from_secs(600));
        lease.extend(clock::now());
        assert!(lease.holds());
        let waiting = tokio::spawn({
            let lease = lease.clone();
            async move { lease.lost().await }
        });
        lease.end();
        waiting.await.expect("it is told at once");
        assert!(!lease.holds());
    }

    #[test]
    fn without_rivals_it_never_ends() {
        let lease = Lease::forever();
        assert!(lease.holds() && lease.znode().is_none());
    }
}
