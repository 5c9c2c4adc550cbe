//! The slow group: every fault at every request, every interleaving of two machines, and random commands under random
//! faults. `cargo test -- --skip slow::` leaves it out.

mod concurrency;
mod crash_matrix;
pub(crate) mod faults;
mod fuzz;
