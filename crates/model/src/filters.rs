//! For how long a framework does not want to see again what it declined (SC-4).

use std::time::Duration;

use reeve_wire::v1;

/// How long declined resources are kept from a framework.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Filters {
    /// Mesos: `refuse_seconds`, 5 s unless said otherwise, 365 d at most.
    pub refuse: Duration,
}

impl Filters {
    /// Mesos's default.
    pub const DEFAULT: Self = Self { refuse: Duration::from_secs(5) };
    /// Mesos's longest.
    pub const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
}

impl Default for Filters {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl From<&v1::Filters> for Filters {
    fn from(wire: &v1::Filters) -> Self {
        let seconds = wire.refuse_seconds();
        if seconds.is_nan() || seconds < 0.0 {
            return Self::DEFAULT;
        }
        if seconds >= Self::LONGEST.as_secs_f64() {
            return Self { refuse: Self::LONGEST };
        }
        Self { refuse: Duration::from_secs_f64(seconds) }
    }
}

impl From<Option<&v1::Filters>> for Filters {
    fn from(wire: Option<&v1::Filters>) -> Self {
        wire.map(Self::from).unwrap_or_default()
    }
}

impl Filters {
    /// As the wire carries them.
    pub fn to_wire(&self) -> v1::Filters {
        v1::Filters { refuse_seconds: Some(self.refuse.as_secs_f64()) }
    }
}
