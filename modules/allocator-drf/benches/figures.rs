//! What the allocator takes in a large cluster.

use reeve_allocation_engine::rehearsal::bench::figures;
use reeve_allocator_drf::{Drf, Offer, Options};

fn main() -> std::io::Result<()> {
    for offer in [Offer::Agent, Offer::Share] {
        figures(&format!("drf, {offer:?}"), Drf::new(Options::offering(offer)))?;
    }
    Ok(())
}
