//! Hearing with the score in hand: chords and single notes of the built-in piano, each onset counted once.

mod listen_support;

use listen_support::piano;
use music_trainer::listen::{Awaited, Hearing, NoteEvent};
use music_trainer::time::{Frames, Rate};

const BLOCK: usize = 240;

fn keys(keys: &[u8]) -> u128 {
    keys.iter().fold(0, |all, key| all | 1 << key)
}

/// A player whose steps are taken one after the other as a session in *Wait for me* does.
struct Waiting {
    steps: Vec<Vec<u8>>,
    at: usize,
    played: u128,
    /// Every beginning, with its frame; and the keys that are still down.
    told: Vec<(u8, i64)>,
    down: u128,
    unsure: u128,
}

impl Waiting {
    fn new(steps: &[&[u8]]) -> Self {
        let steps = steps.iter().map(|step| step.to_vec()).collect();
        Self { steps, at: 0, played: 0, told: Vec::new(), down: 0, unsure: 0 }
    }

    fn awaited(&self) -> Awaited {
        let all = self.steps.get(self.at).map_or(0, |step| keys(step));
        Awaited { keys: all, needed: all & !self.played }
    }

    fn event(&mut self, event: NoteEvent) {
        match event {
            NoteEvent::On { pitch, at, velocity, .. } => {
                assert!(velocity > 0);
                assert_eq!(self.down >> pitch.key() & 1, 0, "{pitch:?} is down already");
                self.down |= 1 << pitch.key();
                self.told.push((pitch.key(), at.0));
                self.played |= keys(&[pitch.key()]) & self.awaited().keys;
            }
            NoteEvent::Off { pitch, .. } => {
                assert_eq!(self.down >> pitch.key() & 1, 1, "{pitch:?} is not down");
                self.down &= !(1 << pitch.key());
            }
        }
        if self.at < self.steps.len() && self.awaited().needed == 0 {
            (self.at, self.played) = (self.at + 1, 0);
        }
    }

    fn hear(mut self, sound: &[f32]) -> Self {
        let mut hearing = Hearing::new(Rate::DEFAULT, 440.0, Frames::ZERO);
        for block in sound.chunks(BLOCK) {
            hearing.await_keys(self.awaited());
            let mut events = Vec::new();
            hearing.push(block, &mut |event| events.push(event));
            events.into_iter().for_each(|event| self.event(event));
            self.unsure |= hearing.unsure();
        }
        self
    }

    fn sorted(&self) -> Vec<u8> {
        self.told.iter().map(|(key, _)| *key).collect()
    }
}

fn chord(begin: f64, keys: &[u8]) -> impl Iterator<Item = (f64, u8, u8)> {
    keys.iter().map(move |key| (begin, *key, 80))
}

#[test]
fn chords_are_heard_whole_at_their_frame_and_each_key_once() {
    let steps: [&[u8]; 3] = [&[60, 64, 67], &[57, 60, 65], &[59, 62, 67]];
    let sound: Vec<_> = steps.iter().zip([0.5, 1.5, 2.5]).flat_map(|(keys, at)| chord(at, keys)).collect();
    let heard = Waiting::new(&steps).hear(&piano(Rate::DEFAULT, &sound, 4.0));
    assert_eq!(heard.at, 3, "{:?}", heard.told);
    assert_eq!(heard.sorted(), steps.concat());
    for (index, (_, frame)) in heard.told.iter().enumerate() {
        let begin = 24_000 + 48_000 * (index as i64 / 3);
        assert!((frame - begin).abs() <= 256, "{:?}", heard.told);
    }
}

#[test]
fn a_chord_that_lacks_a_note_goes_on_only_when_it_is_whole() {
    let steps: [&[u8]; 1] = [&[60, 64, 67]];
    let lacking: Vec<_> = chord(0.5, &[60, 67]).collect();
    let heard = Waiting::new(&steps).hear(&piano(Rate::DEFAULT, &lacking, 1.5));
    assert_eq!((heard.at, heard.played & keys(&[64])), (0, 0), "{:?}", heard.told);
    let again: Vec<_> = lacking.into_iter().chain(chord(1.5, &[60, 64, 67])).collect();
    let heard = Waiting::new(&steps).hear(&piano(Rate::DEFAULT, &again, 3.0));
    let mut told = heard.sorted();
    told.sort_unstable();
    assert_eq!((heard.at, told), (1, vec![60, 64, 67]), "what was there before does not count again");
}

