//! What daemons write to standard error.

use nix::sys::signal::Signal;
use reeve_tests::{Daemon, Room};

use crate::local::agents;

fn quiet(room: &Room, name: &str, flags: &[String]) -> Daemon {
    let mut command = room.tool("reeve");
    command.args([name, "--quiet", "--port=0"]).arg(format!("--ip={}", room.ip)).args(flags);
    Daemon::start(room, name, &mut command)
}

#[test]
fn quiet_daemons_log_nothing() {
    let room = Room::new();
    let mut master = quiet(&room, "master", &["--registry=in_memory".to_owned()]);
    let address = master.addresses(1)[0];
    let flags = [
        format!("--master={address}"),
        format!("--work_dir={}", room.join("agent").display()),
        format!("--runtime_dir={}", room.join("run").display()),
        "--registration_backoff_factor=10ms".to_owned(),
    ];
    let mut agent = quiet(&room, "agent", &flags);
    agents(address, 1);
    for daemon in [&mut agent, &mut master] {
        daemon.signal(Signal::SIGTERM);
        assert!(daemon.wait().success());
        assert_eq!(daemon.log(), "");
    }
}
