//! Prints the notes of a built-in piece, one a line: `onset end key hand` in ticks of 480 to the quarter, repeats
//! unfolded; without an argument, the ids of all pieces. For `tools/compare_pieces.py`.

use std::io::Write;

use music_trainer::formats::pieces;
use music_trainer::music::Hand;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match std::env::args().nth(1) {
        None => {
            for piece in pieces::builtin() {
                writeln!(out, "{}", piece.id)?;
            }
        }
        Some(id) => {
            let piece = pieces::find(&id).ok_or_else(|| std::io::Error::other(format!("no piece is called {id}")))?;
            for n in piece.score.notes() {
                let hand = if n.hand == Hand::Right { "R" } else { "L" };
                writeln!(out, "{} {} {} {hand}", n.onset, n.end, n.pitch.key())?;
            }
        }
    }
    Ok(())
}
