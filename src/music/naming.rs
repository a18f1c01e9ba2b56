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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats;

    #[test]
    fn keys_are_called_what_the_page_or_the_signature_says() {
        let note = |step: &str, alter: i8| {
            let alter = format!("<alter>{alter}</alter>");
            format!("<note><pitch><step>{step}</step>{alter}<octave>4</octave></pitch><duration>1</duration></note>")
        };
        let text = format!(
            "<score-partwise><part id=\"P\"><measure number=\"1\"><attributes><divisions>1</divisions><key><fifths>-2\
             </fifths></key></attributes>{}{}{}{}</measure><measure number=\"2\">{}</measure></score-partwise>",
            note("B", -1),
            note("F", 1),
            note("C", -1),
            note("B", 1),
            note("G", 0).repeat(4)
        )
        .replace("</measure></score-partwise>", "</measure></part></score-partwise>");
        let score = formats::read("a.musicxml", text.as_bytes()).expect("music").score;
        let name = |key: u8, bar| score.spelled(Pitch::from_data_byte(key), bar).to_string();
        assert_eq!([70, 66, 59, 72, 54].map(|key| name(key, 0)), ["B♭4", "F♯4", "C♭4", "B♯4", "F♯3"]);
        assert_eq!([70, 66, 59].map(|key| name(key, 1)), ["B♭4", "G♭4", "B3"], "by the signature");
    }
}
