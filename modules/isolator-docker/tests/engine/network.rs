//! Ports and networks.

use reeve_module_sdk::isolator::Isolator;
use reeve_wire::v1::container_info::DockerInfo;
use reeve_wire::v1::container_info::docker_info::{Network, PortMapping};

use crate::task::{Task, container, docker, isolator, refusal, shell};
use reeve_tests::Engine;
use reeve_tests::until;

#[test]
fn a_mapped_port_serves_http_if_it_was_granted() {
    let Some(engine) = Engine::start() else { return };
    let isolator = isolator(&engine, "agent");
    let mapped = |host_port| DockerInfo {
        network: Some(Network::Bridge.into()),
        port_mappings: vec![PortMapping { host_port, container_port: 80, protocol: None }],
        ..docker()
    };
    let serve = shell("echo it works > $MESOS_SANDBOX/index.html; exec httpd -f -h $MESOS_SANDBOX");
    let task = Task::start(&isolator, &container(&engine, "web", mapped(31_000), &serve));
    until("the page to be served", || {
        let page = engine.inside("curl -s http://127.0.0.1:31000/index.html").stdout;
        (page == b"it works\n").then_some(())
    });
    drop(task);
    isolator.cleanup("web").unwrap();
    let greedy = container(&engine, "greedy", mapped(31_001), &serve);
    assert!(refusal(&isolator, &greedy).contains("31001"));
}
