//! cli
pub mod grade;
