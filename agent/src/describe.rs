//! What the agent is: from its settings and its machine, where it listens, where others reach it,
//! and what it has.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::Path;

use reeve_agent_runtime::detect;
use reeve_model::{AgentInfo, Attributes, Resources, Role};

use crate::daemon::{StartError, wrong};
use crate::settings::AgentSettings;

pub(crate) fn listen(settings: &AgentSettings) -> Result<SocketAddr, StartError> {
    let ip = match &settings.ip {
        Some(text) => text.parse().map_err(|_| wrong("ip", text, "is no IP address"))?,
        None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    Ok(SocketAddr::new(ip, settings.port))
}

/// Where others reach this agent: as told, else where it listens, else by the host's own name.
pub(crate) fn advertised(
    settings: &AgentSettings,
    bound: SocketAddr,
) -> Result<SocketAddr, StartError> {
    let port = settings.advertise_port.unwrap_or(bound.port());
    if let Some(text) = &settings.advertise_ip {
        let ip = text.parse().map_err(|_| wrong("advertise_ip", text, "is no IP address"))?;
        return Ok(SocketAddr::new(ip, port));
    }
    if !bound.ip().is_unspecified() {
        return Ok(SocketAddr::new(bound.ip(), port));
    }
    let own = (host_name().as_str(), port).to_socket_addrs().ok();
    let own = own.and_then(|mut all| all.find(SocketAddr::is_ipv4));
    Ok(own.unwrap_or(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)))
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "localhost".to_owned(), |name| name.trim().to_owned())
}

pub(crate) fn describe(
    settings: &AgentSettings,
    work_dir: &Path,
    address: SocketAddr,
) -> Result<AgentInfo, StartError> {
    let attributes = match &settings.attributes {
        Some(text) => Attributes::parse(text).map_err(|error| wrong("attributes", text, error))?,
        None => Attributes::default(),
    };
    let hostname = settings.hostname.clone().unwrap_or_else(|| match address.ip() {
        ip if ip.is_loopback() => "localhost".to_owned(),
        _ => host_name(),
    });
    Ok(AgentInfo {
        id: None,
        hostname,
        port: address.port(),
        resources: resources(settings, work_dir)?,
        attributes,
        domain: None,
        checkpoint: true,
    })
}

/// What the settings name, and what is detected for the rest.
fn resources(settings: &AgentSettings, work_dir: &Path) -> Result<Resources, StartError> {
    let role = Role::parse(&settings.default_role)
        .map_err(|error| wrong("default_role", &settings.default_role, error))?;
    let text = settings.resources.as_deref().unwrap_or_default();
    let mut all = Resources::parse(text, &role).map_err(|error| wrong("resources", text, error))?;
    for (name, text) in detected(work_dir, 1, 1) {
        if all.iter().all(|one| one.name.as_str() != name) {
            let one = Resources::parse(&text, &role);
            all += &one.map_err(|error| wrong("resources", &text, error))?;
        }
    }
    Ok(all)
}

/// What the machine has, by name, as the text of `--resources`; of several agents on one machine,
/// what the share of agent `number` of `count` is.
fn detected(work_dir: &Path, number: u16, count: u16) -> [(&'static str, String); 4] {
    let found = detect::detect(work_dir);
    let (number, count) = (number.max(1), count.max(1));
    let (first, last) = found.ports;
    let width = (last - first + 1) / count;
    let begin = first + width * (number - 1);
    [
        ("cpus", format!("cpus:{:.3}", f64::from(found.cpus) / f64::from(count))),
        ("mem", format!("mem:{}", found.mem_mb / u64::from(count))),
        ("disk", format!("disk:{}", found.disk_mb / u64::from(count))),
        ("ports", format!("ports:[{begin}-{}]", if count == 1 { last } else { begin + width - 1 })),
    ]
}

/// The `--resources` of agent `number` of `count` that share this machine.
pub fn divided(work_dir: &Path, number: u16, count: u16) -> String {
    detected(work_dir, number, count).map(|(_, text)| text).join(";")
}
