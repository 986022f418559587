//! What the daemons do not hold: any policy of allocation, any isolation.

use std::path::Path;

use regex::bytes::Regex;

/// The crates of policy in `modules/`, as compilers and linkers write their names.
fn policies() -> Vec<String> {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("../modules");
    let names = std::fs::read_dir(room).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.to_string_lossy().replace('-', "_"));
    names
        .filter(|name| {
            ["allocation_", "allocator_", "isolator_"].iter().any(|kind| name.starts_with(kind))
        })
        .map(|name| format!("reeve_{name}"))
        .collect()
}

/// The policies whose names a program has anywhere: as symbols, in texts, in what debuggers read.
fn held(program: &Path, policies: &[String]) -> Vec<String> {
    let any = Regex::new(&format!("(?-u){}", policies.join("|"))).unwrap();
    let bytes = std::fs::read(program).unwrap();
    let mut found: Vec<String> =
        any.find_iter(&bytes).map(|one| super::text(one.as_bytes())).collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn the_daemons_hold_no_policy_of_their_own() {
    let policies = policies();
    assert!(policies.len() >= 6, "{policies:?}");
    for name in ["reeve", "reeve-executor"] {
        let found = held(&reeve_tests::room::program(name), &policies);
        assert!(found.is_empty(), "{name} holds {found:?}");
    }
    // Where there is something, it is found.
    let drf = held(&crate::built::bundled("libreeve_allocator_drf.so"), &policies);
    assert_eq!(drf, ["reeve_allocation_engine", "reeve_allocator_drf"]);
}
