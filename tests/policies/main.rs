//! Prints what each allocator makes of the same demands: `make policies`.

#![forbid(unsafe_code)]
// Printing is what it is for.
#![allow(clippy::print_stdout)]

use reeve_tests::policies;

fn main() {
    print!("{}", policies::table(&policies::run_all()));
}
