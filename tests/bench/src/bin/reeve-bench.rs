//! `reeve-bench`: every figure against its aim. Prints a table, and writes `bench.json`.

#![forbid(unsafe_code)]
// Printing is what it is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use reeve_bench::report;
use reeve_bench::rows::{GROUPS, Size};
use reeve_bench::stage::Stage;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

/// Measure Reeve and hold the figures against their aims.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Only these rows and those measured along with them, such as T1,R3.
    #[arg(long, value_delimiter = ',')]
    rows: Vec<String>,
    /// Small sizes: shows that everything works, the figures mean little.
    #[arg(long)]
    quick: bool,
    /// Where the programs are; beside this one if not given.
    #[arg(long)]
    programs: Option<PathBuf>,
    /// Where the figures go as JSON; bench/bench.json in the build directory if not given.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    run(Arguments::parse()).unwrap_or_else(|error| {
        eprintln!("reeve-bench: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let own = std::env::current_exe()?;
    let beside = own.parent().context("a program has a directory")?;
    let programs = arguments.programs.clone().unwrap_or_else(|| beside.to_owned());
    let target = beside.parent().unwrap_or(beside).join("bench");
    std::fs::create_dir_all(&target)?;
    let json = arguments.json.clone().unwrap_or_else(|| target.join("bench.json"));
    let stage = Stage::new(&programs, &target)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(async {
        let playing = stage.clone();
        let played = tokio::task::spawn_blocking(move || play(&playing, &arguments, &json));
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            played = played => played?,
            _ = tokio::signal::ctrl_c() => Ok(ExitCode::from(130)),
            _ = terminate.recv() => Ok(ExitCode::from(143)),
        }
    });
    stage.clear();
    // A row that was interrupted may still wait for what is dead now: don't wait for it.
    runtime.shutdown_background();
    code
}

/// Measures all rows asked for. A row that can't be measured fails alone.
fn play(stage: &Stage, arguments: &Arguments, json: &Path) -> anyhow::Result<ExitCode> {
    let size = if arguments.quick { Size::Quick } else { Size::Full };
    let wanted = |id: &str| {
        arguments.rows.is_empty() || arguments.rows.iter().any(|row| row.eq_ignore_ascii_case(id))
    };
    let mut figures: Vec<Value> = Vec::new();
    let (mut met, mut with_aim, mut failed) = (0, 0, 0);
    println!(
        "{}{}",
        if arguments.quick { "QUICK: sizes too small to mean much\n" } else { "" },
        report::head()
    );
    for group in GROUPS.iter().filter(|group| group.rows.iter().any(|id| wanted(id))) {
        let outcome = (group.measure)(stage, size, &mut |row| {
            println!("{}", row.line());
            with_aim += usize::from(row.aim.is_some());
            met += usize::from(row.met() == Some(true));
            figures.push(row.json());
        });
        if let Err(error) = outcome {
            failed += 1;
            eprintln!("{} failed: {error:#}", group.rows.join(" "));
            let rows = group.rows.iter();
            figures.extend(rows.map(|row| json!({ "row": row, "error": format!("{error:#}") })));
        }
        std::fs::write(json, serde_json::to_vec_pretty(&figures)?)?;
    }
    println!("{met} of {with_aim} aims met; load now {}; figures in {}", load(), json.display());
    Ok(if failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What else the machine has to do shows in its load.
fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
