//! A daemon's list of settings, and the values given to them.

use std::collections::BTreeMap;

use crate::{Error, Modules, Origin, Shape};

/// One setting, as the list tells it.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Its name: flag, TOML key, and in capitals its environment variable.
    pub name: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// How it is given.
    pub shape: Shape,
    /// What it takes, for messages.
    pub wanted: &'static str,
    /// Its default, as text.
    pub default: Option<&'static str>,
    /// Whether a daemon takes up a change at SIGHUP; else it has to be started again.
    pub reload: bool,
    /// Reads its value, to see whether it can be used.
    pub check: fn(&Values) -> Result<(), Error>,
}

impl Spec {
    /// The name Mesos had before agents were called agents (`slave_ping_timeout`); it is
    /// still accepted wherever the name is.
    pub fn old_name(&self) -> Option<String> {
        self.name.contains("agent").then(|| self.name.replace("agent", "slave"))
    }

    /// Whether `key` means this setting.
    pub fn is_called(&self, key: &str) -> bool {
        self.name == key || self.old_name().as_deref() == Some(key)
    }
}

/// A daemon's settings; made by [`crate::settings!`].
pub trait Settings: Sized {
    /// The daemon: its file is `/etc/reeve/<daemon>.toml`.
    const DAEMON: &'static str;
    /// Every setting.
    const SPECS: &'static [Spec];

    /// The settings from what was given.
    ///
    /// # Errors
    ///
    /// The first value that cannot be used, or the first that is missing.
    fn build(values: &Values) -> Result<Self, Error>;

    /// Name and text of every setting that has a value, in the order of the list.
    fn flags(&self) -> Vec<(&'static str, String)>;

    /// The settings when nothing is given.
    ///
    /// # Errors
    ///
    /// If a setting has no default and must be given.
    fn defaults() -> Result<Self, Error> {
        Self::build(&Values::default())
    }
}

/// The values given, by setting.
#[derive(Clone, Debug, Default)]
pub struct Values {
    given: BTreeMap<&'static str, (String, Origin)>,
    modules: Modules,
}

impl Values {
    /// Gives a setting a value, in place of an earlier one.
    pub fn set(&mut self, name: &'static str, text: String, origin: Origin) {
        self.given.insert(name, (text, origin));
    }

    /// What was given for a setting, and where.
    pub fn get(&self, name: &str) -> Option<(&str, &Origin)> {
        self.given.get(name).map(|(text, origin)| (text.as_str(), origin))
    }

    /// What the `[modules.NAME]` tables of the files give.
    pub fn modules(&self) -> &Modules {
        &self.modules
    }

    /// Lays a file's `[modules.NAME]` tables over those of earlier files.
    pub fn merge_modules(&mut self, later: Modules) {
        self.modules.merge(later);
    }
}

/// Lists a daemon's settings: `/// doc`, `name: Type`, and a default as text where there is
/// one. `Option` and `Vec` need none. `=> reload` at the end says that the daemon takes up a
/// change at SIGHUP.
#[macro_export]
macro_rules! settings {
    (
        $(#[$meta:meta])*
        $vis:vis struct $struct:ident in $daemon:literal {
            $( $(#[doc = $doc:literal])+ $field:ident : $type:ty $(= $default:literal)? $(=> $reload:ident)? ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $vis struct $struct {
            $( $(#[doc = $doc])+ pub $field: $type, )*
        }

        impl $crate::Settings for $struct {
            const DAEMON: &'static str = $daemon;
            const SPECS: &'static [$crate::Spec] = &[
                $( $crate::Spec {
                    name: stringify!($field),
                    doc: concat!($($doc),+),
                    shape: <$type as $crate::Value>::SHAPE,
                    wanted: <$type as $crate::Value>::WANTED,
                    default: $crate::settings!(@default $($default)?),
                    reload: $crate::settings!(@reload $($reload)?),
                    check: |values| {
                        let default = $crate::settings!(@default $($default)?);
                        <$type as $crate::Value>::read(values, stringify!($field), default).map(drop)
                    },
                }, )*
            ];

            fn build(values: &$crate::Values) -> Result<Self, $crate::Error> {
                Ok(Self {
                    $( $field: <$type as $crate::Value>::read(
                        values,
                        stringify!($field),
                        $crate::settings!(@default $($default)?),
                    )?, )*
                })
            }

            fn flags(&self) -> Vec<(&'static str, String)> {
                let mut flags = Vec::new();
                $(
                    if let Some(text) = $crate::Value::show(&self.$field) {
                        flags.push((stringify!($field), text));
                    }
                )*
                flags
            }
        }
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
    (@reload) => { false };
    (@reload reload) => { true };
}
