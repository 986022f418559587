//! `POST /api/v1`: the operator's calls (§1.7 of the reference). Those that read are answered
//! from a snapshot; what the others change is in `changes`.

use reeve_access::thing;
use reeve_model::FrameworkId;
use reeve_transport::{Codec, Request, Response};
use reeve_wire::v1;
use reeve_wire::v1::master::call::Type;
use reeve_wire::v1::master::response::{self, Type as Kind};
use reeve_wire::v1::master::{Call, Response as Wire};

use super::{changes, maintenance, state};
use crate::app::App;
use crate::office::Leader;
use crate::sight::{Depth, Sight, may_see_flags};
use crate::v0::{metrics, operate, roles};

/// Answers a request.
pub async fn handle(leader: Leader, request: Request) -> Response {
    match take(leader, &request).await {
        Ok(response) | Err(response) => response,
    }
}

async fn take(leader: Leader, request: &Request) -> Result<Response, Response> {
    let codec = Codec::of_request(&request.headers)?;
    let call: Call = codec.decode(&request.body)?;
    let Some(kind) = call.r#type else {
        return Err(invalid("Expecting 'type' to be present"));
    };
    let kind = Type::try_from(kind).unwrap_or(Type::Unknown);
    let codec = Codec::of_response(&request.headers)?;
    if kind == Type::Teardown {
        let id = FrameworkId::from(required(&call.teardown, "teardown")?.framework_id.clone());
        return Ok(operate::end_framework(&leader, request.principal.as_ref(), id).await);
    }
    if let Some(answer) = changes::take(&leader, request.principal.as_ref(), kind, &call).await? {
        return Ok(answer);
    }
    if kind == Type::GetMetrics {
        let path = thing([("path", "/metrics/snapshot")]);
        leader.permissions.check(request.principal.as_ref(), "get_endpoints", path).await?;
        return Ok(encoded(codec, get_metrics(&leader).await));
    }
    // Large answers are made off the threads that serve sockets.
    let request = request.clone();
    let answer = tokio::task::spawn_blocking(move || {
        read(&leader, &request, kind).map(|wire| wire.map(|wire| encoded(codec, wire)))
    });
    let answer = answer.await.unwrap_or(Ok(None))?;
    answer.ok_or_else(|| {
        let text = format!("The call {} is not served by this version", kind.as_str_name());
        Response::not_implemented(text)
    })
}

pub(super) fn invalid(why: &str) -> Response {
    Response::bad_request(format!("Failed to validate master::Call: {why}"))
}

/// The part of a call that its type needs.
pub(super) fn required<'a, T>(part: &'a Option<T>, name: &str) -> Result<&'a T, Response> {
    part.as_ref().ok_or_else(|| invalid(&format!("Expecting '{name}' to be present")))
}

fn encoded(codec: Codec, wire: Wire) -> Response {
    Response::typed(codec.media_type(), codec.encode(&wire))
}

fn typed(kind: Kind) -> Wire {
    Wire { r#type: Some(kind.into()), ..Wire::default() }
}

/// The calls that read a snapshot or the settings.
fn read(leader: &Leader, request: &Request, kind: Type) -> Result<Option<Wire>, Response> {
    let sight = |depth| Sight::of(leader, request, depth);
    Ok(Some(match kind {
        Type::GetHealth => {
            let health = response::GetHealth { healthy: true };
            Wire { get_health: Some(health), ..typed(Kind::GetHealth) }
        }
        Type::GetFlags if !may_see_flags(leader, request)? => {
            return Err(Response::forbidden("403 Forbidden."));
        }
        Type::GetFlags => Wire { get_flags: Some(get_flags(leader)), ..typed(Kind::GetFlags) },
        Type::GetVersion => Wire { get_version: Some(get_version()), ..typed(Kind::GetVersion) },
        Type::GetState => {
            Wire { get_state: Some(state::state(&sight(Depth::Tasks)?)), ..typed(Kind::GetState) }
        }
        Type::GetAgents => Wire {
            get_agents: Some(state::agents(&sight(Depth::Frameworks)?)),
            ..typed(Kind::GetAgents)
        },
        Type::GetFrameworks => Wire {
            get_frameworks: Some(state::frameworks(&sight(Depth::Tasks)?)),
            ..typed(Kind::GetFrameworks)
        },
        Type::GetExecutors => Wire {
            get_executors: Some(state::executors(&sight(Depth::Tasks)?)),
            ..typed(Kind::GetExecutors)
        },
        Type::GetTasks => {
            Wire { get_tasks: Some(state::tasks(&sight(Depth::Tasks)?)), ..typed(Kind::GetTasks) }
        }
        Type::GetRoles => Wire {
            get_roles: Some(state::roles(&sight(Depth::Frameworks)?)),
            ..typed(Kind::GetRoles)
        },
        Type::GetWeights => {
            let weight_infos = roles::weight_infos(&sight(Depth::Frameworks)?);
            let weights = response::GetWeights { weight_infos };
            Wire { get_weights: Some(weights), ..typed(Kind::GetWeights) }
        }
        Type::GetQuota => {
            let status = roles::quota_status(leader, request)?;
            Wire { get_quota: Some(response::GetQuota { status }), ..typed(Kind::GetQuota) }
        }
        Type::GetMaintenanceStatus => {
            let status = maintenance::status(leader, request)?;
            Wire {
                get_maintenance_status: Some(response::GetMaintenanceStatus { status }),
                ..typed(Kind::GetMaintenanceStatus)
            }
        }
        Type::GetMaintenanceSchedule => {
            let schedule = maintenance::schedule(leader, request)?;
            Wire {
                get_maintenance_schedule: Some(response::GetMaintenanceSchedule { schedule }),
                ..typed(Kind::GetMaintenanceSchedule)
            }
        }
        Type::GetMaster => {
            let master = response::GetMaster {
                master_info: Some(leader.identity.info.to_wire()),
                start_time: Some(leader.identity.started.to_seconds()),
                elected_time: leader.snapshot().elected.map(|at| at.to_seconds()),
            };
            Wire { get_master: Some(master), ..typed(Kind::GetMaster) }
        }
        _ => return Ok(empty(kind)),
    }))
}

/// What cannot be set yet, as it looks when nothing is set.
fn empty(kind: Type) -> Option<Wire> {
    Some(match kind {
        Type::GetOperations => {
            Wire { get_operations: Some(Default::default()), ..typed(Kind::GetOperations) }
        }
        _ => return None,
    })
}

fn get_flags(app: &App) -> response::GetFlags {
    let flag = |(name, value): &(&str, String)| v1::Flag {
        name: (*name).to_owned(),
        value: Some(value.clone()),
    };
    response::GetFlags { flags: app.flags.iter().map(flag).collect() }
}

fn get_version() -> response::GetVersion {
    let build = reeve_v0::version();
    let version_info = v1::VersionInfo {
        version: build.version.to_owned(),
        build_date: Some(build.build_date),
        build_time: Some(build.build_time),
        build_user: Some(build.build_user.to_owned()),
        ..v1::VersionInfo::default()
    };
    response::GetVersion { version_info }
}

async fn get_metrics(app: &App) -> Wire {
    let figures = metrics::figures(app).await.into_iter();
    let metrics = figures.map(|(name, value)| v1::Metric { name, value: Some(value) }).collect();
    Wire { get_metrics: Some(response::GetMetrics { metrics }), ..typed(Kind::GetMetrics) }
}
