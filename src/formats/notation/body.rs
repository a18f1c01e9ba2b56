//! The music of a text, hand by hand, in the order written: notes, and where the repeat signs stand.

use super::super::FormatError;
use super::RESOLUTION;
use super::beside::span_name;
use super::page::{Written, WrittenHead};
use crate::music::Pitch;
use crate::music::notation::{
    Base, DirectionKind, Dynamic, NoteValue, Ratio, SpanKind, SpelledPitch, Step, TupletMark,
};

/// A note in written order, before repeats are unfolded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) onset: i64,
    pub(super) end: i64,
    pub(super) pitch: Pitch,
    pub(super) velocity: u8,
}

/// A repeat sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// `|:`
    Begin,
    /// `|1`
    First,
    /// `:|`
    Back,
}

/// What one hand has.
#[derive(Debug)]
pub(super) struct HandMusic {
    pub(super) notes: Vec<Note>,
    pub(super) signs: Vec<(i64, Sign)>,
    pub(super) end: i64,
    /// Notes and rests as they stand in the text, in its order.
    pub(super) written: Vec<Written>,
    /// Where bar lines stand.
    pub(super) bars: Vec<i64>,
    /// Loudness and words, where they stand.
    pub(super) directions: Vec<(i64, DirectionKind)>,
    /// Slurs, hairpins and pedals from one tick to another, with the voice.
    pub(super) spans: Vec<(SpanKind, u8, (i64, i64))>,
    /// Those that have begun.
    pub(super) open: Vec<(SpanKind, u8, i64)>,
    /// The voice that is read, from 0.
    pub(super) voice: u8,
    bar_start: i64,
    /// What the bar at hand must last.
    due: i64,
    /// Its number, counted from 1.
    number: u32,
    octave: i8,
    /// The last value, without its tuplet, and its ticks.
    value: NoteValue,
    length: i64,
    pub(super) velocity: u8,
    /// Notes held over by a tie, by index, each to be struck again at its end.
    tied: Vec<usize>,
    /// Within a first ending: what its first bar had to last.
    in_first: Option<i64>,
}

/// Groups within groups at most; nobody writes more than two.
const DEPTH_MAX: usize = 8;

/// Reads the text after its header: the right hand's music, then the left's.
pub(super) fn parse(text: &str, skip: usize, bar: i64, pickup: i64) -> Result<[HandMusic; 2], FormatError> {
    let start: usize = text.split_inclusive('\n').take(skip).map(str::len).sum();
    let mut parser = Parser {
        rest: &text[start..],
        line: skip + 1,
        column: 1,
        bar,
        hands: [HandMusic::new(bar, pickup), HandMusic::new(bar, pickup)],
        hand: 0,
        ratio: (1, 1),
        depth: 0,
    };
    while parser.skip_blank() {
        parser.item()?;
    }
    for (hand, name) in parser.hands.iter().zip(["right", "left"]) {
        if let Some(&i) = hand.tied.first() {
            return parser.fail(format!("a tie of {} in the {name} hand leads nowhere", hand.notes[i].pitch));
        }
        if let Some((kind, ..)) = hand.open.first() {
            return parser.fail(format!("a {} in the {name} hand has no end", span_name(*kind)));
        }
    }
    for hand in &mut parser.hands {
        hand.notes.sort_by_key(|n| n.onset);
    }
    let [right, left] = &parser.hands;
    if right.end != left.end && right.end > 0 && left.end > 0 {
        let quarters = |h: &HandMusic| h.end as f64 / f64::from(RESOLUTION);
        let (r, l) = (quarters(right), quarters(left));
        return parser.fail(format!("the right hand has {r} quarters of music and the left {l}"));
    }
    Ok(parser.hands)
}

impl HandMusic {
    fn new(bar: i64, pickup: i64) -> Self {
        Self {
            notes: Vec::new(),
            written: Vec::new(),
            bars: Vec::new(),
            directions: Vec::new(),
            spans: Vec::new(),
            open: Vec::new(),
            voice: 0,
            signs: Vec::new(),
            end: 0,
            bar_start: 0,
            due: if pickup > 0 { pickup } else { bar },
            number: if pickup > 0 { 0 } else { 1 },
            octave: 4,
            value: NoteValue::plain(Base::Quarter),
            length: i64::from(RESOLUTION),
            velocity: Dynamic::Mf.velocity(),
            tied: Vec::new(),
            in_first: None,
        }
    }
}

