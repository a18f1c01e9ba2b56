//! Repeats, endings, D.C. and D.S.: from the order printed to the order played.
//!
//! Repeat signs pair like brackets: an end goes back to the nearest start that is still open, else to the end of the
//! repeat before it, else to the beginning. After D.C. or D.S. repeats are not taken again and the last ending is
//! played; Fine and To Coda count only then. A coda is what comes later: To Coda leads to the nearest sign after it, and
//! where there is none the music goes on.

use super::{Jump, Measure, Notation, Passage};
use crate::time::Ticks;

/// So many measures are played at most. Repeats within repeats multiply: a hostile page of a hundred measures could ask
/// for more than a lifetime. Long symphonies have two thousand.
pub const PASSAGES_MAX: usize = 50_000;

/// The last tick at which a measure may begin, so that all later arithmetic stays far from overflow.
const START_MAX: i64 = 1 << 31;

impl Notation {
    /// Puts the measures into the order in which they are played; whether all of them are: `false` where that is cut
    /// short at [`PASSAGES_MAX`] measures or an absurd length.
    pub fn unfold(&mut self) -> bool {
        let (order, mut whole) = order(&self.measures);
        let mut start = Ticks::ZERO;
        self.passages.clear();
        for measure in order {
            if start.0 > START_MAX {
                whole = false;
                break;
            }
            self.passages.push(Passage { measure, start });
            start += self.measures[measure as usize].length.max(Ticks(1));
        }
        whole
    }
}

/// A stretch that is played several times.
#[derive(Debug)]
struct Section {
    start: usize,
    /// The last measure, that of its last ending if it has some.
    last: usize,
    /// How often it is played.
    passes: u8,
    /// Which pass is on, from 1.
    pass: u8,
}

/// How the music goes on after a jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Before any.
    Straight,
    /// To Fine or To Coda, whichever comes.
    Any,
    Fine,
    Coda,
}

/// The indices of the measures in the order played, and whether that is all of it.
pub fn order(measures: &[Measure]) -> (Vec<u32>, bool) {
    let mut sections = sections(measures);
    let inner = innermost(&sections, measures.len());
    let mut jumped = vec![false; measures.len()];
    let (mut order, mut at, mut way) = (Vec::new(), 0, Way::Straight);
    // Each turn plays a measure or skips forward, and only a measure that was played leads back.
    while let Some(measure) = measures.get(at) {
        let section = inner[at];
        if let Some(after) = skip(measures, section.map(|index| &sections[index]), at) {
            at = after;
            continue;
        }
        if order.len() == PASSAGES_MAX {
            return (order, false);
        }
        order.push(at as u32);
        if let Some(start) = section.and_then(|index| back(measures, &mut sections[index], at, way)) {
            at = start;
            continue;
        }
        if way != Way::Straight {
            if way != Way::Coda && measure.jumps.contains(&Jump::Fine) {
                break;
            }
            if way != Way::Fine
                && measure.jumps.contains(&Jump::ToCoda)
                && let Some(coda) = coda(measures, at)
            {
                (at, way) = (coda, Way::Any);
                continue;
            }
        }
        match measure.jumps.iter().find_map(|jump| leap(*jump)) {
            Some((from_sign, next)) if !jumped[at] => {
                jumped[at] = true;
                at = if from_sign { segno(measures, at) } else { 0 };
                way = next;
                sections.iter_mut().for_each(|section| section.pass = section.passes);
            }
            _ => at += 1,
        }
    }
    (order, true)
}

/// Whether a jump goes to the sign, and the way from there; `None` for what is no jump by itself.
fn leap(jump: Jump) -> Option<(bool, Way)> {
    match jump {
        Jump::DaCapo => Some((false, Way::Any)),
        Jump::DaCapoAlFine => Some((false, Way::Fine)),
        Jump::DaCapoAlCoda => Some((false, Way::Coda)),
        Jump::DalSegno => Some((true, Way::Any)),
        Jump::DalSegnoAlFine => Some((true, Way::Fine)),
        Jump::DalSegnoAlCoda => Some((true, Way::Coda)),
        Jump::Segno | Jump::Coda | Jump::ToCoda | Jump::Fine => None,
    }
}

/// The nearest sign at or before a measure, else the first, else the beginning.
fn segno(measures: &[Measure], at: usize) -> usize {
    let is_sign = |measure: &Measure| measure.jumps.contains(&Jump::Segno);
    measures[..=at].iter().rposition(is_sign).or_else(|| measures.iter().position(is_sign)).unwrap_or(0)
}

/// The nearest coda after a measure.
fn coda(measures: &[Measure], at: usize) -> Option<usize> {
    let is_sign = |measure: &Measure| measure.jumps.contains(&Jump::Coda);
    measures[at + 1..].iter().position(is_sign).map(|found| at + 1 + found)
}

