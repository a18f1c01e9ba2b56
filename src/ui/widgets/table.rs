//! Tables with fixed columns: cells never wrap into each other, and columns that do not fit are left out, the least
//! important first.

use egui::{
    Align, Color32, EventFilter, FocusDirection, Id, Key, Modifiers, Rect, Response, Role, ScrollArea, Sense, Ui,
    WidgetInfo, pos2, vec2,
};

use super::{Line, focus_ring, snap};
use crate::ui::theme::{self, space, tokens};

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// The heading.
    pub title: &'a str,
    /// The least width at 100 % text.
    pub width: f32,
    /// How much of the spare room it takes; 0 for none.
    pub grow: f32,
    /// 0 is never left out; the highest goes first.
    pub spare: u8,
    /// Where its text stands.
    pub align: Align,
}

impl<'a> Column<'a> {
    /// A column of a fixed width.
    pub fn new(title: &'a str, width: f32) -> Self {
        Self { title, width, grow: 0.0, spare: 0, align: Align::Min }
    }

    /// Takes spare room.
    pub fn grow(mut self, share: f32) -> Self {
        self.grow = share;
        self
    }

    /// May be left out; the highest goes first.
    pub fn spare(mut self, order: u8) -> Self {
        self.spare = order;
        self
    }

    /// Numbers stand at the right.
    pub fn right(mut self) -> Self {
        self.align = Align::Max;
        self
    }
}

/// Where each column stands: left edge and width, or `None` if left out.
fn places(columns: &[Column<'_>], scale: f32, room: f32) -> Vec<Option<(f32, f32)>> {
    let gap = 16.0;
    let mut limit = u8::MAX;
    loop {
        let kept = |c: &&Column<'_>| c.spare == 0 || c.spare < limit;
        let least: f32 = columns.iter().filter(kept).map(|c| c.width * scale + gap).sum::<f32>() - gap;
        let next = columns.iter().filter(kept).map(|c| c.spare).max().unwrap_or(0);
        if least <= room || next == 0 {
            let spare = (room - least).max(0.0);
            let squeeze = if least > room { room / least } else { 1.0 };
            let shares: f32 = columns.iter().filter(kept).map(|c| c.grow).sum();
            let mut x = 0.0;
            return columns
                .iter()
                .map(|c| {
                    kept(&c).then(|| {
                        let grown = if shares > 0.0 { spare * c.grow / shares } else { 0.0 };
                        let width = c.width * scale * squeeze + grown;
                        let left = x;
                        x += width + gap * squeeze;
                        (left, width)
                    })
                })
                .collect();
        }
        limit = next;
    }
}

/// A row being drawn.
pub struct Row<'a> {
    rect: Rect,
    places: &'a [Option<(f32, f32)>],
    columns: &'a [Column<'a>],
    /// What the pointer does to the row.
    pub response: Response,
}

impl Row<'_> {
    /// The rectangle of a column's cell; `None` if the column is left out.
    pub fn cell(&self, column: usize) -> Option<Rect> {
        let (x, width) = self.places.get(column).copied().flatten()?;
        let left = self.rect.left() + PAD + x;
        Some(Rect::from_min_max(pos2(left, self.rect.top()), pos2(left + width, self.rect.bottom())))
    }

    /// Whether columns are left out.
    pub fn is_cut(&self) -> bool {
        self.places.iter().any(Option::is_none)
    }

    /// Text in a cell.
    pub fn text(&self, ui: &mut Ui, column: usize, text: &str) {
        self.line(ui, column, Line::new(text).size(13.0));
    }

    /// Text in a colour.
    pub fn colored(&self, ui: &mut Ui, column: usize, text: &str, color: Color32) {
        self.line(ui, column, Line::new(text).size(13.0).color(color));
    }

    /// A line in a cell.
    pub fn line(&self, ui: &mut Ui, column: usize, line: Line<'_>) {
        if let Some(rect) = self.cell(column) {
            line.align(self.columns[column].align).show_at(ui, rect);
        }
    }
}

const PAD: f32 = 8.0;

