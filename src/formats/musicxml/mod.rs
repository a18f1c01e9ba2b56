//! MusicXML, partwise and timewise, plain and compressed (MXL), up to version 4: as a page and as what sounds.
//!
//! On the page stands what a keyboard needs: one keyboard part, or what can stand for it (`choose.rs`); the other parts
//! are heard beside it (`heard.rs`), and a line says so. Transposing instruments are written and sound at concert pitch.
//! Hands are staves: the upper is the right hand's; a voice that crosses over stays with its hand.
//! Repeats, endings, D.C. and D.S. are unfolded by [`Notation::unfold`]; how notes sound is said in `plan.rs`.
//! A repeat sign within a measure divides it into two on the page.
//! Damage is mended where the music can be told, with a line that names the measure; else there is an error with line
//! and column. What a file may cost is bounded: its length packed and unpacked, its depth, its elements.

mod archive;
mod attributes;
mod choose;
mod divide;
mod encoding;
mod heard;
mod loudness;
mod note;
mod ornaments;
mod outline;
mod page;
mod plan;
mod signs;
mod sound;
mod spans;
mod titles;
mod tree;
mod tuplets;
mod voices;
mod warnings;
mod words;

use std::collections::HashSet;

use super::notate::choose_clefs;
use super::smf::{DURATION_MICROS_MAX, TICKS_MAX};
use super::{FormatError, NOTES_MAX, Reading, SCORE_BYTES_MAX};
use crate::music::notation::{Clef, Jump, Notation, Span, Staff, lost_codas};
use crate::music::{Hand, Percent, Score, ScoreParts, TempoMap};
use crate::time::{Micros, Ticks};
use choose::Choice;
use divide::Cuts;
use heard::Heard;
use outline::Outline;
use page::{Bar, Reader, Sound};
use warnings::Warnings;

/// The longest text, unpacked, in bytes: the longest piano works have a fifth of it.
const TEXT_BYTES_MAX: usize = SCORE_BYTES_MAX as usize;

/// Whether bytes are XML or an archive, which among scores are MusicXML's.
pub fn is_musicxml(bytes: &[u8]) -> bool {
    bytes.starts_with(archive::MAGIC) || encoding::is_xml(bytes)
}

/// Reads a score.
///
/// # Errors
/// [`FormatError::Archive`] with a byte, [`FormatError::Notation`] with line and column of the text within, and
/// [`FormatError::NoNotes`].
pub fn read(bytes: &[u8]) -> Result<Reading, FormatError> {
    if bytes.starts_with(archive::MAGIC) {
        return read_text(&encoding::decode(&archive::score(bytes)?)?);
    }
    read_text(&encoding::decode(bytes)?)
}

