//! The v1 HTTP APIs: schedulers' and operators'.

pub mod answer;
pub mod call;
pub mod changes;
pub mod maintenance;
pub mod operator;
pub mod scheduler;
mod state;
pub mod unknown;
mod upkeep;
