//! A ZooKeeper server that keeps what it says it keeps: Debian's package, as it is set by default.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use anyhow::bail;

use super::{Running, Stage, free_address};

/// What Debian's package `libzookeeper-java` installs; it names the libraries that it needs.
const JAR: &str = "/usr/share/java/zookeeper.jar";

/// What it does not name: the log to standard error.
const LOG: &str = "/usr/share/java/slf4j-simple.jar";

/// A server, alone.
#[derive(Debug)]
pub struct ZooKeeper {
    /// Its process.
    pub process: Running,
    /// Where it answers.
    pub address: SocketAddr,
}

impl Stage {
    /// Starts a server that waits for its disk before it answers. `options` are for Java.
    ///
    /// # Errors
    /// If this machine has none, or it doesn't answer.
    pub fn zookeeper(&self, options: &[&str]) -> anyhow::Result<ZooKeeper> {
        if !Path::new(JAR).is_file() {
            bail!("no {JAR} (Debian: libzookeeper-java and default-jre-headless)");
        }
        let (address, home) = (free_address()?, self.directory("zookeeper")?);
        let settings = home.join("zoo.cfg");
        let text = format!(
            "tickTime=2000\ndataDir={}\nclientPortAddress={}\nclientPort={}\n\
             admin.enableServer=false\n",
            home.display(),
            address.ip(),
            address.port(),
        );
        fs::write(&settings, text)?;
        let mut command = Command::new("java");
        command.args(options).args(["-cp", &format!("{JAR}:{LOG}")]);
        command.arg("org.apache.zookeeper.server.ZooKeeperServerMain").arg(settings);
        let mut process = self.start("zookeeper", &mut command, false)?;
        process.wait_until("it listens", || Ok(TcpStream::connect(address).is_ok()))?;
        Ok(ZooKeeper { process, address })
    }
}
