//! What a line in playing order tells of repeats and jumps: each sign where it acts. A repeat begins at its first pass, its
//! end stands wherever the music goes back, and the pass that follows is told by its number; words and double lines stand
//! where the music leaves the order of the page, and the final line at the very end only.

use super::signs::Line;
use crate::music::notation::{Barline, Jump, Measure};

/// How the music goes on after a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Onward {
    /// With the next measure of the page, or with the ending whose pass it is.
    Straight,
    /// Back, by a repeat sign.
    Back,
    /// Where a word or sign says.
    Jump,
    /// Not at all.
    End,
}

impl Onward {
    /// After `measure` in its `pass`, from 1; `next` is the measure that is played then.
    pub(super) fn of(measures: &[Measure], measure: usize, pass: u32, next: Option<usize>) -> Self {
        let Some(next) = next else { return Self::End };
        let printed = &measures[measure];
        let leads = printed.jumps.iter().any(|jump| leads_on(*jump));
        let repeats = printed.repeat_end.is_some_and(|passes| !leads || pass < u32::from(passes));
        let skips = next > measure && measures[next].ending.as_ref().is_some_and(|ending| ending.starts);
        match next {
            _ if next == measure + 1 || skips && !leads => Self::Straight,
            _ if next <= measure && repeats => Self::Back,
            _ => Self::Jump,
        }
    }

    /// The line at the end of a measure.
    pub(super) fn line(self, measure: &Measure, is_last_of_page: bool) -> Line {
        match (self, measure.barline) {
            (Self::Back, _) => Line::RepeatEnd,
            (Self::End, line) if is_last_of_page && measure.repeat_end.is_none() => Line::Plain(line),
            (Self::End, _) => Line::Plain(Barline::Final),
            (Self::Jump, _) | (_, Barline::Final) => Line::Plain(Barline::Double),
            (_, Barline::Single) if measure.repeat_end.is_some() => Line::Plain(Barline::Double),
            (_, line) => Line::Plain(line),
        }
    }

    /// Whether a sign of the measure says so.
    pub(super) fn tells(self, jump: Jump) -> bool {
        match jump {
            Jump::Segno | Jump::Coda => true,
            Jump::Fine => self == Self::End,
            _ => self == Self::Jump,
        }
    }
}

/// Whether a sign leads elsewhere from where it stands.
const fn leads_on(jump: Jump) -> bool {
    !matches!(jump, Jump::Segno | Jump::Coda | Jump::Fine)
}

#[cfg(test)]
mod tests {
    use super::super::page_support::{RESOLUTION, page};
    use super::super::shape::{Part, Shape};
    use super::super::{Flow, engrave_page};
    use crate::music::notation::{Barline, Ending, Jump, Notation};

    /// Seven measures.
    fn seven() -> Notation {
        page((4, 4), 0, &[(0, &["c5w"; 7].join("|"))])
    }

    /// What a line in playing order has: for each passage its measure, then dots of repeats and thick lines, then words.
    #[track_caller]
    fn check(page: &mut Notation, expected: &[&str]) {
        assert!(page.unfold());
        let line = engrave_page(page, RESOLUTION, Flow::Endless, &|_, _, _| None).remove(0);
        let told = line.measures.iter().map(|measure| {
            let mut words = vec![measure.measure.to_string()];
            let middle = (measure.left + measure.right) / 2.0;
            let (mut dots, mut strokes) = ([0, 0], [0, 0]);
            for item in &measure.items {
                match &item.shape {
                    Shape::Glyph { at, .. } if item.tag.part == Part::Barline => dots[usize::from(at.x > middle)] += 1,
                    Shape::Line { from, thickness, .. } if item.tag.part == Part::Barline && measure.left > 0.0 => {
                        strokes[usize::from(from.x > middle)] += if *thickness > 0.3 { 10 } else { 1 };
                    }
                    Shape::Text { text, .. } if item.tag.part == Part::Mark => words.push(text.clone()),
                    _ => {}
                }
            }
            for (sign, count) in [("|:", dots[0]), (":|", dots[1])] {
                if count > 0 {
                    words.push(sign.to_owned());
                }
            }
            if dots[1] == 0 && strokes[1] != 1 && measure.left > 0.0 {
                words.push(["", "", "||"].get(strokes[1]).map_or("|]", |w| w).to_owned());
            }
            words.join(" ")
        });
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_repeat_is_told_at_its_first_pass_and_the_later_ones_by_number() {
        let mut page = seven();
        page.measures.truncate(4);
        page.measures[1].repeat_start = true;
        page.measures[2].repeat_end = Some(3);
        page.measures[3].barline = Barline::Final;
        let once = ["1 2nd time", "2 :|", "1 3rd time", "2 ||"];
        check(&mut page, &[&["0", "1 |:", "2 :|"][..], &once, &["3 |]"]].concat());
        page.measures[1].repeat_start = false;
        page.measures.truncate(3);
        page.measures[2].repeat_end = Some(2);
        page.measures[2].barline = Barline::Final;
        check(&mut page, &["0", "1", "2 :|", "0 2nd time", "1", "2 |]"]);
    }

    #[test]
    fn endings_and_jumps_stand_where_they_act() {
        let mut page = seven();
        page.measures.truncate(3);
        let ending = |pass| Some(Ending { passes: vec![pass], starts: true, ends: true });
        (page.measures[1].ending, page.measures[1].repeat_end) = (ending(1), Some(2));
        page.measures[2].ending = ending(2);
        page.measures[2].barline = Barline::Final;
        check(&mut page, &["0", "1 :|", "0 2nd time", "2 |]"]);
        let brackets = engrave_page(&page, RESOLUTION, Flow::Endless, &|_, _, _| None).remove(0);
        let texts = brackets.spanning(f32::MIN, f32::MAX).filter(|i| matches!(i.shape, Shape::Text { .. })).count();
        assert_eq!(texts, 2, "each ending has its bracket");

        let mut page = seven();
        page.measures.truncate(4);
        page.measures[1].jumps = vec![Jump::Fine];
        page.measures[3].jumps = vec![Jump::DaCapoAlFine];
        page.measures[3].barline = Barline::Final;
        check(&mut page, &["0", "1", "2", "3 D.C. al Fine ||", "0 2nd time", "1 Fine |]"]);
    }

    #[test]
    fn where_repeats_meet_they_share_the_thick_line() {
        let mut page = seven();
        page.measures.truncate(2);
        for measure in &mut page.measures {
            (measure.repeat_start, measure.repeat_end) = (true, Some(2));
        }
        assert!(page.unfold());
        let lines = engrave_page(&page, RESOLUTION, Flow::Lines(1_000.0), &|_, _, _| None);
        let items = lines[0].measures.iter().flat_map(|m| &m.items).filter(|i| i.tag.part == Part::Barline);
        let (mut thick, mut dots) = (0, 0);
        for item in items {
            match item.shape {
                Shape::Line { thickness, .. } => thick += u32::from(thickness > 0.3),
                _ => dots += 1,
            }
        }
        assert_eq!((thick, dots), (3, 2 * 4 * 2), "at the beginning, in the middle and at the end; on two staves");
    }
}