#[test]
fn what_rings_on_does_not_make_a_chord_whole() {
    let steps: [&[u8]; 2] = [&[60, 64, 67], &[59, 62, 67]];
    for lacking in steps[1] {
        let second: Vec<u8> = steps[1].iter().copied().filter(|key| key != lacking).collect();
        let sound: Vec<_> = chord(0.5, steps[0]).chain(chord(1.5, &second)).collect();
        let heard = Waiting::new(&steps).hear(&piano(Rate::DEFAULT, &sound, 2.5));
        assert_eq!((heard.at, heard.played & keys(&[*lacking])), (1, 0), "{lacking}: {:?}", heard.told);
    }
}

#[test]
fn a_chord_struck_again_while_it_rings_is_heard_again_and_only_when_it_is_whole() {
    let chords: [&[u8]; 4] = [&[60, 64, 67], &[57, 60, 65], &[55, 59, 62], &[64, 67, 72]];
    let (mut whole, mut asked) = (0, 0);
    for keys_of in chords {
        for gap in [0.6, 1.0, 1.6] {
            let twice: Vec<_> = chord(0.5, keys_of).chain(chord(0.5 + gap, keys_of)).collect();
            let heard = Waiting::new(&[keys_of, keys_of]).hear(&piano(Rate::DEFAULT, &twice, 1.5 + gap));
            (whole, asked) = (whole + usize::from(heard.at == 2), asked + 1);
            println!("{keys_of:?} after {gap} s: {} of 2 steps, {:?}", heard.at, heard.told);
            for lacking in keys_of {
                let second = keys_of.iter().filter(|key| *key != lacking).map(|key| (0.5 + gap, *key, 80));
                let notes: Vec<_> = chord(0.5, keys_of).chain(second).collect();
                let heard = Waiting::new(&[keys_of, keys_of]).hear(&piano(Rate::DEFAULT, &notes, 1.5 + gap));
                assert_eq!(heard.at, 1, "{keys_of:?} without {lacking}: {:?}", heard.told);
            }
        }
    }
    println!("{whole} of {asked} are heard again");
    assert!(whole * 6 >= asked * 5, "{whole} of {asked}");
}

#[test]
fn a_melody_counts_note_by_note_and_its_wrong_notes_are_told() {
    let written: Vec<[u8; 1]> = [60, 62, 64, 65, 67].map(|key| [key]).to_vec();
    let steps: Vec<&[u8]> = written.iter().map(|step| &step[..]).collect();
    let notes = [(0.3, 60, 80), (0.8, 62, 80), (1.3, 63, 80), (1.8, 64, 80), (2.3, 65, 80), (2.8, 67, 80)];
    let heard = Waiting::new(&steps).hear(&piano(Rate::DEFAULT, &notes, 3.6));
    assert_eq!(heard.sorted(), [60, 62, 63, 64, 65, 67]);
    assert_eq!((heard.at, heard.unsure), (5, 0));
    for ((_, frame), (begin, ..)) in heard.told.iter().zip(notes) {
        assert!((*frame as f64 / 48_000.0 - begin).abs() < 0.006, "{:?}", heard.told);
    }
    for octave in [48, 72] {
        let heard = Waiting::new(&[&[60]]).hear(&piano(Rate::DEFAULT, &[(0.3, octave, 80)], 1.2));
        assert_eq!((heard.at, heard.sorted()), (0, vec![octave]), "an octave off is wrong");
    }
}

#[test]
fn without_a_score_the_voice_is_followed_and_silence_and_gaps_let_go() {
    let notes = [(0.3, 60, 80), (0.8, 64, 80)];
    let sound = piano(Rate::DEFAULT, &notes, 1.4);
    let heard = Waiting::new(&[]).hear(&sound);
    assert_eq!(heard.sorted(), [60, 64]);
    let mut quiet = sound.clone();
    quiet.extend([0.0; 24_000]);
    assert_eq!(Waiting::new(&[]).hear(&quiet).down, 0);
    let mut hearing = Hearing::new(Rate::DEFAULT, 440.0, Frames::ZERO);
    hearing.await_keys(Awaited { keys: keys(&[60, 64, 67]), needed: keys(&[60, 64, 67]) });
    let mut balance = (0, 0);
    let mut count = |event: NoteEvent| match event {
        NoteEvent::On { .. } => balance.0 += 1,
        NoteEvent::Off { .. } => balance.1 += 1,
    };
    hearing.push(&piano(Rate::DEFAULT, &chord(0.2, &[60, 64, 67]).collect::<Vec<_>>(), 1.0), &mut count);
    hearing.gap(Frames(100_000), &mut count);
    assert_eq!(balance, (3, 3));
}
