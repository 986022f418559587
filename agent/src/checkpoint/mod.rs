//! The checkpoint tree: where things lie, how records get there, and what a starting agent reads.

pub mod damage;
pub mod layout;
pub mod read;
pub mod write;
