//! How the notes of one measure are played: grace notes, arpeggios, articulations, loudness.
//!
//! - **Grace notes** that are crossed (acciaccatura) come before the beat at the cost of the note before, a 32nd each.
//!   Others begin on the beat, and their main note waits: a single one (appoggiatura) for its printed value, several for
//!   a 16th each. Together they have at most half of the note that gives way. `steal-time-previous` and
//!   `steal-time-following` say otherwise, and how much. At the very beginning they begin on the beat, and where no main
//!   note follows (the end of a trill) before it. Any of them may be left out by who plays.
//! - **Arpeggios** are rolled at a 48th of a whole note from key to key, together at most half of the chord.
//! - **Articulations** shorten and strengthen as MuseScore's default instruments do: staccato to 50 %, staccatissimo to
//!   33 %, portato and marcato to 67 %; accents and marcato 120 % of the velocity.
//! - Ornaments (trills, mordents, turns, tremolos) are drawn, and sound as their plain note; which keys they allow a
//!   player is told apart.

use super::loudness::Loudness;
use super::ornaments::{Ornamented, ornamented};
use super::page::{Bar, Strike};
use crate::music::notation::{Articulation, Ornament};
use crate::music::{Hand, Pitch};
use crate::time::Ticks;

/// A note of a measure, all ticks from the measure's beginning.
#[derive(Clone, Copy, Debug)]
pub(super) struct Play {
    /// Which strike of the measure, and which of its heads.
    pub(super) from: (usize, usize),
    pub(super) onset: Ticks,
    pub(super) end: Ticks,
    /// Where it is written, which ties count by.
    pub(super) written: (Ticks, Ticks),
    pub(super) pitch: Pitch,
    pub(super) hand: Hand,
    pub(super) part: u16,
    /// Staff and voice.
    pub(super) voice: (u8, u8),
    pub(super) velocity: u8,
    /// Whether it goes on with a tie, and whether another tie leads on.
    pub(super) goes_on: bool,
    pub(super) tied: bool,
    /// What it takes from the notes that end where it is written.
    pub(super) steals: Ticks,
    /// Whether it is a grace note.
    pub(super) grace: bool,
    /// A trill or its like, told with the lowest key of its chord.
    pub(super) ornament: Option<Ornamented>,
}

/// The notes of a measure, in the order of their strikes. `begin` is the measure's printed tick.
pub(super) fn plan(bar: &Bar, resolution: u16, begin: Ticks, loudness: &Loudness) -> Vec<Play> {
    let graces = graces(bar, resolution, begin == Ticks::ZERO);
    let mut plays = Vec::new();
    for (index, strike) in bar.strikes.iter().enumerate() {
        let Moved { onset, length, steals } = graces[index];
        let mut order: Vec<usize> = (0..strike.heads.len()).collect();
        order.sort_by_key(|head| strike.heads[*head].key);
        if strike.rolls_down {
            order.reverse();
        }
        let mut ornament = ornamented(bar, index);
        let step = roll(strike, order.len() as i64, resolution);
        for (place, head) in (0..).zip(order) {
            let struck = &strike.heads[head];
            let Some(pitch) = struck.key else { continue };
            let level = struck.velocity.unwrap_or_else(|| loudness.at(begin + strike.chord.at, strike.chord.staff));
            let late = Ticks(step * place);
            plays.push(Play {
                from: (index, head),
                onset: onset + late,
                end: onset + late.max(gated(strike, length, struck.head.tied)),
                written: (strike.chord.at, strike.chord.at + strike.length),
                pitch,
                hand: strike.chord.hand,
                part: strike.part,
                voice: (strike.chord.staff, strike.chord.voice),
                velocity: stressed(strike, level),
                goes_on: struck.goes_on,
                tied: struck.head.tied,
                steals,
                grace: strike.chord.grace.is_some(),
                ornament: ornament.take(),
            });
        }
    }
    plays
}

/// Where a strike begins, how long it sounds, and what it takes from those before.
#[derive(Clone, Copy, Debug, Default)]
struct Moved {
    onset: Ticks,
    length: Ticks,
    steals: Ticks,
}

