//! Why TLS fails. The client only says that it found no server; the reason is found out by shaking
//! hands once more.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, ClientConnection, RootCertStore};

use crate::{Tls, Url};

/// How long a server may take for each of its answers.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is wrong with TLS between us and the first server that has an answer, with the way out.
/// Blocks the thread.
pub(crate) fn trouble(url: &Url, tls: &Tls) -> Option<String> {
    let config = Arc::new(config(tls)?);
    url.servers().iter().find_map(|server| {
        let error = shake(server, &config).err()?;
        let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
        Some(words(server, tls, error))
    })
}

fn words(server: &str, tls: &Tls, error: &rustls::Error) -> String {
    use rustls::Error;
    match (error, &tls.identity) {
        (Error::InvalidCertificate(CertificateError::UnknownIssuer), _) => format!(
            "nothing in '{}' (zk_tls_ca_file) vouches for the certificate of {server}",
            tls.ca.display()
        ),
        (Error::InvalidCertificate(_), _) => {
            format!("the certificate of {server} is not accepted: {error}")
        }
        (Error::AlertReceived(_), None) => format!(
            "{server} refuses us ({error}); it may want a certificate of ours: name \
             zk_tls_cert_file and zk_tls_key_file"
        ),
        (Error::AlertReceived(_), Some((cert, _))) => {
            format!("{server} refuses '{}' (zk_tls_cert_file): {error}", cert.display())
        }
        (Error::InvalidMessage(_), _) => {
            format!("{server} does not speak TLS; ZooKeeper has a port of its own for that")
        }
        _ => format!("TLS with {server} fails: {error}"),
    }
}

/// What [`Tls::load`] makes of the files, which were read without error before.
fn config(tls: &Tls) -> Option<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let authorities = CertificateDer::pem_file_iter(&tls.ca).ok()?;
    roots.add_parsable_certificates(authorities.flatten());
    let builder = ClientConfig::builder().with_root_certificates(roots);
    let Some((cert, key)) = &tls.identity else { return Some(builder.with_no_client_auth()) };
    let chain = CertificateDer::pem_file_iter(cert).ok()?.collect::<Result<_, _>>().ok()?;
    builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(key).ok()?).ok()
}

fn shake(server: &str, config: &Arc<ClientConfig>) -> io::Result<()> {
    let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
    let name = name.map_err(io::Error::other)?;
    let address = server.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    let mut socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let session = ClientConnection::new(Arc::clone(config), name);
    let mut session = session.map_err(io::Error::other)?;
    while session.is_handshaking() {
        session.complete_io(&mut socket)?;
    }
    // A server that speaks TLS 1.3 looks at our certificate only now, and says nothing if it likes
    // it.
    session.complete_io(&mut socket)?;
    Ok(())
}
