//! The library: pieces that come with the program, files opened lately, and what is in a person's folders, searched,
//! filtered and sorted. Only the cards in sight are drawn.

mod card;
mod choices;
mod cursor;
mod dialogs;
mod filters;
mod folders;

use std::collections::BTreeSet;

use egui::{Id, Rect, ScrollArea, Ui, UiBuilder, pos2, vec2};

use super::query::{Group, Selection};
use super::shortcuts::{self, Action};
use super::state::{FilePurpose, State};
use super::text::{self, tr};
use super::theme::{self, space, tokens};
use super::view::Library;
use super::widgets::{Button, Line, empty_ui, search_ui};
use super::{Cx, icons, topbar};

pub(super) use dialogs::dialogs_ui;

/// What lies over the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// The folders that are watched.
    Folders,
    /// Tags and progress of pieces, by id.
    Pieces(Vec<String>),
    /// A tag that gets another name.
    RenameTag(String),
}

/// What is done to pieces of the library.
#[derive(Debug, Default)]
pub struct LibraryState {
    /// What lies over it.
    pub dialog: Option<Dialog>,
    /// The pieces that are chosen, by id, while several are.
    pub chosen: Option<BTreeSet<String>>,
    /// Where the keyboard is among the cards.
    cursor: cursor::Cursor,
    /// Whether the search field has the focus.
    searching: bool,
    /// The tag that is being typed.
    pub(super) tag: String,
    /// What is sought in the menu that is open.
    sought: String,
}

/// The height of a heading, from the end of what is above it.
const HEADING: f32 = 30.0;
/// Above the first heading and below the last card.
const MARGIN: f32 = 16.0;

/// The screen.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    head_ui(ui, state);
    let library = cx.view.library;
    let Some(list) = library.list else { return };
    if library.rows.is_empty() && library.import.is_none() {
        if empty_ui(ui, icons::BOOKS, tr().library_empty, Some(tr().open_file)) {
            state.open_browser(FilePurpose::Piece);
        }
        return;
    }
    filters::ui(cx, ui, state, list);
    folders::import_ui(cx, ui);
    if list.is_empty() {
        let by_words = !state.query.search.is_empty();
        let (line, button) =
            if by_words { (tr().nothing_found, tr().clear_search) } else { (tr().none_fits, tr().clear_filters) };
        if empty_ui(ui, icons::SEARCH, line, Some(button)) {
            state.query = super::query::Query { sort: state.query.sort, ..Default::default() };
        }
        return;
    }
    list_ui(cx, ui, state, &library, list);
}

fn head_ui(ui: &mut Ui, state: &mut State) {
    let open = Button::new(tr().open_file).icon(icons::FILE);
    let folders = Button::new(tr().folders).icon(icons::FOLDER_OPEN);
    let widths = (open.width(ui), folders.width(ui));
    let width = ui.available_width() - 2.0 * space::PAGE;
    let field = (width * 0.32).clamp(120.0, 340.0);
    let bar = topbar::ui(ui, tr().library, "", field + widths.0 + widths.1 + 40.0);
    let y = bar.rect.center().y;
    let at = |right: f32, width: f32| {
        Rect::from_min_size(pos2(right - width, y - space::CONTROL / 2.0), vec2(width, space::CONTROL))
    };
    let open_at = at(bar.room.right(), widths.0);
    let folders_at = at(open_at.left() - 8.0, widths.1);
    let tip = text::with_shortcut(tr().open_file, &shortcuts::shown(ui.ctx(), Action::OpenFile));
    if open.tip(&tip).show_at(ui, open_at).clicked() {
        state.open_browser(FilePurpose::Piece);
    }
    if folders.show_at(ui, folders_at).clicked() {
        state.library.dialog = Some(Dialog::Folders);
    }
    let left = (folders_at.left() - 16.0 - field).max(bar.room.left());
    let search = Rect::from_min_max(pos2(left, open_at.top()), pos2(folders_at.left() - 16.0, open_at.bottom()));
    let typed = typed(ui, state);
    state.query.search.push_str(&typed);
    let field = search_ui(ui, search, tr().search, tr().search_hint, &mut state.query.search);
    if !typed.is_empty() {
        field.request_focus();
        let mut edit = egui::TextEdit::load_state(ui.ctx(), field.id).unwrap_or_default();
        let end = egui::text::CCursor::new(state.query.search.chars().count());
        edit.cursor.set_char_range(Some(egui::text::CCursorRange::one(end)));
        edit.store(ui.ctx(), field.id);
    }
    state.library.searching = field.has_focus();
}

/// Letters that are typed where nothing takes them: they are a search.
fn typed(ui: &Ui, state: &State) -> String {
    if state.dialog_is_open() || egui::Popup::is_any_open(ui.ctx()) || ui.ctx().text_edit_focused() {
        return String::new();
    }
    ui.input(|i| {
        let texts = i.events.iter().filter_map(|event| match event {
            egui::Event::Text(text) if !i.modifiers.command && !i.modifiers.alt => Some(text.as_str()),
            _ => None,
        });
        texts.filter(|text| text.chars().all(char::is_alphabetic)).collect()
    })
}

