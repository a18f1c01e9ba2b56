//! Words about practising: the tempo ladder, hands, the keyboard that one has.

use super::{bars, note_octave, percent, tr};
use crate::music::{BarNumber, Hand, NoteId, Pitch, Score};
use crate::practice::ladder::{Climb, Ladder, LadderPlan, Rung};
use crate::practice::{ChordWindow, KeyRange, Preset};
use crate::ui::view::NoteNames;

/// Where one stands on the ladder, short: `1/2`.
pub fn ladder_short(ladder: &Ladder) -> String {
    format!("{}/{}", ladder.clean(), ladder.plan().up)
}

/// The chip of the ladder where there is room: `to 100 % · 1 of 2`.
pub fn ladder_long(ladder: &Ladder) -> String {
    let plan = ladder.plan();
    format!("to {} · {} of {}", percent(plan.goal.get()), ladder.clean(), plan.up)
}

/// Where one stands on the ladder, in a sentence.
pub fn ladder_stand(ladder: &Ladder) -> String {
    let plan = ladder.plan();
    let now = format!("Now {}, {} of {} clean passes", percent(ladder.speed().get()), ladder.clean(), plan.up);
    match ladder.failed() {
        0 => format!("{now}."),
        1 => format!("{now}; the last one was not clean."),
        n => format!("{now}; the last {n} were not clean."),
    }
}

/// What the ladder does, for its tip.
pub fn ladder_tip(plan: &LadderPlan, ladder: Option<&Ladder>) -> String {
    match (plan.on, ladder) {
        (true, Some(ladder)) => format!("{}: {}", tr().ladder, ladder_stand(ladder)),
        (true, None) => format!("{}: {} to {}", tr().ladder, percent(plan.start.get()), percent(plan.goal.get())),
        (false, _) => tr().ladder_tip.to_owned(),
    }
}

/// `after 2 clean passes`.
pub fn passes_up(up: u8) -> String {
    if up == 1 { "after 1 clean pass".to_owned() } else { format!("after {up} clean passes") }
}

/// `after 3 failed passes`, or never.
pub fn passes_down(down: u8) -> String {
    match down {
        0 => "never".to_owned(),
        1 => "after 1 failed pass".to_owned(),
        n => format!("after {n} failed passes"),
    }
}

/// How far apart the notes of a chord may come, and what that is like.
pub fn chord_window(window: ChordWindow) -> (String, String) {
    let tip = match window {
        ChordWindow::Tight => "Together: a wider chord is marked",
        ChordWindow::Normal => "As people play: a wider chord is marked",
        ChordWindow::Rolled => "Rolled: only a chord that falls apart is marked",
        ChordWindow::None => tr().window_none_tip,
    };
    let words = window.micros().map(|width| format!("{:.0} ms", width.as_millis_f64()));
    (words.unwrap_or_else(|| tr().window_none.to_owned()), tip.to_owned())
}

/// What counts as a clean pass.
pub fn clean_rule(preset: Preset) -> &'static str {
    match preset {
        Preset::Relaxed => tr().clean_relaxed,
        Preset::Standard => tr().clean_standard,
        Preset::Strict => tr().clean_strict,
    }
}

/// What a step of the ladder led to, for the results.
pub fn climb(climb: Climb) -> &'static str {
    match climb {
        Climb::Stays => tr().climb_stays,
        Climb::Up => tr().climb_up,
        Climb::Down => tr().climb_down,
        Climb::Done => tr().climb_done,
    }
}

/// How the ladder went: `From 60 % to 85 % in 9 passes, 7 of them clean.`
pub fn ladder_story(rungs: &[Rung]) -> String {
    let (Some(first), Some(last)) = (rungs.first(), rungs.last()) else { return String::new() };
    let clean = rungs.iter().filter(|rung| rung.clean).count();
    let passes = if rungs.len() == 1 { "1 pass".to_owned() } else { format!("{} passes", rungs.len()) };
    let (from, to) = (percent(first.speed.get()), percent(last.speed.get()));
    match last.climb {
        Climb::Done => format!("{}: from {from} to {to} in {passes}, {clean} of them clean.", tr().climb_done),
        _ => format!("From {from} to {to} in {passes}, {clean} of them clean."),
    }
}

/// A pass for screen readers.
pub fn rung_in_words(number: usize, rung: &Rung) -> String {
    let clean = if rung.clean { tr().clean } else { tr().not_clean };
    format!("Pass {number}: {}, {clean}, {}", percent(rung.speed.get()), climb(rung.climb))
}

/// Whose a note is.
pub fn hand(hand: Hand) -> &'static str {
    match hand {
        Hand::Right => tr().right,
        Hand::Left => tr().left,
        Hand::Neither => tr().heard_only,
    }
}

/// What a part is called.
pub fn part_name(score: &Score, part: u16) -> String {
    let named = score.parts().get(usize::from(part)).filter(|name| !name.trim().is_empty());
    match (named, score.parts().is_empty(), part) {
        (Some(name), ..) => name.trim().to_owned(),
        (None, true, 0) => tr().upper_staff.to_owned(),
        (None, true, _) => tr().lower_staff.to_owned(),
        (None, false, n) => format!("Part {}", n + 1),
    }
}

/// The name of the control that gives a part to a hand.
pub fn part_to(part: &str, to: Hand) -> String {
    format!("{part}: {}", hand(to))
}

/// `Split at C4`.
pub fn split_at(pitch: Pitch, names: NoteNames) -> String {
    format!("Split at {}", note_octave(pitch, names))
}

/// `3 notes chosen`.
pub fn chosen_notes(notes: &[NoteId]) -> String {
    if notes.len() == 1 { "1 note chosen".to_owned() } else { format!("{} notes chosen", notes.len()) }
}

/// Where an edit of the hands holds.
pub fn edited_bars(range: Option<(BarNumber, BarNumber)>) -> String {
    range.map_or_else(|| tr().whole_piece.to_owned(), |(first, last)| bars(first, last))
}

/// The keys of a keyboard: `61 keys, C2 to C7`.
pub fn keyboard_keys(keys: KeyRange, names: NoteNames) -> String {
    if keys == KeyRange::ALL {
        return tr().keyboard_all.to_owned();
    }
    format!("{} keys, {} to {}", keys.keys(), note_octave(keys.low, names), note_octave(keys.high, names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Percent;

    #[test]
    fn the_ladder_is_told_in_words() {
        let plan = LadderPlan { on: true, start: Percent::new(60), ..LadderPlan::default() };
        let mut ladder = Ladder::at(plan, Percent::new(60));
        let rungs = [true, false, true, true].map(|clean| {
            let speed = ladder.speed();
            Rung { speed, clean, climb: ladder.pass(clean) }
        });
        assert_eq!(ladder_long(&ladder), "to 100 % · 0 of 2");
        assert_eq!(ladder_story(&rungs), "From 60 % to 60 % in 4 passes, 3 of them clean.");
        assert_eq!(rung_in_words(4, &rungs[3]), "Pass 4: 60 %, clean, faster");
        ladder.pass(false);
        assert_eq!(ladder_stand(&ladder), "Now 65 %, 0 of 2 clean passes; the last one was not clean.");
    }
}
