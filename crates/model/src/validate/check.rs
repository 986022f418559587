//! Rules of checks and health checks (Mesos docs: task health checking).

use reeve_wire::v1;

use super::command;

/// Checks a check.
///
/// # Errors
/// The first rule it breaks.
pub fn check(wire: &v1::CheckInfo) -> Result<(), String> {
    use v1::check_info::Type;
    let Some(kind) = wire.r#type else {
        return Err("CheckInfo must specify 'type'".to_owned());
    };
    match Type::try_from(kind) {
        Ok(Type::Command) => {
            let one =
                wire.command.as_ref().ok_or("Expecting 'command' to be set for COMMAND check")?;
            runs(&one.command, "Command check", "Check's `CommandInfo` is invalid")?;
        }
        Ok(Type::Http) => {
            let http = wire.http.as_ref().ok_or("Expecting 'http' to be set for HTTP check")?;
            path(http.path.as_deref(), "HTTP check")?;
        }
        Ok(Type::Tcp) => {
            wire.tcp.as_ref().ok_or("Expecting 'tcp' to be set for TCP check")?;
        }
        Ok(Type::Unknown) | Err(_) => return Err("'UNKNOWN' is not a valid check type".to_owned()),
    }
    spans(&[
        ("delay_seconds", wire.delay_seconds),
        ("interval_seconds", wire.interval_seconds),
        ("timeout_seconds", wire.timeout_seconds),
    ])
}

/// Checks a health check.
///
/// # Errors
/// The first rule it breaks.
pub fn health_check(wire: &v1::HealthCheck) -> Result<(), String> {
    use v1::health_check::Type;
    let Some(kind) = wire.r#type else {
        return Err("HealthCheck must specify 'type'".to_owned());
    };
    match Type::try_from(kind) {
        Ok(Type::Command) => {
            let one = wire
                .command
                .as_ref()
                .ok_or("Expecting 'command' to be set for COMMAND health check")?;
            runs(one, "Command health check", "Health check's `CommandInfo` is invalid")?;
        }
        Ok(Type::Http) => {
            let http =
                wire.http.as_ref().ok_or("Expecting 'http' to be set for HTTP health check")?;
            if let Some(scheme) =
                http.scheme.as_deref().filter(|one| !matches!(*one, "http" | "https"))
            {
                return Err(format!("Unsupported HTTP health check scheme: '{scheme}'"));
            }
            path(http.path.as_deref(), "HTTP health check")?;
        }
        Ok(Type::Tcp) => {
            wire.tcp.as_ref().ok_or("Expecting 'tcp' to be set for TCP health check")?;
        }
        Ok(Type::Unknown) | Err(_) => {
            return Err("'UNKNOWN' is not a valid health check type".to_owned());
        }
    }
    spans(&[
        ("delay_seconds", wire.delay_seconds),
        ("grace_period_seconds", wire.grace_period_seconds),
        ("interval_seconds", wire.interval_seconds),
        ("timeout_seconds", wire.timeout_seconds),
    ])
}

fn runs(wire: &v1::CommandInfo, what: &str, context: &str) -> Result<(), String> {
    if wire.value.is_none() {
        let kind = if wire.shell() { "'shell command'" } else { "'executable path'" };
        return Err(format!("{what} must contain {kind}"));
    }
    command(wire).map_err(|rule| format!("{context}: {rule}"))
}

fn path(path: Option<&str>, what: &str) -> Result<(), String> {
    match path {
        Some(path) if !path.starts_with('/') => {
            Err(format!("The path '{path}' of {what} must start with '/'"))
        }
        _ => Ok(()),
    }
}

fn spans(fields: &[(&str, Option<f64>)]) -> Result<(), String> {
    for (name, seconds) in fields {
        if seconds.is_some_and(|seconds| seconds.is_nan() || seconds < 0.0) {
            return Err(format!("Expecting '{name}' to be non-negative"));
        }
    }
    Ok(())
}
