//! The files for TLS.

use std::path::{Path, PathBuf};

use zookeeper_client::TlsOptions;

use crate::Error;

/// The files for TLS, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificates that the servers' certificates are checked against.
    pub ca: PathBuf,
    /// Our own certificate and its key, where servers ask for one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl Tls {
    /// From three settings; nothing without the first.
    ///
    /// # Errors
    ///
    /// What is missing beside what is given.
    pub fn from_settings(
        ca: Option<&Path>,
        cert: Option<&Path>,
        key: Option<&Path>,
    ) -> Result<Option<Tls>, &'static str> {
        let identity = match (cert, key) {
            (Some(cert), Some(key)) => Some((cert.to_owned(), key.to_owned())),
            (None, None) => None,
            (Some(_), None) => return Err("zk_tls_cert_file needs zk_tls_key_file beside it"),
            (None, Some(_)) => return Err("zk_tls_key_file needs zk_tls_cert_file beside it"),
        };
        match ca {
            Some(ca) => Ok(Some(Tls { ca: ca.to_owned(), identity })),
            None if identity.is_none() => Ok(None),
            None => Err("zk_tls_cert_file needs zk_tls_ca_file, which switches TLS on"),
        }
    }

    /// Reads the files; done for each session, so that renewed ones are taken up.
    pub(crate) fn load(&self) -> Result<TlsOptions, Error> {
        // The client takes the process's choice of cryptography, which somebody else may have made.
        drop(rustls::crypto::ring::default_provider().install_default());
        let wrong = |path: &Path, why: String| Error::Tls { path: path.to_owned(), why };
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|error| wrong(path, error.to_string()))
        };
        let options = TlsOptions::new().with_pem_ca(&read(&self.ca)?);
        let options = options.map_err(|error| wrong(&self.ca, error.to_string()))?;
        let Some((cert, key)) = &self.identity else { return Ok(options) };
        let options = options.with_pem_identity(&read(cert)?, &read(key)?);
        options.map_err(|error| wrong(cert, error.to_string()))
    }
}
