//! Credentials of registries, from a configuration file as `docker login` writes it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use nix::fcntl::OFlag;
use serde::Deserialize;
use serde_json::{Value, json};

/// The name under which Docker's own registry stands in such files.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// How long a credential helper may take.
const HELPER_PATIENCE: Duration = Duration::from_secs(10);

/// The longest configuration taken from a sandbox.
const MAX_CONFIG: u64 = 1 << 20;

/// How a file of a sandbox is opened: what took its place meanwhile is not followed, nor waited for.
const O_NOFOLLOW_NONBLOCK: i32 = (OFlag::O_NOFOLLOW.bits()) | OFlag::O_NONBLOCK.bits();

/// Credentials cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    #[error("the Docker configuration '{}' cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the Docker configuration {of} is not understood: {source}")]
    Parse { of: String, source: serde_json::Error },
    #[error("the Docker configuration has an 'auth' for '{0}' that is not base64 of USER:PASSWORD")]
    Auth(String),
    #[error("the credential helper '{helper}' failed for '{registry}': {why}")]
    Helper { helper: String, registry: String, why: String },
}

/// A configuration file, in Docker's format.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Config {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Auth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

impl Config {
    /// From the `config` parameter: a JSON text, or the path of a file. Without it, from
    /// `.docker/config.json` in the home directory, if it is there.
    pub(crate) fn load(parameter: Option<&str>) -> Result<Self, CredentialsError> {
        match parameter.map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) if text.starts_with('{') => Self::parse(text, "in the parameter 'config'"),
            Some(path) => Self::read(Path::new(path.strip_prefix("file://").unwrap_or(path))),
            None => {
                let home = std::env::var_os("HOME").unwrap_or_else(|| "/root".into());
                let path = Path::new(&home).join(".docker/config.json");
                if path.exists() { Self::read(&path) } else { Ok(Self::default()) }
            }
        }
    }

    /// From what was fetched into a sandbox: `.docker/config.json` or `.dockercfg`, as Mesos has it.
    /// None if there is neither. These are the task's words, so they name no programs to run, and
    /// nothing but a plain file is read.
    pub(crate) fn of_sandbox(sandbox: &Path) -> Result<Option<Self>, CredentialsError> {
        let places = [".docker/config.json", ".dockercfg"].map(|name| sandbox.join(name));
        let Some(path) = places.into_iter().find(|path| path.symlink_metadata().is_ok()) else {
            return Ok(None);
        };
        let failed = |source| CredentialsError::Read { path: path.clone(), source };
        let text = read_plain(sandbox, &path).map_err(failed)?;
        let config = Self::parse(&text, &format!("'{}'", path.display()))?;
        Ok(Some(Self { auths: config.auths, ..Self::default() }))
    }

    fn read(path: &Path) -> Result<Self, CredentialsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| CredentialsError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, &format!("'{}'", path.display()))
    }

    fn parse(text: &str, of: &str) -> Result<Self, CredentialsError> {
        let config = serde_json::from_str::<Self>(text)
            .map_err(|source| CredentialsError::Parse { of: of.to_owned(), source })?;
        // The older `.dockercfg` is what newer files have under `auths`.
        if config.auths.is_empty()
            && config.cred_helpers.is_empty()
            && config.creds_store.is_none()
            && let Ok(auths) = serde_json::from_str::<BTreeMap<String, Auth>>(text)
        {
            return Ok(Self { auths, ..config });
        }
        Ok(config)
    }

    /// What the engine wants to be told (`X-Registry-Auth`) to pull from a registry.
    pub(crate) fn header(&self, registry: &str) -> Result<Option<String>, CredentialsError> {
        let told = match self.helper(registry) {
            Some(helper) => ask_helper(helper, &key(registry))?,
            None => self.stored(registry)?,
        };
        Ok(told.map(|told| URL_SAFE.encode(told.to_string())))
    }

    fn helper(&self, registry: &str) -> Option<&str> {
        let own = self.cred_helpers.iter().find(|(name, _)| host(name) == host(&key(registry)));
        // A file may keep some passwords itself beside a store for the others.
        let stored = self.entry(registry).is_some_and(|(_, auth)| auth.auth.is_some());
        let store = self.creds_store.as_deref().filter(|_| !stored);
        own.map(|(_, helper)| helper.as_str()).or(store)
    }

    fn entry(&self, registry: &str) -> Option<(&String, &Auth)> {
        let wanted = key(registry);
        self.auths
            .get_key_value(&wanted)
            .or_else(|| self.auths.iter().find(|(name, _)| host(name) == host(&wanted)))
    }

    fn stored(&self, registry: &str) -> Result<Option<Value>, CredentialsError> {
        let Some((name, auth)) = self.entry(registry) else { return Ok(None) };
        let address = key(registry);
        if let Some(token) = auth.identitytoken.as_deref().filter(|token| !token.is_empty()) {
            return Ok(Some(json!({ "identitytoken": token, "serveraddress": address })));
        }
        let (user, password) = match &auth.auth {
            Some(text) => decode(text).ok_or_else(|| CredentialsError::Auth(name.clone()))?,
            None => {
                let plain = |field: &Option<String>| field.clone().unwrap_or_default();
                (plain(&auth.username), plain(&auth.password))
            }
        };
        Ok(Some(json!({ "username": user, "password": password, "serveraddress": address })))
    }
}

