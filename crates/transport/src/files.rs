//! `/files/*` (V0-19): files of this host under virtual paths, for people and tools that look
//! into sandboxes. What is attached is the daemon's choice; nothing outside it can be reached.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::Metadata;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, RwLock};

use futures_util::future::BoxFuture;
use http::StatusCode;
use http::header::CONTENT_DISPOSITION;
use serde_json::{Value, json};

use crate::download::Download;
use crate::gate::Principal;
use crate::request::Request;
use crate::response::Response;
use crate::router::Router;

/// The most that one read returns: 16 pages, as Mesos caps it.
const MOST: u64 = 16 * 4096;

/// The media type of a download.
const BYTES: &str = "application/octet-stream";

/// Virtual paths and what they stand for.
#[derive(Clone, Debug, Default)]
pub struct Files {
    attached: Arc<RwLock<BTreeMap<String, PathBuf>>>,
    keeper: Option<Arc<dyn Keeper>>,
}

/// Says who may look at what is attached.
pub trait Keeper: Send + Sync + fmt::Debug {
    /// Whether the sender may look at what is attached under this virtual path; a refusal is the
    /// whole answer.
    fn admit<'a>(
        &'a self,
        sender: Option<&'a Principal>,
        attached: &'a str,
    ) -> BoxFuture<'a, Result<(), Response>>;
}

/// Why a virtual path leads nowhere.
enum Lost {
    /// Nothing is there.
    Nowhere,
    /// It is there and can't be looked at.
    Broken(String),
}

impl Files {
    /// Nothing attached yet.
    pub fn new() -> Files {
        Files::default()
    }

    /// Nothing attached yet; this keeper is asked about all that will be.
    pub fn kept_by(keeper: Arc<dyn Keeper>) -> Files {
        Files { keeper: Some(keeper), ..Files::default() }
    }

    /// Lets `virtual_path` stand for a file or directory of the host and all below it.
    pub fn attach(&self, virtual_path: &str, host: impl Into<PathBuf>) {
        let mut attached = self.attached.write().unwrap_or_else(|broken| broken.into_inner());
        attached.insert(trimmed(virtual_path).to_owned(), host.into());
    }

    /// Ends what [`Files::attach`] began.
    pub fn detach(&self, virtual_path: &str) {
        let mut attached = self.attached.write().unwrap_or_else(|broken| broken.into_inner());
        attached.remove(trimmed(virtual_path));
    }

    /// Adds the endpoints to a daemon's routes.
    pub fn routes(&self, router: Router) -> Router {
        let (browse, read, download, debug) =
            (self.clone(), self.clone(), self.clone(), self.clone());
        router
            .own("/files/browse", move |request| on_disk(browse.clone(), request, Files::browse))
            .own("/files/read", move |request| on_disk(read.clone(), request, Files::read))
            .own("/files/download", move |r| on_disk(download.clone(), r, Files::download))
            .own("/files/debug", move |request| on_disk(debug.clone(), request, Files::debug))
    }

    /// Asks the keeper about the path of a request, if there is a keeper, a path, and something
    /// attached there.
    async fn admit(&self, request: &Request) -> Result<(), Response> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        let Some(path) = request.query().get("path").map(str::to_owned) else { return Ok(()) };
        let Some(attached) = self.attached(trimmed(&path)).map(|(prefix, _)| prefix.to_owned())
        else {
            return Ok(());
        };
        keeper.admit(request.principal.as_ref(), &attached).await
    }

    /// The longest attached prefix of a path, and what it stands for.
    fn attached<'p>(&self, path: &'p str) -> Option<(&'p str, PathBuf)> {
        let attached = self.attached.read().unwrap_or_else(|broken| broken.into_inner());
        let mut prefix = path;
        loop {
            match attached.get(prefix) {
                Some(host) => return Some((prefix, host.clone())),
                None => prefix = &prefix[..prefix.rfind('/')?],
            }
        }
    }

    /// The host path behind a virtual one: the longest attached prefix and the rest below it.
    fn resolve(&self, path: &str) -> Result<(PathBuf, Metadata), Lost> {
        let path = trimmed(path);
        let (prefix, host) = self.attached(path).ok_or(Lost::Nowhere)?;
        let host = below(&host, &path[prefix.len()..]).ok_or(Lost::Nowhere)?;
        let metadata = std::fs::metadata(&host).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Lost::Nowhere,
            _ => Lost::Broken(error.to_string()),
        })?;
        Ok((host, metadata))
    }

    fn browse(&self, request: &Request) -> Result<Response, Response> {
        let path = wanted(request)?;
        let (host, metadata) = self.resolve(&path).map_err(refusal)?;
        if !metadata.is_dir() {
            return Err(Response::bad_request("Cannot browse a file"));
        }
        let listing = std::fs::read_dir(&host).map_err(unreadable)?;
        let mut entries: Vec<(String, Value)> = listing
            .filter_map(Result::ok)
            .filter_map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                let at = format!("{}/{name}", trimmed(&path));
                let metadata = entry.path().symlink_metadata().ok()?;
                Some((at.clone(), describe(&at, &metadata)))
            })
            .collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        let entries: Vec<Value> = entries.into_iter().map(|(_, entry)| entry).collect();
        Ok(Response::json(Value::from(entries).to_string()))
    }

    fn read(&self, request: &Request) -> Result<Response, Response> {
        let path = wanted(request)?;
        let query = request.query();
        let offset = query.read::<i64>("offset")?.unwrap_or(-1);
        let length = query.read::<i64>("length")?.unwrap_or(-1);
        if offset < -1 {
            return Err(Response::bad_request(format!("Negative offset provided: {offset}")));
        }
        if length < -1 {
            return Err(Response::bad_request(format!("Negative length provided: {length}")));
        }
        let (host, metadata) = self.resolve(&path).map_err(refusal)?;
        if metadata.is_dir() {
            return Err(Response::bad_request("Cannot read a directory"));
        }
        plain_file(&metadata)?;
        let size = metadata.len();
        let Some(from) = u64::try_from(offset).ok().filter(|from| *from < size) else {
            return Ok(Response::json(json!({ "data": "", "offset": size }).to_string()));
        };
        let length = u64::try_from(length).unwrap_or(MOST).min(MOST);
        let mut data = Vec::new();
        let mut file = std::fs::File::open(&host).map_err(unreadable)?;
        file.seek(SeekFrom::Start(from)).map_err(unreadable)?;
        file.take(length).read_to_end(&mut data).map_err(unreadable)?;
        let data = String::from_utf8_lossy(&data);
        Ok(Response::json(json!({ "data": data, "offset": from }).to_string()))
    }

    fn download(&self, request: &Request) -> Result<Response, Response> {
        let path = wanted(request)?;
        let (host, metadata) = self.resolve(&path).map_err(refusal)?;
        if metadata.is_dir() {
            return Err(Response::bad_request("Cannot download a directory"));
        }
        plain_file(&metadata)?;
        let file = std::fs::File::open(&host).map_err(unreadable)?;
        let body = Download::new(tokio::fs::File::from_std(file), metadata.len());
        let name = host.file_name().map(|name| name.to_string_lossy().into_owned());
        let disposition = format!("attachment; filename={}", name.unwrap_or_default());
        Ok(Response::download(BYTES, body).with_header(CONTENT_DISPOSITION, &disposition))
    }

    fn debug(&self, _: &Request) -> Result<Response, Response> {
        let attached = self.attached.read().unwrap_or_else(|broken| broken.into_inner());
        let all: serde_json::Map<String, Value> = attached
            .iter()
            .map(|(path, host)| (path.clone(), Value::from(host.to_string_lossy())))
            .collect();
        Ok(Response::json(Value::from(all).to_string()))
    }
}

