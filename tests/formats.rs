//! Standard MIDI Files of every kind and texts in our notation, whole and broken: music or a clear error, never a panic.

use music_trainer::formats::smf::{
    PedalMove, PlayedNote, TakeNote, TakeTrack, WRITE_RESOLUTION, read_performance, write_score, write_take,
};
use music_trainer::formats::{FormatError, Reading, SCORE_BYTES_MAX, check_len, hands, notation, pieces, read};
use music_trainer::music::{Hand, HandEdit, HandEdits, Hands, Percent, Pitch, Score};
use music_trainer::time::{Micros, Ticks};
use proptest::prelude::*;

const END: &[u8] = &[0, 0xff, 0x2f, 0];

/// A MIDI file from a header and the bytes of its tracks.
fn midi(format: u16, division: u16, tracks: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"MThd\0\0\0\x06".to_vec();
    for field in [format, tracks.len() as u16, division] {
        file.extend(field.to_be_bytes());
    }
    for track in tracks {
        file.extend(b"MTrk");
        file.extend((track.len() as u32).to_be_bytes());
        file.extend(track);
    }
    file
}

fn track(parts: &[&[u8]]) -> Vec<u8> {
    [parts.concat().as_slice(), END].concat()
}

fn name(text: &str) -> Vec<u8> {
    [&[0, 0xff, 3, text.len() as u8], text.as_bytes()].concat()
}

/// A note of `length` ticks (below 128) after `wait` ticks.
fn note(wait: u8, length: u8, key: u8) -> Vec<u8> {
    vec![wait, 0x90, key, 80, length, 0x80, key, 64]
}

