//! The core in simulated time while others fail: subscribers that do wrong, and a disk that stands still, is full or
//! answers with errors. `BUS_SEEDS` and `BUS_SEED` choose how many seeds and the first one.

mod disk;
mod isolation;
mod rig;