/// A key to strike, or to hold on.
struct Key {
    spelled: SpelledPitch,
    pitch: Pitch,
    finger: Option<u8>,
    tied: bool,
}

pub(super) struct Parser<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
    bar: i64,
    hands: [HandMusic; 2],
    hand: usize,
    /// What note values are multiplied by within a triplet.
    ratio: (i64, i64),
    depth: usize,
}

impl Parser<'_> {
    pub(super) fn fail<T>(&self, problem: impl Into<String>) -> Result<T, FormatError> {
        Err(FormatError::Notation { line: self.line, column: self.column, problem: problem.into() })
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            (self.line, self.column) = (self.line + 1, 1);
        } else {
            self.column += 1;
        }
        Some(c)
    }

    pub(super) fn eat(&mut self, word: &str) -> bool {
        let found = self.rest.starts_with(word);
        if found {
            for _ in word.chars() {
                self.bump();
            }
        }
        found
    }

    /// Passes over blanks and comments; whether something follows.
    fn skip_blank(&mut self) -> bool {
        while let Some(c) = self.peek() {
            if c == '%' {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.bump();
                }
            } else if !c.is_whitespace() {
                return true;
            } else {
                self.bump();
            }
        }
        false
    }

    pub(super) fn now(&mut self) -> &mut HandMusic {
        &mut self.hands[self.hand]
    }

    /// Anything that may stand at the top.
    fn item(&mut self) -> Result<(), FormatError> {
        if self.eat("R:") {
            self.hand = 0;
        } else if self.eat("L:") {
            self.hand = 1;
        } else if matches!(self.peek(), Some('|' | ':')) {
            return self.barline();
        } else {
            return self.element();
        }
        Ok(())
    }

    /// A note, rest, chord, triplet, group of voices, loudness or words.
    fn element(&mut self) -> Result<(), FormatError> {
        match self.peek() {
            Some('a'..='g') => {
                let key = self.key()?;
                self.strike(vec![key])
            }
            Some('r') => {
                self.bump();
                let (value, length) = self.value()?;
                self.write(value, length, Vec::new());
                self.now().end += length;
                self.note_marks(length)
            }
            Some('<') => self.chord(),
            Some('{') => self.voices(),
            Some('!') => self.loudness(),
            Some('"') => self.words(),
            Some('1'..='9') => self.tuplet(),
            Some(c) => self.fail(format!("\"{c}\" is not part of the notation")),
            None => self.fail("the text ends too early"),
        }
    }

    /// Elements up to a closing sign, which is consumed and returned.
    fn until(&mut self, closing: &[char]) -> Result<char, FormatError> {
        if self.depth == DEPTH_MAX {
            return self.fail(format!("more than {DEPTH_MAX} groups within one another"));
        }
        self.depth += 1;
        loop {
            self.skip_blank();
            match self.peek() {
                Some(c) if closing.contains(&c) => {
                    self.bump();
                    self.depth -= 1;
                    return Ok(c);
                }
                _ => self.element()?,
            }
        }
    }

    /// Letter, accidentals and octave.
    fn pitch(&mut self) -> Result<(SpelledPitch, Pitch), FormatError> {
        let letter = self.bump().unwrap_or_default();
        let Some(step) = "cdefgab".find(letter).map(|at| Step::ALL[at]) else {
            return self.fail(format!("\"{letter}\" is not a note"));
        };
        let mut alter = 0;
        while let Some(sign @ ('#' | 'b')) = self.peek() {
            self.bump();
            alter += if sign == '#' { 1 } else { -1 };
            if i8::abs(alter) > 2 {
                return self.fail("more than two accidentals");
            }
        }
        if let Some(octave) = self.peek().and_then(|c| c.to_digit(10)) {
            self.bump();
            self.now().octave = octave as i8;
        }
        let spelled = SpelledPitch { step, alter, octave: self.now().octave };
        match spelled.pitch() {
            Some(pitch) => Ok((spelled, pitch)),
            None => self.fail("the note is beyond the MIDI keys"),
        }
    }

    /// A pitch, with its finger if one is given.
    fn key(&mut self) -> Result<Key, FormatError> {
        let (spelled, pitch) = self.pitch()?;
        let mut finger = None;
        if self.eat("@") {
            finger = self.bump().and_then(|c| c.to_digit(10)).map(|digit| digit as u8);
            if !finger.is_some_and(|finger| (1..=5).contains(&finger)) {
                return self.fail("a finger is @1, the thumb, to @5");
            }
        }
        Ok(Key { spelled, pitch, finger, tied: false })
    }

    /// The note value, if one is given, else the last; and its ticks. Triplets are counted in.
    fn value(&mut self) -> Result<(NoteValue, i64), FormatError> {
        if self.eat("/") {
            let mut number = 0u32;
            while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
                self.bump();
                number = (number * 10 + digit).min(1_000);
            }
            if !number.is_power_of_two() || number > 64 {
                return self.fail("a note value is 1, 2, 4, 8, 16, 32 or 64");
            }
            let mut part = i64::from(RESOLUTION) * 4 / i64::from(number);
            let mut length = part;
            let mut dots = 0u8;
            while self.eat(".") {
                dots = dots.saturating_add(1);
                if part % 2 != 0 {
                    return self.fail("too many dots");
                }
                part /= 2;
                length += part;
            }
            self.now().length = length;
            // The breve is the first of them, and the whole note the second.
            self.now().value = NoteValue::dotted(Base::ALL[1 + number.trailing_zeros() as usize], dots);
        }
        let (times, over) = self.ratio;
        let whole = |n: i64| u8::try_from(n).unwrap_or(u8::MAX);
        let ratio = (over > 1).then(|| Ratio { actual: whole(over), normal: whole(times) });
        let value = NoteValue { ratio, ..self.now().value };
        let length = self.now().length * times;
        if length % over != 0 {
            return self.fail("this division is finer than the notation can count");
        }
        Ok((value, length / over))
    }

    fn chord(&mut self) -> Result<(), FormatError> {
        self.bump();
        let mut keys = Vec::new();
        loop {
            self.skip_blank();
            match self.peek() {
                Some('>') if !keys.is_empty() => {
                    self.bump();
                    return self.strike(keys);
                }
                Some('a'..='g') => {
                    let mut key = self.key()?;
                    key.tied = self.eat("~");
                    keys.push(key);
                }
                _ => return self.fail("a chord has notes only, such as <c4 e g>"),
            }
        }
    }

    /// Notes that begin now: new ones, or the rest of tied ones.
    fn strike(&mut self, keys: Vec<Key>) -> Result<(), FormatError> {
        let (value, length) = self.value()?;
        let all_tied = self.eat("~");
        let hand = self.now();
        let (onset, end) = (hand.end, hand.end + length);
        let mut heads = Vec::with_capacity(keys.len());
        for Key { spelled, pitch, finger, tied } in keys {
            let notes = &mut hand.notes;
            let held = hand.tied.iter().position(|&i| notes[i].pitch == pitch && notes[i].end == onset);
            let index = match held {
                Some(at) => hand.tied.swap_remove(at),
                None => {
                    notes.push(Note { onset, end, pitch, velocity: hand.velocity });
                    notes.len() - 1
                }
            };
            notes[index].end = end;
            heads.push(WrittenHead { spelled, finger, tied: tied || all_tied, struck: held.is_none() });
            if tied || all_tied {
                hand.tied.push(index);
            }
        }
        self.write(value, length, heads);
        let hand = self.now();
        hand.end = end;
        if hand.notes.len() > super::super::NOTES_MAX {
            return self.fail("too many notes");
        }
        self.note_marks(length)
    }

    /// Puts down what stands in the text.
    fn write(&mut self, value: NoteValue, length: i64, heads: Vec<WrittenHead>) {
        let hand = self.now();
        let written = Written {
            at: hand.end,
            length,
            value,
            voice: hand.voice,
            heads,
            tuplet: TupletMark::None,
            articulations: Vec::new(),
            ornaments: Vec::new(),
        };
        hand.written.push(written);
    }

    fn voices(&mut self) -> Result<(), FormatError> {
        self.bump();
        let (start, voice) = (self.now().end, self.now().voice);
        let mut ends = Vec::new();
        loop {
            let closing = self.until(&[';', '}'])?;
            ends.push(self.now().end);
            if ends[0] != self.now().end {
                return self.fail("the voices are not equally long");
            }
            if closing == '}' {
                self.now().voice = voice;
                return Ok(());
            }
            self.now().end = start;
            self.now().voice = self.now().voice.saturating_add(1);
        }
    }

    fn tuplet(&mut self) -> Result<(), FormatError> {
        let mut number = 0i64;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            self.bump();
            number = (number * 10 + i64::from(digit)).min(100);
        }
        if !(3..=15).contains(&number) || !self.eat("(") {
            return self.fail("a triplet is such as 3(c4/8 d e)");
        }
        let lower = 1 << (i64::BITS - 1 - (number - 1).leading_zeros());
        let outer = self.ratio;
        self.ratio = (outer.0 * lower, outer.1 * number);
        let first = self.now().written.len();
        self.until(&[')'])?;
        self.ratio = outer;
        if let [first, .., last] = &mut self.now().written[first..] {
            first.tuplet = TupletMark::Starts { number: Some(number as u8), bracket: None };
            last.tuplet = TupletMark::Ends;
        }
        Ok(())
    }

    fn barline(&mut self) -> Result<(), FormatError> {
        if self.eat(":|:") {
            self.check_bar(true)?;
            self.back(false)?;
            self.sign(Sign::Begin)
        } else if self.eat(":|") {
            self.check_bar(true)?;
            let second = self.eat("2");
            self.back(second)
        } else if self.eat("|:") {
            self.check_bar(true)?;
            self.sign(Sign::Begin)
        } else if self.eat("|1") {
            self.check_bar(true)?;
            if self.now().in_first.is_some() {
                return self.fail("a first ending within a first ending");
            }
            let due = self.now().due;
            self.now().in_first = Some(due);
            self.sign(Sign::First)
        } else if self.eat("||") {
            self.check_bar(true)
        } else if self.eat("|") {
            self.check_bar(false)
        } else {
            self.fail("a bar line is |, |:, :|, |1, :|2 or ||")
        }
    }

    fn sign(&mut self, sign: Sign) -> Result<(), FormatError> {
        let hand = self.now();
        hand.signs.push((hand.end, sign));
        Ok(())
    }

    /// `:|`, with or without a second ending after it.
    fn back(&mut self, second: bool) -> Result<(), FormatError> {
        match (self.now().in_first.take(), second) {
            (Some(due), true) => self.now().due = due,
            (None, false) => {}
            (Some(_), false) => return self.fail("a first ending needs a second, :|2"),
            (None, true) => return self.fail("a second ending needs a first, |1"),
        }
        self.sign(Sign::Back)
    }

    /// A bar ends here. Where it may be `divided`, what it lacks follows after the sign.
    fn check_bar(&mut self, divided: bool) -> Result<(), FormatError> {
        let bar = self.bar;
        let hand = self.now();
        let filled = hand.end - hand.bar_start;
        if let Some(&i) = hand.tied.iter().find(|&&i| hand.notes[i].end < hand.end) {
            let pitch = hand.notes[i].pitch;
            return self.fail(format!("a tie of {pitch} leads nowhere"));
        }
        if filled == hand.due {
            hand.due = bar;
            hand.number += 1;
        } else if divided && filled < hand.due {
            hand.due -= filled;
        } else if filled > 0 || hand.end > 0 {
            let quarters = |ticks: i64| ticks as f64 / f64::from(RESOLUTION);
            let (number, due) = (hand.number, quarters(hand.due));
            let problem = format!("bar {number} has {} quarters instead of {due}", quarters(filled));
            return self.fail(problem);
        }
        hand.bar_start = hand.end;
        hand.bars.push(hand.end);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{read, score};
    use crate::music::Hand;

    /// The notes as `onset+length:key` in ticks, those of the left hand in brackets.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let score = score(text).expect("readable notation");
        let each = score.notes().iter().map(|n| {
            let plain = format!("{}+{}:{}", n.onset, n.end - n.onset, n.pitch);
            if n.hand == Hand::Left { format!("({plain})") } else { plain }
        });
        assert_eq!(each.collect::<Vec<_>>().join(" "), expected, "{text}");
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        assert_eq!(read(text).expect_err("an error").to_string(), expected, "{text}");
    }

    #[test]
    fn octave_and_value_hold_until_changed() {
        check("c d/8 e5 f#", "0+480:C4 480+240:D4 720+240:E5 960+240:F♯5");
        check("bb3/2. r/4 | cb4/1 L: c3/1 | ebb/1", "(0+1920:C3) 0+1440:A♯3 (1920+1920:D3) 1920+1920:B3");
    }

    #[test]
    fn chords_ties_and_voices() {
        check("<c4 e g>/2 g4", "0+960:C4 0+960:E4 0+960:G4 960+960:G4");
        check("c4/2~ c/4 d~ | d/4", "0+1440:C4 1440+960:D4");
        check("<c4~ e>/2 <c f>", "0+1920:C4 0+960:E4 960+960:F4");
        check("{c5/1~ ; e4/2 d} | c5/4 e4", "0+960:E4 0+2400:C5 960+960:D4 2400+480:E4");
    }

    #[test]
    fn triplets_fit_three_into_the_time_of_two() {
        check("3(c4/8 d e) f/4", "0+160:C4 160+160:D4 320+160:E4 480+480:F4");
        check("5(c4/16 d e f g)", "0+96:C4 96+96:D4 192+96:E4 288+96:F4 384+96:G4");
        check_error("7(c4/64)", "line 1, column 8: this division is finer than the notation can count");
    }

    #[test]
    fn repeats_are_unfolded_with_their_endings() {
        check(
            "meter: 1/4\nc4 |: d |1 e :|2 f | g",
            "0+480:C4 480+480:D4 960+480:E4 1440+480:D4 1920+480:F4 2400+480:G4",
        );
        check("meter: 1/4\nc4 | d :|: e :|", &{
            let keys = ["C4", "D4", "C4", "D4", "E4", "E4"];
            let each = keys.iter().enumerate().map(|(i, key)| format!("{}+480:{key}", i * 480));
            each.collect::<Vec<_>>().join(" ")
        });
    }

    #[test]
    fn a_repeat_sign_divides_a_bar_and_leaves_the_pick_up_its_place() {
        let text = "meter: 3/4\npickup: 1/4\nR: g4 |: c5 d e | f e :| g | c5/2. |";
        let score = score(text).expect("readable notation");
        assert_eq!(score.end().0, 480 * (1 + 5 + 5 + 1 + 3));
        assert_eq!(score.bars().number(0), 0);
    }

    #[test]
    fn mistakes_are_told_with_line_and_column() {
        check_error("c d e |", "line 1, column 8: bar 1 has 3 quarters instead of 4");
        check_error("title: A\nR: c d\n  h", "line 3, column 3: \"h\" is not part of the notation");
        check_error("meter: 3/5\nc", "line 1, column 7: a metre is such as 3/4");
        check_error("c/3", "line 1, column 4: a note value is 1, 2, 4, 8, 16, 32 or 64");
        check_error("c/2~ d | e", "line 1, column 9: a tie of C4 leads nowhere");
        check_error("c/1~", "line 1, column 5: a tie of C4 in the right hand leads nowhere");
        check_error("{c/1 ; d/2}", "line 1, column 12: the voices are not equally long");
        check_error("<c e", "line 1, column 5: a chord has notes only, such as <c4 e g>");
        check_error("c9 g##9", "line 1, column 8: the note is beyond the MIDI keys");
        check_error("c/1 |1 d :|", "line 1, column 12: a first ending needs a second, :|2");
        check_error("R: c/1 L: c/2", "line 1, column 14: the right hand has 4 quarters of music and the left 2");
        check_error("% nothing", "the file is empty");
        check_error(&"{".repeat(20), "line 1, column 10: more than 8 groups within one another");
    }
}