/// The measures where "To Coda" leads nowhere, since no coda comes after them.
pub fn lost_codas(measures: &[Measure]) -> impl Iterator<Item = &Measure> {
    let last = measures.iter().rposition(|measure| measure.jumps.contains(&Jump::Coda)).unwrap_or(0);
    measures[last..].iter().filter(|measure| measure.jumps.contains(&Jump::ToCoda))
}

/// Where to go on when an ending begins here that is not played in this pass.
fn skip(measures: &[Measure], section: Option<&Section>, at: usize) -> Option<usize> {
    let ending = measures[at].ending.as_ref().filter(|ending| ending.starts)?;
    (!ending.passes.contains(&section?.pass)).then(|| bracket_end(measures, at) + 1)
}

/// Where to go back to after a measure of a section, the innermost that holds it, if its repeat is due.
fn back(measures: &[Measure], section: &mut Section, at: usize, way: Way) -> Option<usize> {
    if measures[at].repeat_end.is_some() && section.pass < section.passes {
        section.pass += 1;
        return Some(section.start);
    }
    if at == section.last {
        section.pass = if way == Way::Straight { 1 } else { section.passes };
    }
    None
}

/// For each measure the innermost section that holds it. Sections are disjoint or lie within each other, inner ones first.
fn innermost(sections: &[Section], measures: usize) -> Vec<Option<usize>> {
    let mut found = vec![None; measures];
    // The measures that are still free, in order: each is taken once.
    let mut next: Vec<usize> = (0..=measures).collect();
    for (index, section) in sections.iter().enumerate() {
        let mut at = free(&mut next, section.start);
        while at <= section.last {
            (found[at], next[at]) = (Some(index), at + 1);
            at = free(&mut next, at);
        }
    }
    found
}

/// The first free measure from one on; the way there is shortened for later.
fn free(next: &mut [usize], mut at: usize) -> usize {
    while next[at] != at {
        next[at] = next[next[at]];
        at = next[at];
    }
    at
}

/// The last measure of the bracket that begins here.
fn bracket_end(measures: &[Measure], at: usize) -> usize {
    let mut end = at;
    while !measures[end].ending.as_ref().is_some_and(|ending| ending.ends)
        && measures.get(end + 1).and_then(|next| next.ending.as_ref()).is_some_and(|ending| !ending.starts)
    {
        end += 1;
    }
    end
}

