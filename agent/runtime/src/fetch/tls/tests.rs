use std::net::TcpListener;
use std::process::Command;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;

/// A certificate for `localhost` and its key; none if the host has no program to make them.
fn certificate() -> Option<(CertificateDer<'static>, PrivateKeyDer<'static>)> {
    let dir = tempfile::tempdir().unwrap();
    let (key, cert) = (dir.path().join("key"), dir.path().join("cert"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output();
    if !made.is_ok_and(|output| output.status.success()) {
        println!("no openssl program: TLS is not tested");
        return None;
    }
    Some((
        CertificateDer::from_pem_file(&cert).unwrap(),
        PrivateKeyDer::from_pem_file(&key).unwrap(),
    ))
}

/// Serves one connection with a greeting; returns its port.
fn serve(cert: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, socket);
        // A client that does not trust us hangs up, which is the point of one of the tests.
        if stream.write_all(b"hello").is_ok() {
            stream.conn.send_close_notify();
            drop(stream.flush());
        }
    });
    port
}

#[test]
fn a_server_is_trusted_for_its_own_name_by_who_trusts_its_authority() {
    let Some((cert, key)) = certificate() else { return };
    let mut roots = RootCertStore::empty();
    roots.add(cert.clone()).unwrap();
    let connect = |host: &str, roots: RootCertStore| {
        let port = serve(cert.clone(), key.clone_key());
        encrypt(host, TcpStream::connect(("127.0.0.1", port)).unwrap(), roots)
    };
    let mut stream = connect("localhost", roots.clone()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");

    let error = connect("other.host", roots).err().unwrap().to_string();
    assert!(error.contains("certificate"), "{error}");
    let error = connect("localhost", RootCertStore::empty()).err().unwrap().to_string();
    assert!(error.contains("certificate"), "{error}");
}