/// The notes as `onset-end:key`, in ticks of the file, with the hand's letter.
fn notes(reading: &Reading) -> String {
    let letter = |hand| if hand == Hand::Right { 'R' } else { 'L' };
    let each = |n: &music_trainer::music::WrittenNote| {
        format!("{}-{}:{}{}", n.onset.0, n.end.0, n.pitch.key(), letter(n.hand))
    };
    reading.score.notes().iter().map(each).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(file: &[u8], expected: &str, warnings: &[&str]) -> Reading {
    let reading = read("a.mid", file).expect("a readable file");
    assert_eq!(notes(&reading), expected);
    assert_eq!(reading.warnings.len(), warnings.len(), "{:?}", reading.warnings);
    for (warning, part) in reading.warnings.iter().zip(warnings) {
        assert!(warning.contains(part), "{warning} should speak of {part}");
    }
    reading
}

#[track_caller]
fn check_error(file: &[u8], message: &str) {
    let error = read("a.mid", file).expect_err("an error");
    assert_eq!(error.to_string(), message);
}

#[test]
fn two_tracks_are_two_hands_by_name_or_by_pitch() {
    let file =
        |a: &str, b: &str| midi(1, 480, &[track(&[&name(a), &note(0, 96, 50)]), track(&[&name(b), &note(0, 96, 70)])]);
    check(&file("Right hand", "Left hand"), "0-96:50R 0-96:70L", &[]);
    check(&file("", ""), "0-96:50L 0-96:70R", &[]);
}

#[test]
fn hands_are_edited_by_part_and_the_page_is_made_again_while_notes_keep_their_ids() {
    for division in [96, 480] {
        let parts = [("Voice", 72), ("Piano right", 67), ("", 48)];
        let tracks: Vec<_> =
            parts.iter().map(|(n, key)| track(&[&name(n), &note(0, 96, *key), &note(0, 96, *key)])).collect();
        let score = read("a.mid", &midi(1, division, &tracks)).expect("a readable file").score;
        assert_eq!(score.parts(), ["Voice", "Piano right", ""]);
        let part = |part, hand| HandEdit::Part { part, bars: None, hand };
        let edits = HandEdits::new([part(0, Hand::Neither), part(1, Hand::Left), part(2, Hand::Right)]);
        let edited = hands::edited(&score, &edits);
        let of: Vec<_> = edited.iter().map(|(id, n)| (edited.part_of(id), n.pitch.key(), n.hand)).collect();
        let once = [(2, 48, Hand::Right), (1, 67, Hand::Left), (0, 72, Hand::Neither)];
        assert_eq!(of, [once, once].concat(), "{division} ticks a quarter");
        let page = edited.notation().expect("a page");
        let chords = || page.measures.iter().flat_map(|m| &m.chords);
        let keys = |hand| {
            let heads = chords().filter(|chord| chord.hand == hand).flat_map(|chord| &chord.heads);
            heads.filter_map(|head| head.sounds.map(|(_, pitch)| pitch.key())).collect::<Vec<_>>()
        };
        assert_eq!((keys(Hand::Right), keys(Hand::Left)), (vec![48, 48], vec![67, 67]), "nobody's is not on the page");
        let on_page = edited.on_page();
        for (id, note) in on_page.iter().filter(|(_, note)| note.hand != Hand::Neither) {
            assert_eq!(on_page.find(note.onset, note.pitch, note.hand), Some(id));
        }
        assert_eq!(hands::edited(&score, &HandEdits::default()), score, "as it was found");
    }
}

#[test]
fn a_printed_page_stays_as_it_is_when_hands_are_edited() {
    let score = notation::score("R: c4 d e f | g/1\nL: c3/1 | g2/1").expect("readable");
    let edits = HandEdits::new([HandEdit::Split { at: Pitch::new(65).expect("a key"), bars: Some((0, 0)) }]);
    let edited = hands::edited(&score, &edits);
    assert_eq!(edited.notation(), score.notation());
    let left = edited.notes().iter().filter(|note| note.hand == Hand::Left).count();
    assert_eq!(left, 5, "C D E of the first bar, and the left hand's own");
    for (id, note) in score.iter() {
        assert_eq!(edited.find(note.onset, note.pitch, note.hand), Some(id), "its place on the page");
        assert_eq!(edited.part_of(id), u16::from(note.hand == Hand::Left));
    }
}

#[test]
fn two_channels_in_one_track_are_two_hands() {
    let file = midi(0, 480, &[track(&[&[0, 0x91, 72, 80, 0, 0x90, 48, 80, 96, 0x81, 72, 0, 0, 0x80, 48, 0]])]);
    check(&file, "0-96:48L 0-96:72R", &[]);
}

#[test]
fn running_status_and_silent_note_ons_release() {
    let file = midi(0, 8, &[track(&[&[0, 0x90, 60, 80, 8, 60, 0, 0, 64, 80, 8, 64, 0]])]);
    let reading = check(&file, "0-8:60R 8-16:64R", &[]);
    let score = &reading.score;
    assert_eq!((score.resolution(), score.on_page().resolution()), (8, 480), "a page wants finer ticks");
    assert!(score.notation().is_some_and(|page| page.measures.len() == 1));
    assert_eq!(reading.score.duration(), Micros::SECOND);
}

#[test]
fn a_key_struck_while_it_sounds_ends_the_former_note() {
    let restruck = [0, 0x90, 60, 80, 10, 60, 80, 10, 60, 0];
    check(&midi(0, 96, &[track(&[&restruck])]), "0-10:60R 10-20:60R", &[]);
    // Two voices on one key: the second release is the second note's.
    let voices = [0, 0x90, 60, 80, 10, 60, 80, 10, 60, 0, 10, 60, 0];
    check(&midi(0, 96, &[track(&[&voices])]), "0-10:60R 10-30:60R", &[]);
    // Struck again on the tick of its release, which is written second.
    let touching = [0, 0x90, 60, 80, 10, 60, 80, 0, 60, 0, 10, 60, 0];
    check(&midi(0, 96, &[track(&[&touching])]), "0-10:60R 10-20:60R", &[]);
    // An exact duplicate is one note, the longer.
    let twice = [0, 0x90, 60, 80, 0, 60, 90, 10, 60, 0, 10, 60, 0];
    check(&midi(0, 96, &[track(&[&twice])]), "0-20:60R", &[]);
}

#[test]
fn notes_never_released_last_to_the_end_of_the_track() {
    let file = midi(0, 96, &[track(&[&[0, 0x90, 60, 80], &note(10, 20, 64)])]);
    check(&file, "0-30:60R 10-30:64R", &["one note is never released"]);
}

#[test]
fn drums_are_left_out() {
    let file = midi(0, 96, &[track(&[&note(0, 10, 60), &[0, 0x99, 36, 80, 10, 0x89, 36, 0]])]);
    check(&file, "0-10:60R", &["1 drum notes"]);
    let drums = midi(0, 96, &[track(&[&[0, 0x99, 36, 80, 10, 0x89, 36, 0]])]);
    check_error(&drums, "the file has no notes but those of drums");
}

#[test]
fn sequences_of_type_2_follow_one_another() {
    let slow = [0, 0xff, 0x51, 3, 0x0f, 0x42, 0x40];
    let file = midi(2, 96, &[track(&[&slow, &note(0, 96, 60)]), track(&[&note(0, 96, 62)])]);
    let reading = check(&file, "0-96:60R 96-192:62R", &["2 sequences are played one after another"]);
    assert_eq!(reading.score.duration(), Micros(1_500_000));
}

#[test]
fn smpte_files_keep_their_times_and_ignore_tempo() {
    let tempo = [0, 0xff, 0x51, 3, 0x01, 0, 0];
    let file = midi(0, 0xe728, &[track(&[&tempo, &note(100, 100, 60)])]);
    let reading = check(&file, "100-200:60R", &[]);
    assert_eq!(reading.score.tempo().micros(reading.score.notes()[0].onset, Percent::FULL), Micros(100_000));
}

#[test]
fn tempo_metre_key_pedal_and_title_are_read() {
    let meta = [
        &name("F\u{fc}r Elise")[..],
        &[0, 0xff, 0x51, 3, 0x0f, 0x42, 0x40, 0, 0xff, 0x58, 4, 1, 3, 24, 8, 0, 0xff, 0x59, 2, 0, 1],
        &[48, 0xff, 0x58, 4, 3, 3, 24, 8],
    ];
    let body = [&[0, 0xb0, 64, 127, 20, 0xb0, 64, 0][..], &note(0, 96, 76)];
    let score = read("a.mid", &midi(1, 96, &[track(&meta), track(&body)])).expect("a readable file").score;
    assert_eq!(score.title(), "Für Elise");
    assert_eq!(score.tempo().micros_per_quarter(Ticks(0)), 1_000_000);
    assert_eq!((score.keys()[0].fifths, score.keys()[0].minor), (0, true));
    assert_eq!(score.pedals().iter().map(|p| (p.tick.0, p.value)).collect::<Vec<_>>(), [(0, 127), (20, 0)]);
    let bars = score.bars();
    assert_eq!((bars.get(0).end, bars.number(0).count, bars.get(1).end), (Ticks(48), 0, Ticks(192)), "a pick-up");
}

#[test]
fn a_file_without_a_title_is_called_by_its_name() {
    let file = midi(0, 96, &[track(&[&note(0, 10, 60)])]);
    assert_eq!(read("Waltz no. 1.mid", &file).expect("a readable file").score.title(), "Waltz no. 1");
}

#[test]
fn karaoke_texts_give_title_and_artist() {
    let texts = [&[0, 0xff, 1, 6][..], b"@TSong", &[0, 0xff, 1, 5], b"@TAnn", &[0, 0xff, 5, 2], b"la"].concat();
    let score = read("a.kar", &midi(0, 96, &[track(&[&texts, &note(0, 10, 60)])])).expect("a readable file").score;
    assert_eq!((score.title(), score.composer()), ("Song", "Ann"));
}

/// The words under the notes of a page, with `-` where a word goes on, in the order of the notes; `.` for none.
fn sung(reading: &Reading) -> String {
    let page = reading.score.notation().expect("a page");
    let chords = page.measures.iter().flat_map(|m| &m.chords).filter(|c| c.staff == 0 && !c.heads.is_empty());
    let word = |chord: &music_trainer::music::notation::Chord| match chord.lyrics.first() {
        Some(lyric) => format!("{}{}", lyric.text, if lyric.hyphen { "-" } else { "" }),
        None => ".".to_owned(),
    };
    chords.map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn syllables_of_karaoke_texts_and_lyric_events_stand_under_their_notes() {
    let event = |wait: u8, kind: u8, text: &str| [&[wait, 0xff, kind, text.len() as u8], text.as_bytes()].concat();
    let melody = track(&[&name("Melody"), &[72, 74, 76, 77].map(|key| note(0, 96, key)).concat()]);
    let words = |kind, texts: [&str; 3]| {
        let [a, b, c] = texts;
        track(&[&event(0, 1, "@KMIDI KARAOKE FILE"), &event(0, kind, a), &event(96, kind, b), &event(96, kind, c)])
    };
    let karaoke = midi(1, 96, &[words(1, ["\\Twin", "kle ", "/star"]), melody.clone()]);
    assert_eq!(sung(&read("a.kar", &karaoke).expect("a readable file")), "Twin- kle star .");
    let lyrics = midi(1, 96, &[words(5, ["Twin", "kle ", "star"]), melody.clone()]);
    assert_eq!(sung(&read("a.mid", &lyrics).expect("a readable file")), "Twin- kle star .");
    let comment = midi(1, 96, &[track(&[&event(0, 1, "made with a program"), &event(96, 1, "by me")]), melody.clone()]);
    assert_eq!(sung(&read("a.mid", &comment).expect("a readable file")), ". . . .", "texts alone are comments");
    let early = midi(1, 96, &[track(&[&event(0, 5, "a "), &event(10, 5, "b "), &event(60, 5, "long ")]), melody]);
    assert_eq!(sung(&read("a.mid", &early).expect("a readable file")), "a b long . . .", "no word is lost");
}

#[test]
fn what_is_whole_of_a_truncated_file_stays() {
    let file = midi(1, 96, &[track(&[&note(0, 10, 60), &note(0, 10, 62)]), track(&[&note(0, 10, 40)])]);
    let first = 14 + 8 + 8;
    let warnings = ["announces 2 tracks and has 1", "the file ends at byte 34, within track 1", "one note is never"];
    check(&file[..first + 4], "0-10:60R", &warnings);
}

#[test]
fn a_damaged_track_is_read_up_to_the_damage() {
    let file = midi(0, 96, &[track(&[&note(0, 10, 60), &[0, 0xf4, 1], &note(0, 10, 62)])]);
    check(&file, "0-10:60R", &["track 1 cannot be read from byte 30 on"]);
}

#[test]
fn what_is_no_midi_file_is_said_to_be_none() {
    check_error(b"", "the file is empty");
    check_error(b"Dear diary, today", "neither a MIDI file nor MusicXML (it begins with \"Dear dia\")");
    check_error(&[0; 1000], "neither a MIDI file nor MusicXML (it begins with 00 00 00 00 00 00 00 00)");
    check_error(b"MThd", "the MIDI header at byte 0 is cut off");
    check_error(&midi(7, 96, &[]), "the MIDI header at byte 0 gives a type other than 0, 1 and 2");
    check_error(&midi(1, 0, &[]), "the MIDI header at byte 0 gives an impossible time division");
    check_error(&midi(1, 0x8000, &[]), "the MIDI header at byte 0 gives an impossible time division");
    check_error(&midi(1, 96, &[]), "the file has no notes");
}

#[test]
fn a_text_in_our_notation_is_told_by_its_content() {
    let reading = read("any.mid", b"% a scale\ntitle: Scale\nR: c4 d e f L: c3/1").expect("a readable text");
    assert_eq!((reading.score.title(), reading.score.notes().len()), ("Scale", 5));
    check_error(b"title: Scale\nR: c4 d e f |\n   c d x", "line 3, column 8: \"x\" is not part of the notation");
}

#[test]
fn a_file_too_long_is_refused_by_its_length() {
    assert_eq!(check_len(500_000_000), Err(FormatError::TooLong { bytes: 500_000_000 }));
    assert_eq!(check_len(SCORE_BYTES_MAX), Ok(()));
    assert!(matches!(read("zeros.mid", &vec![0; SCORE_BYTES_MAX as usize + 1]), Err(FormatError::TooLong { .. })));
}

#[test]
fn so_many_notes_are_refused_where_the_limit_is_passed() {
    let many: Vec<u8> = (0..600_000u32).flat_map(|_| [0, 0x90, 60, 80, 1, 60, 0]).collect();
    let error = read("a.mid", &midi(0, 96, &[track(&[&many])])).expect_err("too many notes");
    assert!(matches!(error, FormatError::TooManyNotes { track: 1, .. }), "{error}");
}

#[test]
fn music_without_end_is_cut_after_a_day() {
    let far = [0xff, 0xff, 0xff, 0x7f];
    let slow = [0, 0xff, 0x51, 3, 0xff, 0xff, 0xff];
    let body = [&slow[..], &note(0, 10, 60), &far, &note(0, 10, 62)[1..]].concat();
    check(&midi(0, 1, &[track(&[&body])]), "0-10:60R", &["1 notes more than a day"]);
    let endless: Vec<u8> = (0..20).flat_map(|_| [&far[..], &[0x90, 60, 80, 1, 60, 0]].concat()).collect();
    let reading = read("a.mid", &midi(0, 0x7fff, &[track(&[&note(0, 10, 60), &endless])])).expect("a readable file");
    assert!(reading.warnings.iter().any(|w| w.contains("track 1 is too long")), "{:?}", reading.warnings);
}

#[test]
fn a_take_is_read_in_time() {
    let tempo = |micros: u32| [&[0, 0xff, 0x51, 3][..], &micros.to_be_bytes()[1..]].concat();
    let events = [&tempo(500_000)[..], &note(96, 96, 60), &tempo(1_000_000), &note(0, 96, 62)].concat();
    let take = read_performance(&midi(0, 96, &[track(&[&events])])).expect("a readable take");
    let rows: Vec<_> = take.notes.iter().map(|n| (n.at.0, n.duration.0, n.pitch.key(), n.velocity)).collect();
    assert_eq!(rows, [(500_000, 500_000, 60, 80), (1_000_000, 1_000_000, 62, 80)]);
}

#[test]
fn a_written_score_reads_back_with_its_hands_bars_and_key() {
    for piece in pieces::builtin() {
        let reading = read("a.mid", &write_score(&piece.score)).expect("what we write we read");
        let (back, score) = (&reading.score, &piece.score);
        assert_eq!(reading.warnings, Vec::<String>::new(), "{}", piece.id);
        assert_eq!((back.title(), back.notes()), (score.title(), score.notes()), "{}", piece.id);
        // A file has no repeats: its bars are counted on.
        let bars = |score: &Score| -> Vec<_> {
            score.bars().as_slice().iter().map(|b| (b.start, b.end, b.meter.beats, b.meter.unit)).collect()
        };
        assert_eq!((bars(back), back.keys()), (bars(score), score.keys()), "{}", piece.id);
        assert_eq!(back.tempo(), score.tempo(), "{}", piece.id);
    }
}

/// xorshift64*, so that a failure can be replayed from the seed printed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n.max(1)
    }
}

