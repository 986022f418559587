//! The rows of the plan: what each sets up, and which of its figures is held against which aim.
//!
//! Figures of Apache Mesos are those measured on a machine of this kind (two processors), with
//! the same kind of load.

mod allocation;
mod boundary;
mod failover;
mod memory;
mod real;
mod recovery;
mod registry;
mod tasks;

use crate::report::Row;
use crate::stage::Stage;

/// How large everything is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// As large as the plan has it.
    Full,
    /// Small, to see that everything works.
    Quick,
}

impl Size {
    /// The one or the other.
    fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Size::Full => full,
            Size::Quick => quick,
        }
    }
}

/// Some rows that are measured together.
#[derive(Clone, Copy)]
pub struct Group {
    /// The rows' ids.
    pub rows: &'static [&'static str],
    /// How.
    pub measure: Measure,
}

/// Measures some rows, and hands over each figure once it is there.
pub type Measure = fn(&Stage, Size, &mut dyn FnMut(Row)) -> anyhow::Result<()>;

/// All rows, in the order of the table.
pub const GROUPS: &[Group] = &[
    Group { rows: &["B1"], measure: allocation::b1 },
    Group { rows: &["B2"], measure: allocation::b2 },
    Group { rows: &["B3"], measure: allocation::b3 },
    Group { rows: &["B4"], measure: allocation::b4 },
    Group { rows: &["MB1"], measure: boundary::allocation },
    Group { rows: &["MB2"], measure: boundary::isolation },
    Group { rows: &["T1", "T2", "T3"], measure: tasks::bursts },
    Group { rows: &["T4"], measure: tasks::trickle },
    Group { rows: &["R1"], measure: real::bursts },
    Group { rows: &["R3"], measure: real::serial },
    Group { rows: &["R4"], measure: real::memory },
    Group { rows: &["R5"], measure: recovery::agent_returns },
    Group { rows: &["M1", "F2"], measure: memory::simulated },
    Group { rows: &["F1"], measure: failover::all_return },
    Group { rows: &["L1"], measure: registry::embedded },
    Group { rows: &["L1"], measure: registry::zookeeper },
    Group { rows: &["U1", "M1"], measure: memory::start },
];

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Group").field(&self.rows).finish()
    }
}

/// The median; 0 of nothing.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}
