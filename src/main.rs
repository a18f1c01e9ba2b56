//! The program: command line, then the window or a command. No logic.

fn main() {}
