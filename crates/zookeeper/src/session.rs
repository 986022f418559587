//! Opening a session.

use std::time::Duration;

use zookeeper_client::{Acl, Acls, Client, Connector, CreateMode, Permission};

use crate::{Error, Tls, Url, handshake};

/// How to open a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long the session lives without a sign of life; the servers may set another time
    /// (Mesos docs: `--zk_session_timeout`).
    pub session_timeout: Duration,
    /// The files for TLS; plain TCP if none.
    pub tls: Option<Tls>,
}

impl Default for Options {
    fn default() -> Self {
        Self { session_timeout: Duration::from_secs(10), tls: None }
    }
}

impl Options {
    /// A silent server is given up after this, so that two others can be tried before the session
    /// ends.
    fn connection_timeout(&self) -> Duration {
        self.session_timeout * 3 / 10
    }
}

static WORLD_READS_CREATOR_RULES: [Acl; 2] = [
    Acl::new_const(Permission::READ, "world", "anyone"),
    Acl::new_const(Permission::ALL, "auth", ""),
];

/// Who may do what with a znode that we make: with a password in the URL everybody reads and who
/// knows it does all; without one everybody does all (ZK-1).
pub fn acls(url: &Url) -> Acls<'static> {
    if url.credentials().is_some() {
        Acls::new(&WORLD_READS_CREATOR_RULES)
    } else {
        Acls::anyone_all()
    }
}

/// Opens a session. Its paths begin at the URL's path, which is made if it is missing. The session
/// ends when the last clone of the client is dropped.
///
/// # Errors
///
/// If no server lets us in within the session timeout, or the path can't be made.
pub async fn connect(url: &Url, options: &Options) -> Result<Client, Error> {
    let mut connector = Client::connector()
        .with_session_timeout(options.session_timeout)
        .with_connection_timeout(options.connection_timeout());
    if let Some(credentials) = url.credentials() {
        connector = connector.with_auth("digest", credentials.as_bytes());
    }
    let client = dial(connector, &url.servers().join(","), options).await?;
    let client = match client {
        Ok(client) => client,
        Err(source) => {
            let why = why(url, options).await;
            return Err(Error::Connect { url: url.to_string(), why, source });
        }
    };
    let made = make_path(&client, url).await;
    made.map_err(|source| Error::Path { url: url.to_string(), source })?;
    client.chroot(url.path().to_owned()).map_err(|_| Error::Path {
        url: url.to_string(),
        source: zookeeper_client::Error::BadArguments(&"invalid path"),
    })
}

/// What is wrong with TLS, if anything is.
async fn why(url: &Url, options: &Options) -> Option<String> {
    let (url, tls) = (url.clone(), options.tls.clone()?);
    tokio::task::spawn_blocking(move || handshake::trouble(&url, &tls)).await.ok().flatten()
}

async fn dial(
    connector: Connector,
    servers: &str,
    options: &Options,
) -> Result<Result<Client, zookeeper_client::Error>, Error> {
    Ok(match &options.tls {
        None => connector.connect(servers).await,
        Some(tls) => connector.with_tls(tls.load()?).secure_connect(servers).await,
    })
}

/// A reader need not be allowed to write: what is there is not made.
async fn make_path(client: &Client, url: &Url) -> Result<(), zookeeper_client::Error> {
    if client.check_stat(url.path()).await?.is_some() {
        return Ok(());
    }
    client.mkdir(url.path(), &CreateMode::Persistent.with_acls(acls(url))).await
}
