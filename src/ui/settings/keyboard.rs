//! Which keys the person's keyboard has: a usual size, moved by octaves, or learnt by its lowest and its highest key.

use egui::Ui;

use super::row_ui;
use crate::music::Pitch;
use crate::practice::KeyRange;
use crate::ui::state::{Learning, State};
use crate::ui::text::{self, tr};
use crate::ui::theme::tokens;
use crate::ui::widgets::{Button, Line};
use crate::ui::{Command, Cx, Setting};

/// The usual sizes with their usual lowest keys: A0, E1, C2, C2, C3, C3.
const SIZES: [(u8, u8); 6] = [(88, 21), (76, 28), (61, 36), (49, 36), (37, 48), (25, 48)];
const OCTAVE: i16 = 12;

fn range(keys: u8, low: u8) -> KeyRange {
    KeyRange { low: Pitch::from_data_byte(low), high: Pitch::from_data_byte((low + keys - 1).min(127)) }
}

/// The same keys so many higher; `None` where there are no such keys.
fn moved(keys: KeyRange, by: i16) -> Option<KeyRange> {
    let at = |pitch: Pitch| u8::try_from(i16::from(pitch.key()) + by).ok().and_then(Pitch::new);
    Some(KeyRange { low: at(keys.low)?, high: at(keys.high)? })
}

/// The contents of the card.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let now = cx.view.settings.keyboard;
    let mut new = None;
    ui.spacing_mut().item_spacing.y = 10.0;
    row_ui(ui, tr().keyboard_keys, |ui| {
        let mut choice = |label: &str, keys: KeyRange| {
            let chip = Button::new(label).chip().selected(now.keys() == keys.keys()).role(egui::Role::RadioButton);
            if chip.show(ui).clicked() && now.keys() != keys.keys() {
                new = Some(keys);
            }
        };
        choice(tr().keyboard_all_short, KeyRange::ALL);
        for (keys, low) in SIZES {
            choice(&keys.to_string(), range(keys, low));
        }
    });
    row_ui(ui, tr().keyboard_lowest, |ui| {
        let words = text::keyboard_keys(now, cx.view.settings.names);
        for (label, by) in [(tr().octave_down, -OCTAVE), (tr().octave_up, OCTAVE)] {
            let to = moved(now, by).filter(|_| now != KeyRange::ALL);
            let shown = if by < 0 { "−" } else { "+" };
            if Button::new(label).shown(shown).chip().enabled(to.is_some()).tip(label).show(ui).clicked() {
                new = to;
            }
        }
        let (_, rect) = ui.allocate_space(egui::vec2(Line::new(&words).width(ui).ceil() + 4.0, 30.0));
        Line::new(&words).color(tokens(ui).muted).show_at(ui, rect);
    });
    learn_ui(cx, ui, state, &mut new);
    Line::small(tr().keyboard_help).color(tokens(ui).muted).show(ui);
    cx.send.extend(new.filter(|new| *new != now).map(|new| Command::Set(Setting::Keyboard(new))));
}

/// The button that listens for two keys, and what it waits for.
fn learn_ui(cx: &Cx<'_>, ui: &mut Ui, state: &mut State, new: &mut Option<KeyRange>) {
    if let Some(learning) = &mut state.learning
        && let Some(learnt) = learning.hear(cx.view.play.keys.live)
    {
        *new = Some(learnt);
        state.learning = None;
    }
    ui.horizontal_wrapped(|ui| {
        let on = state.learning.is_some();
        let label = if on { tr().cancel } else { tr().learn_keyboard };
        if Button::new(label).show(ui).clicked() {
            // A key that is held already is not meant.
            let seen = cx.view.play.keys.live;
            state.learning = (!on).then_some(Learning { seen, ..Learning::default() });
        }
        if let Some(learning) = &state.learning {
            let words = match (learning.low, learning.too_near) {
                (Some(_), _) => tr().learn_highest,
                (None, true) => tr().learn_close,
                (None, false) => tr().learn_lowest,
            };
            let line = Line::new(words).color(tokens(ui).accent_text);
            let (_, rect) = ui.allocate_space(egui::vec2(line.width(ui).ceil() + 4.0, 36.0));
            line.show_at(ui, rect);
        }
    });
}

impl Learning {
    /// The keys that are down, one bit each; the keyboard, once its lowest and its highest key were pressed.
    fn hear(&mut self, live: u128) -> Option<KeyRange> {
        let fresh = live & !self.seen;
        self.seen = live;
        if fresh == 0 {
            return None;
        }
        let key = Pitch::from_data_byte(fresh.trailing_zeros() as u8);
        let Some(low) = self.low.take() else {
            (self.low, self.too_near) = (Some(key), false);
            return None;
        };
        let learnt = KeyRange { low: low.min(key), high: low.max(key) };
        self.too_near = learnt.keys() < KeyRange::KEYS_MIN;
        (!self.too_near).then_some(learnt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_sizes_are_what_they_say_and_move_by_octaves() {
        assert_eq!(range(88, 21), KeyRange::PIANO);
        for (keys, low) in SIZES {
            assert_eq!(range(keys, low).keys(), keys);
        }
        let up = moved(range(25, 48), OCTAVE).map(|keys| (keys.low.key(), keys.high.key()));
        assert_eq!(up, Some((60, 84)));
        assert_eq!(moved(range(88, 21), -2 * OCTAVE), None);
        assert_eq!(moved(range(88, 21), 2 * OCTAVE), None);
    }

    #[test]
    fn a_keyboard_is_learnt_by_two_keys_in_either_order() {
        let key = |key: u8| 1_u128 << key;
        let mut learning = Learning { seen: key(70), ..Learning::default() };
        assert_eq!(learning.hear(key(70)), None, "it was held before");
        assert_eq!(learning.hear(key(70) | key(84)), None);
        assert_eq!(learning.hear(key(84)), None);
        assert_eq!(learning.hear(0), None);
        assert_eq!(learning.hear(key(80)), None, "no keyboard is so small");
        assert!(learning.too_near && learning.low.is_none());
        learning.hear(0);
        learning.hear(key(84));
        assert_eq!(learning.hear(key(84) | key(48)), Some(range(37, 48)));
    }
}
