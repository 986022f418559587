//! Figures against their aims: as a table for people and as JSON for machines.

use std::fmt::Write;

use serde_json::{Value, json};

/// One figure.
#[derive(Clone, Debug)]
pub struct Row {
    /// The row of the plan it belongs to, such as `T1`.
    pub row: &'static str,
    /// What was measured, with its size.
    pub what: String,
    /// The unit of all amounts.
    pub unit: &'static str,
    /// Our figure.
    pub reeve: f64,
    /// Apache Mesos's on a machine like this, where known.
    pub mesos: Option<f64>,
    /// What is aimed at, if anything.
    pub aim: Option<f64>,
    /// Whether more is better.
    pub more_is_better: bool,
    /// How long the measurement took, in seconds.
    pub wall: Option<f64>,
    /// The processor time it took, in seconds.
    pub cpu: Option<f64>,
}

impl Row {
    /// A figure that should be small, without anything to compare it with.
    pub fn new(row: &'static str, what: impl Into<String>, unit: &'static str, reeve: f64) -> Row {
        Row {
            row,
            what: what.into(),
            unit,
            reeve,
            mesos: None,
            aim: None,
            more_is_better: false,
            wall: None,
            cpu: None,
        }
    }

    /// With what is aimed at.
    pub fn aim(self, aim: f64) -> Row {
        Row { aim: Some(aim), ..self }
    }

    /// With the figure of Apache Mesos.
    pub fn mesos(self, mesos: f64) -> Row {
        Row { mesos: Some(mesos), ..self }
    }

    /// With what it took in seconds, on the wall and on the processor.
    pub fn cost(self, wall: f64, cpu: f64) -> Row {
        Row { wall: Some(wall), cpu: Some(cpu), ..self }
    }

    /// The more the better.
    pub fn more_is_better(self) -> Row {
        Row { more_is_better: true, ..self }
    }

    /// Whether the aim is met, if there is one.
    pub fn met(&self) -> Option<bool> {
        let met = |aim| if self.more_is_better { self.reeve >= aim } else { self.reeve <= aim };
        self.aim.map(met)
    }

    /// The row as `bench.json` has it.
    pub fn json(&self) -> Value {
        json!({
            "row": self.row,
            "what": self.what,
            "unit": self.unit,
            "reeve": self.reeve,
            "mesos": self.mesos,
            "aim": self.aim,
            "met": self.met(),
            "wall_s": self.wall,
            "cpu_s": self.cpu,
        })
    }

    /// The row as a line of the table.
    pub fn line(&self) -> String {
        let mut line = format!("{:<3} {:<82}", self.row, self.what);
        // Writing to memory never fails.
        let _ = write!(line, "{:>10} {:<8}", short(self.reeve), self.unit);
        let _ = write!(line, "{:>9}{:>9}", optional(self.wall), optional(self.cpu));
        let _ = write!(line, "{:>10}{:>10}  ", optional(self.mesos), optional(self.aim));
        line.push_str(match self.met() {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "-",
        });
        line
    }
}

/// The head of the table.
pub fn head() -> String {
    format!(
        "{:<3} {:<82}{:>10} {:<8}{:>9}{:>9}{:>10}{:>10}  met",
        "row", "what", "reeve", "unit", "wall s", "CPU s", "Mesos", "aim"
    )
}

fn optional(amount: Option<f64>) -> String {
    amount.map_or_else(|| "-".to_owned(), short)
}

/// Three digits or so: no figure here is better than that.
fn short(amount: f64) -> String {
    match amount.abs() {
        large if large >= 100.0 => format!("{amount:.0}"),
        middle if middle >= 10.0 => format!("{amount:.1}"),
        small if small >= 1.0 || small == 0.0 => format!("{amount:.2}"),
        _ => format!("{amount:.4}"),
    }
}
