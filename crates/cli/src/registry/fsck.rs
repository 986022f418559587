//! `reeve registry fsck`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use reeve_records::{Document, Finding, Records, check};
use reeve_registry::Write;

use super::{Place, salvage};

#[allow(clippy::print_stdout)]
pub(super) fn run(place: &Place, repair: bool) -> anyhow::Result<ExitCode> {
    let records = match place.read() {
        Ok(records) => records,
        Err(error) => match salvage::run(place, error, repair)? {
            Some(kept) => kept,
            None => return Ok(ExitCode::FAILURE),
        },
    };
    let findings = check(&records);
    for finding in &findings {
        println!("{finding}");
    }
    let (wrong, rest): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|finding| finding.removable);
    if wrong.is_empty() {
        println!("{place}: {} records, {} to look at", records.len(), rest.len());
    } else if repair {
        let keys: Vec<&str> = wrong.iter().map(|finding| finding.key.as_str()).collect();
        let file = move_aside(place, &records, &keys)?;
        println!("{} records were moved to {}", keys.len(), file.display());
    } else {
        println!(
            "{place}: {} records, {} of them wrong; --repair moves those into a file",
            records.len(),
            wrong.len()
        );
    }
    let right = rest.is_empty() && (wrong.is_empty() || repair);
    Ok(if right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes these records to a file, and then takes them out of the registry.
fn move_aside(place: &Place, records: &Records, keys: &[&str]) -> anyhow::Result<PathBuf> {
    let mut store = place.open()?;
    let wrong: Records =
        records.iter().filter(|(key, _)| keys.contains(&key.as_str())).map(owned).collect();
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let path = place.aside().join(format!("registry-fsck-{seconds}.json"));
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        file.write_all(Document::of(&wrong).text().as_bytes())?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot write {}, so nothing is changed", path.display()))?;
    store.apply(keys.iter().map(|key| Write::Delete((*key).to_owned())))?;
    Ok(path)
}

fn owned((key, value): (&String, &Vec<u8>)) -> (String, Vec<u8>) {
    (key.clone(), value.clone())
}
