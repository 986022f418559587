//! Which master a tool asks, as whom, and how ZooKeeper is reached that knows who leads.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Arg, ArgMatches, value_parser};
use reeve_client::MasterAddress;
use reeve_client::operator::Operator;
use reeve_zookeeper::{Options, Tls};

use crate::credentials;

/// What names a master.
pub(crate) const FORMS: &str = "The master: HOST:PORT, or zk://HOST:PORT,…/PATH for the one that leads, or file:///PATH to a \
     file with either";

/// The flag that names the master.
pub(crate) fn flag() -> Arg {
    Arg::new("master")
        .long("master")
        .value_name("ADDRESS")
        .default_value("127.0.0.1:5050")
        .help(FORMS)
}

/// The flags beside the master's address.
pub(crate) fn arguments() -> Vec<Arg> {
    credentials::arguments().into_iter().chain(tls_arguments()).collect()
}

/// The flags of TLS to ZooKeeper, named as the daemons' settings.
pub(crate) fn tls_arguments() -> [Arg; 3] {
    let pem = |name: &'static str, help: &'static str| {
        let arg = Arg::new(name).long(name).value_name("FILE");
        arg.value_parser(value_parser!(PathBuf)).help(help)
    };
    [
        pem(
            "zk_tls_ca_file",
            "The certificates (PEM) that ZooKeeper's are checked against; switches TLS on",
        ),
        pem("zk_tls_cert_file", "The certificate (PEM) that is shown to ZooKeeper"),
        pem("zk_tls_key_file", "The key (PEM) of that certificate"),
    ]
}

/// How ZooKeeper is reached, as the flags say.
pub(crate) fn zookeeper(flags: &ArgMatches) -> anyhow::Result<Options> {
    let file = |name: &str| flags.get_one::<PathBuf>(name).map(PathBuf::as_path);
    let files = (file("zk_tls_ca_file"), file("zk_tls_cert_file"), file("zk_tls_key_file"));
    let tls = Tls::from_settings(files.0, files.1, files.2).map_err(|why| anyhow!("--{why}"))?;
    Ok(Options { tls, ..Options::default() })
}

/// The master that the flag or argument of this name stands for.
pub(crate) async fn operator(flags: &ArgMatches, name: &str) -> anyhow::Result<Operator> {
    let text = flags.get_one::<String>(name).map_or("", String::as_str);
    let master = MasterAddress::find(text, zookeeper(flags)?).await?;
    Ok(Operator::new(master, credentials::given(flags)?))
}
