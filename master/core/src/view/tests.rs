//! The read model follows what it is told.
