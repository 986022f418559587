//! What the allocator takes in a large cluster.

use reeve_allocation_engine::rehearsal::bench::figures;
use reeve_allocator_fair::Fair;

fn main() -> std::io::Result<()> {
    for resource in ["cpus", "tasks"] {
        figures(&format!("fair, {resource}"), Fair::new(resource))?;
    }
    Ok(())
}
