//! The page that a text describes: its measures, repeats and endings as they stand there, played in the order of the
//! unfolded music.

use super::body::{HandMusic, Sign};
use super::unfold::spans;
use super::{Header, RESOLUTION, key_signature};
use crate::formats::notate::choose_clefs;
use crate::formats::voices;
use crate::music::Hand;
use crate::music::notation::{
    Articulation, Barline, Base, Chord, Direction, DirectionKind, Ending, Head, Measure, Notation, NoteValue, Ornament,
    Passage, Rest, Span, SpanKind, SpelledPitch, Staff, TupletMark,
};
use crate::time::Ticks;

/// A note, chord or rest as it stands in the text.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) at: i64,
    pub(super) length: i64,
    pub(super) value: NoteValue,
    /// From 0.
    pub(super) voice: u8,
    /// None for a rest.
    pub(super) heads: Vec<WrittenHead>,
    pub(super) tuplet: TupletMark,
    pub(super) articulations: Vec<Articulation>,
    pub(super) ornaments: Vec<Ornament>,
}

/// A note of a chord.
#[derive(Clone, Copy, Debug)]
pub(super) struct WrittenHead {
    pub(super) spelled: SpelledPitch,
    pub(super) finger: Option<u8>,
    pub(super) tied: bool,
    /// Whether it is not held over from before.
    pub(super) struck: bool,
}

/// Voices of a hand; texts with more have no page of their own.
const VOICES: u8 = 8;

/// A stretch between bar lines, in ticks of the text.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: i64,
    to: i64,
}

/// The page; `None` where hands have different bar lines, a bar is not one of its metre, or a value cannot be printed.
pub(super) fn page(hands: &[HandMusic; 2], header: &Header) -> Option<Notation> {
    let parts: Vec<(Hand, &HandMusic)> =
        [Hand::Right, Hand::Left].into_iter().zip(hands).filter(|(_, music)| music.end > 0).collect();
    let (_, lead) = parts.first()?;
    let stretches = stretches(lead);
    let alike = |music: &HandMusic| {
        let same = self::stretches(music).iter().map(|s| s.to).eq(stretches.iter().map(|s| s.to));
        same && music.signs == lead.signs
    };
    let is_bar = stretches.iter().all(|s| s.to - s.from <= header.bar_ticks());
    if !is_bar || !parts.iter().all(|(_, music)| alike(music) && music.written.iter().all(is_printable)) {
        return None;
    }
    let mut measures = measures(lead, &stretches, header);
    let mut staves = Vec::new();
    for (staff, (hand, music)) in (0u8..).zip(&parts) {
        write(&mut measures, &stretches, music, (staff, *hand), header.bar_ticks());
        staves.push(Staff { hand: *hand, clef: choose_clefs(&mut measures, staff, *hand) });
    }
    directions(&mut measures, &stretches, &parts);
    if let (Some(first), false) = (measures.first_mut(), header.marking.is_empty()) {
        first.directions.insert(0, direction(0, Ticks::ZERO, DirectionKind::Tempo(header.marking.clone())));
    }
    let mut marks = page_spans(&stretches, &parts);
    number_from_above(&mut measures, &mut marks);
    for measure in &mut measures {
        measure.chords.sort_by_key(|c| (c.at, c.staff, c.voice));
    }
    let mut passages = Vec::new();
    let mut start = Ticks::ZERO;
    for (from, to) in spans(lead) {
        let played = (0u32..).zip(&stretches).filter(|(_, s)| (from..to).contains(&s.from));
        for (measure, _) in played {
            passages.push(Passage { measure, start });
            start += measures[measure as usize].length;
        }
    }
    Some(Notation { staves, measures, passages, spans: marks })
}

/// What lies between bar lines and repeat signs.
fn stretches(music: &HandMusic) -> Vec<Stretch> {
    let mut ends: Vec<i64> = music.bars.iter().chain([&music.end]).copied().filter(|tick| *tick > 0).collect();
    ends.sort_unstable();
    ends.dedup();
    let starts = [0].into_iter().chain(ends.iter().copied());
    starts.zip(&ends).map(|(from, to)| Stretch { from, to: *to }).collect()
}

fn is_printable(written: &Written) -> bool {
    written.value.dots <= 3 && written.value.ticks(RESOLUTION).0 == written.length && written.voice < VOICES
}

