//! Rules of commands and containers, as far as they can be told without a host.

use std::collections::BTreeSet;

use reeve_wire::v1;

/// Checks a command.
///
/// # Errors
/// The first rule it breaks.
pub fn command(wire: &v1::CommandInfo) -> Result<(), String> {
    use v1::environment::variable::Type;
    for variable in wire.environment.iter().flat_map(|all| &all.variables) {
        let name = &variable.name;
        let rule = match variable.r#type() {
            Type::Secret if variable.value.is_some() => "must not have a value set",
            Type::Secret if variable.secret.is_none() => "must have a secret set",
            Type::Value if variable.secret.is_some() => "must not have a secret set",
            Type::Value if variable.value.is_none() => "must have a value set",
            Type::Unknown => {
                return Err("Environment variable of type 'UNKNOWN' is not allowed".to_owned());
            }
            Type::Value | Type::Secret => continue,
        };
        let kind = variable.r#type().as_str_name();
        return Err(format!("Environment variable '{name}' of type '{kind}' {rule}"));
    }
    for uri in &wire.uris {
        if uri.value.trim().is_empty() {
            return Err("URI must not be empty".to_owned());
        }
        let leaves = |path: &str| path.starts_with('/') || path.split('/').any(|part| part == "..");
        if let Some(file) = uri.output_file.as_deref().filter(|file| leaves(file)) {
            return Err(format!(
                "URI '{}' must have an 'output_file' within the sandbox, not '{file}'",
                uri.value
            ));
        }
    }
    Ok(())
}

/// Checks a container.
///
/// # Errors
/// The first rule it breaks.
pub fn container(wire: &v1::ContainerInfo) -> Result<(), String> {
    use v1::container_info::Type;
    if wire.r#type() == Type::Docker && wire.docker.is_none() {
        return Err("DockerInfo 'docker' is not set for DOCKER typed ContainerInfo".to_owned());
    }
    let mut paths = BTreeSet::new();
    for volume in &wire.volumes {
        let ways = [volume.host_path.is_some(), volume.image.is_some(), volume.source.is_some()];
        if ways.iter().filter(|way| **way).count() > 1 {
            return Err(
                "Only one of them should be set: 'host_path', 'image' and 'source'".to_owned()
            );
        }
        if volume.container_path.is_empty() {
            return Err("Volume must have a 'container_path'".to_owned());
        }
        if !paths.insert(volume.container_path.as_str()) {
            let path = &volume.container_path;
            return Err(format!("Multiple volumes with the same 'container_path' '{path}'"));
        }
        volume.source.as_ref().map_or(Ok(()), source)?;
    }
    limits(wire)
}

fn source(wire: &v1::volume::Source) -> Result<(), String> {
    use v1::volume::source::Type;
    let (name, set) = match wire.r#type() {
        Type::DockerVolume => ("docker_volume", wire.docker_volume.is_some()),
        Type::HostPath => ("host_path", wire.host_path.is_some()),
        Type::SandboxPath => ("sandbox_path", wire.sandbox_path.is_some()),
        Type::Secret => ("secret", wire.secret.is_some()),
        Type::CsiVolume => ("csi_volume", wire.csi_volume.is_some()),
        Type::Unknown => return Err("'Volume.source.type' is unknown".to_owned()),
    };
    if set { Ok(()) } else { Err(format!("'Volume.source.{name}' is not set")) }
}

fn limits(wire: &v1::ContainerInfo) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for limit in wire.rlimit_info.iter().flat_map(|all| &all.rlimits) {
        if !seen.insert(limit.r#type) {
            return Err("Each RLimit type may be set once only".to_owned());
        }
        match (limit.soft, limit.hard) {
            (Some(soft), Some(hard)) if soft > hard => {
                return Err("RLimit soft limit must not exceed its hard limit".to_owned());
            }
            (Some(_), None) | (None, Some(_)) => {
                return Err("RLimit must have both soft and hard limits or neither".to_owned());
            }
            _ => {}
        }
    }
    Ok(())
}