/// Reading a disk blocks, so it happens apart from the tasks that serve connections.
async fn on_disk(
    files: Files,
    request: Request,
    answer: fn(&Files, &Request) -> Result<Response, Response>,
) -> Response {
    if let Err(refusal) = files.admit(&request).await {
        return refusal;
    }
    let work = move || answer(&files, &request).unwrap_or_else(|refusal| refusal);
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Response::text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    })
}

fn trimmed(path: &str) -> &str {
    path.trim_end_matches('/')
}

/// `host` joined with a relative path that must not climb out of it.
fn below(host: &Path, rest: &str) -> Option<PathBuf> {
    let rest = Path::new(rest.trim_start_matches('/'));
    let plain = rest.components().all(|part| matches!(part, Component::Normal(_)));
    if rest.as_os_str().is_empty() {
        return Some(host.to_owned());
    }
    let joined = plain.then(|| host.join(rest))?;
    // A link that a task made must not show the rest of the host.
    let inside = joined.canonicalize().ok()?.starts_with(host.canonicalize().ok()?);
    inside.then_some(joined)
}

fn wanted(request: &Request) -> Result<String, Response> {
    let path = request.query().get("path").map(str::to_owned);
    path.filter(|path| !path.is_empty())
        .ok_or_else(|| Response::bad_request("Expecting 'path=value' in query.\n"))
}

fn refusal(lost: Lost) -> Response {
    match lost {
        Lost::Nowhere => Response::not_found(),
        Lost::Broken(why) => Response::text(StatusCode::INTERNAL_SERVER_ERROR, why),
    }
}

/// A pipe that a task has put into its sandbox would never stop being opened.
fn plain_file(metadata: &Metadata) -> Result<(), Response> {
    let refusal = || Response::bad_request("Cannot read what is no regular file");
    metadata.is_file().then_some(()).ok_or_else(refusal)
}

fn unreadable(error: std::io::Error) -> Response {
    Response::text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

fn describe(path: &str, metadata: &Metadata) -> Value {
    json!({
        "path": path,
        "nlink": metadata.nlink(),
        "size": metadata.len(),
        "mtime": metadata.mtime(),
        "mode": mode(metadata),
        "uid": metadata.uid().to_string(),
        "gid": metadata.gid().to_string(),
    })
}

/// The mode as `ls -l` prints it.
fn mode(metadata: &Metadata) -> String {
    let kind = metadata.file_type();
    let first = match () {
        () if kind.is_dir() => 'd',
        () if kind.is_symlink() => 'l',
        () if kind.is_fifo() => 'p',
        () if kind.is_socket() => 's',
        () if kind.is_block_device() => 'b',
        () if kind.is_char_device() => 'c',
        () => '-',
    };
    let bits = metadata.mode();
    let letters = (0..9).map(|at| if bits & (0o400 >> at) == 0 { '-' } else { LETTERS[at % 3] });
    std::iter::once(first).chain(letters).collect()
}

const LETTERS: [char; 3] = ['r', 'w', 'x'];

#[cfg(test)]
mod tests;