/// Where the cards stand.
struct Grid {
    columns: usize,
    width: f32,
    height: f32,
}

impl Grid {
    fn new(ui: &Ui, room: f32) -> Self {
        let scale = theme::scale(ui);
        let columns = ((room + space::GAP) / (272.0 * scale + space::GAP)).floor().clamp(1.0, 4.0);
        let width = (room - space::GAP * (columns - 1.0)) / columns;
        Self { columns: columns as usize, width, height: (118.0 * (1.0 + (scale - 1.0) * 0.8)).round() }
    }

    fn step(&self) -> f32 {
        self.height + space::GAP
    }

    fn group_height(&self, cards: usize) -> f32 {
        HEADING + cards.div_ceil(self.columns) as f32 * self.step()
    }

    fn card(&self, place: usize) -> Rect {
        let (row, column) = (place / self.columns, place % self.columns);
        let at = pos2(column as f32 * (self.width + space::GAP), HEADING + row as f32 * self.step());
        Rect::from_min_size(at, vec2(self.width, self.height))
    }

    /// The cards of which something is between two heights below the top of their group.
    fn seen(&self, cards: usize, top: f32, bottom: f32) -> std::ops::Range<usize> {
        let row = |y: f32| ((y - HEADING) / self.step()).floor().max(0.0) as usize;
        let end = if bottom <= HEADING { 0 } else { (row(bottom) + 1) * self.columns };
        (row(top) * self.columns).min(cards)..end.min(cards)
    }
}

fn list_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, library: &Library<'_>, list: &Selection) {
    let area = ScrollArea::vertical().id_salt("pieces").auto_shrink(false);
    area.show_viewport(ui, |ui, seen| {
        let grid = Grid::new(ui, ui.available_width() - 2.0 * space::PAGE);
        let height: f32 = list.groups.iter().map(|(_, rows)| grid.group_height(rows.len())).sum();
        ui.set_height(height + 2.0 * MARGIN);
        let origin = ui.max_rect().min + vec2(space::PAGE, MARGIN);
        let keys_are_ours = !state.dialog_is_open() && !egui::Popup::is_any_open(ui.ctx());
        let searching = state.library.searching;
        if keys_are_ours
            && state.library.cursor.follow_keys(ui, list, grid.columns, searching)
            && let Some((group, place)) = state.library.cursor.at()
        {
            let above: f32 = list.groups.iter().take(group).map(|(_, rows)| grid.group_height(rows.len())).sum();
            ui.scroll_to_rect(grid.card(place).translate(origin.to_vec2() + vec2(0.0, above)).expand(MARGIN), None);
        }
        let mut top = 0.0;
        for (number, (group, rows)) in list.groups.iter().enumerate() {
            heading_ui(ui, origin + vec2(0.0, top), *group, rows.len(), seen.translate(vec2(0.0, -MARGIN)), top);
            let range = grid.seen(rows.len(), seen.top() - MARGIN - top, seen.bottom() - MARGIN - top);
            for place in range {
                let Some(row) = library.rows.get(rows[place] as usize) else { continue };
                let rect = grid.card(place).translate(origin.to_vec2() + vec2(0.0, top));
                // The same piece keeps its controls while the list is scrolled or sorted.
                let builder = UiBuilder::new().max_rect(rect).scope_id(Id::unique(("piece", &row.id)));
                let is_twin = list.twins.contains(&row.sort.0);
                let card = card::ui(cx, &mut ui.new_child(builder), rect, (row, is_twin), state);
                state.library.cursor.card(ui, (number, place), &card);
            }
            top += grid.group_height(rows.len());
        }
    });
}

fn heading_ui(ui: &mut Ui, at: egui::Pos2, group: Group, n: usize, seen: Rect, top: f32) {
    if top + HEADING < seen.top() || top > seen.bottom() {
        return;
    }
    let words = text::group(group, n);
    let rect = Rect::from_min_size(at, vec2(ui.available_width() - 2.0 * space::PAGE, HEADING - 8.0));
    Line::new(&words).size(13.0).bold().color(tokens(ui).muted).show_at(ui, rect);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_rows_in_sight_are_drawn() {
        let grid = Grid { columns: 4, width: 272.0, height: 118.0 };
        let step = grid.step();
        assert_eq!(grid.seen(10_000, 0.0, 700.0), 0..24);
        assert_eq!(grid.seen(10_000, HEADING + 100.0 * step, HEADING + 101.0 * step - 1.0), 400..404);
        assert_eq!(grid.seen(10, 0.0, 5_000.0), 0..10);
        assert_eq!(grid.seen(10, 9_000.0, 9_700.0), 10..10);
        assert_eq!(grid.seen(10, -800.0, -100.0), 0..0);
        // Whatever is in sight: the last card's end is the group's end.
        assert!(grid.card(9).bottom() <= grid.group_height(10));
    }
}
