//! Figures with their aims, as numbers; who prints them is a binary.
//!
//! - [`allocator`]: rows B1 to B4, in this process

#![forbid(unsafe_code)]

pub mod allocator;
