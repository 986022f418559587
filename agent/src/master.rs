//! Which master the agent follows: the one at an address, or whichever leads.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use reeve_agent_core::event::Kind;
use reeve_election::{Detector, Source};
use reeve_model::{MasterInfo, Pid};
use reeve_transport::Inbound;
use reeve_zookeeper::{Options, Tls, Url};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::warn;

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

    /// The master at an address, for an agent at this one.
    pub(crate) fn appointed(&self, here: IpAddr) -> Option<Appointed> {
        let Guide::Fixed(Some(master)) = self else { return None };
        Some(Appointed { master: master.clone(), here, stranger: None })
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

/// The master that the settings name, and how it calls itself.
#[derive(Debug)]
pub(crate) struct Appointed {
    master: Pid,
    /// The agent's own address.
    here: IpAddr,
    /// Who was told of last as not being the master.
    stranger: Option<Pid>,
}

impl Appointed {
    /// Whom a message is from: the appointed master by the name that the settings have for it.
    pub(crate) fn sender(&mut self, message: &Inbound) -> Pid {
        let from = &message.from;
        if from.id != self.master.id {
            return from.clone();
        }
        if is_at(self.master.address, self.here, message) {
            return self.master.clone();
        }
        if self.stranger.as_ref() != Some(from) {
            warn!(
                %from, appointed = %self.master,
                "messages of a master are ignored: it is not the one that the setting 'master' names. \
                 If it should be, set 'master' to its address"
            );
            self.stranger = Some(from.clone());
        }
        from.clone()
    }
}

/// Whether a message comes from the process at `master`, as seen by an agent at `here`. A host with
/// several addresses names itself by one, and may have been found by another, such as that of the
/// loopback: then it counts where its connection comes from.
pub(crate) fn is_at(master: SocketAddr, here: IpAddr, message: &Inbound) -> bool {
    let named = message.from.address;
    let on_this_host = |via: IpAddr| via.is_loopback() || via == here;
    let seen = |via| via == master.ip() || master.ip().is_loopback() && on_this_host(via);
    named == master || named.port() == master.port() && message.via.is_some_and(seen)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn message(from: &str, via: &str) -> Inbound {
        Inbound {
            from: from.parse().expect("a pid"),
            via: Some(via.parse().expect("an address")),
            to: "slave(1)".into(),
            name: "mesos.internal.PingSlaveMessage".into(),
            body: bytes::Bytes::new(),
        }
    }

    fn sender(appointed: &str, from: &str, via: &str) -> String {
        let guide = Guide::Fixed(Some(appointed.parse().expect("a pid")));
        let here = "10.0.0.7".parse().expect("an address");
        let mut appointed = guide.appointed(here).expect("a master");
        appointed.sender(&message(from, via)).to_string()
    }

    #[test]
    fn a_master_may_name_itself_by_another_of_its_addresses() {
        let local = "master@127.0.0.1:5050";
        assert_eq!(sender(local, "master@10.0.0.7:5050", "127.0.0.1"), local);
        assert_eq!(sender(local, "master@10.0.0.7:5050", "10.0.0.7"), local);
        let far = "master@192.0.2.1:5050";
        assert_eq!(sender(far, "master@10.9.9.9:5050", "192.0.2.1"), far);
        assert_eq!(sender(far, far, "10.1.1.1"), far);
    }

    #[test]
    fn others_are_who_they_say() {
        for from in ["master@10.0.0.8:5050", "master@10.0.0.7:5060", "scheduler-1@10.0.0.7:5050"] {
            assert_eq!(sender("master@127.0.0.1:5050", from, "10.0.0.8"), from);
        }
        let other_port = "master@127.0.0.1:5060";
        assert_eq!(sender("master@127.0.0.1:5050", other_port, "127.0.0.1"), other_port);
    }
}
