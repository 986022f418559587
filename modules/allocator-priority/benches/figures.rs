//! What the allocator takes in a large cluster.

use std::time::Duration;

use reeve_allocation_engine::rehearsal::bench::figures;
use reeve_allocator_priority::{Preemption, Priority, Settings};

fn main() -> std::io::Result<()> {
    let settings = Settings::new(&["high", "normal", "low"]);
    figures("priority", Priority::new(settings.clone()))?;
    let minute = Duration::from_secs(60);
    let preemption = Some(Preemption { patience: minute, grace: minute });
    let all = Settings { preemption, ageing: minute, reserves: vec![100, 50, 0], ..settings };
    figures("priority, with reserves, ageing and preemption", Priority::new(all))
}