/// Changes, removes, repeats, inserts or cuts bytes at a few places.
fn mutate(file: &mut Vec<u8>, random: &mut Random) {
    const TELLING: [u8; 12] = [0, 1, 0x7f, 0x80, 0x90, 0xb0, 0xf0, 0xf7, 0xff, 0x2f, 0x51, 0x58];
    for _ in 0..=random.below(8) {
        let at = random.below(file.len());
        let until = (at + random.below(12)).min(file.len());
        match random.below(7) {
            0 => file[at] ^= 1 << random.below(8),
            1 => file[at] = TELLING[random.below(TELLING.len())],
            2 => file[at] = random.below(256) as u8,
            3 => drop(file.drain(at..until)),
            4 => {
                let copy = file[at..until].to_vec();
                let to = random.below(file.len());
                file.splice(to..to, copy);
            }
            5 => file.insert(at, TELLING[random.below(TELLING.len())]),
            _ => file.truncate(at.max(1)),
        }
        if file.is_empty() {
            return;
        }
    }
}

fn healthy_files() -> Vec<Vec<u8>> {
    let melody: Vec<u8> = (0..40).flat_map(|i| note(i % 3, 20, 60 + i % 12)).collect();
    let meta = [0, 0xff, 0x51, 3, 7, 0xa1, 0x20, 0, 0xff, 0x58, 4, 3, 2, 24, 8, 0, 0xff, 0x59, 2, 0xfe, 0];
    let extras = [&[0, 0xf0, 3, 1, 2, 0xf7, 0, 0xff, 1, 4][..], b"@Tab", &[0, 0xb0, 64, 127, 0, 0xc0, 5]].concat();
    let notes: Vec<PlayedNote> = (0..30).map(|i| played(i * 250_000, 240_000, 60 + (i % 7) as u8)).collect();
    vec![
        midi(0, 480, &[track(&[&meta, &melody])]),
        midi(1, 8, &[track(&[&name("Piece"), &meta]), track(&[&name("RH"), &melody]), track(&[&extras, &melody])]),
        midi(2, 0xe350, &[track(&[&meta, &melody]), track(&[&extras, &melody])]),
        write("take", &notes, &[PedalMove { at: Micros(5), value: 127 }]),
    ]
}

