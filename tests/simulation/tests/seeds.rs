//! Runs many seeds. `SEEDS` says how many (1,000 unless said), `FIRST_SEED` from which on (0). With
//! `STORY=1` a violation tells what happened before it.

// This file is the report: it prints, and it stops at what must not be.
#![allow(clippy::print_stdout, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reeve_simulation::{Acts, Cluster, Fault, Report, Sabotage};

fn setting(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(default, |text| {
        text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number"))
    })
}

/// What many runs showed together.
#[derive(Default)]
struct Sum {
    runs: u64,
    steps: u64,
    time: Duration,
    tasks: usize,
    started: usize,
    preempted: u64,
    terms: u64,
    faults: BTreeMap<Fault, u64>,
    broken: Vec<(u64, String)>,
}

impl Sum {
    fn add(&mut self, seed: u64, outcome: Result<Report, String>) {
        self.runs += 1;
        match outcome {
            Ok(report) => {
                self.steps += report.steps;
                self.time += report.time;
                self.tasks += report.tasks;
                self.started += report.started;
                self.preempted += report.preempted;
                self.terms += report.terms;
                for (fault, count) in report.faults {
                    *self.faults.entry(fault).or_default() += count;
                }
            }
            Err(law) => self.broken.push((seed, law)),
        }
    }

    fn print(&self) {
        println!(
            "{} seeds, {} steps, {:.1} virtual hours, {} terms of masters, {} tasks asked for, {} \
             started, {} preempted",
            self.runs,
            self.steps,
            self.time.as_secs_f64() / 3600.0,
            self.terms,
            self.tasks,
            self.started,
            self.preempted
        );
        let faults: Vec<String> = Fault::ALL
            .iter()
            .map(|fault| format!("{fault:?} {}", self.faults.get(fault).unwrap_or(&0)))
            .collect();
        println!("faults: {}", faults.join(", "));
    }
}

fn run(seed: u64) -> Result<Report, String> {
    let telling = std::env::var_os("STORY").is_some();
    let cluster = move || if telling { Cluster::new(seed).telling() } else { Cluster::new(seed) };
    let outcome = std::panic::catch_unwind(|| cluster().run(Acts::default()));
    outcome.unwrap_or_else(|_| Err("a panic, see above".to_owned()))
}

fn run_all(first: u64, count: u64) -> Sum {
    let next = AtomicU64::new(first);
    let sum = Mutex::new(Sum::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    let outcome = run(seed);
                    sum.lock().unwrap_or_else(PoisonError::into_inner).add(seed, outcome);
                }
            });
        }
    });
    sum.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn no_law_is_broken() {
    let (first, count) = (setting("FIRST_SEED", 0), setting("SEEDS", 1000));
    let mut sum = run_all(first, count);
    sum.print();
    sum.broken.sort();
    for (seed, law) in sum.broken.iter().take(10) {
        println!("seed {seed} breaks a law: {law}");
        println!(
            "  again: FIRST_SEED={seed} SEEDS=1 cargo test -p reeve-simulation no_law_is_broken -- --nocapture"
        );
    }
    assert!(sum.broken.is_empty(), "{} of {count} seeds break a law", sum.broken.len());
    if count >= 1000 {
        for fault in Fault::ALL {
            assert!(sum.faults.contains_key(&fault), "{fault:?} never happened");
        }
        assert!(sum.preempted > 0, "no task ever had to give way");
    }
}

#[test]
fn a_seed_has_one_history() {
    for seed in [1, 2, 3] {
        let (first, second) = (run(seed), run(seed));
        let traces = (first.map(|report| report.trace), second.map(|report| report.trace));
        assert_eq!(traces.0, traces.1, "seed {seed}");
    }
}

/// Each error that is put in on purpose is found within a few seeds.
#[test]
fn sabotage_is_found() {
    const ENOUGH: u64 = 60;
    let mut unnoticed = Vec::new();
    for sabotage in Sabotage::ALL {
        let found = (0..ENOUGH).find_map(|seed| {
            let cluster = Cluster::new(seed).sabotaged(sabotage);
            Some((seed, cluster.run(Acts::default()).err()?))
        });
        let Some((seed, law)) = found else {
            unnoticed.push(sabotage);
            continue;
        };
        let law: String = law.chars().take(160).collect();
        println!("{sabotage:?}: found by seed {seed} {law}");
    }
    assert!(unnoticed.is_empty(), "nobody notices that one {unnoticed:?}");
}
