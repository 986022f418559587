//! Building modules the way a third party does: from a copy somewhere else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use reeve_tests::processes;

/// The root of this repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests has a folder above it")
}

/// Where copies and what is built of them go.
fn target() -> PathBuf {
    let own = std::env::current_exe().expect("a test has a program");
    own.ancestors().nth(3).expect("target/PROFILE/deps").join("third-party")
}

/// A module that is bundled, as it was built beside the programs.
pub fn bundled(file: &str) -> PathBuf {
    reeve_tests::room::program(file)
}

/// The file of a third party's module: the package in `source`, built once.
pub fn third_party(source: &str, file: &str) -> PathBuf {
    static BUILT: OnceLock<Mutex<BTreeMap<String, PathBuf>>> = OnceLock::new();
    let mut built = BUILT.get_or_init(Mutex::default).lock().expect("no build panicked");
    built.entry(source.to_owned()).or_insert_with(|| build(source, file)).clone()
}

fn build(source: &str, file: &str) -> PathBuf {
    let copy = target().join("source").join(Path::new(source).file_name().expect("a folder"));
    std::fs::create_dir_all(copy.join("src")).expect("a folder for the copy");
    let from = root().join(source);
    let manifest = std::fs::read_to_string(from.join("Cargo.toml")).expect("a manifest");
    let modules = |folder: &str| format!("path = \"{}", root().join(folder).display());
    let pointed = manifest
        .replace("path = \"../../../modules", &modules("modules"))
        .replace("path = \"..", &modules("modules"));
    assert_ne!(pointed, manifest, "{source} does not say where the SDK is");
    std::fs::write(copy.join("Cargo.toml"), pointed).expect("the copy's manifest");
    std::fs::copy(from.join("src/lib.rs"), copy.join("src/lib.rs")).expect("the copy's code");
    // The versions that this repository was tested with.
    std::fs::copy(root().join("Cargo.lock"), copy.join("Cargo.lock")).expect("the copy's lock");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--target-dir"]).arg(target().join("target"));
    // As a child of the harness, which buries no child that somebody waits for.
    let output = processes::run(cargo.current_dir(&copy));
    assert!(output.status.success(), "{source}: {}", crate::text(&output.stderr));
    target().join("target/debug").join(file)
}

/// The third parties' modules, by their names.
pub fn bin_packing() -> PathBuf {
    third_party("tests/modules/bin-packing", "libreeve_test_bin_packing.so")
}

/// An allocator that errs on purpose.
pub fn bad_allocator() -> PathBuf {
    third_party("tests/modules/bad-allocator", "libreeve_test_bad_allocator.so")
}

/// An isolator that errs on purpose.
pub fn bad_isolator() -> PathBuf {
    third_party("tests/modules/bad-isolator", "libreeve_test_bad_isolator.so")
}

/// An isolator that speaks generation 1 of the interface.
pub fn veteran() -> PathBuf {
    third_party("tests/modules/generation-1", "libreeve_test_generation_1.so")
}

/// What third parties start from.
pub fn template() -> PathBuf {
    third_party("modules/template", "libreeve_isolator_site.so")
}
