//! Settings: told once, known as flags, environment, TOML and text.
//!
//! A daemon lists its settings with [`settings!`]; from the one list come the clap flags
//! (`--agent_ping_timeout=15secs`, dashes allowed, `--no-x` for switches), the environment
//! (`REEVE_AGENT_PING_TIMEOUT`, `MESOS_AGENT_PING_TIMEOUT`), the keys of
//! `/etc/reeve/<daemon>.toml` and `/etc/reeve/<daemon>.toml.d/*.toml`, `--help`, and what
//! `/flags` shows. Flags win over the environment, the environment over files; `REEVE_…` wins
//! over `MESOS_…`, a later file over an earlier one.
//!
//! ```
//! use reeve_config::{Settings, settings};
//! use std::time::Duration;
//!
//! settings! {
//!     /// What a demo can be told.
//!     pub struct Demo in "demo" {
//!         /// The port to listen on.
//!         port: u16 = "5050",
//!         /// How long to wait.
//!         wait: Duration = "15secs",
//!         /// A name, if any.
//!         cluster: Option<String>,
//!     }
//! }
//!
//! // A binary: flags, then the environment and the files of this machine.
//! let command = reeve_config::arguments::<Demo>(clap::Command::new("demo"));
//! let matches = command.try_get_matches_from(["demo", "--wait=1mins"])?;
//! let demo: Demo = reeve_config::Layers::new().flags::<Demo>(&matches).build()?;
//! assert_eq!((demo.port, demo.wait), (5050, Duration::from_secs(60)));
//! assert_eq!(demo.flags()[1], ("wait", "1mins".to_owned()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`load`] reads all layers of this machine; [`Settings::defaults`] none. The texts of
//! durations ([`duration`]), sizes ([`Size`]), [`Rate`]s and [`Percentage`]s are those of Mesos. A setting of the type
//! [`Modules`] takes the `[modules.NAME]` tables.
//!
//! Does not live here: any daemon's list of settings; what a value means.

#![forbid(unsafe_code)]

pub mod duration;
mod error;
mod file;
mod flags;
mod layers;
mod modules;
mod nearest;
mod rate;
mod reload;
mod settings;
mod size;
mod value;
pub mod writing;

pub use error::{Error, Origin};
pub use file::config_files;
pub use flags::arguments;
pub use layers::{Layers, load};
pub use modules::{Given, Module, Modules, Parameter};
pub use nearest::nearest;
pub use rate::{Percentage, Rate};
pub use reload::{Change, changes};
pub use settings::{Settings, Spec, Values};
pub use size::Size;
pub use value::{Shape, Value, hide_password};
