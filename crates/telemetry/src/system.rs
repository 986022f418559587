//! The host's metrics, `system/…`, which master and agent both have.

use std::fs;

use crate::metrics::{Metrics, Readings};

/// Adds processors, load and memory of the host. What the host does not tell is left out.
pub fn register(metrics: &Metrics) {
    metrics.source(|readings| {
        if let Ok(processors) = std::thread::available_parallelism() {
            readings.gauge("system/cpus_total", processors.get() as f64);
        }
        load(readings, &fs::read_to_string("/proc/loadavg").unwrap_or_default());
        memory(readings, &fs::read_to_string("/proc/meminfo").unwrap_or_default());
    });
}

/// `0.20 0.18 0.12 1/80 11206`.
fn load(readings: &mut Readings, text: &str) {
    let names = ["system/load_1min", "system/load_5min", "system/load_15min"];
    for (name, word) in names.into_iter().zip(text.split_whitespace()) {
        if let Ok(value) = word.parse() {
            readings.gauge(name, value);
        }
    }
}

/// Lines such as `MemTotal:       16384256 kB`.
fn memory(readings: &mut Readings, text: &str) {
    for line in text.lines() {
        let name = match line.split(':').next() {
            Some("MemTotal") => "system/mem_total_bytes",
            Some("MemFree") => "system/mem_free_bytes",
            _ => continue,
        };
        let kilobytes = line.split_whitespace().nth(1).and_then(|word| word.parse::<f64>().ok());
        if let Some(kilobytes) = kilobytes {
            readings.gauge(name, kilobytes * 1024.0);
        }
    }
}

#[cfg(test)]
mod tests;
