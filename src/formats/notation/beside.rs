//! What stands beside the notes of a text: slurs, how notes are struck, loudness, hairpins, pedal, words.

use super::super::FormatError;
use super::body::Parser;
use super::tidy;
use crate::music::notation::{Articulation, DirectionKind, Dynamic, Ornament, SpanKind};

pub(super) const fn span_name(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Slur => "slur",
        SpanKind::Pedal => "pedal",
        _ => "hairpin",
    }
}

impl Parser<'_> {
    /// Signs right behind a note of a length: how it is struck, and slurs that begin or end there.
    pub(super) fn note_marks(&mut self, length: i64) -> Result<(), FormatError> {
        loop {
            let articulation = match self.peek() {
                Some('\'') => Some(Articulation::Staccato),
                Some('-') => Some(Articulation::Tenuto),
                Some('^') => Some(Articulation::Accent),
                Some('[' | ']' | '*') => None,
                _ => return Ok(()),
            };
            let sign = self.bump();
            let hand = self.now();
            let at = hand.end - length;
            let last = hand.written.last_mut();
            match (articulation, sign) {
                (Some(articulation), _) => last.into_iter().for_each(|w| w.articulations.push(articulation)),
                (None, Some('*')) => last.into_iter().for_each(|w| w.ornaments.push(Ornament::Fermata)),
                (None, Some('[')) => hand.open.push((SpanKind::Slur, hand.voice, at)),
                _ => self.close(|kind| kind == SpanKind::Slur, at)?,
            }
        }
    }

    /// Ends what began last of a kind in this voice, else in any.
    fn close(&mut self, is: impl Fn(SpanKind) -> bool, at: i64) -> Result<(), FormatError> {
        let hand = self.now();
        let own = hand.open.iter().rposition(|(kind, voice, _)| is(*kind) && *voice == hand.voice);
        let Some(index) = own.or_else(|| hand.open.iter().rposition(|(kind, ..)| is(*kind))) else {
            return self.fail("what ends here has not begun");
        };
        let (kind, voice, from) = hand.open.remove(index);
        if from >= at {
            return self.fail(format!("a {} ends where it begins", span_name(kind)));
        }
        hand.spans.push((kind, voice, (from, at)));
        Ok(())
    }

    /// Words in quotation marks.
    pub(super) fn words(&mut self) -> Result<(), FormatError> {
        self.bump();
        let mut words = String::new();
        loop {
            match self.bump() {
                Some('"') => break,
                Some('\n') | None => return self.fail("words end with a quotation mark on their line"),
                Some(c) => words.push(c),
            }
        }
        let hand = self.now();
        hand.directions.push((hand.end, DirectionKind::Words(tidy(&words))));
        Ok(())
    }

    /// What stands behind `!`: loudness, and where hairpins and the pedal begin and end.
    pub(super) fn loudness(&mut self) -> Result<(), FormatError> {
        self.bump();
        for (sign, kind) in [("<", SpanKind::Crescendo), (">", SpanKind::Diminuendo), ("ped", SpanKind::Pedal)] {
            if self.eat(sign) {
                let hand = self.now();
                hand.open.push((kind, hand.voice, hand.end));
                return Ok(());
            }
        }
        let at = self.now().end;
        if self.eat(".") {
            return self.close(|kind| matches!(kind, SpanKind::Crescendo | SpanKind::Diminuendo), at);
        }
        if self.eat("*") {
            return self.close(|kind| kind == SpanKind::Pedal, at);
        }
        use Dynamic::{F, Ff, Mf, Mp, P, Pp};
        for (mark, dynamic) in [("pp", Pp), ("p", P), ("mp", Mp), ("mf", Mf), ("ff", Ff), ("f", F)] {
            if self.eat(mark) {
                let hand = self.now();
                hand.velocity = dynamic.velocity();
                hand.directions.push((hand.end, DirectionKind::Dynamic(dynamic)));
                return Ok(());
            }
        }
        self.fail("after ! stands pp, p, mp, mf, f or ff, < or > to ., or ped to *")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{read, score};

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        assert_eq!(read(text).expect_err("an error").to_string(), expected, "{text}");
    }

    #[test]
    fn signs_have_their_end() {
        check_error("c[ d e f", "line 1, column 9: a slur in the right hand has no end");
        check_error("c d] e f", "line 1, column 5: what ends here has not begun");
        check_error("c[] d", "line 1, column 4: a slur ends where it begins");
        check_error("L: !ped c/1 |", "line 1, column 14: a pedal in the left hand has no end");
        check_error("c@6", "line 1, column 4: a finger is @1, the thumb, to @5");
        check_error("\"dolce", "line 1, column 7: words end with a quotation mark on their line");
        check_error("!? c", "line 1, column 2: after ! stands pp, p, mp, mf, f or ff, < or > to ., or ped to *");
    }

    #[test]
    fn a_pedal_is_down_in_every_pass() {
        let score =
            score("meter: 2/4\nR: |: c4 d :| e f L: |: !ped c3/2 !* :| !ped d/2 !*").expect("readable notation");
        let pedals: Vec<(i64, u8)> = score.pedals().iter().map(|p| (p.tick.0, p.value)).collect();
        assert_eq!(pedals, [(0, 127), (960, 0), (960, 127), (1_920, 0), (1_920, 127), (2_880, 0)]);
    }

    #[test]
    fn loudness_becomes_velocity() {
        let score = score("!p c !ff d L: r/2").expect("readable notation");
        assert_eq!(score.notes().iter().map(|n| n.velocity).collect::<Vec<_>>(), [52, 104]);
    }
}