fn read_text(text: &str) -> Result<Reading, FormatError> {
    let document = tree::parse(text)?;
    let outline = outline::read(&document)?;
    let Some(choice) = choose::choose(&outline.parts) else {
        return Err(FormatError::NoNotes { drums: outline::drum_notes(&outline.parts) });
    };
    let (resolution, exact) = outline::resolution(&outline.parts, &choice);
    let mut warnings = Warnings::new(text);
    let mut page = read_parts(&outline, &choice, resolution, &mut warnings);
    check_lengths(&page.bars, &mut warnings, resolution);
    let hands = page.hands();
    let shared: Vec<u8> = choice.shared().collect();
    // The stems of single parts would run into each other: on one staff they go by voice.
    let strikes = page.bars.iter_mut().flat_map(|bar| &mut bar.strikes);
    strikes.filter(|s| shared.contains(&s.chord.staff)).for_each(|strike| strike.chord.stem_up = None);
    let voices = voices::assign(&mut page.bars, page.notes, &hands);
    if let [(part, _)] = choice.page[..]
        && outline.parts[part].staves > 1
    {
        // Of one instrument the staves are the parts.
        let strikes = page.bars.iter_mut().flat_map(|bar| &mut bar.strikes);
        strikes.for_each(|strike| strike.part = u16::from(strike.chord.hand != Hand::Right));
    }
    if !shared.is_empty() {
        voices::write_words_once(&mut page.bars, &choice.page);
        voices::write_signs_once(&mut page.bars, &mut page.spans, &shared);
    }
    let spans: Vec<Span> = (page.spans.into_iter())
        .map(|(span, strike)| Span { voice: strike.map_or(0, |id| voices[id as usize]), ..span })
        .collect();
    voices::write_octaves(&mut page.bars, &spans);
    voices::mark_courtesies(&mut page.bars);

    let measures = page.bars.iter().map(|bar| bar.page.clone()).collect();
    let mut notation = Notation { staves: page.staves, measures, passages: Vec::new(), spans };
    if !notation.unfold() {
        let measures = notation.passages.len();
        warnings.general(format!("the repeats are cut after {measures} measures"));
    }
    for measure in lost_codas(&notation.measures).take(1) {
        let number = &measure.number;
        warnings.general(format!("measure {number} says To Coda, but no coda comes after it: the music goes on there"));
    }
    let played = sound::perform(&mut page.bars, &notation.passages, &notation.spans, resolution, NOTES_MAX);
    let mut music = played.map_err(|measure| {
        let problem = format!("more than {} notes, repeats unfolded", NOTES_MAX);
        tree::fail_at(text, page.bars[measure].byte, problem)
    })?;
    let way = (&page.cuts, &notation.passages[..]);
    heard::play(page.heard, way, resolution, &mut music, (&outline, &mut warnings));
    drop_late(&mut music, resolution, &mut warnings);
    if music.notes.is_empty() {
        return Err(FormatError::NoNotes { drums: page.drums });
    }
    voices::write_chords(&mut page.bars, resolution, page.beams);
    notation.measures.iter_mut().zip(page.bars).for_each(|(measure, bar)| measure.chords = bar.page.chords);
    for staff in shared {
        // The clefs of single parts say little where several stand together.
        notation.measures.iter_mut().for_each(|measure| measure.clefs.retain(|clef| clef.0 != staff));
        let hand = hands[usize::from(staff)];
        notation.staves[usize::from(staff)].clef = choose_clefs(&mut notation.measures, staff, hand);
    }

    let part_names = choice.names(&outline.parts);
    choice.notices.into_iter().for_each(|line| warnings.general(line));
    if page.drums > 0 {
        warnings.general(format!("{} drum notes are left out", page.drums));
    }
    if !exact {
        warnings.general("the note lengths have no common measure and are rounded".into());
    }
    let parts = ScoreParts {
        title: outline.title,
        composer: outline.composer,
        resolution,
        notes: music.notes,
        tempos: music.tempos,
        meters: Vec::new(),
        keys: music.keys,
        pedals: music.pedals,
        pickup: Ticks::ZERO,
        notation: Some(notation),
        note_parts: if part_names.is_empty() { Vec::new() } else { music.parts },
        part_names,
        displaced: music.displaced,
        ornaments: music.ornaments,
    };
    Ok(Reading { score: Score::new(parts), warnings: warnings.finish() })
}

/// The parts on the page together, and those that are heard beside them.
struct Page {
    staves: Vec<Staff>,
    bars: Vec<Bar>,
    spans: Vec<(Span, Option<u32>)>,
    notes: usize,
    drums: usize,
    beams: bool,
    heard: Vec<Heard>,
    cuts: Cuts,
}

impl Page {
    fn hands(&self) -> Vec<Hand> {
        self.staves.iter().map(|staff| staff.hand).collect()
    }
}

/// Reads the parts, those on the page one upon the other.
fn read_parts(outline: &Outline<'_, '_>, choice: &Choice, resolution: u16, warnings: &mut Warnings<'_>) -> Page {
    let hand = |staff: u8| if staff == 0 { Hand::Right } else { Hand::Left };
    let staves = (0..choice.staves).map(|staff| Staff { hand: hand(staff), clef: Clef::Treble }).collect();
    let (heard, cuts) = (Vec::new(), Cuts::default());
    let mut page = Page { staves, bars: Vec::new(), spans: Vec::new(), notes: 0, drums: 0, beams: false, heard, cuts };
    for (nth, (part, first_staff)) in choice.page.iter().enumerate() {
        let part = &outline.parts[*part];
        let mut reader = Reader::new(resolution, (*first_staff, part.staves), warnings);
        reader.strikes = page.notes as u32;
        for (index, node) in part.measures.iter().enumerate() {
            let mut bar = reader.measure(*node);
            // Voices of different parts that have one name are different voices.
            for strike in &mut bar.strikes {
                strike.label = format!("{nth}/{}", strike.label);
                strike.part = nth as u16;
            }
            match page.bars.get_mut(index) {
                Some(former) => former.join(bar),
                None => page.bars.push(bar),
            }
        }
        for staff in *first_staff..first_staff + part.staves {
            page.staves[usize::from(staff)].clef = reader.clefs[usize::from(staff)];
        }
        page.notes = reader.strikes as usize;
        page.drums += reader.drums;
        page.beams |= reader.beams;
        page.spans.append(&mut reader.spans.done);
    }
    let (heard, drums) = heard::read(outline, choice, &mut page.bars, resolution, warnings);
    (page.heard, page.drums) = (heard, page.drums + drums);
    if let [only] = &mut page.staves[..]
        && matches!(only.clef, Clef::Bass | Clef::Bass8vb)
    {
        only.hand = Hand::Left;
    }
    // A pick-up is bar 0, whatever the file counts it as.
    if let [first, _, ..] = &mut page.bars[..]
        && first.page.length < first.due
    {
        first.page.number = "0".into();
    }
    (page.bars, page.cuts) = divide::divide(std::mem::take(&mut page.bars), &mut page.spans, resolution, warnings);
    lead_to_coda(&mut page.bars);
    for index in 1..page.bars.len() {
        if let Some(times) = page.bars[index].repeat_before.take() {
            page.bars[index - 1].page.repeat_end = Some(times);
        }
    }
    page
}