/// The measures without their notes.
fn measures(lead: &HandMusic, stretches: &[Stretch], header: &Header) -> Vec<Measure> {
    let bar = header.bar_ticks();
    let mut due = if header.pickup > 0 { header.pickup } else { bar };
    let mut number = u32::from(header.pickup == 0);
    let (mut filled, mut at_ending) = (0, 0);
    let mut found: Vec<Measure> = Vec::with_capacity(stretches.len());
    for stretch in stretches {
        let signs = |sign: Sign, tick: i64| lead.signs.contains(&(tick, sign));
        if signs(Sign::First, stretch.from) {
            at_ending = filled;
        }
        let follows_ending = found.last().is_some_and(|m| m.ending.is_some() && m.repeat_end.is_some());
        if follows_ending {
            filled = at_ending;
        }
        let mut measure = Measure { length: Ticks(stretch.to - stretch.from), ..Measure::default() };
        if filled == 0 {
            measure.number = number.to_string();
        }
        filled += stretch.to - stretch.from;
        measure.repeat_start = signs(Sign::Begin, stretch.from);
        measure.repeat_end = signs(Sign::Back, stretch.to).then_some(2);
        if stretch.to == lead.end && filled < due && measure.repeat_end.is_none() {
            // What a last bar lacks is silence that is not printed.
            measure.length += Ticks(due - filled);
        }
        if filled >= due {
            (filled, due, number) = (0, bar, number + 1);
        }
        measure.ending = ending(lead, *stretch, stretches);
        found.push(measure);
    }
    if let Some(first) = found.first_mut() {
        first.meter = Some(header.meter);
        first.fifths = Some(key_signature(&header.key).map_or(0, |(fifths, _)| fifths));
    }
    if let Some(last) = found.last_mut() {
        last.barline = Barline::Final;
    }
    found
}

/// The bracket of a measure: a first ending reaches to its repeat sign, a second one as far as the first, if no sign
/// comes before.
fn ending(lead: &HandMusic, stretch: Stretch, stretches: &[Stretch]) -> Option<Ending> {
    for pair in lead.signs.windows(2) {
        let [(first, Sign::First), (back, Sign::Back)] = *pair else { continue };
        let next = lead.signs.iter().map(|s| s.0).find(|tick| *tick > back).unwrap_or(lead.end);
        let limit = next.min(back + back - first);
        let last = stretches.iter().map(|s| s.to).filter(|to| *to > back && *to <= limit).max();
        for (pass, from, to) in [(1, first, back), (2, back, last.unwrap_or(back))] {
            if stretch.from >= from && stretch.to <= to {
                return Some(Ending { passes: vec![pass], starts: stretch.from == from, ends: stretch.to == to });
            }
        }
    }
    None
}

/// Writes a hand's notes and rests into the measures; what a voice lacks there takes its time unseen. A rest fills a
/// measure of `full` ticks as a whole rest; an upbeat has rests of its own length (Gould, p. 160).
fn write(measures: &mut [Measure], stretches: &[Stretch], music: &HandMusic, (staff, hand): (u8, Hand), full: i64) {
    let mut written: Vec<&Written> = music.written.iter().collect();
    written.sort_by_key(|w| (w.at, w.voice));
    let mut next = 0;
    for (measure, stretch) in measures.iter_mut().zip(stretches) {
        let count = written[next..].partition_point(|w| w.at < stretch.to);
        let here = &written[next..next + count];
        next += count;
        for voice in 0..VOICES {
            let mut of_voice = here.iter().filter(|w| w.voice == voice).peekable();
            if of_voice.peek().is_none() && voice > 0 {
                continue;
            }
            let place = (staff, staff * VOICES + voice, hand);
            let mut now = 0;
            for written in of_voice {
                let at = written.at - stretch.from;
                hide(measure, now, at, place);
                measure.chords.push(chord(written, at, full, place));
                now = at + written.length;
            }
            hide(measure, now, measure.length.0, place);
        }
    }
}

fn chord(written: &Written, at: i64, full: i64, place: (u8, u8, Hand)) -> Chord {
    let head = |h: &WrittenHead| Head {
        pitch: h.spelled,
        courtesy: false,
        tied: h.tied,
        staff: None,
        finger: h.finger,
        sounds: h.spelled.pitch().filter(|_| h.struck).map(|pitch| (Ticks(at), pitch)),
    };
    let mut heads: Vec<Head> = written.heads.iter().map(head).collect();
    heads.sort_by_key(|h| (h.pitch.diatonic(), h.pitch.alter));
    let mut chord = Chord::plain(Ticks(at), written.value, place, heads);
    chord.tuplet = written.tuplet;
    chord.articulations = written.articulations.clone();
    chord.ornaments = written.ornaments.clone();
    if written.heads.is_empty() && written.length == full {
        chord.rest = Rest::WholeMeasure;
    }
    chord
}

