//! Prints the notes of a piece in the text notation, one a line: `onset end key hand`, in ticks of 480 to the quarter,
//! repeats unfolded. For `tools/compare_pieces.py`.

use std::io::Write;

use music_trainer::formats::notation;
use music_trainer::music::Hand;

fn main() -> std::io::Result<()> {
    let usage = || std::io::Error::other("usage: piece_notes FILE");
    let text = std::fs::read_to_string(std::env::args().nth(1).ok_or_else(usage)?)?;
    let sheet = notation::read(&text).map_err(std::io::Error::other)?;
    let mut out = std::io::stdout().lock();
    for n in sheet.score.notes() {
        let hand = if n.hand == Hand::Right { "R" } else { "L" };
        writeln!(out, "{} {} {} {hand}", n.onset, n.end, n.pitch.key())?;
    }
    Ok(())
}
