//! How long notes are written, and which of two voices of their staff they belong to.
//!
//! Chords of a staff are split by height between two voices where that explains the ends of the notes better than one
//! voice does: the cheapest way through all onsets, where cut notes, chords of unequal notes, crossings and leaps cost
//! (after Kilian and Hoos, *Voice separation: a local optimisation approach*, ISMIR 2002; that voices keep their order
//! of height wherever both sound is from Chew and Wu, *Separating voices in polyphonic music: a contig mapping approach*,
//! CMMR 2004).

use super::Placed;
use super::grid::{Grid, Timing};
use crate::music::Bar;

/// The places where notes of a staff begin, grace notes left out.
struct Onsets {
    /// Written.
    at: Vec<i64>,
    /// The first that sounds there.
    sounds: Vec<i64>,
}

impl Onsets {
    fn of(notes: &[Placed]) -> Self {
        let (mut at, mut sounds) = (Vec::new(), Vec::new());
        for note in notes.iter().filter(|n| !n.grace) {
            if at.last() == Some(&note.at) {
                if let Some(last) = sounds.last_mut() {
                    *last = note.onset.min(*last);
                }
            } else {
                at.push(note.at);
                sounds.push(note.onset);
            }
        }
        Self { at, sounds }
    }
}

/// A note that sounds for at least this share of the time to the next is written up to it.
const LEGATO: f64 = 0.5;
/// The longest rest that is taken for a note cut short after a long one, in quarters.
const REST: f64 = 0.625;
/// Of a note that keeps to the beat exactly, this much less than the whole is how a program plays it.
const GATE: f64 = 0.12;

/// Writes the ends of notes: at the next onset of the staff where they nearly reach it, else on the grid. Short notes
/// become longer rather than being followed by tiny rests.
pub(super) fn end(notes: &mut [Placed], grid: &Grid<'_>, timing: &Timing<'_>) {
    let onsets = Onsets::of(notes);
    for note in notes.iter_mut().filter(|n| !n.grace) {
        let own = onsets.at.partition_point(|at| *at <= note.at);
        let length = (note.end - note.onset) as f64;
        let spread = timing.spread(note.end);
        let short = (GATE * length).max(2.0 * spread);
        let long = if timing.is_exact() { spread } else { 3.0 * spread };
        // The first onset that the note reaches or nearly reaches.
        let next = own + onsets.sounds[own..].partition_point(|sounds| (note.end as f64) > *sounds as f64 + long);
        let reached = onsets.sounds.get(next).is_some_and(|sounds| note.end as f64 + short >= *sounds as f64);
        note.until = match onsets.at.get(next) {
            Some(at) if reached => *at,
            at => between(note, next > own, at.copied(), grid, timing),
        };
        note.until = note.until.min(grid.end()).max(note.at + 1);
    }
    if timing.is_exact() {
        detach(notes);
    } else {
        let mut mains: Vec<&mut Placed> = notes.iter_mut().filter(|n| !n.grace).collect();
        mains.chunk_by_mut(|a, b| a.at == b.at).for_each(release_together);
    }
}

/// Marks the notes that sound much shorter than they are written, unless that is how the file's program plays all of them.
fn detach(notes: &mut [Placed]) {
    let is_short = |n: &&mut Placed| !n.grace && (n.end - n.onset) * 3 <= (n.until - n.at) * 2;
    let mains = notes.iter().filter(|n| !n.grace).count();
    let mut short: Vec<&mut Placed> = notes.iter_mut().filter(is_short).collect();
    if short.len() * 2 <= mains {
        short.iter_mut().for_each(|n| n.detached = true);
    }
}

/// Fingers of a hand that leave their keys nearly together leave them together on the page.
fn release_together(chord: &mut [&mut Placed]) {
    let last = chord.iter().map(|n| n.until).max().unwrap_or(0);
    for note in chord {
        if (note.until - note.at) * 10 >= (last - note.at) * 7 {
            note.until = last;
        }
    }
}

/// The end of a note that ends before the next onset, or before what comes then.
fn between(note: &Placed, overlaps: bool, next: Option<i64>, grid: &Grid<'_>, timing: &Timing<'_>) -> i64 {
    let exact = timing.is_exact().then(|| written_end(note, grid, timing)).flatten();
    let quarter = timing.resolution;
    if let Some(end) = exact.filter(|end| next.is_none_or(|next| *end <= next)) {
        // A rest below a sixteenth is how it is played, and so is one that takes half of an eighth.
        let is_played = |next: &i64| {
            let half = next - note.at == 2 * (end - note.at) && next - note.at <= quarter / 2;
            next - end < quarter / 4 || half && !overlaps
        };
        return next.filter(is_played).unwrap_or(end);
    }
    let length = (note.end - note.onset) as f64;
    if let Some(next) = next {
        let way = (next - note.at) as f64;
        let rest = way - length;
        let near = length >= LEGATO * way && (next - note.at <= 2 * quarter || rest <= REST * quarter as f64);
        if near || !overlaps && next - note.at <= quarter / 2 {
            return next;
        }
    }
    let wanted = note.at + (length * 1.05) as i64;
    let end = rounded(note, wanted, grid, quarter);
    next.map_or(end, |next| end.min(next))
}

/// The end on a simple line of its beat, if it lies there exactly.
fn written_end(note: &Placed, grid: &Grid<'_>, timing: &Timing<'_>) -> Option<i64> {
    let cell = grid.cell(note.end - 1);
    let lines = cell.for_ends(timing.resolution).map(|cell| cell.snap(note.end));
    let near = |end: &i64| (end - note.end).abs() as f64 <= timing.spread(note.end) && *end > note.at;
    lines.into_iter().find(near)
}