/// A small file of the sandbox: no link out of it, no pipe that never ends.
fn read_plain(sandbox: &Path, path: &Path) -> std::io::Result<String> {
    let real = path.canonicalize()?;
    let inside = real.starts_with(sandbox.canonicalize()?);
    if !inside || !real.metadata()?.is_file() {
        return Err(std::io::Error::other("it is no plain file of the sandbox"));
    }
    let file = File::options().read(true).custom_flags(O_NOFOLLOW_NONBLOCK).open(real)?;
    let mut text = String::new();
    file.take(MAX_CONFIG).read_to_string(&mut text)?;
    Ok(text)
}

fn decode(text: &str) -> Option<(String, String)> {
    let plain = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    let (user, password) = plain.split_once(':')?;
    Some((user.to_owned(), password.trim_end_matches('\0').to_owned()))
}

/// The name of a registry in configuration files.
fn key(registry: &str) -> String {
    if registry == "docker.io" { DOCKER_HUB.to_owned() } else { registry.to_owned() }
}

/// A registry's host, whatever stands around it.
fn host(name: &str) -> &str {
    let name = name.trim_start_matches("https://").trim_start_matches("http://");
    match name.split('/').next().unwrap_or_default() {
        "docker.io" | "registry-1.docker.io" => "index.docker.io",
        host => host,
    }
}

/// Asks `docker-credential-HELPER` as Docker's command does: the registry in, JSON out.
fn ask_helper(helper: &str, registry: &str) -> Result<Option<Value>, CredentialsError> {
    let failed = |why: String| CredentialsError::Helper {
        helper: helper.to_owned(),
        registry: registry.to_owned(),
        why,
    };
    let output = run_helper(helper, registry).map_err(|error| failed(error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        // The words are part of the helpers' protocol.
        if said.contains("credentials not found") {
            return Ok(None);
        }
        return Err(failed(said.trim().to_owned()));
    }
    let told: Value = serde_json::from_str(&said).map_err(|error| failed(error.to_string()))?;
    let (user, secret) = (&told["Username"], &told["Secret"]);
    Ok(Some(if user == "<token>" {
        json!({ "identitytoken": secret, "serveraddress": registry })
    } else {
        json!({ "username": user, "password": secret, "serveraddress": registry })
    }))
}

fn run_helper(helper: &str, registry: &str) -> std::io::Result<std::process::Output> {
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // One that does not listen says so by its status.
        drop(input.write_all(registry.as_bytes()));
    }
    // Its answer fits a pipe, so it can end before anybody reads.
    let end = Instant::now() + HELPER_PATIENCE;
    while child.try_wait()?.is_none() {
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "it takes too long"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output()
}

#[cfg(test)]
mod tests;
