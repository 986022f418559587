//! What the agent can be told (§9.2). One list gives flags, environment, TOML and `/flags`.

use std::path::PathBuf;
use std::time::Duration;

use reeve_config::{Modules, settings};
use reeve_election::Source;

settings! {
    /// The agent's settings.
    pub struct AgentSettings in "agent" {
        /// The master: `host:port`; the leading one of several: `zk://host:port,host:port/path`; or `file:///path` to a file with either.
        master: Option<Source>,
        /// How long ZooKeeper keeps this agent's session without a sign of life; without ZooKeeper for so long the agent has no master.
        zk_session_timeout: Duration = "10secs",
        /// Certificates (PEM) that ZooKeeper's are checked against; given, TLS is spoken with it.
        zk_tls_ca_file: Option<PathBuf>,
        /// This agent's own certificate (PEM), where ZooKeeper asks for one.
        zk_tls_cert_file: Option<PathBuf>,
        /// The key (PEM) of that certificate.
        zk_tls_key_file: Option<PathBuf>,
        /// Where sandboxes and checkpoints live. The agent needs it to find its containers again.
        work_dir: String = "/var/lib/reeve/agent",
        /// Where what does not outlive a reboot lives.
        runtime_dir: String = "/run/reeve/agent",
        /// The address to listen on, and to name to others unless `advertise_ip` does.
        ip: Option<String>,
        /// The port to listen on; 0 takes a free one.
        port: u16 = "5051",
        /// The address that others reach this agent at.
        advertise_ip: Option<String>,
        /// The port that others reach this agent at.
        advertise_port: Option<u16>,
        /// The name that others reach this agent by; found by looking the address up if unset.
        hostname: Option<String>,
        /// What this agent has, such as `cpus:4;mem:2048;ports:[31000-32000]`. What is not named is detected.
        resources: Option<String>,
        /// The role that resources without one are reserved to.
        default_role: String = "*",
        /// What kind of machine this is, such as `rack:r7;os:debian`.
        attributes: Option<String>,
        /// Isolators, by name.
        isolation: Vec<String> = "posix",
        /// The control group of a systemd unit with Delegate=yes that containers live in, such as `/reeve.slice/reeve-containers.service`; they are a part of the agent's own unit if unset.
        containers_cgroup: Option<PathBuf>,
        /// Where the output of containers goes: the name of a module, such as logrotate; the files stdout and stderr of the sandbox if unset.
        container_logger: Option<String>,
        /// Hooks, by name: modules that have a say in what is launched.
        hooks: Vec<String>,
        /// Who knows the secrets that tasks refer to: the name of a module, such as files.
        secret_resolver: Option<String>,
        /// Who says what is offered as revocable: the name of a module, such as fixed.
        resource_estimator: Option<String>,
        /// How often the resource estimator is asked; once a second at the most.
        oversubscribed_resources_interval: Duration = "15secs",
        /// Who says which revocable work must go: the name of a module, such as load.
        qos_controller: Option<String>,
        /// How long the QoS controller is left alone between two questions at the least; a second if this is shorter.
        qos_correction_interval_min: Duration = "0secs",
        /// Where `reeve-executor` is; beside this program or in /usr/libexec/reeve if unset.
        launcher_dir: Option<String>,
        /// Run tasks as the user they name.
        switch_user: bool = "true",
        /// A file with the principal and the secret that prove to a master who this agent is.
        credential: Option<String>,
        /// How that is proven; only crammd5 is known.
        authenticatee: String = "crammd5",
        /// By how much the time for a proof grows with the first failure; it doubles with each.
        authentication_backoff_factor: Duration = "1secs",
        /// How long a proof may take at first.
        authentication_timeout_min: Duration = "5secs",
        /// How long a proof may take at most.
        authentication_timeout_max: Duration = "1mins",
        /// The longest random wait before the first try to register; it doubles with each try.
        registration_backoff_factor: Duration = "1secs",
        /// How long an executor may take to subscribe.
        executor_registration_timeout: Duration = "1mins",
        /// How long executors may take to subscribe again after a restart of the agent.
        executor_reregistration_timeout: Duration = "2secs",
        /// How long an executor may take to end.
        executor_shutdown_grace_period: Duration = "5secs",
        /// What becomes of executors that outlived the agent: reconnect, or cleanup: they are ended, then the agent, and the next start joins as a new one.
        recover: String = "reconnect",
        /// Refuse to start if a checkpoint is damaged; otherwise what it described is lost, and the rest goes on.
        strict: bool = "false",
        /// What may have changed for the agent to keep its id and its tasks: equal (nothing), additive (more resources, more attributes, a domain where there was none) or any.
        reconfiguration_policy: String = "additive",
        /// How long executors wait for a restarted agent.
        recovery_timeout: Duration = "15mins",
        /// How long sandboxes are kept at most; less when the disk fills.
        gc_delay: Duration = "1weeks",
        /// The share of the disk that is to stay free.
        gc_disk_headroom: String = "0.1",
        /// How often the disk is looked at.
        disk_watch_interval: Duration = "1mins",
        /// Completed executors remembered per framework.
        max_completed_executors_per_framework: u32 = "150",
        /// How verbose the log is: INFO, WARNING or ERROR.
        logging_level: String = "INFO" => reload,
        /// Do not log to standard error.
        quiet: bool = "false",
        /// Ask who reads: endpoints that change nothing are for those who say who they are.
        authenticate_http_readonly: bool = "false",
        /// Ask who changes something: the same for endpoints that do.
        authenticate_http_readwrite: bool = "false",
        /// Ask executors who they are. Not supported yet: must be false.
        authenticate_http_executors: bool = "false",
        /// Who tells principals apart, asked in this order: names of modules.
        http_authenticators: Vec<String> = "basic",
        /// A file of principals and their secrets, for authenticators that want one.
        http_credentials: Option<String>,
        /// Who says what principals may do: the name of a module; local is acls, if there are any.
        authorizer: String = "local",
        /// Rules of who may do what, in Mesos's form: JSON, or a file with it.
        acls: Option<String>,
        /// Modules that only have to be there, such as graphite: they are shown the metrics.
        anonymous_modules: Vec<String>,
        /// What modules are given: tables [modules.NAME] in a file; as a flag JSON, or a file with it.
        modules: Modules,
        /// The directory where modules are looked for; its *.json files say what they are given.
        modules_dir: Option<PathBuf>,
    }
}
