//! Finding a registry, making it, and taking it over.

use reeve_zookeeper::client::{Error as Refusal, MultiWriteError};
use reeve_zookeeper::{Options, Url, acls, connect};

use super::layout::{COMMIT, EPOCH, ROOT};
use super::{Place, Term};
use crate::Error;

/// The format; goes up when old versions could not read it any more.
const FORMAT: u32 = 1;

/// How often we try to raise an epoch that others raise at the same time.
const ATTEMPTS: usize = 10;

/// What became of the epoch.
enum Raised {
    /// It has this version, by us.
    To(i32),
    /// Somebody else raised it at the same time.
    ByAnother,
    /// Our znode of the election is gone: we don't lead.
    NotOurs,
}

impl Place {
    pub(super) async fn connect(url: &Url, options: &Options, term: Term) -> Result<Place, Error> {
        Ok(Place {
            client: connect(url, options).await?,
            url: url.to_string(),
            acls: acls(url),
            patience: options.session_timeout,
            term,
        })
    }

    /// The format of the registry that is there; `None` if there is none.
    pub(super) async fn format(&self) -> Result<Option<u32>, Error> {
        let data = self.insist("read", async || match self.client.get_data(ROOT).await {
            Ok((data, _)) => Ok(Some(data)),
            Err(Refusal::NoNode) => Ok(None),
            Err(refusal) => Err(refusal),
        });
        let Some(data) = data.await? else { return Ok(None) };
        let found = std::str::from_utf8(&data).ok().and_then(|text| text.trim().parse().ok());
        let place = self.url.clone();
        match found {
            Some(found) if found > FORMAT => Err(Error::Format { place, found, known: FORMAT }),
            Some(found) => Ok(Some(found)),
            None => {
                let why = format!("{ROOT} should hold its format, which is a number");
                Err(Error::Changed { place, why })
            }
        }
    }

    /// Makes what is missing of the registry and raises the epoch, whose version it gives.
    pub(super) async fn take_over(&self) -> Result<i32, Error> {
        if self.format().await?.is_none() {
            self.make().await?;
        }
        for _ in 0..ATTEMPTS {
            match self.insist("write", async || self.raise().await).await? {
                Raised::To(epoch) => return Ok(epoch),
                Raised::ByAnother => {}
                Raised::NotOurs => return Err(Error::LeaseLost),
            }
        }
        Err(Error::Deposed { place: self.url.clone() })
    }

    async fn make(&self) -> Result<(), Error> {
        let format = FORMAT.to_string();
        self.insist("write", async || {
            self.client.mkdir("/reeve", &self.create()).await?;
            match self.client.create(ROOT, format.as_bytes(), &self.create()).await {
                Ok(_) | Err(Refusal::NodeExists) => Ok(()),
                Err(refusal) => Err(refusal),
            }
        })
        .await
    }

    /// Raises the epoch by one.
    async fn raise(&self) -> Result<Raised, Refusal> {
        let epoch = self.client.check_stat(EPOCH).await?.map(|stat| stat.version);
        let commit = self.client.check_stat(COMMIT).await?;
        let raised = epoch.map_or(0, |version| version + 1);
        let number = raised.to_string();
        let mut multi = self.client.new_multi_writer();
        let ours = self.term.znode.as_ref().map(|name| format!("/{name}"));
        if let Some(ours) = &ours {
            // That it is there; the election writes to it, so its version may be any.
            multi.add_check_version(ours, -1)?;
        }
        match epoch {
            Some(version) => multi.add_set_data(EPOCH, number.as_bytes(), Some(version))?,
            None => multi.add_create(EPOCH, number.as_bytes(), &self.create())?,
        }
        if commit.is_some() {
            multi.add_delete(COMMIT, None)?;
        }
        multi.add_create(COMMIT, b"0", &self.create())?;
        match multi.commit().await {
            Ok(_) => Ok(Raised::To(raised)),
            Err(MultiWriteError::OperationFailed { index: 0, source: Refusal::NoNode })
                if ours.is_some() =>
            {
                Ok(Raised::NotOurs)
            }
            Err(MultiWriteError::OperationFailed {
                source: Refusal::BadVersion | Refusal::NodeExists | Refusal::NoNode,
                ..
            }) => Ok(Raised::ByAnother),
            Err(error) => Err(error.into()),
        }
    }
}
