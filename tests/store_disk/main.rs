//! The real store on a disk that loses power and a disk that fails: a shim stands between LMDB and the system.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

mod crash;
mod faults;
mod shim;
