//! A menu of names, each with how many pieces it stands for. The arrows go through it, and a long one has a line to
//! search it by, which has the keyboard from the start.

use egui::{Key, Modifiers, Response, Role, ScrollArea, Ui, vec2};

use super::super::text::{self, tr};
use super::super::theme::space;
use super::super::widgets::{Button, focus_row, row_keys, row_wanted, search_ui};

/// So many names are seen at once without a search.
const SEARCHED_FROM: usize = 9;
/// The share of the window that the names take at most.
const HEIGHT: f32 = 0.55;
/// How far a name is moved in for each that it lies in.
const INDENT: f32 = 14.0;
/// Between the names.
const GAP: f32 = 2.0;

/// A name that can be chosen.
pub(super) struct Choice {
    /// The name.
    pub(super) name: String,
    /// What it is called where those it lies in are not shown above it.
    pub(super) alone: Option<String>,
    /// How many pieces it stands for.
    pub(super) pieces: usize,
    /// How many names it lies in.
    pub(super) depth: usize,
}

/// All names of a menu.
pub(super) struct Choices<'a> {
    /// What keeps it apart from other menus.
    pub(super) salt: &'a str,
    /// How many there are.
    pub(super) n: usize,
    /// The one at a place.
    pub(super) at: &'a dyn Fn(usize) -> Choice,
    /// The place of the one that is chosen.
    pub(super) chosen: Option<usize>,
}

impl Choices<'_> {
    /// Draws them in a menu that was `opened` in this frame or before; gives the place of the one that is taken.
    pub(super) fn ui(&self, ui: &mut Ui, opened: bool, sought: &mut String) -> Option<usize> {
        let field = (self.n >= SEARCHED_FROM).then(|| field_ui(ui, opened, sought));
        let found = self.found(sought);
        let pressed =
            |ui: &Ui, field: &Response, key| field.has_focus() && ui.input_mut(|i| i.consume_key(Modifiers::NONE, key));
        if let Some(field) = &field {
            // The key takes the focus from the line before it is seen here.
            if field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter)) {
                return found.first().copied().filter(|_| !sought.is_empty());
            }
            if pressed(ui, field, Key::ArrowDown) && !found.is_empty() {
                focus_row(ui, self.salt, 0);
            }
        }
        if found.is_empty() {
            super::super::widgets::Line::small(tr().nothing_found).show(ui);
        }
        let mut taken = None;
        let height = ui.ctx().content_rect().height() * HEIGHT;
        let area = ScrollArea::vertical().id_salt(self.salt).max_height(height).auto_shrink([false, true]);
        let wanted = row_wanted(ui, self.salt, found.len());
        area.show_rows(ui, space::CONTROL, found.len(), |ui, range| {
            if let Some(wanted) = wanted {
                let step = space::CONTROL + GAP;
                let place = ui.max_rect().min + vec2(0.0, (wanted as f32 - range.start as f32) * step);
                ui.scroll_to_rect(egui::Rect::from_min_size(place, vec2(1.0, step)), None);
            }
            for row in range {
                let item = self.item_ui(ui, found[row], !sought.is_empty());
                if row == 0
                    && item.has_focus()
                    && let Some(field) = &field
                    && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::ArrowUp))
                {
                    field.request_focus();
                }
                row_keys(ui, self.salt, row, &item);
                if item.clicked() {
                    taken = Some(found[row]);
                }
            }
        });
        taken
    }

    /// The places of those that have every word that is sought.
    fn found(&self, sought: &str) -> Vec<usize> {
        let words = text::fold(sought);
        let has_all = |place: &usize| {
            let name = text::fold(&(self.at)(*place).name);
            words.split_whitespace().all(|word| name.contains(word))
        };
        if words.trim().is_empty() { (0..self.n).collect() } else { (0..self.n).filter(has_all).collect() }
    }

    fn item_ui(&self, ui: &mut Ui, place: usize, alone: bool) -> Response {
        let Choice { name, alone: name_alone, pieces, depth } = (self.at)(place);
        let (name, depth) = if alone { (name_alone.unwrap_or(name), 0) } else { (name, depth) };
        let words = text::with_count(&name, pieces);
        let button = Button::new(&words).quiet().selected(self.chosen == Some(place)).role(Role::MenuItem);
        ui.horizontal(|ui| {
            ui.add_space(INDENT * depth as f32);
            button.show(ui)
        })
        .inner
    }
}

/// The line to search by.
fn field_ui(ui: &mut Ui, opened: bool, sought: &mut String) -> Response {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), space::CONTROL));
    let field = search_ui(ui, rect, tr().search_names, tr().search_names, sought);
    ui.add_space(4.0);
    if opened {
        field.request_focus();
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sought_is_found_whatever_its_accents_and_case() {
        let names = ["Johann Sebastian Bach", "Antonín Dvořák", "C. P. E. Bach"];
        let at = |place: usize| Choice { name: names[place].to_owned(), alone: None, pieces: 1, depth: 0 };
        let choices = Choices { salt: "names", n: names.len(), at: &at, chosen: None };
        for (sought, expected) in [
            ("", &[0, 1, 2][..]),
            (" ", &[0, 1, 2]),
            ("bach", &[0, 2]),
            ("BACH seb", &[0]),
            ("dvorak", &[1]),
            ("q", &[]),
        ] {
            assert_eq!(choices.found(sought), expected, "{sought:?}");
        }
    }
}
