//! Turns the `.proto` files of `crates/wire` into Rust at build time, without a system `protoc`.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

/// What can go wrong while compiling the `.proto` files.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A `.proto` file does not parse or names what is not there.
    #[error("{0}")]
    Parse(#[from] protox::Error),
    /// The generated Rust could not be written.
    #[error("{0}")]
    Write(#[from] std::io::Error),
}

/// Compiles every `.proto` file below `root` into `OUT_DIR`.
pub fn compile(root: &str) -> Result<(), Error> {
    println!("cargo::rerun-if-changed={root}");
    let files = protos(Path::new(root))?;
    let descriptors = protox::compile(&files, [root])?;
    let mut config = prost_build::Config::new();
    config.btree_map(["."]).bytes(["."]).include_file("reeve_wire.rs").compile_well_known_types();
    config.extern_path(".google.protobuf.Duration", "::prost_types::Duration");
    config.compile_fds(descriptors)?;
    Ok(())
}

fn protos(root: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    let mut rooms = vec![root.to_path_buf()];
    while let Some(room) = rooms.pop() {
        for entry in std::fs::read_dir(&room)? {
            let path = entry?.path();
            if path.is_dir() {
                rooms.push(path);
            } else if path.extension().is_some_and(|kind| kind == "proto") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
