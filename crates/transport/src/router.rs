//! Which handler answers a path, in libprocess's manner: every endpoint belongs to an actor
//! and answers under its name and without it, and the longest registered prefix wins
//! (seen on Mesos 1.11). Reading bodies and writing answers is the server's.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::Method;
use percent_encoding::percent_decode_str;

use crate::gate::Gate;
use crate::request::Request;
use crate::response::Response;

/// Anything that answers requests.
pub type Handler = Arc<dyn Fn(Request) -> BoxFuture<'static, Response> + Send + Sync>;

/// The routes of one daemon.
///
/// Of an actor `slave(1)`, the route `/state` answers at `/state`, `/slave(1)/state`,
/// `/slave%281%29/state`, with a slash at the end, and for anything below it that has no
/// route of its own.
pub struct Router {
    actor: String,
    routes: Table,
    own: Table,
    fallback: Option<Handler>,
    gate: Option<Arc<dyn Gate>>,
    /// The realm of routes that name no other.
    realm: Option<&'static str>,
}

type Table = HashMap<String, Entry>;

#[derive(Default)]
struct Entry {
    handlers: Vec<(Method, Handler)>,
    any: Option<Handler>,
    exact: bool,
    realm: Realm,
}

/// Which realm a route belongs to.
#[derive(Clone, Copy, Default)]
enum Realm {
    /// The router's.
    #[default]
    Usual,
    /// Its own, or none.
    Own(Option<&'static str>),
}

/// What the routes say about a method and path.
pub(crate) enum Routed<'a> {
    /// A handler, with the decoded path, the part of it below the route, and the realm.
    To { handler: &'a Handler, path: String, tail: String, realm: Option<&'static str> },
    /// The path has a route, but not for this method.
    NotAllowed(Vec<Method>),
    /// No route.
    Unknown,
    /// The path is no percent-encoded UTF-8.
    Malformed,
}

impl Router {
    /// No routes yet. Paths whose first segment is not `actor` are taken as the actor's.
    pub fn new(actor: impl Into<String>) -> Router {
        Router {
            actor: actor.into(),
            routes: Table::new(),
            own: Table::new(),
            fallback: None,
            gate: None,
            realm: None,
        }
    }

    /// `GET` of a path.
    pub fn get<F, A>(self, path: &str, handler: F) -> Router
    where
        F: Fn(Request) -> A + Send + Sync + 'static,
        A: Future<Output = Response> + Send + 'static,
    {
        self.route(Method::GET, path, handler)
    }

    /// `POST` of a path.
    pub fn post<F, A>(self, path: &str, handler: F) -> Router
    where
        F: Fn(Request) -> A + Send + Sync + 'static,
        A: Future<Output = Response> + Send + 'static,
    {
        self.route(Method::POST, path, handler)
    }

    /// One method of a path of the actor.
    pub fn route<F, A>(mut self, method: Method, path: &str, handler: F) -> Router
    where
        F: Fn(Request) -> A + Send + Sync + 'static,
        A: Future<Output = Response> + Send + 'static,
    {
        entry(&mut self.routes, path).handlers.push((method, boxed(handler)));
        self
    }

    /// A path of the actor, whatever the method.
    pub fn any<F, A>(mut self, path: &str, handler: F) -> Router
    where
        F: Fn(Request) -> A + Send + Sync + 'static,
        A: Future<Output = Response> + Send + 'static,
    {
        entry(&mut self.routes, path).any = Some(boxed(handler));
        self
    }

    /// Nothing below this path of the actor is taken for it (`/redirect/x` is a 404: V0-15).
    pub fn exact(mut self, path: &str) -> Router {
        entry(&mut self.routes, path).exact = true;
        self
    }

    /// `GET` of a path that belongs to a libprocess actor of its own, as `/version`,
    /// `/metrics/snapshot` and `/files/*` do: it has no other name.
    pub fn own<F, A>(mut self, path: &str, handler: F) -> Router
    where
        F: Fn(Request) -> A + Send + Sync + 'static,
        A: Future<Output = Response> + Send + 'static,
    {
        entry(&mut self.own, path).handlers.push((Method::GET, boxed(handler)));
        self
    }

