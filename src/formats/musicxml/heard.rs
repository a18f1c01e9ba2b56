//! Parts that do not stand on the page: the program plays them beside it, in the order in which the page is played.

use std::collections::HashSet;

use super::super::NOTES_MAX;
use super::choose::{Choice, names};
use super::divide::Cuts;
use super::outline::{Outline, STAVES_MAX};
use super::page::{Bar, Reader, Sound};
use super::sound::{Music, perform};
use super::voices;
use super::warnings::Warnings;
use crate::music::Hand;
use crate::music::notation::{Direction, DirectionKind, Measure, Passage, Span};

/// A part as it was read.
pub(super) struct Heard {
    /// Its index in the document.
    part: usize,
    bars: Vec<Bar>,
    spans: Vec<(Span, Option<u32>)>,
    strikes: usize,
}

/// Reads the parts that are heard only. Their tempo words and repeats, which may stand in one part alone, count for all.
/// Returns also how many drum notes are in them.
pub(super) fn read(
    outline: &Outline<'_, '_>,
    choice: &Choice,
    page: &mut Vec<Bar>,
    resolution: u16,
    warnings: &mut Warnings<'_>,
) -> (Vec<Heard>, usize) {
    let mut drums = 0;
    let mut each = |(nth, index): (usize, &usize)| {
        let part = &outline.parts[*index];
        let mut reader = Reader::new(resolution, (0, part.staves), warnings);
        let mut bars: Vec<Bar> = Vec::with_capacity(part.measures.len());
        for (place, node) in part.measures.iter().enumerate() {
            let mut bar = reader.measure(*node);
            if place == page.len() {
                page.push(bar.silent());
            }
            page[place].follow(&mut bar);
            bar.strikes.iter_mut().for_each(|strike| strike.part = nth as u16);
            bars.push(bar);
        }
        drums += reader.drums;
        Heard { part: *index, bars, spans: std::mem::take(&mut reader.spans.done), strikes: reader.strikes as usize }
    };
    let from = choice.names(&outline.parts).len() - choice.heard.len();
    let parts = (from..).zip(&choice.heard).map(&mut each).collect();
    (parts, drums)
}

/// Plays all parts, as far as there is room for notes; the rest is left out with a line.
pub(super) fn play(
    parts: Vec<Heard>,
    (cuts, passages): (&Cuts, &[Passage]),
    resolution: u16,
    music: &mut Music,
    (outline, warnings): (&Outline<'_, '_>, &mut Warnings<'_>),
) {
    let mut parts = parts.into_iter();
    while let Some(mut part) = parts.next() {
        let room = NOTES_MAX.saturating_sub(music.notes.len());
        let Some(own) = part.play(cuts, passages, resolution, room) else {
            let rest = std::iter::once(part.part).chain(parts.map(|part| part.part));
            let names = names(&outline.parts, rest);
            warnings.general(format!("{names}: left out, there are more than {NOTES_MAX} notes"));
            return;
        };
        music.notes.extend(own.notes);
        music.parts.extend(own.parts);
        music.displaced.extend(own.displaced);
        music.ornaments.extend(own.ornaments);
    }
}

impl Heard {
    /// What it plays; `None` for more notes than there is room for.
    fn play(&mut self, cuts: &Cuts, passages: &[Passage], resolution: u16, room: usize) -> Option<Music> {
        let mut bars = cuts.apply(std::mem::take(&mut self.bars), &mut self.spans, resolution);
        voices::assign(&mut bars, self.strikes, &[Hand::Neither; STAVES_MAX as usize]);
        let spans: Vec<Span> = std::mem::take(&mut self.spans).into_iter().map(|(span, _)| span).collect();
        perform(&mut bars, passages, &spans, resolution, room).ok()
    }
}

impl Bar {
    /// The same measure without anything in it.
    fn silent(&self) -> Self {
        let page = Measure { number: self.page.number.clone(), length: self.page.length, ..Measure::default() };
        Self { page, implicit: self.implicit, due: self.due, byte: self.byte, ..Self::default() }
    }

    /// Takes over what a part that is only heard says for all.
    fn follow(&mut self, heard: &mut Self) {
        let is_tempo = |kind: &DirectionKind| matches!(kind, DirectionKind::Tempo(_) | DirectionKind::Metronome(..));
        let said: HashSet<_> = self.page.directions.iter().filter(|d| is_tempo(&d.kind)).map(|d| d.at).collect();
        let words = std::mem::take(&mut heard.page.directions).into_iter();
        let words = words.filter(|word| is_tempo(&word.kind) && !said.contains(&word.at));
        self.page.directions.extend(words.map(|word| Direction { staff: 0, ..word }));
        self.take_signs(heard);
        // The pedal is the keyboard's; the tempo has been taken over.
        heard.sounds.retain(|(_, sound)| matches!(sound, Sound::Loud(..) | Sound::Accent(..)));
    }
}
