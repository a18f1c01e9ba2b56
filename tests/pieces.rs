//! The built-in pieces are the ones that were compared note by note with independent encodings
//! (`tools/compare_pieces.py`): whoever changes a note changes a checksum here, and compares again.

use music_trainer::formats::pieces::{self, BuiltinPiece};
use music_trainer::music::{Hand, Pitch, WrittenNote};

/// What was compared: id, bars as played, quarters as played, notes of each hand, checksum of all onsets, keys and
/// hands.
const COMPARED: [(&str, usize, f64, usize, usize, u64); 10] = [
    ("lightly-row", 16, 64.0, 35, 14, 0x686254c9096ae205),
    ("schumann-little-piece", 25, 98.0, 90, 189, 0x2aaf4b0269dd9559),
    ("minuet-g-major", 64, 192.0, 256, 150, 0xc0f6f45daa937f7a),
    ("minuet-g-minor", 64, 192.0, 236, 162, 0xcaa6d50c42517c76),
    ("musette-d-major", 48, 96.0, 219, 193, 0xd048601c4a1cf521),
    ("schumann-melodie", 24, 96.0, 118, 185, 0x1e229c1292200ffd),
    ("burgmuller-arabesque", 55, 110.0, 180, 300, 0x63154b5af3ddff34),
    ("bach-prelude-c-major", 35, 140.0, 415, 134, 0x2e83dcf4bc59ecf6),
    ("chopin-prelude-a-major", 17, 49.0, 101, 66, 0x13f3b3cefc341e6c),
    ("gymnopedie-1", 78, 234.0, 128, 327, 0xa2f3b363b61ac5be),
];

/// FNV-1a over what was compared.
fn checksum(piece: &BuiltinPiece) -> u64 {
    let bytes = piece.score.notes().iter().flat_map(|n| {
        let hand = u8::from(n.hand == Hand::Left);
        n.onset.0.to_le_bytes().into_iter().chain([n.pitch.key(), hand])
    });
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn of(piece: &BuiltinPiece, hand: Hand) -> impl Iterator<Item = &WrittenNote> {
    piece.score.notes().iter().filter(move |n| n.hand == hand)
}

#[test]
fn every_piece_is_the_one_that_was_compared() {
    let found: Vec<_> = pieces::builtin()
        .iter()
        .map(|piece| {
            let quarters = piece.score.bars().as_slice().last().map_or(0.0, |b| b.end.0 as f64 / 480.0);
            let (right, left) = (of(piece, Hand::Right).count(), of(piece, Hand::Left).count());
            (piece.id, piece.score.bars().len(), quarters, right, left, checksum(piece))
        })
        .collect();
    assert_eq!(found, COMPARED.to_vec());
}

#[test]
fn bars_follow_the_metre_but_for_pick_ups() {
    for piece in pieces::builtin() {
        let bars = piece.score.bars().as_slice();
        let whole = bars[0].meter.bar_ticks(piece.score.resolution());
        assert!(bars[1..].iter().all(|b| b.end.0 - b.start.0 == whole), "{}", piece.id);
        assert!(bars[0].end.0 <= whole, "{}", piece.id);
    }
}

#[test]
fn both_hands_play_within_a_hands_reach_on_a_piano() {
    for piece in pieces::builtin() {
        for hand in [Hand::Right, Hand::Left] {
            let notes: Vec<_> = of(piece, hand).collect();
            assert!(notes.len() > 10, "{}: {hand:?}", piece.id);
            assert!(notes.iter().all(|n| (Pitch::PIANO_LOW..=Pitch::PIANO_HIGH).contains(&n.pitch)), "{}", piece.id);
            for chord in notes.chunk_by(|a, b| a.onset == b.onset) {
                let span = chord[chord.len() - 1].pitch.key() - chord[0].pitch.key();
                assert!(span <= 16, "{}: a tenth is the widest reach, not {span} semitones", piece.id);
            }
        }
    }
}

#[test]
fn no_hand_strikes_a_key_that_it_still_holds() {
    for piece in pieces::builtin() {
        for hand in [Hand::Right, Hand::Left] {
            let notes: Vec<_> = of(piece, hand).collect();
            for (i, note) in notes.iter().enumerate() {
                let again = notes[i + 1..].iter().find(|n| n.pitch == note.pitch);
                let clash = again.is_some_and(|n| n.onset < note.end);
                assert!(!clash, "{}: {hand:?} {} at tick {}", piece.id, note.pitch, note.onset);
            }
        }
    }
}

#[test]
fn the_first_piece_is_easy_enough_for_a_first_minute() {
    let piece = &pieces::builtin()[0];
    assert_eq!(piece.grade, 1);
    let keys: Vec<u8> = piece.score.notes().iter().map(|n| n.pitch.key()).collect();
    let (low, high) = (keys.iter().min().unwrap(), keys.iter().max().unwrap());
    assert!(high - low <= 19, "an octave and a half, as a computer keyboard has");
    assert!(piece.score.notes().iter().all(|n| !n.pitch.is_black()));
    assert!(piece.score.duration().0 < 60_000_000, "under a minute at the written tempo");
    let starts: std::collections::BTreeSet<i64> = piece.score.notes().iter().map(|n| n.onset.0).collect();
    assert_eq!(starts.len(), keys.len(), "one key at a time");
}

#[test]
fn the_estimated_difficulty_keeps_the_order_of_the_grades() {
    use music_trainer::music::difficulty::Demands;
    let level = |piece: &pieces::BuiltinPiece| Demands::of(&piece.score).expect("a piece has notes").level();
    let all: Vec<(u8, f64, &str)> = pieces::builtin().iter().map(|p| (p.grade, level(p), p.id)).collect();
    for (grade, level, id) in &all {
        assert!((level - f64::from(*grade)).abs() < 1.5, "{id} is of grade {grade}, and estimated {level:.2}");
    }
    let pairs = all.iter().flat_map(|a| all.iter().filter(|b| a.0 < b.0).map(move |b| a.1 < b.1));
    let (kept, of) = pairs.fold((0, 0), |(kept, of), in_order| (kept + usize::from(in_order), of + 1));
    println!("{kept} of {of} pairs of different grades are in order");
    assert!(kept * 100 >= of * 85, "{kept} of {of} pairs are in order: {all:?}");
}
