//! The v1 HTTP APIs: schedulers' and operators'.

pub mod answer;
pub mod call;
mod changes;
pub mod operator;
pub mod scheduler;
mod state;
pub mod unknown;
