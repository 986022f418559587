//! What a master says of itself: `/health`, `/version`, `/flags`, `/redirect`, `/`.

use reeve_transport::{Request, Response};

use super::json::Writer;
use super::state;
use crate::app::App;
use crate::office::{Holder, authority};
use crate::sight::may_see_flags;

/// `GET /health`: whoever answers is healthy.
pub fn health(_: &App, _: &Request) -> Result<Response, Response> {
    Ok(Response::ok())
}

/// `GET /version`.
pub fn version(_: &App, _: &Request) -> Result<Response, Response> {
    Ok(Writer::response(build))
}

/// The fields that say what was built.
pub fn build(w: &mut Writer) {
    let build = reeve_v0::version();
    w.field("version", build.version);
    w.field("reeve_version", build.reeve_version);
    w.field("build_date", &build.build_date);
    w.field("build_time", build.build_time);
    w.field("build_user", build.build_user);
}

/// `GET /flags`.
pub fn flags(app: &App, request: &Request) -> Result<Response, Response> {
    if !may_see_flags(app, request)? {
        return Err(Response::forbidden("403 Forbidden."));
    }
    Ok(Writer::response(|w| state::flags(w, app)))
}

/// `GET /redirect`: where the leader is (V0-15).
pub fn redirect(app: &App, _: &Request) -> Result<Response, Response> {
    let place = match &*app.office.holder() {
        Holder::Nobody => return Err(Response::unavailable("No leader elected")),
        Holder::Other(leader) => authority(leader),
        Holder::Recovering | Holder::Own(_) => authority(&app.identity.info),
    };
    Ok(Response::redirect(&format!("//{place}")))
}