/// Rests that are not printed, from one tick to another.
fn hide(measure: &mut Measure, mut from: i64, to: i64, place: (u8, u8, Hand)) {
    for value in Base::ALL.into_iter().map(NoteValue::plain) {
        let ticks = value.ticks(RESOLUTION).0;
        while to - from >= ticks {
            let mut rest = Chord::plain(Ticks(from), value, place, Vec::new());
            rest.rest = Rest::Hidden;
            measure.chords.push(rest);
            from += ticks;
        }
    }
}

/// Numbers the voices of each staff from above, whatever their order in the text. They are those of a group, so they are
/// compared over the measures that have several without a break.
fn number_from_above(measures: &mut [Measure], marks: &mut [Span]) {
    let mut runs: Vec<[usize; 2]> = Vec::with_capacity(measures.len());
    for (index, measure) in measures.iter().enumerate() {
        let first = |staff: usize| {
            let mut of_staff = measure.chords.iter().filter(|c| usize::from(c.staff) == staff && !c.heads.is_empty());
            let voice = of_staff.next().map(|c| c.voice);
            let several = of_staff.any(|c| Some(c.voice) != voice);
            // The measure at which a run begins stands for it; no measure has the number of those with one voice.
            let before = runs.last().map(|runs| runs[staff]).filter(|first| *first != usize::MAX);
            if several { before.unwrap_or(index) } else { usize::MAX }
        };
        let found = [first(0), first(1)];
        runs.push(found);
    }
    let run = |measure: usize, staff: u8| runs.get(measure).map_or(usize::MAX, |runs| runs[usize::from(staff)]);
    let chords = measures.iter().enumerate().flat_map(|(index, m)| m.chords.iter().map(move |c| (index, c)));
    let heights = voices::heights(chords.flat_map(|(index, c)| {
        let voice = (run(index, c.staff), c.voice);
        c.heads.iter().map(move |h| (index, c.staff, voice, h.pitch.diatonic()))
    }));
    let number = |measure: usize, staff: u8, voice: u8| {
        // A voice that is never heard beside another one stays behind those that are, but for the hand's own.
        let alone = |voice: u8| if voice == staff * VOICES { 0.0 } else { f64::NEG_INFINITY };
        let height = |voice: u8| {
            let found = heights.get(&(staff, (run(measure, staff), voice)));
            found.copied().unwrap_or_else(|| alone(voice))
        };
        let mut order: Vec<u8> = (staff * VOICES..(staff + 1) * VOICES).collect();
        order.sort_by(|a, b| height(*b).total_cmp(&height(*a)));
        order.iter().position(|other| *other == voice).map_or(voice, |rank| staff * VOICES + rank as u8)
    };
    for (index, measure) in measures.iter_mut().enumerate() {
        measure.chords.iter_mut().for_each(|c| c.voice = number(index, c.staff, c.voice));
    }
    marks.iter_mut().for_each(|span| span.voice = number(span.from.0 as usize, span.staff, span.voice));
}

/// Loudness and words; what both hands have at one place stands once.
fn directions(measures: &mut [Measure], stretches: &[Stretch], parts: &[(Hand, &HandMusic)]) {
    for (staff, (_, music)) in (0u8..).zip(parts) {
        for (tick, kind) in &music.directions {
            let (measure, at) = place(stretches, *tick);
            let Some(measure) = measures.get_mut(measure as usize) else { continue };
            let is_said = measure.directions.iter().any(|d| d.at == at && d.kind == *kind);
            if !is_said {
                measure.directions.push(direction(staff, at, kind.clone()));
            }
        }
    }
}

/// Slurs, hairpins and pedals.
fn page_spans(stretches: &[Stretch], parts: &[(Hand, &HandMusic)]) -> Vec<Span> {
    let mut found = Vec::new();
    for (staff, (_, music)) in (0u8..).zip(parts) {
        for (kind, voice, (from, to)) in &music.spans {
            // A slur ends at a note, the others where what they are over ends.
            let to = if *kind == SpanKind::Slur {
                place(stretches, *to)
            } else {
                let (measure, before) = place(stretches, *to - 1);
                (measure, before + Ticks(1))
            };
            let voice = staff * VOICES + voice.min(&(VOICES - 1));
            found.push(Span { kind: *kind, staff, voice, from: place(stretches, *from), to, above: None });
        }
    }
    found
}

