//! What is mounted in the container.

use std::path::{Component, Path};

use serde_json::{Value, json};

use super::{Refused, push};
use crate::message::{ContainerInfo, DockerInfo, DockerVolume, HostPath, Mode, Source, Volume};

/// `Volume.Source.SandboxPath.Type.PARENT`.
const PARENT: i32 = 2;

/// Puts the sandbox and the volumes into the body. `inside` is where the sandbox is mounted, and
/// `outside` where it is on the host.
pub(crate) fn put(
    body: &mut Value,
    info: &ContainerInfo,
    docker: &DockerInfo,
    inside: &str,
    outside: &str,
) -> Result<(), Refused> {
    mount(body, json!({ "Type": "bind", "Source": outside, "Target": inside }));
    let driver = docker.volume_driver.as_deref().filter(|driver| !driver.is_empty());
    for volume in &info.volumes {
        let path = &volume.container_path;
        let target = match Path::new(path) {
            _ if path.is_empty() => return Err(Refused::new("a volume has no container_path")),
            absolute if absolute.is_absolute() => path.clone(),
            _ => format!("{inside}/{}", beneath(path)?),
        };
        let place = Place { target, read_only: volume.mode == Some(Mode::ReadOnly as i32) };
        place.put(body, volume, driver, outside)?;
    }
    Ok(())
}

fn mount(body: &mut Value, mount: Value) {
    push(&mut body["HostConfig"]["Mounts"], mount);
}

/// A relative path that stays where it begins.
fn beneath(path: &str) -> Result<&str, Refused> {
    let stays = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if stays {
        Ok(path)
    } else {
        Err(Refused(format!("the volume path '{path}' may not have '..'")))
    }
}

/// Where in the container, and how.
struct Place {
    target: String,
    read_only: bool,
}

impl Place {
    fn put(
        self,
        body: &mut Value,
        volume: &Volume,
        driver: Option<&str>,
        sandbox: &str,
    ) -> Result<(), Refused> {
        let target = &volume.container_path;
        if volume.image.is_some() {
            let why = format!("the volume '{target}' is an image, which Docker cannot mount");
            return Err(Refused(why));
        }
        match (&volume.host_path, &volume.source) {
            (Some(_), Some(_)) => {
                Err(Refused(format!("the volume '{target}' has both a host_path and a source")))
            }
            (Some(path), None) if path.starts_with('/') => self.put_host(body, path, None),
            (Some(name), None) if driver.is_some() => {
                self.put_named(body, name, driver, json!({}));
                Ok(())
            }
            (Some(path), None) => self.put_sandbox(body, path, sandbox),
            (None, Some(source)) => self.put_source(body, source, sandbox),
            // A volume of the engine's own, which goes with the container.
            (None, None) => {
                let volume = json!({ "Type": "volume", "Target": self.target });
                mount(body, volume);
                Ok(())
            }
        }
    }

    fn put_source(self, body: &mut Value, source: &Source, sandbox: &str) -> Result<(), Refused> {
        let Source { docker_volume, sandbox_path, host_path, .. } = source;
        if let Some(DockerVolume { driver, name, driver_options }) = docker_volume {
            let options = driver_options.clone().unwrap_or_default().parameter;
            let options =
                options.into_iter().map(|one| (one.key, Value::String(one.value))).collect();
            self.put_named(body, name, driver.as_deref(), Value::Object(options));
            return Ok(());
        }
        if let Some(HostPath { path, mount_propagation }) = host_path {
            if !path.starts_with('/') {
                return Err(Refused(format!("the host path '{path}' of a volume is not absolute")));
            }
            let propagation = match mount_propagation.and_then(|wanted| wanted.mode) {
                Some(1) => Some("rslave"),
                Some(2) => Some("rshared"),
                _ => None,
            };
            return self.put_host(body, path, propagation);
        }
        match sandbox_path {
            Some(path) if path.kind == Some(PARENT) => {
                let why = "a Docker container has no parent whose sandbox could be mounted";
                Err(Refused::new(why))
            }
            Some(path) => self.put_sandbox(body, &path.path, sandbox),
            None => Err(Refused(format!(
                "the source of the volume '{}' is not one of DOCKER_VOLUME, HOST_PATH and \
                 SANDBOX_PATH, which Docker can mount",
                self.target
            ))),
        }
    }

    /// A directory or file of the host; the engine makes a directory if there is nothing.
    fn put_host(
        self,
        body: &mut Value,
        path: &str,
        propagation: Option<&str>,
    ) -> Result<(), Refused> {
        if path.contains(':') || self.target.contains(':') {
            return Err(Refused(format!("Docker cannot mount '{path}': no ':' may be in a path")));
        }
        let mode = if self.read_only { "ro" } else { "rw" };
        let propagation = propagation.map(|name| format!(",{name}")).unwrap_or_default();
        let bind = format!("{path}:{}:{mode}{propagation}", self.target);
        push(&mut body["HostConfig"]["Binds"], json!(bind));
        Ok(())
    }

    fn put_sandbox(self, body: &mut Value, path: &str, sandbox: &str) -> Result<(), Refused> {
        let source = format!("{sandbox}/{}", beneath(path)?);
        let Self { target, read_only } = self;
        let bind = json!({
            "Type": "bind", "Source": source, "Target": target, "ReadOnly": read_only,
        });
        mount(body, bind);
        Ok(())
    }

    fn put_named(self, body: &mut Value, name: &str, driver: Option<&str>, options: Value) {
        let Self { target, read_only } = self;
        let mut volume = json!({
            "Type": "volume", "Source": name, "Target": target, "ReadOnly": read_only,
        });
        if let Some(driver) = driver.filter(|driver| !driver.is_empty()) {
            volume["VolumeOptions"] =
                json!({ "DriverConfig": { "Name": driver, "Options": options } });
        }
        mount(body, volume);
    }
}

/// The directories in the sandbox that have to be there to be mounted, relative to it.
pub(crate) fn in_sandbox(info: &ContainerInfo, docker: &DockerInfo) -> Vec<String> {
    let has_driver = docker.volume_driver.as_deref().is_some_and(|driver| !driver.is_empty());
    let of = |volume: &Volume| {
        let own = volume.host_path.clone().filter(|path| !path.starts_with('/') && !has_driver);
        let source = || Some(volume.source.as_ref()?.sandbox_path.as_ref()?.path.clone());
        own.or_else(source)
    };
    info.volumes.iter().filter_map(of).collect()
}
