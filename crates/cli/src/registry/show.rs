//! `reeve registry show`.

use std::process::ExitCode;

use anyhow::bail;
use clap::ArgMatches;
use reeve_records::{Document, Kind, Records};
use serde_json::{Map, Value, json};

use super::{Place, counts};

#[allow(clippy::print_stdout)]
pub(super) fn run(place: &Place, flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let records = place.read()?;
    if let Some(key) = flags.get_one::<String>("KEY") {
        println!("{:#}", record(&records, key, place)?);
    } else if flags.get_flag("json") {
        let counts: Map<String, Value> = counts(&records)
            .into_iter()
            .map(|(kind, count)| (kind.to_owned(), count.into()))
            .collect();
        println!("{:#}", json!({"records": counts, "bytes": bytes(&records)}));
    } else {
        println!("{place}: {} records, {} bytes", records.len(), bytes(&records));
        for (kind, count) in counts(&records) {
            println!("  {kind:<14} {count:>7}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn bytes(records: &Records) -> usize {
    records.iter().map(|(key, value)| key.len() + value.len()).sum()
}

/// One record as a document has it.
fn record(records: &Records, key: &str, place: &Place) -> anyhow::Result<Value> {
    let Some(value) = records.get(key) else {
        bail!("{place} has no record {key}; 'reeve registry export' shows all");
    };
    let document = Document::of(&Records::from([(key.to_owned(), value.clone())]));
    let all = document.json();
    let said = match Kind::of(key) {
        Some((kind, _)) if kind.single() => &all["records"][kind.name()],
        Some((kind, id)) => &all["records"][kind.name()][id],
        None => &Value::Null,
    };
    Ok(if said.is_null() { all["bytes"][key].clone() } else { said.clone() })
}
