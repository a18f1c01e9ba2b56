//! What the matchers decide, in a small language; see [`words`].

mod embellished;
mod follow;
mod laws;
mod tempo;
mod wait;
mod words;
