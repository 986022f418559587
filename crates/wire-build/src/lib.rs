//! Turns the `.proto` files of `crates/wire` into Rust at build time, without a system `protoc`.
//!
//! Two things come out: message types (by prost), and one table per message and enum that says
//! what the types no longer know: names as in the `.proto`, order, labels, defaults. The tables are
//! what JSON, the check of required fields and the facts test walk over. How they are walked does
//! not live here; that is `crates/wire`.

#![forbid(unsafe_code)]

mod rust_paths;
mod tables;

use std::path::{Path, PathBuf};

use prost_types::{DescriptorProto, FileDescriptorSet};

/// What can go wrong while compiling the `.proto` files.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A `.proto` file does not parse or names what is not there.
    #[error("{0}")]
    Parse(#[from] protox::Error),
    /// The generated Rust could not be written.
    #[error("{0}")]
    Write(#[from] std::io::Error),
    /// A `.proto` file uses a feature the tables do not know.
    #[error("{field}: {what} is not supported; see the field kinds in wire-build's tables")]
    Unsupported {
        /// The full name of the field.
        field: String,
        /// The feature.
        what: String,
    },
}

/// Compiles every `.proto` file below `root` into `OUT_DIR`: `reeve_wire.rs` with the message
/// types and `tables.rs` with their tables.
#[expect(clippy::print_stdout, reason = "a build script speaks to cargo on its standard output")]
pub fn compile(root: &str) -> Result<(), Error> {
    println!("cargo::rerun-if-changed={root}");
    let files = protos(Path::new(root))?;
    let mut descriptors = protox::compile(&files, [root])?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    std::fs::write(out.join("tables.rs"), tables::write(&descriptors)?)?;

    forget_deprecation(&mut descriptors);
    let mut config = prost_build::Config::new();
    config.btree_map(["."]).bytes(["."]).include_file("reeve_wire.rs").compile_well_known_types();
    config.extern_path(".google.protobuf.Duration", "::prost_types::Duration");
    config.compile_fds(descriptors)?;
    Ok(())
}

/// A field Mesos deprecated must still be read and written for years; prost would make each such
/// line a compiler warning.
fn forget_deprecation(descriptors: &mut FileDescriptorSet) {
    fn forget(message: &mut DescriptorProto) {
        for field in &mut message.field {
            if let Some(options) = &mut field.options {
                options.deprecated = None;
            }
        }
        message.nested_type.iter_mut().for_each(forget);
        message.enum_type.iter_mut().flat_map(|kind| &mut kind.value).for_each(|value| {
            if let Some(options) = &mut value.options {
                options.deprecated = None;
            }
        });
    }
    descriptors.file.iter_mut().flat_map(|file| &mut file.message_type).for_each(forget);
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
