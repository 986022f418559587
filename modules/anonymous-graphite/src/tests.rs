use std::io::{BufRead, BufReader};
use std::net::TcpListener;

use reeve_module_sdk::anonymous::Value;

use super::*;

fn figure(name: &str, value: Value) -> Figure {
    Figure { name: name.into(), value }
}

#[test]
fn names_become_branches_of_graphites_tree() {
    let metrics = [
        figure("master/uptime_secs", Value::Number(1.5)),
        figure("allocator/mesos/roles/*/shares", Value::Number(0.0)),
        figure("slave/x.y z\n1 2", Value::Count(3)),
    ];
    let text = lines::write("dc1.m", &metrics, 1_700_000_000);
    assert_eq!(
        text,
        "dc1.m.master.uptime_secs 1.5 1700000000\n\
         dc1.m.allocator.mesos.roles._.shares 0 1700000000\n\
         dc1.m.slave.x_y_z_1_2 3 1700000000\n"
    );
    assert!(lines::write("", &metrics, 1).starts_with("master.uptime_secs 1.5 1\n"));
}

#[test]
fn an_address_without_a_port_is_refused() {
    for address in ["", "localhost", ":2003", "localhost:x", "localhost:70000"] {
        let failed = Graphite::new(address, "p", Duration::from_secs(1)).unwrap_err();
        assert_eq!(failed.0, format!("address '{address}' is not of the form HOST:PORT"));
    }
}

#[test]
fn metrics_arrive_also_after_graphite_was_away() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let module = Graphite::new(&address.to_string(), "p", Duration::from_secs(20)).unwrap();
    let show = |value| module.metrics(&[figure("a/b", Value::Count(value))]).unwrap();
    let line = |listener: &TcpListener| {
        let (socket, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(socket).read_line(&mut line).unwrap();
        line
    };
    show(1);
    assert!(line(&listener).starts_with("p.a.b 1 "));
    // The connection is closed by now; what is sent into it is lost, and then there is another.
    listener.set_nonblocking(true).unwrap();
    loop {
        show(2);
        match listener.accept() {
            Ok((socket, _)) => {
                socket.set_nonblocking(false).unwrap();
                let mut line = String::new();
                BufReader::new(socket).read_line(&mut line).unwrap();
                assert!(line.starts_with("p.a.b 2 "), "{line}");
                return;
            }
            Err(_) => std::thread::yield_now(),
        }
    }
}
