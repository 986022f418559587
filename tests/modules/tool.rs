//! `reeve module`.

use reeve_tests::{Cluster, Room};

use crate::{built, run, said, text};

#[test]
fn inspect_tells_what_a_module_says_of_itself() {
    let room = Room::new();
    let file = built::template();
    let output = run(&room, "reeve", &["module", "inspect", file.to_str().unwrap()]);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{}", said(&output));
    assert!(shown.starts_with("isolator site 0.1.0: Tells every program"), "{shown}");
    assert!(shown.contains("interface generation 2"), "{shown}");
    assert!(shown.contains("name (a text, \"unnamed\" unless set): The site's name"), "{shown}");
    assert!(shown.contains("open_files (a whole number): The most files"), "{shown}");
}

#[test]
fn check_passes_good_modules_and_names_what_bad_ones_break() {
    let room = Room::new();
    let good = [
        built::bundled("libreeve_allocator_drf.so"),
        built::bundled("libreeve_isolator_posix.so"),
        built::bin_packing(),
        built::template(),
        built::veteran(),
    ];
    for file in good {
        let output = run(&room, "reeve", &["module", "check", file.to_str().unwrap()]);
        assert!(output.status.success(), "{}", said(&output));
    }
    let bad = built::bad_allocator();
    let check = |how: &str| {
        let set = format!("how={how}");
        let words = ["module", "check", bad.to_str().unwrap(), "--set", &set, "--set", "after=0"];
        let output = run(&room, "reeve", &words);
        assert!(!output.status.success(), "{how}");
        said(&output)
    };
    assert!(check("lie").contains("is not lawful"));
    assert!(check("panic").contains("it panicked: asked 1 times"));
    assert!(check("crash").contains("brought its process down with signal 6"));
    assert!(check("refuse").contains("does not start: it does not like this host"));
    assert!(check("dance").contains("takes one of lie, panic, hang, crash, refuse, not 'dance'"));
}

/// The bundled modules of the kinds that are asked for one answer at a time.
#[test]
fn check_passes_what_is_bundled() {
    let room = Room::new();
    let directory = format!("directory={}", room.path().display());
    let bundled: [(&str, &[&str]); 5] = [
        ("container_logger_logrotate", &[]),
        ("hook_decorator", &["labels=a=b", "environment=A=b"]),
        ("qos_controller_load", &["load_threshold_5min=0"]),
        ("resource_estimator_fixed", &["resources=cpus:4;mem:1024"]),
        ("secret_resolver_files", &[&directory]),
    ];
    for (name, parameters) in bundled {
        let file = built::bundled(&format!("libreeve_{name}.so"));
        let mut words = vec!["module", "check", file.to_str().unwrap()];
        words.extend(parameters.iter().flat_map(|parameter| ["--set", parameter]));
        let output = run(&room, "reeve", &words);
        assert!(output.status.success(), "{}", said(&output));
    }
}

#[test]
fn list_tells_what_runs() {
    let cluster = Cluster::start();
    let master = cluster.master.address.to_string();
    let shown = text(&run(&cluster.room, "reeve", &["module", "list", &master]).stdout);
    assert!(shown.starts_with("allocator drf "), "{shown}");
    let agent = cluster.agent.address.to_string();
    let shown = text(&run(&cluster.room, "reeve", &["module", "list", &agent]).stdout);
    assert!(
        shown.starts_with("isolator posix ") && shown.contains("enforce_disk = false"),
        "{shown}"
    );
}
