//! What a key is called where it is played: as the page writes it there, else by the key signature.

use super::notation::SpelledPitch;
use super::{Pitch, Score, Spelling};

impl Score {
    /// The name of a key in a bar, by its index: that of a written note of this key there, of the same key in another
    /// octave, or that of the key signature.
    pub fn spelled(&self, pitch: Pitch, bar: usize) -> SpelledPitch {
        let score = self.on_page();
        let start = score.bars().get(bar).start;
        let page = score.notation();
        let passage = page.and_then(|page| page.passage_at(start));
        let measure = page.zip(passage).and_then(|(page, passage)| page.measures.get(passage.measure as usize));
        let heads = || measure.into_iter().flat_map(|m| &m.chords).flat_map(|c| &c.heads);
        let written = |same: fn(Pitch, Pitch) -> bool| {
            heads().find(|head| head.sounds.is_some_and(|(_, key)| same(key, pitch))).map(|head| head.pitch)
        };
        if let Some(written) = written(|a, b| a == b).or_else(|| written(|a, b| a.class() == b.class())) {
            // What stands in an octava is written an octave away.
            let letter = i16::from(pitch.key()) - i16::from(written.step.semitones()) - i16::from(written.alter);
            return SpelledPitch { octave: (letter.div_euclid(12) - 1) as i8, ..written };
        }
        let sounding = score.keys().partition_point(|key| key.tick <= start).max(1) - 1;
        let flats = score.keys().get(sounding).is_some_and(|key| key.fifths < 0);
        SpelledPitch::of(pitch, if flats { Spelling::Flat } else { Spelling::Sharp })
    }
}
