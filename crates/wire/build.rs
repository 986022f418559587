//! Compiles the `.proto` files of this crate into message types with their tables.

fn main() {
    if let Err(error) = reeve_wire_build::compile("proto") {
        println!("cargo::error={error}");
    }
}
