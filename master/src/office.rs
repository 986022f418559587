//! The leader's office: who holds it, as far as this master knows, and what that means for those
//! who ask (W-8).
//!
//! Whoever needs the leader gets a [`Leader`] here, or the answer that says where to go instead.
//! Who comes into the office and when is decided in `succession`.

use std::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwap;
use reeve_master_core::Answer;
use reeve_master_core::view::Snapshot;
use reeve_model::MasterInfo;
use reeve_transport::{Request, Response};
use tokio::sync::oneshot;

use crate::api::answer;
use crate::app::App;
use crate::owner::Input;
use crate::term::Term;

/// Who holds the office. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Office(Arc<ArcSwap<Holder>>);

/// Who leads.
#[derive(Clone, Debug, Default)]
pub enum Holder {
    /// Nobody, as far as this master knows.
    #[default]
    Nobody,
    /// Another master.
    Other(Arc<MasterInfo>),
    /// This one, as soon as it has read the registry.
    Recovering,
    /// This one.
    Own(Arc<Term>),
}

impl Office {
    /// Who holds it now.
    pub fn holder(&self) -> Arc<Holder> {
        self.0.load_full()
    }

    /// This master's term, if it leads.
    pub fn term(&self) -> Option<Arc<Term>> {
        match &**self.0.load() {
            Holder::Own(term) => Some(Arc::clone(term)),
            _ => None,
        }
    }

    /// Somebody else holds it from now on.
    pub fn pass_to(&self, holder: Holder) {
        self.0.store(Arc::new(holder));
    }
}

/// This master, as the leader. Only a leader answers for the cluster.
#[derive(Clone, Debug)]
pub struct Leader {
    app: App,
    /// Its term.
    pub term: Arc<Term>,
}

impl Leader {
    /// The cluster as it is now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.term.snapshot()
    }

    /// Asks the core, and says what it answers.
    pub async fn ask(&self, input: impl FnOnce(oneshot::Sender<Answer>) -> Input) -> Response {
        let (reply, answered) = oneshot::channel();
        if self.term.core.send(input(reply)).await.is_err() {
            return answer::ending();
        }
        answered.await.map_or_else(|_| answer::ending(), |said| answer::response(said, None))
    }
}

impl Deref for Leader {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl App {
    /// This master as the leader; else where the request should go.
    ///
    /// # Errors
    ///
    /// 307 to the leader, or 503 if there is none or it has not read its registry.
    pub fn leader(&self, request: &Request) -> Result<Leader, Response> {
        match &*self.office.holder() {
            Holder::Own(term) if term.lease.holds() => {
                Ok(Leader { app: self.clone(), term: Arc::clone(term) })
            }
            Holder::Recovering => Err(Response::unavailable("Master has not finished recovery")),
            Holder::Nobody | Holder::Own(_) => Err(Response::unavailable("No leader elected")),
            Holder::Other(leader) => {
                // Without a scheme, so that it stays what the client used.
                let place = format!("//{}{}", authority(leader), target(request));
                Err(Response::redirect(&place))
            }
        }
    }
}

/// The path and query of a request, as they came.
fn target(request: &Request) -> &str {
    request.uri.path_and_query().map_or("/", |target| target.as_str())
}

/// `hostname:port` of a master.
pub fn authority(info: &MasterInfo) -> String {
    match info.hostname.as_str() {
        name if name.contains(':') && !name.starts_with('[') => format!("[{name}]:{}", info.port),
        name => format!("{name}:{}", info.port),
    }
}