/// A table with a heading that stays and rows that scroll. `name` gives what a row is called when it can be pressed.
pub fn table_ui(
    ui: &mut Ui,
    salt: &str,
    columns: &[Column<'_>],
    rows: usize,
    name: impl Fn(usize) -> Option<String>,
    draw: impl FnMut(&mut Ui, usize, &Row<'_>),
) {
    headed_ui(ui, salt, columns, name, draw, |ui, row_ui| {
        let area = ScrollArea::vertical().id_salt(salt).auto_shrink([false, true]);
        let wanted = row_wanted(ui, salt, rows);
        area.show_rows(ui, row_height(ui), rows, |ui, range| {
            if let Some(wanted) = wanted {
                let below = (wanted as f32 - range.start as f32) * row_height(ui);
                let place = ui.max_rect().min + vec2(0.0, below);
                ui.scroll_to_rect(Rect::from_min_size(place, vec2(1.0, row_height(ui))), None);
            }
            range.for_each(|index| row_ui(ui, index));
        });
    });
}

/// Where a table keeps the row that is to have the focus.
fn wanted_at(salt: &str) -> Id {
    Id::unique(("row that is to have the focus", salt))
}

fn wanted(ui: &Ui, salt: &str) -> Option<usize> {
    ui.data(|d| d.get_temp(wanted_at(salt)))
}

/// The row of a list of so many that is to have the focus and must be in sight for it. One that is not there is wanted no
/// longer.
pub fn row_wanted(ui: &Ui, salt: &str, rows: usize) -> Option<usize> {
    let wanted = wanted(ui, salt)?;
    if wanted >= rows {
        ui.data_mut(|d| d.remove::<usize>(wanted_at(salt)));
        return None;
    }
    Some(wanted)
}

/// Gives the focus to a row of a table whose rows can be pressed, as soon as it is in sight.
pub fn focus_row(ui: &Ui, salt: &str, index: usize) {
    ui.data_mut(|d| d.insert_temp(wanted_at(salt), index));
    // By the same key the focus does not go on from there.
    ui.memory_mut(|m| m.move_focus(FocusDirection::None));
    ui.ctx().request_repaint();
}

/// A row that has the focus keeps the arrows for itself: they go from row to row.
pub fn row_keys(ui: &Ui, salt: &str, index: usize, response: &Response) {
    if wanted(ui, salt) == Some(index) {
        ui.data_mut(|d| d.remove::<usize>(wanted_at(salt)));
        response.request_focus();
        ui.ctx().request_repaint();
    }
    if !response.has_focus() {
        return;
    }
    ui.memory_mut(|m| {
        m.set_focus_lock_filter(response.id, EventFilter { vertical_arrows: true, ..EventFilter::default() });
    });
    let pressed = |key| ui.input_mut(|i| i.consume_key(Modifiers::NONE, key));
    if pressed(Key::ArrowDown) {
        focus_row(ui, salt, index + 1);
    } else if pressed(Key::ArrowUp) {
        focus_row(ui, salt, index.saturating_sub(1));
    }
}

/// A table as high as its rows: for few of them, or for those that just fit.
pub fn rows_ui(
    ui: &mut Ui,
    salt: &str,
    columns: &[Column<'_>],
    rows: usize,
    name: impl Fn(usize) -> Option<String>,
    draw: impl FnMut(&mut Ui, usize, &Row<'_>),
) {
    headed_ui(ui, salt, columns, name, draw, |ui, row_ui| (0..rows).for_each(|index| row_ui(ui, index)));
}

/// The heading, and what is below it with what draws one of its rows.
fn headed_ui(
    ui: &mut Ui,
    salt: &str,
    columns: &[Column<'_>],
    name: impl Fn(usize) -> Option<String>,
    mut draw: impl FnMut(&mut Ui, usize, &Row<'_>),
    below: impl FnOnce(&mut Ui, &mut dyn FnMut(&mut Ui, usize)),
) {
    let height = row_height(ui);
    let places = places(columns, theme::scale(ui), ui.available_width() - 2.0 * PAD);
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        head_ui(ui, columns, &places, height - 2.0);
        below(ui, &mut |ui, index| {
            let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
            let row = row_ui(ui, salt, index, rect, name(index), columns, &places);
            draw(ui, index, &row);
        });
    });
}

/// The height of a row.
pub fn row_height(ui: &Ui) -> f32 {
    (space::ROW * (1.0 + (theme::scale(ui) - 1.0) * 0.6)).round()
}

/// How many rows fit under the heading of a table of this height.
pub fn rows_that_fit(ui: &Ui, height: f32) -> usize {
    let row = row_height(ui);
    ((height - (row - 2.0)) / row).floor().max(0.0) as usize
}

fn head_ui(ui: &mut Ui, columns: &[Column<'_>], places: &[Option<(f32, f32)>], height: f32) {
    let t = tokens(ui);
    let (_, head) = ui.allocate_space(vec2(ui.available_width(), height));
    for (column, place) in columns.iter().zip(places) {
        if let (Some((x, width)), false) = (place, column.title.is_empty()) {
            let left = head.left() + PAD + x;
            let cell = Rect::from_min_max(pos2(left, head.top()), pos2(left + width, head.bottom()));
            Line::small(column.title).color(t.muted).align(column.align).show_at(ui, cell);
        }
    }
    ui.painter().hline(head.x_range(), snap(ui, head.bottom()), t.hairline());
}

fn row_ui<'a>(
    ui: &mut Ui,
    salt: &str,
    index: usize,
    rect: Rect,
    name: Option<String>,
    columns: &'a [Column<'a>],
    places: &'a [Option<(f32, f32)>],
) -> Row<'a> {
    let t = tokens(ui);
    let sense = if name.is_some() { Sense::click() } else { Sense::hover() };
    let response = ui.interact(rect, ui.scope_id().with((salt, index)), sense);
    if let Some(name) = name {
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        if response.hovered() {
            ui.painter().rect_filled(rect, 6, t.raised);
        }
        focus_ring(ui, &response, rect.shrink(2.0), 6);
        row_keys(ui, salt, index, &response);
    }
    ui.painter().hline(rect.x_range(), snap(ui, rect.bottom()), egui::Stroke::new(1.0, theme::fade(t.line, 0.6)));
    Row { rect, places, columns, response }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_never_overlap_and_the_least_important_goes_first() {
        let columns =
            [Column::new("a", 100.0), Column::new("b", 50.0).grow(1.0).spare(2), Column::new("c", 80.0).spare(1)];
        let shown = |room: f32| places(&columns, 1.0, room).iter().map(Option::is_some).collect::<Vec<_>>();
        assert_eq!(shown(400.0), [true, true, true]);
        assert_eq!(shown(200.0), [true, false, true]);
        assert_eq!(shown(120.0), [true, false, false]);
        for room in [60.0, 150.0, 254.0, 300.0, 900.0] {
            let mut end = 0.0;
            for (left, width) in places(&columns, 1.0, room).into_iter().flatten() {
                assert!(left >= end, "columns overlap in {room}");
                end = left + width;
            }
            assert!(end <= room + 0.01, "{end} in {room}");
        }
    }
}