/// The line nearest to an end, counted in halves or thirds of beats.
fn rounded(note: &Placed, wanted: i64, grid: &Grid<'_>, resolution: i64) -> i64 {
    let cell = grid.cell(wanted - 1);
    let [_, second, ..] = cell.for_ends(resolution);
    let end = second.snap(wanted);
    if end > note.at { end } else { grid.cell(note.at).after(note.at) }
}

/// A voice at the onset at hand.
#[derive(Clone, Copy, Debug)]
struct Voice {
    /// Where its last chord stands, and until when.
    at: i64,
    until: i64,
    low: i32,
    high: i32,
}

/// One way of splitting what came before.
#[derive(Clone, Copy, Debug)]
struct Path {
    cost: f32,
    voices: [Voice; 2],
    /// The last step.
    step: usize,
    /// How many notes of the last chord, from below, are the lower voice's.
    lower: usize,
}

/// Ways that are followed at once.
const PATHS: usize = 8;
/// What a second voice costs at an onset: where the measure has none yet, and where it has.
const SPLIT: f32 = 1.4;
const SPLIT_AGAIN: f32 = 0.5;
/// A cut note, a chord of unequal notes: at least this, and this much for each quarter that is lost.
const CUT: f32 = 0.8;
const CUT_QUARTER: f32 = 2.0;
/// The lower voice alone, or the upper below the lower.
const ASTRAY: f32 = 1.5;
/// Each semitone that a voice leaps.
const LEAP: f32 = 0.02;

/// Gives each note a voice.
pub(super) fn separate(notes: &mut [Placed], bars: &[Bar], resolution: i64) {
    let indices: Vec<usize> = (0..notes.len()).filter(|i| !notes[*i].grace).collect();
    let silent = Voice { at: i64::MIN, until: i64::MIN, low: 60, high: 60 };
    // (the step before, how many notes from below are the lower voice's)
    let mut steps: Vec<(usize, usize)> = vec![(0, 0)];
    let mut paths = vec![Path { cost: 0.0, voices: [silent; 2], step: 0, lower: 0 }];
    let groups: Vec<&[usize]> = indices.chunk_by(|a, b| notes[*a].at == notes[*b].at).collect();
    for group in &groups {
        let chord: Vec<Placed> = group.iter().map(|i| notes[*i]).collect();
        let bar = bars.partition_point(|b| b.start.0 <= chord[0].at).max(1) - 1;
        let mut next: Vec<Path> = Vec::with_capacity(paths.len() * (chord.len() + 1));
        for path in &paths {
            for lower in 0..=chord.len() {
                let (cost, voices) = path.go(&chord, lower, (bars[bar].start.0, resolution as f32));
                next.push(Path { cost: path.cost + cost, voices, step: path.step, lower });
            }
        }
        next.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        next.truncate(PATHS);
        let least = next[0].cost;
        for path in &mut next {
            path.cost -= least;
            steps.push((path.step, path.lower));
            path.step = steps.len() - 1;
        }
        paths = next;
    }
    let mut step = paths[0].step;
    for group in groups.iter().rev() {
        let (before, lower) = steps[step];
        group.iter().take(lower).for_each(|i| notes[*i].voice = 1);
        step = before;
    }
    graces(notes);
}

impl Path {
    /// What it costs to give the lowest notes of a chord, ascending, to the lower voice, and how the voices are then.
    fn go(&self, chord: &[Placed], lower: usize, (bar_start, quarter): (i64, f32)) -> (f32, [Voice; 2]) {
        let at = chord[0].at;
        let mut voices = self.voices;
        let [upper, under] = self.voices;
        let mut cost = 0.0;
        let sounds = |voice: &Voice| voice.until > at;
        let (low, high) = (i32::from(chord[0].key), i32::from(chord[chord.len() - 1].key));
        if lower == chord.len() {
            cost += if sounds(&upper) { SPLIT_AGAIN } else { ASTRAY };
            cost += if sounds(&upper) && high >= upper.low { ASTRAY } else { 0.0 };
        } else if lower == 0 {
            cost += if sounds(&under) && low <= under.high { ASTRAY } else { 0.0 };
        } else {
            cost += if under.at >= bar_start { SPLIT_AGAIN } else { SPLIT };
        }
        for (voice, part) in voices.iter_mut().zip([&chord[lower..], &chord[..lower]]) {
            let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
            let length = |from: i64, to: i64| (to - from) as f32 / quarter;
            if voice.until > at {
                cost += CUT + CUT_QUARTER * length(at, voice.until).min(2.0);
            }
            let ends = part.iter().map(|n| n.until);
            let (least, most) = (ends.clone().min().unwrap_or(at), ends.max().unwrap_or(at));
            if least < most {
                cost += CUT + CUT_QUARTER * length(least, most).min(2.0);
            }
            let (low, high) = (i32::from(first.key), i32::from(last.key));
            if voice.at != i64::MIN {
                cost += LEAP * ((low + high - voice.low - voice.high) / 2).abs().min(24) as f32;
            }
            *voice = Voice { at, until: most, low, high };
        }
        (cost, voices)
    }
}

/// Grace notes go with the voice of the note that they lead to, the nearer one.
fn graces(notes: &mut [Placed]) {
    let mut from = 0;
    while from < notes.len() {
        let to = from + notes[from..].partition_point(|n| n.at <= notes[from].at);
        let small = notes[from..to].partition_point(|n| n.grace);
        let (small, mains) = notes[from..to].split_at_mut(small);
        for note in small {
            let near = mains.iter().min_by_key(|main| main.key.abs_diff(note.key));
            note.voice = near.map_or(0, |main| main.voice);
        }
        from = to;
    }
}
