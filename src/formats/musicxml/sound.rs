//! What sounds when the page is played through: notes with ties joined, tempo, pedal and keys in the order played.

use std::collections::HashMap;

use super::super::NOTES_MAX;
use super::loudness::Loudness;
use super::ornaments::Ornamented;
use super::page::{Bar, Sound};
use super::plan::{Play, plan};
use crate::music::notation::{Passage, Span};
use crate::music::{Displaced, Hand, KeySignature, OrnamentSpan, PedalChange, Pitch, Tempo, WrittenNote};
use crate::time::Ticks;

/// What is played.
#[derive(Debug, Default)]
pub(super) struct Music {
    pub(super) notes: Vec<WrittenNote>,
    /// For each note its part.
    pub(super) parts: Vec<u16>,
    pub(super) tempos: Vec<Tempo>,
    pub(super) pedals: Vec<PedalChange>,
    pub(super) keys: Vec<KeySignature>,
    pub(super) displaced: Vec<Displaced>,
    pub(super) ornaments: Vec<OrnamentSpan>,
}

/// What holds at a measure's beginning as printed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Held {
    tempo: Option<u32>,
    pedal: u8,
    key: Option<KeySignature>,
}

/// Plays the passages, and notes at each head when it sounds; passages of measures that are not there are silent. `Err` is
/// the measure in which there are too many notes.
pub(super) fn perform(
    bars: &mut [Bar],
    passages: &[Passage],
    spans: &[Span],
    resolution: u16,
    notes_max: usize,
) -> Result<Music, usize> {
    let mut begins = Vec::with_capacity(bars.len());
    let mut now = Ticks::ZERO;
    for bar in &mut *bars {
        begins.push(now);
        now += bar.page.length;
        bar.sounds.sort_by_key(|(at, _)| *at);
    }
    let loudness = Loudness::new(bars, &begins, spans, resolution);
    let plans: Vec<Vec<Play>> =
        bars.iter().zip(&begins).map(|(bar, begin)| plan(bar, resolution, *begin, &loudness)).collect();
    let held = held(bars);
    let mut player = Player::default();
    let mut next = 0;
    for passage in passages {
        let measure = passage.measure as usize;
        if measure >= bars.len() {
            continue;
        }
        if measure != next {
            player.jumped = passage.start;
            player.restore(held[measure], passage.start);
        }
        next = measure + 1;
        let bar = &mut bars[measure];
        if let Some(key) = bar.key {
            player.key(KeySignature { tick: passage.start, ..key });
        }
        for (at, sound) in &bar.sounds {
            player.sound(passage.start + *at, *sound);
        }
        for play in &plans[measure] {
            if player.note(passage.start, play) {
                let (strike, head) = play.from;
                bar.strikes[strike].heads[head].head.sounds = Some((play.onset, play.pitch));
            }
            if player.music.notes.len() > notes_max {
                return Err(measure);
            }
        }
    }
    let end = passages.last().and_then(|last| Some(last.start + bars.get(last.measure as usize)?.page.length));
    player.finish(end.unwrap_or(Ticks::ZERO));
    Ok(player.music)
}

/// What holds at the beginning of each measure in printed order.
fn held(bars: &[Bar]) -> Vec<Held> {
    let mut now = Held::default();
    let each = |bar: &Bar| {
        let before = now;
        now.key = bar.key.or(now.key);
        for (_, sound) in &bar.sounds {
            match sound {
                Sound::Tempo(micros) => now.tempo = Some(*micros),
                Sound::Pedal(value) => now.pedal = *value,
                Sound::Loud(..) | Sound::Accent(..) => {}
            }
        }
        before
    };
    bars.iter().map(each).collect()
}

/// A tie that is open.
#[derive(Clone, Copy)]
struct Tie {
    /// The note it holds.
    note: usize,
    /// The ornament on it, which lasts as long.
    ornament: Option<usize>,
    /// Where it leads.
    until: Ticks,
    voice: (u8, u8),
}

#[derive(Default)]
struct Player {
    music: Music,
    now: Held,
    /// Notes that a tie holds on, by key and hand.
    tied: HashMap<(Pitch, Hand), Tie>,
    /// Where the last jump came to.
    jumped: Ticks,
}

impl Player {
    /// After a jump all is as the page has it there.
    fn restore(&mut self, held: Held, at: Ticks) {
        if let Some(tempo) = held.tempo.filter(|tempo| self.now.tempo != Some(*tempo)) {
            self.sound(at, Sound::Tempo(tempo));
        }
        if held.pedal != self.now.pedal {
            self.sound(at, Sound::Pedal(held.pedal));
        }
        if let Some(key) = held.key {
            self.key(KeySignature { tick: at, ..key });
        }
    }

