//! What is wrong with the address of a driver, and how to mend it, in words.

use std::io::ErrorKind;
use std::net::IpAddr;

use reeve_model::Pid;
use reeve_transport::Unreached;

/// What is wrong with an address that leads to somebody else than the driver, whose connection
/// comes from `via`, if that is another host; nothing if it may be the driver's.
pub(super) fn elsewhere(ip: IpAddr, via: Option<IpAddr>) -> Option<(String, String)> {
    if ip.is_unspecified() {
        let error = format!("it says that it listens on {ip}, which is no address of a host");
        return Some((error, listen_on(via)));
    }
    let via = via.filter(|via| !via.is_loopback())?;
    ip.is_loopback().then(|| {
        let error = format!(
            "it says that it listens on the loopback address {ip}, and its connection comes from \
             another host, {via}"
        );
        (error, listen_on(Some(via)))
    })
}

/// What is wrong if the driver can't be dialled.
pub(super) fn failure(pid: &Pid, via: Option<IpAddr>, why: &Unreached) -> (String, String) {
    let error = format!("the connection to {} failed: {why}", pid.address);
    (error, advice(pid, via, why.kind))
}

fn advice(pid: &Pid, via: Option<IpAddr>, kind: ErrorKind) -> String {
    let (ip, port) = (pid.address.ip(), pid.address.port());
    if let Some(via) = via.filter(|via| *via != ip && !via.is_loopback()) {
        return format!(
            "The driver's connection comes from {via}: it is in a container or behind NAT, or its \
             host has several addresses. Set LIBPROCESS_IP={via} in the framework's environment if \
             that is an address of its own, else LIBPROCESS_ADVERTISE_IP and \
             LIBPROCESS_ADVERTISE_PORT to an address and a port that lead to it; LIBPROCESS_PORT \
             fixes the port that it listens on"
        );
    }
    match kind {
        ErrorKind::ConnectionRefused => format!(
            "Nothing listens there: the framework has ended, or {ip} is not its host, or a firewall \
             refuses the master. In the framework's environment LIBPROCESS_IP and \
             LIBPROCESS_ADVERTISE_IP say which address it gives, and LIBPROCESS_PORT fixes the port, \
             so that a firewall can let it through"
        ),
        ErrorKind::TimedOut => format!(
            "Something between the master and {ip} swallows connections: let a firewall pass those \
             from the master to port {port} (LIBPROCESS_PORT in the framework's environment fixes \
             the port), or set LIBPROCESS_IP to an address of the framework's host that the master \
             can reach"
        ),
        _ => format!(
            "The master has no way to {ip}: set LIBPROCESS_IP in the framework's environment to an \
             address of its host that the master can reach, or LIBPROCESS_ADVERTISE_IP to one that \
             leads there"
        ),
    }
}

fn listen_on(via: Option<IpAddr>) -> String {
    let ip =
        via.map_or_else(|| "an address that the master can reach".to_owned(), |ip| ip.to_string());
    format!(
        "Set LIBPROCESS_IP to {ip} in the framework's environment, or, if that is not an address of \
         its own, LIBPROCESS_ADVERTISE_IP"
    )
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_loopback_address_of_another_host_is_nobody_s() {
        let (error, advice) = elsewhere(ip("127.0.0.1"), Some(ip("10.0.0.5"))).unwrap();
        assert_eq!(
            error,
            "it says that it listens on the loopback address 127.0.0.1, and its connection comes \
             from another host, 10.0.0.5"
        );
        assert!(advice.starts_with("Set LIBPROCESS_IP to 10.0.0.5"), "{advice}");
        assert_eq!(elsewhere(ip("127.0.0.1"), Some(ip("127.0.0.1"))), None);
        assert_eq!(elsewhere(ip("127.0.1.1"), None), None);
        assert_eq!(elsewhere(ip("10.0.0.5"), Some(ip("10.0.0.5"))), None);
        assert!(elsewhere(ip("0.0.0.0"), None).is_some());
    }

    #[test]
    fn each_failure_has_its_advice() {
        let pid: Pid = "scheduler-1@10.0.0.5:4711".parse().unwrap();
        let say = |kind: ErrorKind, via: &str| {
            let why = Unreached::from(&io::Error::new(kind, "No route to host (os error 113)"));
            failure(&pid, Some(ip(via)), &why)
        };
        let (error, advice) = say(ErrorKind::HostUnreachable, "10.0.0.5");
        assert_eq!(error, "the connection to 10.0.0.5:4711 failed: no route to host");
        assert!(advice.contains("no way to 10.0.0.5"), "{advice}");
        let (_, advice) = say(ErrorKind::ConnectionRefused, "10.0.0.5");
        assert!(advice.starts_with("Nothing listens there"), "{advice}");
        let (_, advice) = say(ErrorKind::TimedOut, "10.0.0.5");
        assert!(advice.contains("firewall pass those from the master to port 4711"), "{advice}");
        let (_, advice) = say(ErrorKind::ConnectionRefused, "192.0.2.7");
        assert!(advice.contains("comes from 192.0.2.7"), "{advice}");
    }
}
