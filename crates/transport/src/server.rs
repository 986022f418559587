//! Listening sockets. Each connection starts out unknown: its first request shows whether it
//! speaks libprocess or plain HTTP (LP-2), and it is served by the one or the other.
//! What the answers say comes from the [`Router`] and the [`Actors`] handed in.

mod answer;
mod connection;
mod finish;
mod rewind;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::libprocess::Actors;
use crate::router::Router;

/// How many connections may wait to be accepted: all agents of a large cluster come back at
/// once after a failover. The kernel caps it at `net.core.somaxconn`.
const BACKLOG: u32 = 16_384;

/// How many free ports are tried until one is free at all addresses.
const PORT_TRIES: u32 = 32;

/// How long open answers have to end after a stop before they are cut off.
const GRACE: Duration = Duration::from_secs(5);

/// How long the acceptor waits when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What can be set about a server.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen. Port 0 takes a free one, the same for all addresses that ask for it.
    pub addresses: Vec<SocketAddr>,
    /// The largest body taken, in bytes, also after gzip is taken off; larger ones get a 413.
    pub body_limit: usize,
    /// How long a client may take over the head of a request, and how long a connection that
    /// carries no request is kept.
    pub header_timeout: Duration,
}

impl ServerConfig {
    /// Listens there, takes bodies up to 128 MiB and keeps idle connections for 5 minutes.
    pub fn new(addresses: Vec<SocketAddr>) -> ServerConfig {
        ServerConfig { addresses, body_limit: 128 << 20, header_timeout: Duration::from_secs(300) }
    }
}

/// Why a server can't listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// No address was given.
    #[error("no address to listen on was given")]
    NoAddress,
    /// The kernel refused.
    #[error("can't listen on {address}: is the port taken, or the address not this host's?")]
    Refused {
        /// The address as configured.
        address: SocketAddr,
        /// What the kernel said.
        source: std::io::Error,
    },
}

impl BindError {
    /// Whether a port that was free at one address is taken at another.
    fn was_free_elsewhere(&self) -> bool {
        let Self::Refused { address, source } = self else { return false };
        address.port() == 0 && source.kind() == std::io::ErrorKind::AddrInUse
    }
}

/// Sockets that listen, not yet served. Clients that connect wait in the kernel until
/// [`Server::serve`].
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    config: ServerConfig,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    router: Router,
    actors: Actors,
    body_limit: usize,
    header_timeout: Duration,
    stop: CancellationToken,
}

impl Server {
    /// Listens on all addresses, or on none. Must be called within a tokio runtime.
    pub fn bind(config: ServerConfig) -> Result<Server, BindError> {
        if config.addresses.is_empty() {
            return Err(BindError::NoAddress);
        }
        let mut tries = 1;
        let bound = loop {
            match listen_on_all(&config.addresses) {
                Err(refused) if refused.was_free_elsewhere() && tries < PORT_TRIES => tries += 1,
                outcome => break outcome?,
            }
        };
        let (addresses, listeners) = bound.into_iter().unzip();
        Ok(Server { listeners, addresses, config })
    }

    /// The addresses listened on, with the ports that were free, in the order configured.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Serves until `stop` is cancelled: then no connection is accepted, streams end, answers
    /// under way are finished, and after 5 s what is left is cut off.
    pub async fn serve(self, router: Router, actors: Actors, stop: CancellationToken) {
        let shared = Arc::new(Shared {
            router,
            actors,
            body_limit: self.config.body_limit,
            header_timeout: self.config.header_timeout,
            stop: stop.clone(),
        });
        let connections = TaskTracker::new();
        for listener in self.listeners {
            let (shared, tracker) = (Arc::clone(&shared), connections.clone());
            connections.spawn(accept(listener, shared, tracker));
        }
        stop.cancelled().await;
        connections.close();
        if tokio::time::timeout(GRACE, connections.wait()).await.is_err() {
            tracing::warn!(open = connections.len(), "connections left open after the stop");
        }
    }
}

/// Listens on all addresses. Those that leave the port to the kernel share the first one it gives,
/// so that who knows one of them finds the others.
fn listen_on_all(addresses: &[SocketAddr]) -> Result<Vec<(SocketAddr, TcpListener)>, BindError> {
    let mut free = 0;
    let mut bound = Vec::with_capacity(addresses.len());
    for address in addresses {
        let refused = |source| BindError::Refused { address: *address, source };
        let port = if address.port() == 0 { free } else { address.port() };
        let listener = listen(SocketAddr::new(address.ip(), port)).map_err(refused)?;
        let own = listener.local_addr().map_err(refused)?;
        if address.port() == 0 {
            free = own.port();
        }
        bound.push((own, listener));
    }
    Ok(bound)
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, connections: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(serve(stream, peer, Arc::clone(&shared)));
            }
            Err(error) => {
                tracing::warn!(%error, "can't accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One connection, cut off some time after the stop.
async fn serve(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "the connection was gone before it was served");
        return;
    }
    let stop = shared.stop.clone();
    let cut = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = connection::serve(stream, peer, shared) => (),
        () = cut => tracing::debug!(%peer, "cut off a connection"),
    }
}