    fn key(&mut self, key: KeySignature) {
        let same = |now: KeySignature| (now.fifths, now.minor) == (key.fifths, key.minor);
        if !self.now.key.is_some_and(same) {
            self.music.keys.push(key);
        }
        self.now.key = Some(key);
    }

    fn sound(&mut self, tick: Ticks, sound: Sound) {
        // As many as notes; a repeated page could ask for millions.
        if self.music.tempos.len() + self.music.pedals.len() >= NOTES_MAX {
            return;
        }
        match sound {
            Sound::Tempo(micros_per_quarter) => {
                self.now.tempo = Some(micros_per_quarter);
                self.music.tempos.push(Tempo { tick, micros_per_quarter });
            }
            Sound::Pedal(value) => {
                self.now.pedal = value;
                self.music.pedals.push(PedalChange { tick, value });
            }
            Sound::Loud(..) | Sound::Accent(..) => {}
        }
    }

    /// Plays a note, or holds the one it is tied to; whether it is struck.
    fn note(&mut self, start: Ticks, play: &Play) -> bool {
        let key = (play.pitch, play.hand);
        let (onset, end) = (start + play.written.0, start + play.written.1);
        // A tie may lack its end in its own voice, but not where a jump came between.
        let leads =
            |tie: &Tie| tie.until == onset && (play.goes_on || (tie.voice == play.voice && onset != self.jumped));
        let former = self.tied.get(&key).copied().filter(leads);
        if let Some(Tie { note, ornament, .. }) = former {
            self.tied.remove(&key);
            self.music.notes[note].end = start + play.end;
            if let Some(ornament) = ornament {
                self.music.ornaments[ornament].to = end;
            }
        } else {
            self.steal(start, play);
            self.strike(start, play);
        }
        let own = self.ornament(start, play);
        if play.tied {
            let note = former.map_or(self.music.notes.len() - 1, |tie| tie.note);
            let ornament = own.or(former.and_then(|tie| tie.ornament));
            self.tied.insert(key, Tie { note, ornament, until: end, voice: play.voice });
        }
        former.is_none()
    }

    fn strike(&mut self, start: Ticks, play: &Play) {
        let onset = (start + play.onset).max(Ticks::ZERO);
        let Play { pitch, hand, velocity, .. } = *play;
        self.music.notes.push(WrittenNote { onset, end: start + play.end, pitch, hand, velocity });
        self.music.parts.push(play.part);
        let beat = start + play.written.0;
        if beat != onset || play.grace {
            self.music.displaced.push(Displaced { onset, pitch, hand, beat, grace: play.grace });
        }
    }

    /// The index of the ornament that a note has, if any.
    fn ornament(&mut self, start: Ticks, play: &Play) -> Option<usize> {
        let Ornamented { from, to, keys } = play.ornament?;
        self.music.ornaments.push(OrnamentSpan { from: start + from, to: start + to, hand: play.hand, keys });
        Some(self.music.ornaments.len() - 1)
    }

    /// Grace notes shorten what ends at their main note.
    fn steal(&mut self, start: Ticks, play: &Play) {
        /// Notes that one hand can have ended just before, with some of the other hand between.
        const NEAR: usize = 40;
        if play.steals == Ticks::ZERO {
            return;
        }
        let beat = start + play.written.0;
        let held: Vec<usize> = self.tied.values().map(|tie| tie.note).collect();
        let from = self.music.notes.len().saturating_sub(NEAR);
        for (index, note) in self.music.notes.iter_mut().enumerate().skip(from) {
            if note.hand == play.hand && note.end == beat && !held.contains(&index) {
                note.end = (beat - play.steals).max(note.onset + Ticks(1));
            }
        }
    }

    /// Ends what is still held, and every note where its key is struck again.
    fn finish(&mut self, end: Ticks) {
        if self.now.pedal > 0 {
            self.sound(end, Sound::Pedal(0));
        }
        let notes = &mut self.music.notes;
        let mut order: Vec<usize> = (0..notes.len()).collect();
        order.sort_by_key(|index| (notes[*index].pitch, notes[*index].onset));
        for place in 1..order.len() {
            let next = notes[order[place]];
            // Those of one onset end together at the next.
            for index in order[..place].iter().rev().take(4) {
                let former = &mut notes[*index];
                if former.pitch == next.pitch && former.onset < next.onset && former.end > next.onset {
                    former.end = next.onset;
                }
            }
        }
    }
}
