//! The bus: lanes and commands in, one ordered log out. Knows nothing of music, sound or windows.

pub mod storage;