/// The measure that a tick lies in, and where in it.
fn place(stretches: &[Stretch], tick: i64) -> (u32, Ticks) {
    let measure = stretches.partition_point(|s| s.to <= tick);
    (measure as u32, Ticks(tick - stretches.get(measure).map_or(0, |s| s.from)))
}

fn direction(staff: u8, at: Ticks, kind: DirectionKind) -> Direction {
    Direction { staff, at, above: None, kind }
}

#[cfg(test)]
mod tests {
    use super::super::score;
    use super::*;
    use crate::music::notation::Dynamic;

    /// Each measure as number, signs and ending, and in which order they are played.
    #[track_caller]
    fn check(text: &str, measures: &str, played: &[u32]) -> Notation {
        let score = score(text).expect("readable notation");
        let page = score.notation().expect("a page");
        let told = page.measures.iter().map(|m| {
            let open = if m.repeat_start { "|:" } else { "" };
            let close = if m.repeat_end.is_some() { ":|" } else { "" };
            let ending = m.ending.as_ref().map_or(String::new(), |e| {
                format!("[{}{}{}", e.passes[0], if e.starts { "+" } else { "" }, if e.ends { "]" } else { "" })
            });
            format!("{open}{}{ending}{close}", m.number)
        });
        assert_eq!(told.collect::<Vec<_>>().join(" "), measures, "{text}");
        assert_eq!(page.passages.iter().map(|p| p.measure).collect::<Vec<_>>(), played, "{text}");
        let mut heads: Vec<(Ticks, crate::music::Pitch, Hand)> = Vec::new();
        for passage in &page.passages {
            for chord in &page.measures[passage.measure as usize].chords {
                let sounds = chord.heads.iter().filter_map(|h| h.sounds);
                heads.extend(sounds.map(|(at, pitch)| (passage.start + at, pitch, chord.hand)));
            }
        }
        heads.sort_unstable();
        let notes: Vec<_> = score.notes().iter().map(|n| (n.onset, n.pitch, n.hand)).collect();
        assert_eq!(heads, notes, "{text}");
        (**page).clone()
    }

    #[test]
    fn repeats_are_printed_once_and_played_twice() {
        check("meter: 1/4\nc4 |: d |1 e :|2 f | g", "1 |:2 3[1+]:| 4[2+] 5", &[0, 1, 2, 1, 3, 4]);
        check("meter: 1/4\nc4 | d :|: e :|", "1 2:| |:3:|", &[0, 1, 0, 1, 2, 2]);
        check("meter: 2/4\npickup: 1/4\nc4 | d e | f", "0 1 2", &[0, 1, 2]);
        check("meter: 3/4\npickup: 1/4\nR: g4 |: c5 d e | f e :| g | c5/2. |", "0 |:1 2:|  3", &[0, 1, 2, 1, 2, 3, 4]);
        check("R: c/1 | d L: c3/1 | d", "1 2", &[0, 1]);
    }

    #[test]
    fn names_values_voices_and_loudness_are_those_of_the_text() {
        let page = check("key: D major\nR: !p {c#5/1~ ; e4/2 db} | c#5/4 r 3(f#/8 e d) r/4", "1 2", &[0, 1]);
        let told = |measure: &Measure| -> Vec<String> {
            let of = |c: &Chord| {
                let names: Vec<String> =
                    c.heads.iter().map(|h| format!("{}{}", h.pitch, if h.tied { "~" } else { "" })).collect();
                format!("{}@{}:{}", names.join("+"), c.voice, c.ticks(RESOLUTION))
            };
            measure.chords.iter().map(of).collect()
        };
        assert_eq!(told(&page.measures[0]), ["C♯5~@0:1920", "E4@1:960", "D♭4@1:960"]);
        let second = ["C♯5@0:480", "@0:480", "F♯5@0:160", "E5@0:160", "D5@0:160", "@0:480"];
        assert_eq!(told(&page.measures[1]), second);
        assert_eq!(page.measures[1].chords[2].tuplet, TupletMark::Starts { number: Some(3), bracket: None });
        assert_eq!((page.measures[0].fifths, page.measures[0].meter), (Some(2), Some((4, 4))));
        assert_eq!(page.measures[0].directions, [direction(0, Ticks(0), DirectionKind::Dynamic(Dynamic::P))]);
    }

