//! `reeve registry import`.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use reeve_records::{Document, Records, check, lacking, mesos};
use reeve_registry::Write;

use super::{Place, counts};

/// What an import brings.
struct Load {
    records: Records,
    /// What to tell: what is left out, and whether it may be old.
    remarks: Vec<String>,
}

#[allow(clippy::print_stdout)]
pub(super) fn run(place: &Place, from: PathBuf, force: bool) -> anyhow::Result<ExitCode> {
    let load = read(&from).with_context(|| format!("cannot import {}", from.display()))?;
    if let Some(capability) = lacking(&load.records).first() {
        bail!(
            "{} asks for the capability {capability}, which masters of this version lack: nothing \
             was imported",
            from.display()
        );
    }
    replace(place, &load.records, force)?;
    println!("imported into {place}:");
    for (kind, count) in counts(&load.records) {
        println!("  {kind:<14} {count:>7}");
    }
    for remark in load.remarks {
        println!("  {remark}");
    }
    for finding in check(&load.records) {
        println!("  check this: {finding}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads whatever it is.
fn read(from: &PathBuf) -> anyhow::Result<Load> {
    if from.is_dir() {
        let found = mesos::from_log(from)?;
        let doubts = found.doubts.iter().map(|doubt| {
            format!("it may not be the newest: {doubt}; compare with the other masters' logs")
        });
        let remarks = doubts.collect();
        return Ok(of_mesos(found.registry, remarks));
    }
    let mut content = Vec::new();
    if from.as_os_str() == "-" {
        std::io::stdin().lock().read_to_end(&mut content)?;
    } else {
        content = std::fs::read(from)?;
    }
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(&content) else {
        return Ok(of_mesos(mesos::from_bytes(&content)?, Vec::new()));
    };
    if Document::is_like(&json) {
        let records = Document::parse(&content)?.records()?;
        return Ok(Load { records, remarks: Vec::new() });
    }
    Ok(of_mesos(mesos::from_json(&content)?, Vec::new()))
}

fn of_mesos(registry: reeve_wire::internal::Registry, mut remarks: Vec<String>) -> Load {
    let import = mesos::convert(registry);
    remarks.extend(import.left_out.into_iter().map(|what| format!("not imported: {what}")));
    Load { records: import.records, remarks }
}

/// Puts the records in the place of what is there.
fn replace(place: &Place, records: &Records, force: bool) -> anyhow::Result<()> {
    let mut store = place.open()?;
    let before = store.load()?;
    // Who led last is written by every master that starts, and means nothing without one.
    let count = before.keys().filter(|key| *key != "master").count();
    if count > 0 && !force {
        bail!(
            "{place} holds {count} records already: --force replaces them all; 'reeve registry \
             export' keeps them"
        );
    }
    let gone = before.into_keys().filter(|key| !records.contains_key(key)).map(Write::Delete);
    let new = records.iter().map(|(key, value)| Write::Put(key.clone(), value.clone()));
    let lists = gone.chain(new).map(|write| vec![write]).collect();
    store.apply_group(lists).with_context(|| {
        format!(
            "{place} may hold a part of it: import it again with --force before a master starts"
        )
    })
}