#[test]
fn a_thousand_mutated_files_are_read_or_refused() {
    let healthy = healthy_files();
    let (mut parsed, mut refused) = (0, 0);
    for seed in 1..=1_000u64 {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut file = healthy[random.below(healthy.len())].clone();
        mutate(&mut file, &mut random);
        let outcome = std::panic::catch_unwind(|| (read("a.mid", &file), read_performance(&file)));
        match outcome.unwrap_or_else(|_| panic!("seed {seed} panics")) {
            (Ok(reading), _) => {
                parsed += 1;
                let score = &reading.score;
                assert!(!score.notes().is_empty(), "seed {seed}");
                assert!(score.notes().iter().all(|n| n.onset.0 >= 0 && n.end > n.onset), "seed {seed}");
                assert!(score.duration() >= Micros::ZERO, "seed {seed}");
                assert!(!score.onset_groups(Hands::BOTH, Ticks::ZERO, score.end()).is_empty(), "seed {seed}");
                if let Some(page) = score.notation() {
                    let heads = page.measures.iter().flat_map(|m| &m.chords).flat_map(|c| &c.heads);
                    let struck = heads.filter(|h| h.sounds.is_some()).count();
                    assert_eq!(struck, score.notes().len(), "seed {seed}: every note has one head");
                }
            }
            (Err(error), _) => {
                refused += 1;
                assert!(!error.to_string().is_empty(), "seed {seed}");
            }
        }
    }
    assert!(parsed > 500 && refused > 20, "{parsed} parsed, {refused} refused: the mutations should do both");
}

