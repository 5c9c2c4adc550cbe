//! The slow group: every fault at every request, every interleaving of two machines, random commands under random faults,
//! and every endpoint with the keys of another department. `cargo test -- --skip slow::` leaves it out.

mod concurrency;
mod crash_matrix;
#[cfg(feature = "age")]
mod encrypted_profiles;
mod faults;
mod fuzz;
mod isolation;
