//! `/files/*`: what a master shows of its files, which is its log (V0-19).

use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use http::header::CONTENT_DISPOSITION;
use reeve_transport::{Request, Response};

use super::json::Writer;
use crate::app::App;

/// The most that one `/files/read` gives, in bytes: sixteen pages, as Mesos.
const READ: u64 = 16 * 4096;

/// The name under which the log is shown.
const LOG: &str = "/master/log";

/// `GET /files/debug`: the names and what is behind them.
pub fn debug(app: &App, _: &Request) -> Result<Response, Response> {
    Ok(Writer::response(|w| {
        w.optional(LOG, app.log.as_ref().map(|path| path.display().to_string()));
    }))
}

/// `GET /files/browse`: a file as a listing of itself.
pub fn browse(app: &App, request: &Request) -> Result<Response, Response> {
    let path = find(app, request)?;
    let meta = std::fs::metadata(path).map_err(|_| Response::not_found())?;
    let mut writer = Writer::default();
    writer.array([meta], |w, meta| {
        w.object(|w| {
            w.field("gid", meta.gid().to_string());
            w.field("mode", mode(meta.permissions().mode()));
            w.field("mtime", meta.mtime().max(0).unsigned_abs());
            w.field("nlink", meta.nlink());
            w.field("path", LOG);
            w.field("size", meta.len());
            w.field("uid", meta.uid().to_string());
        });
    });
    Ok(writer.into_response())
}

/// `GET /files/read`: some of a file, as text in JSON. An offset of -1 asks for its size.
pub fn read(app: &App, request: &Request) -> Result<Response, Response> {
    let path = find(app, request)?;
    let query = request.query();
    let offset = query.read::<i64>("offset")?.unwrap_or(-1);
    let length = query.read::<i64>("length")?.unwrap_or(-1);
    if offset < -1 || length < -1 {
        let text = "Negative 'offset' and 'length' other than -1 make no sense";
        return Err(Response::bad_request(text));
    }
    let failed = |error: std::io::Error| Response::bad_request(format!("Failed to read: {error}"));
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let Ok(from) = u64::try_from(offset) else {
        return Ok(text(size, &[]));
    };
    let most = u64::try_from(length).unwrap_or(READ).min(READ);
    let mut data = Vec::new();
    file.seek(SeekFrom::Start(from)).map_err(failed)?;
    file.take(most).read_to_end(&mut data).map_err(failed)?;
    Ok(text(from, &data))
}

/// `GET /files/download`.
pub fn download(app: &App, request: &Request) -> Result<Response, Response> {
    let path = find(app, request)?;
    let data = std::fs::read(path).map_err(|_| Response::not_found())?;
    let response = Response::typed("application/octet-stream", data);
    Ok(response.with_header(CONTENT_DISPOSITION, "attachment; filename=log"))
}

fn find(app: &App, request: &Request) -> Result<PathBuf, Response> {
    let query = request.query();
    let Some(path) = query.get("path").filter(|path| !path.is_empty()) else {
        return Err(Response::bad_request("Expecting 'path=value' in query.\n"));
    };
    let log = app.log.clone().filter(|_| path.trim_end_matches('/') == LOG);
    log.ok_or_else(Response::not_found)
}

fn text(offset: u64, data: &[u8]) -> Response {
    Writer::response(|w| {
        w.field("data", String::from_utf8_lossy(data).into_owned());
        w.field("offset", offset);
    })
}

/// `-rw-r--r--`.
fn mode(bits: u32) -> String {
    let letters = ['r', 'w', 'x'].into_iter().cycle().enumerate().take(9);
    let shown = letters.map(|(at, letter)| if bits >> (8 - at) & 1 == 1 { letter } else { '-' });
    std::iter::once('-').chain(shown).collect()
}