/// A take of one instrument as a MIDI file.
fn write(name: &str, notes: &[PlayedNote], pedals: &[PedalMove]) -> Vec<u8> {
    let note = |n: &PlayedNote| {
        let PlayedNote { at, duration, pitch, velocity } = *n;
        TakeNote { at, duration, channel: 0, pitch, velocity, release: 64 }
    };
    let others = pedals.iter().map(|pedal| (pedal.at, [0xb0, 64, pedal.value])).collect();
    write_take(name, &[TakeTrack { name: name.to_owned(), notes: notes.iter().map(note).collect(), others }], None)
}

fn played(at: i64, duration: i64, key: u8) -> PlayedNote {
    PlayedNote { at: Micros(at), duration: Micros(duration), pitch: Pitch::from_data_byte(key), velocity: 77 }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_of_any_kind_never_panic(tail in proptest::collection::vec(any::<u8>(), 0..400), whole in any::<bool>()) {
        let file = if whole { midi(0, 96, &[tail]) } else { tail };
        let _ = read("a.mid", &file);
        let _ = read_performance(&file);
    }

    #[test]
    fn texts_of_any_kind_never_panic(text in "[a-gr#b0-9/.~<>{};|: !p()RL%\n]{0,80}", head in any::<bool>()) {
        let text = if head { format!("title: A\nmeter: 3/4\npickup: 1/8\n{text}") } else { text };
        if let Ok(reading) = read("a.txt", text.as_bytes()) {
            prop_assert!(!reading.score.notes().is_empty());
        }
        let _ = notation::read(&text);
    }

    #[test]
    fn a_written_take_reads_back(rows in proptest::collection::vec((0i64..3_600_000_000, 1_000i64..9_000_000, 1u8..128), 1..60)) {
        // One note a key: what sounds twice at once cannot be told apart in a MIDI file.
        let mut keys = 0..128u8;
        let mut notes: Vec<PlayedNote> = rows.iter().zip(&mut keys).map(|((at, length, velocity), key)| {
            PlayedNote { velocity: *velocity, ..played(*at, *length, key) }
        }).collect();
        let pedals = [PedalMove { at: Micros(1_000), value: 127 }, PedalMove { at: Micros(7_200_000_000), value: 0 }];
        let take = read_performance(&write("Take", &notes, &pedals)).unwrap();
        let step = 500_000 / i64::from(WRITE_RESOLUTION);
        notes.sort_by_key(|n| n.pitch);
        let mut back = take.notes.clone();
        back.sort_by_key(|n| n.pitch);
        prop_assert_eq!(back.len(), notes.len());
        for (a, b) in back.iter().zip(&notes) {
            prop_assert_eq!((a.pitch, a.velocity), (b.pitch, b.velocity));
            prop_assert!((a.at.0 - b.at.0).abs() <= step / 2 && (a.duration.0 - b.duration.0).abs() <= step);
        }
        prop_assert!(take.pedals.iter().map(|p| p.value).eq([127, 0]));
        prop_assert!(take.warnings.is_empty());
    }
}
