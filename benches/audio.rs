//! Processor time of the whole callback per 128-frame block as a share of real time, beside the bare piano in the same
//! run: transport, live notes, metronome, reports and limiter are what is between the two.
//!
//! Run with `cargo bench --bench audio`.

use music_trainer::audio::instrument::{Instrument, Part, Pedal};
use music_trainer::audio::piano::Piano;
use music_trainer::audio::{Block, Command, Outputs, Played, Schedule, TimedMidi, engine};
use music_trainer::music::{Hand, Meter, Pitch, Score, ScoreParts, Tempo, WrittenNote};
use music_trainer::time::{Frames, Micros, Rate, StreamId, Ticks};

const RATE: Rate = Rate(48_000);
const FRAMES: usize = 128;
const BLOCKS: usize = 20 * 48_000 / FRAMES;

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// Runs every block and prints median and 99th percentile as shares of the block's duration; returns the median.
fn measure(name: &str, mut block: impl FnMut(usize, &mut [f32], &mut [f32])) -> f64 {
    let (mut left, mut right) = ([0.0; FRAMES], [0.0; FRAMES]);
    let mut shares: Vec<f64> = (0..BLOCKS)
        .map(|index| {
            let start = now();
            block(index, &mut left, &mut right);
            std::hint::black_box((&left, &right));
            start.elapsed().as_secs_f64() * f64::from(RATE.0) / FRAMES as f64
        })
        .collect();
    shares.sort_by(f64::total_cmp);
    let median = shares[BLOCKS / 2];
    println!("{name:44} median {:6.2} %   p99 {:6.2} %", median * 100.0, shares[BLOCKS * 99 / 100] * 100.0);
    median
}

/// Twenty seconds in which four notes begin every quarter of a second and last a second: 16 sound at a time.
fn piece() -> Score {
    let notes = (0..320_i64)
        .map(|i| WrittenNote {
            onset: Ticks(i / 4 * 240),
            end: Ticks(i / 4 * 240 + 960),
            pitch: Pitch::from_data_byte((30 + i * 7 % 60) as u8),
            hand: if i % 2 == 0 { Hand::Right } else { Hand::Left },
            velocity: 80,
        })
        .collect();
    let tempos = vec![Tempo { tick: Ticks(0), micros_per_quarter: 500_000 }];
    Score::new(ScoreParts { resolution: 480, notes, tempos, ..Default::default() })
}

/// The callback with a schedule, a metronome, and `keys` live notes struck in turn under the pedal.
fn callback(name: &str, schedule: Schedule, keys: u8) -> f64 {
    let (mut engine, mut processor, mut reports) = engine(Box::new(Piano::new(RATE)), RATE);
    processor.begin_stream(StreamId(1), RATE, FRAMES as u32);
    engine.send(Command::Load(Box::new(schedule)));
    engine.send(Command::SetMetronome(true));
    engine.send(Command::Play { count_in: 0 });
    let mut voices = 0;
    let median = measure(name, |index, left, right| {
        let first = Frames((index * FRAMES) as i64);
        let block = Block { first, mono: RATE.micros(first), stream: StreamId(1), ..Block::default() };
        processor.process(block, &live(index, keys), Outputs::stereo(left, right));
        reports.events.drain(usize::MAX, |_| {});
        voices = voices.max(reports.playhead.read().voices);
    });
    println!("{:44} at most {voices} voices", "");
    median
}

/// Once the pedal, then a note every 20 ms.
fn live(index: usize, keys: u8) -> Vec<TimedMidi> {
    let played = match (keys, index) {
        (0, _) => return Vec::new(),
        (_, 0) => Played::Pedal(Pedal::Sustain(127)),
        _ if index.is_multiple_of(8) => {
            let key = 24 + (index / 8 % usize::from(keys)) as u8;
            Played::On { pitch: Pitch::from_data_byte(key), velocity: 90 }
        }
        _ => return Vec::new(),
    };
    vec![TimedMidi::new(64, Micros(0), played)]
}

/// The piano alone, under the same hands.
fn bare(keys: u8) -> f64 {
    let mut piano = Piano::new(RATE);
    measure(&format!("bare piano, {keys} keys under the pedal"), |index, left, right| {
        for event in live(index, keys) {
            match Played::from_midi(&event.data) {
                Some(Played::On { pitch, velocity }) => piano.note_on(Part::LIVE, pitch, velocity),
                Some(Played::Pedal(pedal)) => piano.pedal(Part::LIVE, pedal),
                _ => unreachable!("the pedal and onsets"),
            }
        }
        piano.render(left, right);
    })
}

fn main() {
    let beat = || Schedule::of_beat(500_000, Meter { tick: Ticks(0), beats: 4, unit: 4 });
    println!("share of real time per {FRAMES}-frame block at {} Hz", RATE.0);
    for keys in [0, 16, 64] {
        let bare = bare(keys);
        let whole = callback(&format!("whole callback, metronome, {keys} keys"), beat(), keys);
        println!("{:44} {:.2} times the bare piano", "", whole / bare);
    }
    callback("whole callback with accompaniment", Schedule::of_score(&piece()), 0);
    callback("whole callback, accompaniment and 16 keys", Schedule::of_score(&piece()), 16);
}
