//! How an agent is emptied of tasks.

use std::time::Duration;

use reeve_wire::v1;

use crate::units::{duration_to_wire, span};

/// How an agent is to be emptied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrainConfig {
    /// The most time that a task is given to end by itself; none: what its own policy says.
    pub max_grace: Option<Duration>,
    /// Whether the agent is gone for good once it is empty.
    pub mark_gone: bool,
}

/// How far the emptying of an agent has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainInfo {
    /// Whether nothing is left on it.
    pub drained: bool,
    /// How it is emptied.
    pub config: DrainConfig,
}

/// An agent that an operator has taken out of use: nothing is offered of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deactivation {
    /// How far its emptying has come; none: what runs on it stays.
    pub drain: Option<DrainInfo>,
}

impl Deactivation {
    /// Whether what runs there is to end and has not.
    pub fn is_draining(&self) -> bool {
        self.drain.is_some_and(|drain| !drain.drained)
    }
}

impl DrainConfig {
    /// How long a task may take to end whose own policy says this; none: as it says itself.
    pub fn grace(&self, own: Option<Duration>) -> Option<Duration> {
        self.max_grace.filter(|most| own.is_none_or(|own| *most < own))
    }

    /// As the wire carries it.
    pub fn to_wire(&self) -> v1::DrainConfig {
        v1::DrainConfig {
            max_grace_period: self.max_grace.map(duration_to_wire),
            mark_gone: Some(self.mark_gone),
        }
    }
}

impl From<&v1::DrainConfig> for DrainConfig {
    /// A negative grace period counts as none at all.
    fn from(wire: &v1::DrainConfig) -> Self {
        let max_grace = wire.max_grace_period.map(|most| span(most).unwrap_or_default());
        Self { max_grace, mark_gone: wire.mark_gone() }
    }
}

impl DrainInfo {
    /// An agent that is to be emptied like this.
    pub fn begun(config: DrainConfig) -> Self {
        Self { drained: false, config }
    }

    /// As the wire carries it.
    pub fn to_wire(&self) -> v1::DrainInfo {
        let state = if self.drained { v1::DrainState::Drained } else { v1::DrainState::Draining };
        v1::DrainInfo { state: state.into(), config: self.config.to_wire() }
    }
}

impl From<&v1::DrainInfo> for DrainInfo {
    /// A state that is not known counts as begun: looking again costs nothing.
    fn from(wire: &v1::DrainInfo) -> Self {
        let drained = wire.state == i32::from(v1::DrainState::Drained);
        Self { drained, config: DrainConfig::from(&wire.config) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_shortens_grace_periods_and_never_lengthens_them() {
        let seconds = |most: u64| Some(Duration::from_secs(most));
        let drain = |max_grace| DrainConfig { max_grace, mark_gone: false };
        assert_eq!(drain(None).grace(seconds(9)), None);
        assert_eq!(drain(seconds(5)).grace(seconds(9)), seconds(5));
        assert_eq!(drain(seconds(5)).grace(seconds(3)), None);
        assert_eq!(drain(seconds(5)).grace(None), seconds(5));
    }

    #[test]
    fn the_wire_carries_all_of_it() {
        let config = DrainConfig { max_grace: Some(Duration::from_millis(1500)), mark_gone: true };
        for drained in [false, true] {
            let info = DrainInfo { drained, config };
            assert_eq!(DrainInfo::from(&info.to_wire()), info);
        }
    }
}
