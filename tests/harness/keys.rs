//! Keys and certificates that nobody but a test vouches for.

use std::path::PathBuf;
use std::process::Command;

use crate::processes;
use crate::room::Room;

/// A key and a certificate of it that it has signed itself, both PEM.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The certificate. It is the only one that vouches for itself.
    pub cert: PathBuf,
    /// The key.
    pub key: PathBuf,
}

impl Keys {
    /// Makes them in the room, for whoever listens at the room's address.
    ///
    /// # Panics
    ///
    /// If there is no `openssl`.
    pub fn make(room: &Room, name: &str) -> Self {
        let pem = |what: &str| room.join(&format!("{name}-{what}.pem"));
        let keys = Self { cert: pem("cert"), key: pem("key") };
        let output = processes::run(
            Command::new("openssl")
                .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"])
                .args(["-subj", &format!("/CN={name}")])
                .args(["-addext", "basicConstraints=critical,CA:FALSE"])
                .args(["-addext", &format!("subjectAltName=IP:{}", room.ip)])
                .args(["-out".as_ref(), keys.cert.as_os_str()])
                .args(["-keyout".as_ref(), keys.key.as_os_str()]),
        );
        assert!(output.status.success(), "openssl makes a certificate: {output:?}");
        keys
    }

    /// The flags with which a daemon or a tool talks TLS to ZooKeeper: `self` is shown, and the
    /// servers' certificate is checked against it.
    pub fn zookeeper_flags(&self) -> [String; 3] {
        let (cert, key) = (self.cert.display(), self.key.display());
        [
            format!("--zk_tls_ca_file={cert}"),
            format!("--zk_tls_cert_file={cert}"),
            format!("--zk_tls_key_file={key}"),
        ]
    }
}
