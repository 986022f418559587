//! The fields of `mesos.v1.ContainerInfo` and `mesos.v1.CommandInfo` that are read here, under
//! the numbers of the wire.

use prost::{Enumeration, Message};

/// `ContainerInfo`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ContainerInfo {
    #[prost(enumeration = "Kind", optional, tag = "1")]
    pub(crate) kind: Option<i32>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) volumes: Vec<Volume>,
    #[prost(message, optional, tag = "3")]
    pub(crate) docker: Option<DockerInfo>,
    #[prost(string, optional, tag = "4")]
    pub(crate) hostname: Option<String>,
    #[prost(message, repeated, tag = "7")]
    pub(crate) network_infos: Vec<NetworkInfo>,
    /// Set to give the container a terminal.
    #[prost(message, optional, tag = "10")]
    pub(crate) tty_info: Option<Present>,
}

/// A message of which only its presence counts.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Present {}

/// `ContainerInfo.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enumeration)]
#[repr(i32)]
pub(crate) enum Kind {
    Unknown = 0,
    Docker = 1,
    Mesos = 2,
}

/// `ContainerInfo.DockerInfo`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct DockerInfo {
    #[prost(string, tag = "1")]
    pub(crate) image: String,
    #[prost(enumeration = "Network", optional, tag = "2")]
    pub(crate) network: Option<i32>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) port_mappings: Vec<PortMapping>,
    #[prost(bool, optional, tag = "4")]
    pub(crate) privileged: Option<bool>,
    #[prost(message, repeated, tag = "5")]
    pub(crate) parameters: Vec<Parameter>,
    #[prost(bool, optional, tag = "6")]
    pub(crate) force_pull_image: Option<bool>,
    #[prost(string, optional, tag = "7")]
    pub(crate) volume_driver: Option<String>,
}

/// `DockerInfo.Network`; unset is `HOST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enumeration)]
#[repr(i32)]
pub(crate) enum Network {
    Unknown = 0,
    Host = 1,
    Bridge = 2,
    None = 3,
    User = 4,
}

/// `DockerInfo.PortMapping`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct PortMapping {
    #[prost(uint32, tag = "1")]
    pub(crate) host_port: u32,
    #[prost(uint32, tag = "2")]
    pub(crate) container_port: u32,
    #[prost(string, optional, tag = "3")]
    pub(crate) protocol: Option<String>,
}

/// `Parameter`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Parameter {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
}

/// `NetworkInfo`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct NetworkInfo {
    #[prost(string, optional, tag = "6")]
    pub(crate) name: Option<String>,
}

/// `Volume`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Volume {
    #[prost(string, tag = "1")]
    pub(crate) container_path: String,
    #[prost(string, optional, tag = "2")]
    pub(crate) host_path: Option<String>,
    #[prost(enumeration = "Mode", optional, tag = "3")]
    pub(crate) mode: Option<i32>,
    #[prost(message, optional, tag = "4")]
    pub(crate) image: Option<Present>,
    #[prost(message, optional, tag = "5")]
    pub(crate) source: Option<Source>,
}

/// `Volume.Mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enumeration)]
#[repr(i32)]
pub(crate) enum Mode {
    Unknown = 0,
    ReadWrite = 1,
    ReadOnly = 2,
}

/// `Volume.Source`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Source {
    #[prost(int32, optional, tag = "1")]
    pub(crate) kind: Option<i32>,
    #[prost(message, optional, tag = "2")]
    pub(crate) docker_volume: Option<DockerVolume>,
    #[prost(message, optional, tag = "3")]
    pub(crate) sandbox_path: Option<SandboxPath>,
    #[prost(message, optional, tag = "5")]
    pub(crate) host_path: Option<HostPath>,
}

/// `Volume.Source.DockerVolume`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct DockerVolume {
    #[prost(string, optional, tag = "1")]
    pub(crate) driver: Option<String>,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) driver_options: Option<Parameters>,
}

/// `Parameters`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Parameters {
    #[prost(message, repeated, tag = "1")]
    pub(crate) parameter: Vec<Parameter>,
}

/// `Volume.Source.SandboxPath`; type 2 is the sandbox of the parent container.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SandboxPath {
    #[prost(int32, optional, tag = "1")]
    pub(crate) kind: Option<i32>,
    #[prost(string, tag = "2")]
    pub(crate) path: String,
}

/// `Volume.Source.HostPath`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct HostPath {
    #[prost(string, tag = "1")]
    pub(crate) path: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) mount_propagation: Option<MountPropagation>,
}

/// `MountPropagation`.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct MountPropagation {
    #[prost(int32, optional, tag = "1")]
    pub(crate) mode: Option<i32>,
}

/// `CommandInfo`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct CommandInfo {
    #[prost(message, optional, tag = "2")]
    pub(crate) environment: Option<Environment>,
    #[prost(string, optional, tag = "3")]
    pub(crate) value: Option<String>,
    /// Unset is true.
    #[prost(bool, optional, tag = "6")]
    pub(crate) shell: Option<bool>,
    #[prost(string, repeated, tag = "7")]
    pub(crate) arguments: Vec<String>,
}

/// `Environment`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Environment {
    #[prost(message, repeated, tag = "1")]
    pub(crate) variables: Vec<Variable>,
}

/// `Environment.Variable`; one without a value is a secret.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Variable {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, optional, tag = "2")]
    pub(crate) value: Option<String>,
}
