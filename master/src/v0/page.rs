//! `GET /`: a page for people, until there is a user interface.

use std::fmt::Write;

use reeve_master_core::view::Snapshot;
use reeve_transport::{Request, Response};

use crate::app::App;
use crate::office::{Holder, Leader, authority};
use crate::sight::{Depth, Sight};

/// How many rows a table has at most.
const ROWS: usize = 200;

/// The page: the cluster's if this master leads, else one that says who does.
pub fn page(app: &App, request: &Request) -> Result<Response, Response> {
    match app.leader(request) {
        Ok(leader) => cluster(&leader, request),
        Err(_) => Ok(standby(app)),
    }
}

fn standby(app: &App) -> Response {
    let leader = match &*app.office.holder() {
        Holder::Other(leader) => {
            let place = escape(&authority(leader));
            format!("The leader is <a href=\"//{place}/\">{place}</a>.")
        }
        _ => "Nobody leads now, as far as this master knows.".to_owned(),
    };
    let pid = &app.identity.pid;
    let body =
        format!("{HEAD}<h1>Reeve</h1><p>The master <code>{pid}</code> stands by. {leader}</p>");
    Response::typed("text/html; charset=utf-8", body + "</body></html>\n")
}

fn cluster(leader: &Leader, request: &Request) -> Result<Response, Response> {
    let snapshot = Sight::of(leader, request, Depth::Tasks)?;
    let mut html = String::from(HEAD);
    let name = leader.cluster.as_deref().unwrap_or("Reeve");
    let version = reeve_v0::version().reeve_version;
    let counts = (snapshot.agents.len(), snapshot.frameworks.len());
    // Writing into a String cannot fail; the same holds below.
    let _ = write!(
        html,
        "<h1>{}</h1><p>Reeve {version}, master <code>{}</code> with {} agents and {} frameworks. \
         Machines read <a href=\"/state\">/state</a>, \
         <a href=\"/metrics/snapshot\">/metrics/snapshot</a>, <a href=\"/tasks\">/tasks</a>, \
         <a href=\"/roles\">/roles</a>.</p>",
        escape(name),
        leader.identity.pid,
        counts.0,
        counts.1,
    );
    agents(&mut html, &snapshot);
    frameworks(&mut html, &snapshot);
    tasks(&mut html, &snapshot);
    html.push_str("</body></html>\n");
    Ok(Response::typed("text/html; charset=utf-8", html))
}

const HEAD: &str = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <title>Reeve</title><style>body{font-family:sans-serif;margin:2em}\
    table{border-collapse:collapse;margin-bottom:2em}\
    th,td{text-align:left;padding:.2em 1em .2em 0}</style></head><body>";

fn agents(html: &mut String, snapshot: &Snapshot) {
    let rows = snapshot.agents.values().map(|view| {
        let record = &view.record;
        let state = if record.active { "active" } else { "inactive" };
        let (total, used) = (record.total.to_string(), view.used.stripped().to_string());
        [record.id.to_string(), record.info.hostname.clone(), state.to_owned(), total, used]
    });
    table(html, "Agents", ["Id", "Host", "State", "Resources", "Used"], rows);
}

fn frameworks(html: &mut String, snapshot: &Snapshot) {
    let rows = snapshot.frameworks.values().map(|view| {
        let record = &view.record;
        let state = if record.connected { "connected" } else { "disconnected" };
        let (name, tasks) = (record.info.name.clone(), view.tasks.len().to_string());
        let used = view.used.stripped().to_string();
        [record.id.to_string(), name, state.to_owned(), tasks, used]
    });
    table(html, "Frameworks", ["Id", "Name", "State", "Tasks", "Used"], rows);
}

fn tasks(html: &mut String, snapshot: &Snapshot) {
    let live = snapshot.frameworks.values().flat_map(|view| view.tasks.values());
    let ended = snapshot.completed.iter().rev().chain(snapshot.frameworks.values());
    let ended = ended.flat_map(|view| view.completed.iter().rev());
    let rows = live.chain(ended).map(|record| {
        let (id, state) = (record.id.to_string(), record.state.name().to_owned());
        [id, record.name.to_string(), state, record.framework.to_string(), record.agent.to_string()]
    });
    table(html, "Tasks", ["Id", "Name", "State", "Framework", "Agent"], rows);
}

fn table<const N: usize>(
    html: &mut String,
    title: &str,
    heads: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    let _ = write!(html, "<h2>{title}</h2><table><tr>");
    for head in heads {
        let _ = write!(html, "<th>{head}</th>");
    }
    html.push_str("</tr>");
    for row in rows.take(ROWS) {
        html.push_str("<tr>");
        for cell in row {
            let _ = write!(html, "<td>{}</td>", escape(&cell));
        }
        html.push_str("</tr>");
    }
    html.push_str("</table>");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