/// Of two coda signs without words the first is where one leaves for the second: at the end of the measure before it.
fn lead_to_coda(bars: &mut [Bar]) {
    let has = |bar: &Bar, jump| bar.page.jumps.contains(&jump);
    let codas = bars.iter().filter(|bar| has(bar, Jump::Coda)).count();
    if codas < 2 || bars.iter().any(|bar| has(bar, Jump::ToCoda)) {
        return;
    }
    if let Some(first @ 1..) = bars.iter().position(|bar| has(bar, Jump::Coda)) {
        bars[first].page.jumps.retain(|jump| *jump != Jump::Coda);
        bars[first - 1].page.jumps.push(Jump::ToCoda);
    }
}

impl Bar {
    /// The same measure of another part: its notes come beside, its signs count where there were none.
    fn join(&mut self, mut other: Self) {
        self.take_signs(&mut other);
        self.strikes.extend(other.strikes);
        self.sounds.extend(other.sounds);
        self.page.clefs.extend(other.page.clefs);
        self.page.directions.extend(other.page.directions);
    }

    /// Takes what another part says for all: tempo, repeats, jumps, how long the measure is.
    fn take_signs(&mut self, other: &mut Self) {
        let is_tempo = |sound: &Sound| matches!(sound, Sound::Tempo(_));
        let (tempos, own): (Vec<_>, Vec<_>) =
            std::mem::take(&mut other.sounds).into_iter().partition(|(_, sound)| is_tempo(sound));
        other.sounds = own;
        let said: HashSet<Ticks> = self.sounds.iter().filter(|(_, s)| is_tempo(s)).map(|(at, _)| *at).collect();
        self.sounds.extend(tempos.into_iter().filter(|(at, _)| !said.contains(at)));
        self.page.length = self.page.length.max(other.page.length);
        self.within.append(&mut other.within);
        self.repeat_before = self.repeat_before.or(other.repeat_before);
        self.page.repeat_start |= other.page.repeat_start;
        self.page.repeat_end = self.page.repeat_end.or(other.page.repeat_end);
        self.page.ending = self.page.ending.take().or(other.page.ending.take());
        for jump in std::mem::take(&mut other.page.jumps) {
            if !self.page.jumps.contains(&jump) {
                self.page.jumps.push(jump);
            }
        }
    }
}

/// Tells of measures that are longer or shorter than their metre, unless they may be: at the beginning and the end,
/// where they are not counted, and where repeats or double bars divide them.
fn check_lengths(bars: &[Bar], warnings: &mut Warnings<'_>, resolution: u16) {
    let divided = |bar: &Bar| {
        let page = &bar.page;
        bar.implicit || page.repeat_start || page.repeat_end.is_some() || page.ending.is_some()
    };
    for (index, bar) in bars.iter().enumerate() {
        let length = bar.page.length;
        if length == bar.due || index == 0 || index + 1 == bars.len() {
            continue;
        }
        let neighbours = [&bars[index - 1], &bars[index + 1]];
        let completed = neighbours.iter().any(|other| length + other.page.length == bar.due || divided(other));
        if divided(bar) || completed {
            continue;
        }
        let quarters = |ticks: Ticks| ticks.0 as f64 / f64::from(resolution);
        warnings.measure(&bar.page.number, bar.byte);
        warnings.add(&format!("it has {:.2} quarters instead of {:.2}", quarters(length), quarters(bar.due)));
    }
}

/// Leaves out what begins more than a day into the piece, as everywhere.
fn drop_late(music: &mut sound::Music, resolution: u16, warnings: &mut Warnings<'_>) {
    let map = TempoMap::new(resolution, &music.tempos);
    let latest = (map.ticks_f64(Micros(DURATION_MICROS_MAX), Percent::FULL) as i64).clamp(0, TICKS_MAX);
    let before = music.notes.len();
    let notes = std::mem::take(&mut music.notes).into_iter().zip(std::mem::take(&mut music.parts));
    (music.notes, music.parts) = notes.filter(|(note, _)| note.onset.0 < latest).unzip();
    music.notes.iter_mut().for_each(|note| note.end = note.end.min(Ticks(latest)));
    music.pedals.retain(|pedal| pedal.tick.0 <= latest);
    music.tempos.retain(|tempo| tempo.tick.0 <= latest);
    music.keys.retain(|key| key.tick.0 <= latest);
    music.ornaments.retain(|ornament| ornament.from.0 <= latest);
    let late = before - music.notes.len();
    if late > 0 {
        warnings.general(format!("{late} notes more than a day into the piece are left out"));
    }
}
