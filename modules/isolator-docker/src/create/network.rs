//! Networks, ports and the host name.

use reeve_module_sdk::isolator::Ports;
use serde_json::{Value, json};

use super::{Refused, push};
use crate::message::{ContainerInfo, DockerInfo, Network, PortMapping};

/// Puts network, ports and host name into the body.
pub(crate) fn put(
    body: &mut Value,
    info: &ContainerInfo,
    docker: &DockerInfo,
    granted: &[Ports],
) -> Result<(), Refused> {
    let number = docker.network.unwrap_or(Network::Host as i32);
    let network = Network::try_from(number).unwrap_or(Network::Unknown);
    let mode = match network {
        Network::Host => "host",
        Network::Bridge => "bridge",
        Network::None => "none",
        Network::User => user_network(info)?,
        Network::Unknown => {
            return Err(Refused(format!("DockerInfo has the unknown network {number}")));
        }
    };
    body["HostConfig"]["NetworkMode"] = json!(mode);
    if let Some(hostname) = info.hostname.as_deref().filter(|name| !name.is_empty()) {
        if network == Network::Host {
            return Err(Refused::new("a container in the HOST network cannot have a hostname"));
        }
        body["Hostname"] = json!(hostname);
    }
    if !docker.port_mappings.is_empty() && !matches!(network, Network::Bridge | Network::User) {
        let why = "port mappings are for the networks BRIDGE and USER only";
        return Err(Refused::new(why));
    }
    docker.port_mappings.iter().try_for_each(|mapping| map_port(body, mapping, granted))
}

fn user_network(info: &ContainerInfo) -> Result<&str, Refused> {
    let named = |network: &'static str| {
        Refused(format!("the network USER needs {network} in 'network_infos', with a 'name'"))
    };
    let [network] = info.network_infos.as_slice() else { return Err(named("exactly one entry")) };
    network.name.as_deref().filter(|name| !name.is_empty()).ok_or_else(|| named("an entry"))
}

fn map_port(body: &mut Value, mapping: &PortMapping, granted: &[Ports]) -> Result<(), Refused> {
    let PortMapping { host_port, container_port, protocol } = mapping;
    let port = |number: u32, which: &str| {
        let number = u16::try_from(number).ok().filter(|number| *number > 0);
        number.ok_or_else(|| Refused(format!("a port mapping has no {which} from 1 to 65535")))
    };
    let (outside, inside) =
        (port(*host_port, "host_port")?, port(*container_port, "container_port")?);
    if !granted.iter().any(|ports| (ports.first..=ports.last).contains(&outside)) {
        return Err(Refused(format!(
            "host port {outside} is mapped but is not among the ports of the task's resources"
        )));
    }
    let protocol = protocol.as_deref().unwrap_or("tcp").to_ascii_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(Refused(format!(
            "a port mapping has the unknown protocol '{protocol}'; there are tcp, udp and sctp"
        )));
    }
    let inside = format!("{inside}/{protocol}");
    let bindings = &mut body["HostConfig"]["PortBindings"][inside.as_str()];
    push(bindings, json!({ "HostPort": outside.to_string() }));
    body["ExposedPorts"][inside] = json!({});
    Ok(())
}
