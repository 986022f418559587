//! Making sure that the engine has an image.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::Value;

use crate::credentials::{Config, CredentialsError};
use crate::engine::{Call, Engine, EngineError, Limit, escaped};
use crate::image::Image;

/// An image cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PullError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error("image '{image}' cannot be pulled: {why}")]
    Failed { image: String, why: String },
}

/// What pulling depends on.
#[derive(Debug)]
pub(crate) struct Pull<'a> {
    pub(crate) engine: &'a Engine,
    /// The `config` parameter.
    pub(crate) config: Option<&'a str>,
    /// Where a task may have fetched credentials of its own to; they come first.
    pub(crate) sandbox: &'a Path,
    pub(crate) patience: Duration,
    /// Set when nobody wants the image any more.
    pub(crate) given_up: Arc<AtomicBool>,
}

impl Pull<'_> {
    /// Pulls an image if the engine does not have it, or in any case.
    pub(crate) fn ensure(&self, image: &Image, force: bool) -> Result<(), PullError> {
        if force || !self.has(image)? { self.pull(image) } else { Ok(()) }
    }

    fn has(&self, image: &Image) -> Result<bool, EngineError> {
        let what = "look for the image";
        let target = format!("/images/{}/json", escaped(&image.full()));
        match self.engine.ask(Call { what, method: "GET", target: &target, ..Call::default() }) {
            Ok(_) => Ok(true),
            Err(error) if error.status() == Some(404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The engine tells of its progress, a JSON text a line, and of its failure the same way.
    fn pull(&self, image: &Image) -> Result<(), PullError> {
        let failed = |why: String| PullError::Failed { image: image.full(), why };
        // Read anew each time: passwords change while agents run.
        let config = match Config::of_sandbox(self.sandbox)? {
            Some(own) => own,
            None => Config::load(self.config)?,
        };
        let header = config.header(&image.registry)?;
        let headers = header.map(|header| ("X-Registry-Auth", header)).into_iter().collect();
        let (name, tag) = (escaped(&image.repository), escaped(&image.tag));
        let target = format!("/images/create?fromImage={name}&tag={tag}");
        let what = format!("pull image '{}'", image.full());
        let limit = Limit::of(self.patience).unless(Arc::clone(&self.given_up));
        let call = Call { what: &what, method: "POST", target: &target, headers, body: None };
        let body = match self.engine.send(call, limit) {
            Ok(body) => body,
            Err(EngineError::Refused { message, .. }) => return Err(failed(message)),
            Err(error) => return Err(error.into()),
        };
        for line in BufReader::new(body).lines() {
            let line = line.map_err(|error| failed(error.to_string()))?;
            let progress: Value = serde_json::from_str(&line).unwrap_or_default();
            if let Some(why) = progress["error"].as_str() {
                return Err(failed(why.to_owned()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
