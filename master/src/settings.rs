//! What a master can be told (Mesos docs: configuration, master flags).

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use reeve_config::{Modules, Percentage, Rate, settings};
use reeve_zookeeper::Url;

settings! {
    /// The settings of a master.
    pub struct MasterSettings in "master" {
        /// Addresses to listen on; several are allowed.
        ip: Vec<IpAddr> = "0.0.0.0",
        /// The port to listen on.
        port: u16 = "5050",
        /// The address that agents and frameworks are told; the first of --ip if not given.
        advertise_ip: Option<IpAddr>,
        /// The port that agents and frameworks are told.
        advertise_port: Option<u16>,
        /// The name that others reach this master by.
        hostname: Option<String>,
        /// Whether the host's name stands for its address where --hostname is not given.
        hostname_lookup: bool = "true",
        /// A name for the cluster, for people.
        cluster: Option<String>,
        /// The ZooKeeper through which masters contend for leadership: zk://HOST:PORT,…/PATH, or file:///FILE with that; none: this master has no rivals.
        zk: Option<Url>,
        /// How long this master's ZooKeeper session lives without a sign of life.
        zk_session_timeout: Duration = "10secs",
        /// The certificates (PEM) that ZooKeeper's are checked against; switches TLS on.
        zk_tls_ca_file: Option<PathBuf>,
        /// The certificate (PEM) that this master shows to ZooKeeper.
        zk_tls_cert_file: Option<PathBuf>,
        /// The key (PEM) of that certificate.
        zk_tls_key_file: Option<PathBuf>,
        /// Where the registry is kept.
        work_dir: Option<PathBuf>,
        /// How the registry is kept: durable (in ZooKeeper with zk, else in work_dir), zookeeper, embedded (in work_dir) or in_memory; replicated_log means durable.
        registry: String = "durable",
        /// How often agents are pinged, and how long an answer may take.
        agent_ping_timeout: Duration = "15secs",
        /// After so many unanswered pings an agent is unreachable.
        max_agent_ping_timeouts: u32 = "5",
        /// How long a disconnected agent has to come back, also after a failover of the master.
        agent_reregister_timeout: Duration = "10mins",
        /// How many agents may become unreachable in a time, such as 1/10mins; no limit if not given.
        agent_removal_rate_limit: Option<Rate>,
        /// Give up the lead if more of the agents than this are missing after a failover.
        recovery_agent_removal_limit: Percentage = "100%",
        /// The allocator: the name of a module.
        allocator: String = "drf",
        /// The allocator that takes over from one that fails, or none: the master ends then.
        allocator_fallback: String = "drf",
        /// How long a call of the allocator may take; one that takes longer has failed.
        allocator_timeout: Duration = "5secs",
        /// Hooks, by name: modules that have a say in what is launched.
        hooks: Vec<String>,
        /// The shortest time a declined offer is withheld.
        allocation_interval: Duration = "1secs",
        /// What an offer must hold at the least: alternatives with | between, amounts with ;.
        min_allocatable_resources: String = "cpus:0.01|mem:32",
        /// Names of resources that do not count for fair shares.
        fair_sharing_excluded_resource_names: Vec<String>,
        /// What roles weigh, such as ROLE=WEIGHT,ROLE=WEIGHT, if the registry says nothing of weights.
        weights: Option<String>,
        /// Offer agents with graphics processors only to frameworks that ask for them.
        filter_gpu_resources: bool = "true",
        /// Take an unanswered offer back after so long.
        offer_timeout: Option<Duration>,
        /// How many ended frameworks are remembered.
        max_completed_frameworks: usize = "50",
        /// How many ended tasks of each framework are remembered.
        max_completed_tasks_per_framework: usize = "1000",
        /// How many unreachable tasks of each framework are remembered.
        max_unreachable_tasks_per_framework: usize = "1000",
        /// Whether /metrics/snapshot has the figures of each framework.
        publish_per_framework_metrics: bool = "true",
        /// How long an unreachable agent is remembered.
        registry_max_agent_age: Duration = "2weeks",
        /// How many unreachable agents are remembered.
        registry_max_agent_count: usize = "102400",
        /// The least important messages that are logged: INFO, WARNING or ERROR.
        logging_level: String = "INFO" => reload,
        /// Do not log to standard error.
        quiet: bool = "false",
        /// A file that something else writes the log to; /files/read shows it as /master/log.
        external_log_file: Option<PathBuf>,
        /// Ask who reads: endpoints that change nothing are for those who say who they are.
        authenticate_http_readonly: bool = "false",
        /// Ask who changes something: the same for endpoints that do, and for /api/v1.
        authenticate_http_readwrite: bool = "false",
        /// Ask who a framework belongs to: the same for /api/v1/scheduler.
        authenticate_http_frameworks: bool = "false",
        /// Who tells principals apart, asked in this order: names of modules.
        http_authenticators: Vec<String> = "basic",
        /// The same for frameworks; those of http_authenticators if not given.
        http_framework_authenticators: Vec<String>,
        /// Take only agents that prove who they are, by CRAM-MD5 against `credentials`.
        authenticate_agents: bool = "false",
        /// Take only frameworks on libmesos that prove who they are, in the same way.
        authenticate_frameworks: bool = "false",
        /// How agents and frameworks on libmesos prove who they are; only crammd5 is known.
        authenticators: Vec<String> = "crammd5",
        /// How long such a proof may take.
        authentication_v0_timeout: Duration = "15secs",
        /// A file of principals and their secrets, for authenticators that want one.
        credentials: Option<String>,
        /// Who says what principals may do: the name of a module; local is acls, if there are any.
        authorizers: String = "local",
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