/// Times of all strikes, with room for grace notes.
fn graces(bar: &Bar, resolution: u16, first: bool) -> Vec<Moved> {
    let plain = |strike: &Strike| Moved { onset: strike.chord.at, length: strike.length, steals: Ticks::ZERO };
    let mut moved: Vec<Moved> = bar.strikes.iter().map(plain).collect();
    let mut by_voice: Vec<usize> = (0..bar.strikes.len()).collect();
    by_voice.sort_by_key(|i| (bar.strikes[*i].chord.voice, bar.strikes[*i].chord.at));
    let voice = |i: usize| bar.strikes[i].chord.voice;
    let is_grace = |i: usize| bar.strikes[i].chord.grace.is_some();
    let mut place = 0;
    while place < by_voice.len() {
        let lead = by_voice[place];
        let at = bar.strikes[lead].chord.at;
        let together = |i: &&usize| is_grace(**i) && voice(**i) == voice(lead) && bar.strikes[**i].chord.at == at;
        let count = by_voice[place..].iter().take_while(together).count();
        if count == 0 {
            place += 1;
            continue;
        }
        let group: Vec<usize> = by_voice[place..place + count].to_vec();
        place += count;
        let main = by_voice.get(place).copied().filter(|i| voice(*i) == voice(lead) && bar.strikes[*i].chord.at == at);
        let before = (by_voice[..place - count].last().copied()).filter(|i| voice(*i) == voice(lead));
        let on_beat = (first && at == Ticks::ZERO) || (main.is_some() && is_on_beat(&bar.strikes[lead]));
        let payer = if on_beat { main } else { before };
        let payer = payer.map_or(i64::from(resolution), |i| bar.strikes[i].length.0);
        let each = each(&group, bar, (payer, on_beat), resolution);
        let total = Ticks(each * count as i64);
        for (nth, i) in (0..).zip(group) {
            let from = if on_beat { at } else { at - total };
            let steals = if on_beat || nth > 0 { Ticks::ZERO } else { total };
            moved[i] = Moved { onset: from + Ticks(each * nth), length: Ticks(each), steals };
        }
        if let (true, Some(main)) = (on_beat, main) {
            moved[main].onset = at + total;
            moved[main].length = (moved[main].length - total).max(Ticks(1));
        }
    }
    moved
}

/// Whether a grace note begins on the beat.
fn is_on_beat(strike: &Strike) -> bool {
    let slash = strike.chord.grace.is_some_and(|grace| grace.slash);
    strike.steal.from_following.unwrap_or(!slash)
}

/// How long each grace note of a group is, by the length of the note that gives way.
fn each(group: &[usize], bar: &Bar, (payer, on_beat): (i64, bool), resolution: u16) -> i64 {
    /// A file that takes all of a note leaves a tenth of it to be heard.
    const SHARE_MAX: f64 = 0.9;
    let strikes = || group.iter().map(|i| &bar.strikes[*i]);
    let count = group.len() as i64;
    if let Some(share) = strikes().filter_map(|strike| strike.steal.share).reduce(|sum, share| sum + share) {
        return ((payer as f64 * share.min(SHARE_MAX)) as i64 / count).max(1);
    }
    let slash = |strike: &Strike| strike.chord.grace.is_some_and(|grace| grace.slash);
    let usual = match strikes().any(slash) {
        true => i64::from(resolution) / 8,
        false if on_beat && count == 1 => i64::MAX,
        false => i64::from(resolution) / 4,
    };
    let printed = strikes().map(|strike| strike.chord.value.ticks(resolution).0).min().unwrap_or(1);
    usual.min(printed).min(payer / 2 / count).max(1)
}

/// From key to key of an arpeggio; 0 without one.
fn roll(strike: &Strike, notes: i64, resolution: u16) -> i64 {
    if !strike.chord.ornaments.contains(&Ornament::Arpeggio) || notes < 2 {
        return 0;
    }
    (i64::from(resolution) / 12).min(strike.length.0 / 2 / (notes - 1))
}

/// The sounding length of a note by its articulations.
fn gated(strike: &Strike, length: Ticks, tied: bool) -> Ticks {
    let percent = |articulation: &Articulation| match articulation {
        Articulation::Staccato => 50,
        Articulation::Staccatissimo => 33,
        Articulation::Portato | Articulation::Marcato => 67,
        Articulation::Tenuto | Articulation::Accent => 100,
    };
    let least = strike.chord.articulations.iter().map(percent).min().filter(|_| !tied).unwrap_or(100);
    Ticks((length.0 * least / 100).max(1))
}

fn stressed(strike: &Strike, level: u8) -> u8 {
    let stress = |a: &Articulation| matches!(a, Articulation::Accent | Articulation::Marcato);
    let percent = if strike.chord.articulations.iter().any(stress) { 120 } else { 100 };
    (u32::from(level) * percent / 100).clamp(1, 127) as u8
}
