//! The keyboard among the cards: arrows go from one to the next, and a card that has the focus keeps them for itself.

use egui::{EventFilter, FocusDirection, Id, Key, Modifiers, Response, Ui};

use super::super::query::Selection;

/// The piece that the keyboard is at.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// By its group and its place in it.
    at: Option<(usize, usize)>,
    /// Whether it moved and has not been seen since.
    moved: bool,
    /// The card that had the focus last.
    card: Option<Id>,
}

/// What the arrows want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Back,
    On,
    Up,
    Down,
    First,
    Last,
}

const KEYS: [(Key, Step); 6] = [
    (Key::ArrowLeft, Step::Back),
    (Key::ArrowRight, Step::On),
    (Key::ArrowUp, Step::Up),
    (Key::ArrowDown, Step::Down),
    (Key::Home, Step::First),
    (Key::End, Step::Last),
];

impl Cursor {
    /// Moves by this frame's keys while no other control has them; whether the card it is at is to be scrolled to.
    /// `from_search` tells whether the search field has the focus: from there it goes down into the list.
    pub(super) fn follow_keys(&mut self, ui: &Ui, list: &Selection, columns: usize, from_search: bool) -> bool {
        let focused = ui.memory(|m| m.focused());
        let ours = focused.is_none() || focused == self.card;
        for (key, step) in KEYS {
            let taken = if from_search { key == Key::ArrowDown } else { ours };
            if taken && ui.input_mut(|i| i.consume_key(Modifiers::NONE, key)) {
                let groups: Vec<usize> = list.groups.iter().map(|(_, rows)| rows.len()).collect();
                let at = self.at.filter(|_| !from_search && focused.is_some());
                self.at = Some(at.map_or((0, 0), |at| stepped(&groups, columns, at, step)));
                self.moved = true;
                // Nor does the focus go on from there by the same key.
                ui.memory_mut(|m| m.move_focus(FocusDirection::None));
            }
        }
        self.moved
    }

    /// The card it is at.
    pub(super) fn at(&self) -> Option<(usize, usize)> {
        self.at
    }

    /// A card at a place is drawn: it takes the focus it was given, and keeps the arrows while it has it.
    pub(super) fn card(&mut self, ui: &Ui, place: (usize, usize), card: &Response) {
        if self.moved && self.at == Some(place) {
            self.moved = false;
            self.card = Some(card.id);
            card.request_focus();
            ui.ctx().request_repaint();
        }
        // What had the focus until now has it still in the frame in which it is left.
        if card.has_focus() && !self.moved {
            (self.at, self.card) = (Some(place), Some(card.id));
            let arrows = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
            ui.memory_mut(|m| m.set_focus_lock_filter(card.id, arrows));
        }
    }
}

/// Where a step leads among groups of so many cards, in so many columns; what is no longer there counts as the last.
fn stepped(groups: &[usize], columns: usize, (group, place): (usize, usize), step: Step) -> (usize, usize) {
    let last = (groups.len().saturating_sub(1), groups.last().map_or(0, |n| n.saturating_sub(1)));
    let Some(cards) = groups.get(group) else { return last };
    let place = place.min(cards.saturating_sub(1));
    let column = place % columns;
    match step {
        Step::First => (0, 0),
        Step::Last => last,
        Step::Back if place > 0 => (group, place - 1),
        Step::Back if group > 0 => (group - 1, groups[group - 1] - 1),
        Step::On if place + 1 < *cards => (group, place + 1),
        Step::On if group + 1 < groups.len() => (group + 1, 0),
        Step::Up if place >= columns => (group, place - columns),
        Step::Up if group > 0 => {
            let rows = groups[group - 1].div_ceil(columns);
            (group - 1, ((rows - 1) * columns + column).min(groups[group - 1] - 1))
        }
        // Under the last whole row there may be a shorter one.
        Step::Down if place / columns + 1 < cards.div_ceil(columns) => (group, (place + columns).min(cards - 1)),
        Step::Down if group + 1 < groups.len() => (group + 1, column.min(groups[group + 1] - 1)),
        _ => (group, place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_arrow_leads_to_a_card_that_is_there() {
        let groups = [2, 7, 1];
        let check = |at, step, expected| assert_eq!(stepped(&groups, 3, at, step), expected, "{step:?} from {at:?}");
        check((0, 0), Step::Back, (0, 0));
        check((0, 1), Step::On, (1, 0));
        check((1, 0), Step::Back, (0, 1));
        check((0, 1), Step::Down, (1, 1));
        check((1, 2), Step::Up, (0, 1));
        check((1, 5), Step::Down, (1, 6));
        check((1, 6), Step::Down, (2, 0));
        check((2, 0), Step::Up, (1, 6));
        check((2, 0), Step::On, (2, 0));
        check((1, 3), Step::Last, (2, 0));
        check((1, 99), Step::First, (0, 0));
        check((9, 0), Step::On, (2, 0));
        assert_eq!(stepped(&[], 3, (0, 0), Step::Down), (0, 0));
    }
}