    /// Who answers where no route does, in place of a bare 404.
    pub fn fallback<F, A>(mut self, handler: F) -> Router
    where
        F: Fn(Request) -> A + Send + Sync + 'static,
        A: Future<Output = Response> + Send + 'static,
    {
        self.fallback = Some(boxed(handler));
        self
    }

    /// Lets nobody through whom this gate refuses. Routes without a realm of their own are in
    /// this one, so that a route that is added later is not open by oversight.
    pub fn guarded(mut self, gate: Arc<dyn Gate>, realm: &'static str) -> Router {
        (self.gate, self.realm) = (Some(gate), Some(realm));
        self
    }

    /// Puts a route that is there into a realm of its own; into none, it is open to everybody.
    pub fn realm(mut self, path: &str, realm: Option<&'static str>) -> Router {
        for table in [&mut self.routes, &mut self.own] {
            if let Some(entry) = table.get_mut(path.trim_end_matches('/')) {
                entry.realm = Realm::Own(realm);
            }
        }
        self
    }

    /// Who is asked before a handler.
    pub(crate) fn gate(&self) -> Option<&Arc<dyn Gate>> {
        self.gate.as_ref()
    }

    /// Who answers `method` of `raw_path`, which is still percent-encoded.
    pub(crate) fn find(&self, method: &Method, raw_path: &str) -> Routed<'_> {
        let Ok(decoded) = percent_decode_str(raw_path).decode_utf8() else {
            return Routed::Malformed;
        };
        let path = decoded.trim_end_matches('/');
        if let Some((entry, tail)) = longest(&self.own, path) {
            return self.answer(entry, method, path, tail);
        }
        let path = self.without_actor(path);
        if let Some((entry, tail)) = longest(&self.routes, path) {
            return self.answer(entry, method, path, tail);
        }
        match &self.fallback {
            Some(handler) => {
                let (path, tail) = (path.to_owned(), String::new());
                Routed::To { handler, path, tail, realm: self.realm }
            }
            None => Routed::Unknown,
        }
    }

    fn answer<'e>(&self, entry: &'e Entry, method: &Method, path: &str, tail: &str) -> Routed<'e> {
        // A HEAD is a GET whose body the server leaves out.
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let by_method = entry.handlers.iter().find(|(m, _)| m == method);
        let handler = by_method.map(|(_, handler)| handler).or(entry.any.as_ref());
        let Some(handler) = handler else {
            return Routed::NotAllowed(entry.handlers.iter().map(|(m, _)| m.clone()).collect());
        };
        let realm = match entry.realm {
            Realm::Usual => self.realm,
            Realm::Own(realm) => realm,
        };
        Routed::To { handler, path: path.to_owned(), tail: tail.to_owned(), realm }
    }

    fn without_actor<'p>(&self, path: &'p str) -> &'p str {
        let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(self.actor.as_str()));
        rest.filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(path)
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut paths: Vec<&String> = self.routes.keys().chain(self.own.keys()).collect();
        paths.sort();
        f.debug_struct("Router").field("actor", &self.actor).field("paths", &paths).finish()
    }
}

fn entry<'t>(table: &'t mut Table, path: &str) -> &'t mut Entry {
    table.entry(path.trim_end_matches('/').to_owned()).or_default()
}

fn boxed<F, A>(handler: F) -> Handler
where
    F: Fn(Request) -> A + Send + Sync + 'static,
    A: Future<Output = Response> + Send + 'static,
{
    Arc::new(move |request| Box::pin(handler(request)))
}

/// The entry of the longest registered prefix of `path` and what of the path lies below it.
/// The root is no prefix of anything but itself.
fn longest<'t, 'p>(table: &'t Table, path: &'p str) -> Option<(&'t Entry, &'p str)> {
    let mut prefix = path;
    loop {
        let below = path[prefix.len()..].trim_start_matches('/');
        if let Some(entry) = table.get(prefix) {
            return (below.is_empty() || !entry.exact).then_some((entry, below));
        }
        prefix = &prefix[..prefix.rfind('/')?];
        if prefix.is_empty() {
            return None;
        }
    }
}

#[cfg(test)]
mod tests;
