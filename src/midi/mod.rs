//! midi
