//! B1 to B4: the allocator in this process.

use anyhow::anyhow;

use super::Size;
use crate::allocator::{self, Figure, linked};
use crate::report::Row;
use crate::stage::Stage;

/// Microseconds.
const UNIT: &str = "us";

type Measured = Result<Vec<Figure>, String>;

pub(super) fn b1(_: &Stage, size: Size, out: &mut dyn FnMut(Row)) -> anyhow::Result<()> {
    let (agents, frameworks) = size.pick((50_000, 1_000), (5_000, 100));
    // Of the same size alone.
    let mesos = size.pick(Some(2_040_000.0), None);
    let measured = allocator::full_cycle(linked(), agents, frameworks);
    show("B1", measured, mesos, "B1 full cycle", out)
}

pub(super) fn b2(_: &Stage, size: Size, out: &mut dyn FnMut(Row)) -> anyhow::Result<()> {
    let (agents, frameworks) = size.pick((50_000, 1_000), (5_000, 100));
    let mesos = size.pick(Some(171_000.0), None);
    show("B2", allocator::one_change(linked(), agents, frameworks, 1), mesos, "B2 one", out)
}

pub(super) fn b3(_: &Stage, size: Size, out: &mut dyn FnMut(Row)) -> anyhow::Result<()> {
    if size == Size::Quick {
        return show("B3", allocator::one_change(linked(), 1_000, 100, 100), None, "", out);
    }
    show("B3", allocator::b3(), None, "", out)
}

pub(super) fn b4(_: &Stage, _: Size, out: &mut dyn FnMut(Row)) -> anyhow::Result<()> {
    show("B4", allocator::b4(), Some(317_000.0), "B4 cycle", out)
}

/// Hands the figures over; Mesos's is that of those whose name begins with `like`.
fn show(
    row: &'static str,
    measured: Measured,
    mesos: Option<f64>,
    like: &str,
    out: &mut dyn FnMut(Row),
) -> anyhow::Result<()> {
    for figure in measured.map_err(|why| anyhow!(why))? {
        let what = figure.what.split_once(' ').map_or(&*figure.what, |(_, what)| what);
        let mesos = mesos.filter(|_| figure.what.starts_with(like));
        let (wall, cpu) = (figure.wall.as_secs_f64(), figure.cpu.as_secs_f64());
        let shown = Row::new(row, what, UNIT, wall * 1e6).aim(figure.aim.as_secs_f64() * 1e6);
        out(Row { mesos, ..shown.cost(wall, cpu) });
    }
    Ok(())
}
