//! Where a registry is, and who is at work with it.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::ArgMatches;
use reeve_records::Records;
use reeve_registry::{Ensemble, Store, Term};
use reeve_zookeeper::{Options, Url, connect};
use tokio::runtime::Runtime;

/// Where a registry is.
pub(super) enum Place {
    /// In the work_dir of a master.
    Folder(PathBuf),
    /// In ZooKeeper.
    ZooKeeper(Box<Url>, Options, Runtime),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Folder(folder) => write!(f, "{}", folder.display()),
            Place::ZooKeeper(url, ..) => write!(f, "{url}"),
        }
    }
}

impl Place {
    pub(super) fn of(flags: &ArgMatches) -> anyhow::Result<Place> {
        if let Some(folder) = flags.get_one::<PathBuf>("work_dir") {
            return Ok(Place::Folder(folder.clone()));
        }
        let url = flags.get_one::<String>("zk").map_or("", String::as_str);
        let url = url.parse().map_err(|error| anyhow::anyhow!("--zk {error}"))?;
        let options = crate::master::zookeeper(flags)?;
        Ok(Place::ZooKeeper(Box::new(url), options, crate::runtime()?))
    }

    /// Reads all records; a master may be at work if they are in ZooKeeper.
    pub(super) fn read(&self) -> anyhow::Result<Records> {
        match self {
            Place::Folder(folder) => {
                if !file(folder).exists() {
                    bail!(
                        "no master has kept a registry in {}: {} is not there",
                        folder.display(),
                        file(folder).display()
                    );
                }
                Ok(self.open()?.load()?)
            }
            Place::ZooKeeper(url, options, runtime) => {
                Ok(Ensemble::read(runtime.handle(), url, options)?)
            }
        }
    }

    /// Opens it for writing, which nobody else may do meanwhile.
    pub(super) fn open(&self) -> anyhow::Result<Store> {
        match self {
            Place::Folder(folder) => Ok(Store::open(&file(folder))?),
            Place::ZooKeeper(url, options, runtime) => {
                let masters = runtime.block_on(masters(url, options))?;
                if !masters.is_empty() {
                    bail!(
                        "masters are at work at {url}, and one of them leads: {}; stop them first",
                        masters.join(", ")
                    );
                }
                let handle = runtime.handle().clone();
                let ensemble = Ensemble::open(handle, url, options, Term::forever())?;
                Ok(Store::ZooKeeper(Box::new(ensemble)))
            }
        }
    }

    /// The folder for what is moved aside.
    pub(super) fn aside(&self) -> PathBuf {
        match self {
            Place::Folder(folder) => folder.clone(),
            Place::ZooKeeper(..) => PathBuf::from("."),
        }
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("registry.redb")
}

/// The masters that contend at this path, of whatever make.
async fn masters(url: &Url, options: &Options) -> anyhow::Result<Vec<String>> {
    let client = connect(url, options).await?;
    let names = client.list_children("/").await.context("cannot see who leads")?;
    let mut masters = Vec::new();
    for name in names.iter().filter(|name| name.starts_with("json.info_")) {
        // One that is gone by now does not matter.
        let Ok((data, _)) = client.get_data(&format!("/{name}")).await else { continue };
        let info: serde_json::Value = serde_json::from_slice(&data).unwrap_or_default();
        masters.push(info["pid"].as_str().unwrap_or(name).to_owned());
    }
    Ok(masters)
}
