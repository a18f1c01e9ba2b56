//! The four numbers of a result: how much was right, how early or late, how even, and the tempo.

use super::{shown, window_of};
use crate::practice::Mode;
use crate::practice::pass::PassResult;
use crate::practice::result::ENOUGH;
use crate::ui::text::{self, tr};
use crate::ui::view::{Held, ResultView};

/// Number, word, basis.
pub(super) type Card = (String, String, String);

/// Of one pass where one is chosen.
pub(super) fn cards(view: &ResultView, pass: Option<&PassResult>) -> [Card; 4] {
    let t = tr();
    let result = shown(view, pass);
    let right = result.counts.right();
    let share = (
        text::share(right, right + result.counts.wrong()),
        t.of_notes_right.to_owned(),
        text::right_basis(&result.counts, view.chosen.mode),
    );
    let n = result.onsets();
    let none = |name: &str| match view.chosen.mode {
        Mode::Wait => (text::NONE.to_owned(), name.to_owned(), t.wait_has_no_time.to_owned()),
        _ => (text::NONE.to_owned(), name.to_owned(), text::too_few(tr().onsets, n, ENOUGH)),
    };
    let timing = result.timing();
    // Around the tempo that the person makes, nothing is early or late on the whole.
    let bias = timing.filter(|_| view.chosen.mode != Mode::Follow);
    let no_bias = || match view.chosen.mode {
        Mode::Follow => (text::NONE.to_owned(), t.bias_name.to_owned(), t.follow_has_your_time.to_owned()),
        _ => none(t.bias_name),
    };
    let bias = bias.map_or_else(no_bias, |timing| {
        let number = text::millis(timing.bias_millis);
        (number, text::bias_word(&timing).to_owned(), text::basis(timing.bias_interval_millis, timing.n))
    });
    let spread = timing.map_or_else(
        || none(t.spread_name),
        |timing| {
            let window = window_of(view);
            let basis = text::spread_basis(&timing, text::preset(view.chosen.preset), window);
            (text::millis(timing.spread_millis), text::spread_word(&timing).to_owned(), basis)
        },
    );
    [share, bias, spread, tempo_card(view, pass)]
}

/// The tempo that the person held where they make it, or else the one that was asked for; of a pass how it was played.
fn tempo_card(view: &ResultView, pass: Option<&PassResult>) -> Card {
    let t = tr();
    let of_written = |share: f64| text::percent((share * 100.0).round() as u16);
    let asked = of_written(f64::from(view.chosen.tempo.get()) / 100.0);
    let keeps_time = view.chosen.mode.keeps_time();
    if let Some(pass) = pass {
        return match pass.speed {
            Some(speed) => (of_written(speed), t.of_written_tempo.to_owned(), text::pass(pass.pass)),
            None if keeps_time => (asked, t.of_written_tempo.to_owned(), text::pass(pass.pass)),
            None => (text::NONE.to_owned(), t.tempo_name.to_owned(), t.pass_too_short.to_owned()),
        };
    }
    match view.tempo {
        Some(Held { held, asked, unit }) => {
            let word = if keeps_time { t.tempo_held } else { t.your_tempo };
            (text::tempo(held, unit), word.to_owned(), text::tempo_asked(asked, unit))
        }
        None if keeps_time => {
            let climbed = text::tempos(&view.result.ladder);
            (climbed.unwrap_or(asked), t.of_written_tempo.to_owned(), text::passes(view.result.passes))
        }
        None => (text::NONE.to_owned(), t.tempo_name.to_owned(), t.not_enough.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::music::Percent;
    use crate::practice::PracticeSettings;
    use crate::practice::ladder::{Climb, Rung};
    use crate::practice::result::TakeResult;
    use crate::ui::view::LocalTime;

    fn view(mode: Mode, ladder: Vec<Rung>) -> ResultView {
        let mut result = TakeResult::for_mode(mode);
        result.ladder = ladder;
        ResultView {
            take: String::new(),
            piece: String::new(),
            title: String::new(),
            at: LocalTime::default(),
            chosen: PracticeSettings { mode, tempo: Percent::new(60), ..PracticeSettings::default() },
            result: Arc::new(result),
            tempo: None,
        }
    }

    #[test]
    fn the_tempo_is_that_of_the_passes_climbed_or_of_the_one_that_is_chosen() {
        let rung = |speed| Rung { speed: Percent::new(speed), clean: true, climb: Climb::Up };
        let climbed = view(Mode::Tempo, vec![rung(60), rung(65), rung(70)]);
        assert_eq!(tempo_card(&climbed, None).0, "60–70 %");
        let pass = |speed| PassResult { pass: 1, result: TakeResult::for_mode(Mode::Tempo), speed };
        assert_eq!(tempo_card(&climbed, Some(&pass(Some(0.652)))).0, "65 %");
        let kept = view(Mode::Tempo, Vec::new());
        assert_eq!(tempo_card(&kept, None).0, "60 %");
        assert_eq!(tempo_card(&kept, Some(&pass(None))).0, "60 %", "too short to tell, but it was asked for");
        assert_eq!(tempo_card(&view(Mode::Follow, Vec::new()), Some(&pass(None))).0, text::NONE);
    }
}
