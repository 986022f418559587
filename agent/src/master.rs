//! Which master the agent follows: the one at an address, or whichever leads.

use std::net::{SocketAddr, ToSocketAddrs};

use reeve_agent_core::event::Kind;
use reeve_election::{Detector, Source};
use reeve_model::{MasterInfo, Pid};
use reeve_zookeeper::{Options, Tls, Url};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::daemon::{StartError, wrong};
use crate::settings::AgentSettings;
use crate::shell::Input;

/// Where the agent learns of its master.
#[derive(Debug)]
pub(crate) enum Guide {
    /// There is one at most, always the same.
    Fixed(Option<Pid>),
    /// The one that leads.
    Elected(Url, Options),
}

impl Guide {
    /// As the settings say. The name of a host is looked up once, now.
    pub(crate) fn new(settings: &AgentSettings) -> Result<Self, StartError> {
        match &settings.master {
            None => Ok(Guide::Fixed(None)),
            Some(Source::Address(text)) => Ok(Guide::Fixed(Some(at(text, settings)?))),
            Some(Source::ZooKeeper(url)) => Ok(Guide::Elected(url.clone(), options(settings)?)),
        }
    }

    /// Tells the agent of its master, now and whenever another leads.
    pub(crate) async fn tell(self, inputs: mpsc::Sender<Input>, stop: CancellationToken) {
        let (url, options) = match self {
            Guide::Fixed(master) => {
                drop(inputs.send(Input::Happened(Kind::MasterDetected(master))).await);
                return;
            }
            Guide::Elected(url, options) => (url, options),
        };
        let mut leader = Detector::start(url, options, stop);
        loop {
            let master = leader.borrow_and_update().as_deref().map(pid);
            let told = inputs.send(Input::Happened(Kind::MasterDetected(master))).await;
            if told.is_err() || leader.changed().await.is_err() {
                return;
            }
        }
    }
}

fn at(text: &str, settings: &AgentSettings) -> Result<Pid, StartError> {
    let host = text.strip_prefix("master@").unwrap_or(text);
    let host = if host.contains(':') { host.to_owned() } else { format!("{host}:5050") };
    let wants_ipv6 = settings.ip.as_deref().is_some_and(|ip| ip.contains(':'));
    let mut found = host.to_socket_addrs().map_err(|error| {
        wrong("master", text, format!("is no HOST:PORT that resolves: {error}"))
    })?;
    let address = found.find(|address| address.is_ipv6() == wants_ipv6);
    let address = address.ok_or_else(|| wrong("master", text, "has no address of that family"))?;
    Ok(Pid::new("master", address))
}

fn options(settings: &AgentSettings) -> Result<Options, StartError> {
    let [ca, cert, key] =
        [&settings.zk_tls_ca_file, &settings.zk_tls_cert_file, &settings.zk_tls_key_file]
            .map(|file| file.as_deref());
    let given = cert.or(key).or(ca).map(|file| file.display().to_string()).unwrap_or_default();
    let tls = Tls::from_settings(ca, cert, key);
    let tls = tls.map_err(|why| wrong("zk_tls_cert_file", &given, why))?;
    Ok(Options { session_timeout: settings.zk_session_timeout, tls })
}

/// As the master names itself; one that is too old to do so, by its address.
fn pid(master: &MasterInfo) -> Pid {
    let address = SocketAddr::new(master.ip, master.port);
    master.pid.parse().unwrap_or_else(|_| Pid::new("master", address))
}