    #[test]
    fn voices_are_numbered_from_above() {
        let page = check("{c4/2[ d] ; r/4 e4/4 f/2} | {c4/1 ; e4/2[ b3]}", "1 2", &[0, 1]);
        let voiced = page.measures.iter().flat_map(|m| &m.chords).filter(|c| !c.heads.is_empty());
        let told: Vec<String> = voiced.map(|c| format!("{}@{}", c.heads[0].pitch, c.voice)).collect();
        assert_eq!(told, ["C4@1", "E4@0", "F4@0", "D4@1", "E4@0", "C4@1", "B3@0"]);
        assert_eq!(page.spans.iter().map(|s| s.voice).collect::<Vec<_>>(), [1, 0], "slurs stay with their voice");
        // After a measure of one voice the text may begin with the other one.
        let page = check("{e4/1 ; c4} | d4/1 | {c4/1 ; e4}", "1 2 3", &[0, 1, 2]);
        let last = |measure: usize| {
            page.measures[measure].chords.iter().map(|c| c.heads[0].pitch.to_string()).collect::<Vec<_>>()
        };
        assert_eq!((last(0), last(2)), (vec!["E4".to_owned(), "C4".into()], vec!["E4".to_owned(), "C4".into()]));
    }

    #[test]
    fn signs_stand_where_the_text_has_them() {
        let text =
            "marking: Andantino\nR: \"dolce\" c4@1/4'[ d@2- e^ f | g]* r/2. L: !ped !< r/1 !. | <c3@5 e@3 g@1>/1 !*";
        let page = check(text, "1 2", &[0, 1]);
        let said: Vec<_> = page.measures[0].directions.iter().map(|d| d.kind.clone()).collect();
        let words = |text: &str| text.to_owned();
        assert_eq!(said, [DirectionKind::Tempo(words("Andantino")), DirectionKind::Words(words("dolce"))]);
        let spans: Vec<_> = page.spans.iter().map(|s| (s.kind, s.staff, s.from, s.to)).collect();
        let at = |measure, tick| (measure, Ticks(tick));
        assert_eq!(
            spans,
            [
                (SpanKind::Slur, 0, at(0, 0), at(1, 0)),
                (SpanKind::Crescendo, 1, at(0, 0), at(0, 1_920)),
                (SpanKind::Pedal, 1, at(0, 0), at(1, 1_920)),
            ]
        );
        let chords = || page.measures.iter().flat_map(|m| &m.chords);
        let struck: Vec<_> = chords().flat_map(|c| c.articulations.clone()).collect();
        assert_eq!(struck, [Articulation::Staccato, Articulation::Tenuto, Articulation::Accent]);
        let fingers: Vec<_> = chords().flat_map(|c| &c.heads).filter_map(|h| h.finger).collect();
        assert_eq!(fingers, [1, 2, 5, 3, 1]);
        assert_eq!(page.measures[1].chords[0].ornaments, [Ornament::Fermata]);
    }

    #[test]
    fn only_a_full_measure_has_a_whole_rest() {
        let page = check("meter: 3/4\npickup: 1/4\nR: c4 | d e f L: r/4 | r/2.", "0 1", &[0, 1]);
        let rests = page.measures.iter().flat_map(|m| &m.chords).filter(|c| c.heads.is_empty());
        assert_eq!(
            rests.map(|c| (c.rest, c.value.base)).collect::<Vec<_>>(),
            [(Rest::Printed, Base::Quarter), (Rest::WholeMeasure, Base::Half)]
        );
    }

    #[test]
    fn texts_that_are_no_page_get_one_from_their_notes() {
        for text in ["c d e f g a b c5", "R: |: c/1 :| L: c3/1", "{c/1;d;e;f;g;a;b;c5;d5}"] {
            let score = score(text).expect("readable notation");
            let page = score.notation().expect("a page");
            assert!(page.measures.iter().all(|m| m.length == Ticks(1_920)), "{text}");
            let heads = page.measures.iter().flat_map(|m| &m.chords).flat_map(|c| &c.heads);
            assert_eq!(heads.filter(|h| h.sounds.is_some()).count(), score.notes().len(), "{text}");
        }
    }
}
