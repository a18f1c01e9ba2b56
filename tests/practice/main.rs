//! What the matchers decide, in a small language; see [`words`].

mod again;
mod beginners;
mod elsewhere;
mod embellished;
mod follow;
mod laws;
mod signs;
mod tempo;
mod wait;
mod words;
