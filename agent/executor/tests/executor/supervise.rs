//! The supervisor of a program of a framework's own.

use crate::rig::{Executor, eventually, gone};

fn exec(script: &str) -> Executor {
    let script = format!("arg={script}");
    let plan = ["kind=exec", "program=/bin/sh", "arg=sh", "arg=-c", &script];
    Executor::prepare(&plan, &[])
}

#[test]
fn the_programs_status_becomes_the_supervisors() {
    let mut executor = exec("echo out; echo err >&2; exit 3");
    executor.go();
    assert_eq!(executor.wait().code(), Some(3));
    assert_eq!(executor.read("stdout"), "out\n");
    assert_eq!(executor.read("stderr"), "err\n");
    assert_eq!(executor.read("status"), "768\n");
}

#[test]
fn a_signals_name_is_kept_in_the_status_file() {
    let mut executor = exec("kill -KILL $$");
    executor.go();
    assert_eq!(executor.wait().code(), Some(137));
    assert_eq!(executor.read("status"), "9\n");
}

#[test]
fn what_the_program_leaves_behind_goes() {
    let mut executor = exec(
        "setsid sh -c 'echo $$ > stray; exec sleep 1000' & while [ ! -s stray ]; do sleep 0.01; done",
    );
    executor.go();
    assert!(executor.wait().success());
    let stray = executor.line("stray");
    assert!(!std::path::Path::new("/proc").join(stray).exists());
}

#[test]
fn a_killed_supervisor_takes_its_program_along() {
    let mut executor = exec("echo $$ > pid; exec sleep 1000");
    executor.go();
    let pid = executor.line("pid");
    executor.child.kill().unwrap();
    executor.wait();
    gone(&pid);
}

#[test]
fn nothing_runs_without_the_go() {
    let mut executor = exec("touch ran");
    drop(executor.child.stdin.take());
    assert!(!executor.wait().success());
    assert!(!executor.path("ran").exists());
    assert!(eventually(|| Some(executor.read("stderr"))).contains("went away"));
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let mut executor = Executor::prepare(&["kind=exec", "program=/no/such/program"], &[]);
    executor.go();
    assert_eq!(executor.wait().code(), Some(127));
    assert!(executor.read("stderr").contains("/no/such/program"));
}
