//! Who leads when: the one place where terms begin and end.
//!
//! ```text
//!             elected            registry read
//!   standby ──────────▶ recovering ──────────▶ leading
//!      ▲                    │                     │
//!      └────────────────────┴── lease over, ──────┘
//!                               or cannot go on: gives up its candidacy for a while
//! ```

use std::sync::Arc;
use std::time::Duration;

use reeve_election::{Candidate, Lease, Role, Standing};
use reeve_zookeeper::{Options, Url};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::Error;
use crate::office::{Holder, Office};
use crate::term::Terms;

/// How long a master that could not lead lets others try before it contends again.
const PAUSE: Duration = Duration::from_secs(5);

/// A master that nobody else contends with: it leads from its start to its end.
///
/// # Errors
///
/// If it cannot begin.
pub async fn alone(
    mut terms: Terms,
    office: Office,
    stop: CancellationToken,
) -> Result<oneshot::Receiver<Option<String>>, Error> {
    let mut incumbency = terms.begin(Lease::forever()).await?;
    incumbency.ready().await;
    office.pass_to(Holder::Own(incumbency.term().clone()));
    let (end, ended) = oneshot::channel();
    tokio::spawn(async move {
        let why = tokio::select! {
            () = stop.cancelled() => None,
            why = incumbency.fails() => Some(why),
        };
        office.pass_to(Holder::Nobody);
        incumbency.end().await;
        // Whoever started the master may not wait for its end.
        let _ = end.send(why);
    });
    Ok(ended)
}

/// A master among others that contend through ZooKeeper. It comes into office and leaves it as
/// often as it happens, and ends when it is told to.
pub fn contended(
    terms: Terms,
    office: Office,
    url: Url,
    options: Options,
    stop: CancellationToken,
) -> oneshot::Receiver<Option<String>> {
    let (end, ended) = oneshot::channel();
    tokio::spawn(async move {
        Contest { terms, office, url, options, stop }.run().await;
        // Whoever started the master may not wait for its end.
        let _ = end.send(None);
    });
    ended
}

struct Contest {
    terms: Terms,
    office: Office,
    url: Url,
    options: Options,
    stop: CancellationToken,
}

impl Contest {
    async fn run(mut self) {
        while !self.stop.is_cancelled() {
            let candidacy = self.stop.child_token();
            let (url, options) = (self.url.clone(), self.options.clone());
            let info = self.terms.identity.info.clone();
            let mut standing = Candidate::start(url, options, info, candidacy.clone());
            let failure = self.follow(&mut standing).await;
            candidacy.cancel();
            // The channel closes when the znode is gone.
            while standing.changed().await.is_ok() {}
            if let Some(why) = failure {
                error!(why, "this master was elected and cannot lead; others may try");
                tokio::select! {
                    () = self.stop.cancelled() => {}
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        }
    }

    /// Leads when it is this master's turn, until the end or until it cannot: then the text says
    /// why.
    async fn follow(&mut self, standing: &mut watch::Receiver<Standing>) -> Option<String> {
        loop {
            let Standing { role, leader } = standing.borrow_and_update().clone();
            match role {
                Role::Leading(lease) => {
                    let led = self.lead(lease).await;
                    self.office.pass_to(Holder::Nobody);
                    if let Err(why) = led {
                        return Some(why);
                    }
                }
                Role::Outside | Role::Standby => {
                    // The znode of an own session before this one is not a master to send others
                    // to.
                    let own = &self.terms.identity.info.pid;
                    let other = leader.filter(|leader| leader.pid != *own);
                    self.office.pass_to(other.map_or(Holder::Nobody, Holder::Other));
                }
            }
            tokio::select! {
                () = self.stop.cancelled() => return None,
                changed = standing.changed() => if changed.is_err() { return None },
            }
        }
    }

    /// One term, as long as the lease holds.
    async fn lead(&mut self, lease: Lease) -> Result<(), String> {
        self.office.pass_to(Holder::Recovering);
        let begun = tokio::select! {
            () = lease.lost() => return Ok(()),
            () = self.stop.cancelled() => return Ok(()),
            begun = self.terms.begin(lease.clone()) => begun,
        };
        let mut incumbency = begun.map_err(|error| chain(&error))?;
        tokio::select! {
            () = lease.lost() => {}
            () = incumbency.ready() => {}
        }
        self.office.pass_to(Holder::Own(Arc::clone(incumbency.term())));
        let failure = tokio::select! {
            biased;
            () = lease.lost() => None,
            () = self.stop.cancelled() => None,
            why = incumbency.fails() => lease.holds().then_some(why),
        };
        self.office.pass_to(Holder::Nobody);
        incumbency.end().await;
        if failure.is_none() && !self.stop.is_cancelled() {
            warn!(
                "this master leads no longer: its session with ZooKeeper is over, or about to be"
            );
        } else {
            info!("this master leads no longer");
        }
        failure.map_or(Ok(()), Err)
    }
}

/// An error and its causes in one line.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