/// All that is repeated, inner stretches before the outer ones that hold them.
fn sections(measures: &[Measure]) -> Vec<Section> {
    let (mut sections, mut open, mut base, mut at) = (Vec::new(), Vec::new(), 0, 0);
    while at < measures.len() {
        if measures[at].repeat_start {
            open.push(at);
        }
        let (mut last, mut passes) = (at, measures[at].repeat_end);
        if measures[at].ending.is_some() {
            // A run of endings is one place where the section ends.
            while measures.get(last + 1).is_some_and(|next| next.ending.is_some() && !next.repeat_start) {
                last += 1;
            }
            let run = &measures[at..=last];
            let listed = run.iter().filter_map(|m| m.ending.as_ref()).flat_map(|e| e.passes.iter().copied()).max();
            passes = run.iter().filter_map(|m| m.repeat_end).chain(listed).max();
        }
        if let Some(passes) = passes {
            let start = open.pop().unwrap_or(base);
            sections.push(Section { start, last, passes: passes.max(1), pass: 1 });
            base = last + 1;
        }
        at = last + 1;
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::super::Ending;
    use super::*;

    /// Measures by letters, separated by blanks, each with signs around it: `|:A`, `B:|`, `C:|3` for three times,
    /// `1,2[C` for the beginning of an ending and `]` for its end, and words in braces.
    fn page(text: &str) -> Vec<Measure> {
        let mut bracket: Option<Vec<u8>> = None;
        let measure = |word: &str| {
            let mut measure = Measure { length: Ticks(1), ..Measure::default() };
            let mut word = word.to_owned();
            if let Some(rest) = word.strip_prefix("|:") {
                (measure.repeat_start, word) = (true, rest.to_owned());
            }
            let starts = word.contains('[');
            if let Some((passes, rest)) = word.clone().split_once('[') {
                bracket = Some(passes.split(',').map(|pass| pass.parse().expect("a number")).collect());
                word = rest.to_owned();
            }
            if let Some(passes) = &bracket {
                measure.ending = Some(Ending { passes: passes.clone(), starts, ends: word.contains(']') });
                if word.contains(']') {
                    bracket = None;
                }
            }
            if let Some((_, times)) = word.split_once(":|") {
                measure.repeat_end = Some(times.chars().next().and_then(|c| c.to_digit(10)).unwrap_or(2) as u8);
            }
            if let Some((_, jumps)) = word.split_once('{') {
                let names = jumps.split('}').next().unwrap_or_default();
                measure.jumps = names.split(',').map(jump).collect();
            }
            measure
        };
        text.split_whitespace().map(measure).collect()
    }

    fn jump(name: &str) -> Jump {
        match name {
            "segno" => Jump::Segno,
            "coda" => Jump::Coda,
            "to" => Jump::ToCoda,
            "fine" => Jump::Fine,
            "dc" => Jump::DaCapo,
            "dcfine" => Jump::DaCapoAlFine,
            "dccoda" => Jump::DaCapoAlCoda,
            "ds" => Jump::DalSegno,
            "dsfine" => Jump::DalSegnoAlFine,
            "dscoda" => Jump::DalSegnoAlCoda,
            other => panic!("{other}"),
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let (order, whole) = order(&page(text));
        let letters: String = order.iter().map(|i| char::from(b'A' + *i as u8)).collect();
        assert_eq!((letters.as_str(), whole), (expected, true), "{text}");
    }

    #[test]
    fn repeats_go_back_to_their_beginning() {
        check("", "");
        check("A B", "AB");
        check("A B:| C", "ABABC");
        check("A |:B:| C:| D", "ABBCCD");
        check("A |:B C:|3 D", "ABCBCBCD");
        check("|:A:| |:B:|", "AABB");
        check("A:| |:B", "AAB");
    }

    #[test]
    fn repeats_nest_like_brackets() {
        check("|:A |:B:| C:| D", "ABBCABBCD");
        check("|:A |:B C:|", "ABCBC");
    }

    #[test]
    fn endings_are_played_in_their_passes() {
        check("A 1[B]:| 2[C] D", "ABACD");
        check("|:A 1[B C]:| 2[D E] F", "ABCADEF");
        check("|:A 1,2[B]:| 3[C] D", "ABABACD");
        check("|:A 1[B]:| 2[C]:| 3[D] E", "ABACADE");
        check("A 1[B]:| C D", "ABACD");
        check("A 1[B]:| 2[C]:| D", "ABACD");
        check("A 1[B]:| 2[C] |:D 1[E]:| 2[F]", "ABACDEDF");
        check("A 1[B]:| 2[C] D:| E", "ABACDDE");
        check("|:A 1,2,3[B]:| C", "ABABABC");
    }

    #[test]
    fn da_capo_and_dal_segno_play_no_repeat_again() {
        check("A B{fine} C{dcfine}", "ABCAB");
        check("|:A:| B{fine} C{dc}", "AABCAB");
        check("A 1[B]:| 2[C{fine}] D{dcfine}", "ABACDAC");
        check("A B{segno} C{to} D{dscoda} E{coda} F", "ABCDBCEF");
        check("A{to} B{dccoda} C{coda}", "ABAC");
        check("A{coda} B{to} C{dccoda}", "ABCABC");
        check("A{coda} B{to} C{dccoda} D{to} E{coda}", "ABCABE");
        check("A{fine} B{dccoda}", "ABAB");
        check("A{segno} B{ds} C", "ABABC");
        check("A B{ds}", "ABAB");
        check("A{segno} B:|{ds} C{fine} D", "ABABABC");
    }

    #[test]
    fn a_coda_that_is_none_is_told() {
        let check = |text: &str, expected: usize| assert_eq!(lost_codas(&page(text)).count(), expected, "{text}");
        check("", 0);
        check("A{to} B{dccoda} C{coda}", 0);
        check("A{coda} B{to} C{dccoda}", 1);
        check("A{to} B{dccoda}", 1);
    }

    #[test]
    fn each_measure_is_looked_up_in_the_section_that_holds_it() {
        let check = |text: &str, expected: &[Option<usize>]| {
            let measures = page(text);
            assert_eq!(innermost(&sections(&measures), measures.len()), expected, "{text}");
        };
        check("A |:B:| C:| D", &[None, Some(0), Some(1), None]);
        check("|:A |:B:| C:| D", &[Some(1), Some(0), Some(1), None]);
        check("A 1[B]:| 2[C] |:D:|", &[Some(0), Some(0), Some(0), Some(1)]);
        // As many sections as measures, within each other and after each other: linear, so this ends at once.
        let nested: String = (0..20_000).map(|_| "|:A ").chain((0..20_000).map(|_| "B:| ")).collect();
        assert_eq!(order(&page(&nested)).0.len(), PASSAGES_MAX);
        let row = "|:A:| ".repeat(20_000);
        assert_eq!(order(&page(&row)).0.len(), 40_000);
    }

    #[test]
    fn a_hostile_page_is_cut() {
        let text: String = (0..200).map(|_| "|:A ").chain((0..200).map(|_| "B:|9 ")).collect();
        let (order, whole) = order(&page(&text));
        assert_eq!((order.len(), whole), (PASSAGES_MAX, false));
        let mut long = Notation { measures: page("|:A:|9"), ..Notation::default() };
        long.measures[0].length = Ticks(START_MAX);
        assert!(!long.unfold());
        assert_eq!(long.passages.len(), 2);
    }
}
