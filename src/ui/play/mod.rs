//! The play screen: modes, bar ruler, falling notes, keyboard, transport. Without a piece it is free play.

mod falling;
mod geometry;
mod hands;
mod ink;
mod keyboard;
mod ladder;
mod page;
mod pen;
mod ruler;
mod staff;
mod transport;
mod waiting;
mod wrong;

pub(super) use falling::NoteIndex;
pub(super) use keyboard::shown_ui as keyboard_ui;
pub(super) use page::StaffSheet;
pub(super) use staff::{Shown, StaffPage, Touched, page_ui};

use egui::{Rect, Ui, pos2, vec2};

use super::shortcuts::{self, Action};
use super::state::{Screen, State};
use super::text::{self, tr};
use super::theme::{self, space};
use super::view::{Piece, PlayView, StaffLayout};
use super::widgets::{Segment, empty_ui, inside, segmented_ui, segmented_width};
use super::{Command, Cx, icons, takes, topbar};
use crate::practice::Mode;

/// The screen.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    head_ui(cx, ui, state);
    let rest = ui.available_rect_before_wrap();
    let scale = theme::scale(ui);
    let transport = if cx.view.play.piece.is_some() { space::BAR + (scale - 1.0) * 12.0 } else { 0.0 };
    let ruler = if cx.view.play.piece.is_some() { space::RULER } else { 0.0 };
    let keyboard = space::KEYBOARD.min(rest.height() * 0.3);
    let bottom = rest.bottom() - transport;
    let ruler = Rect::from_min_size(rest.min, vec2(rest.width(), ruler));
    let keys = Rect::from_min_max(pos2(rest.left(), bottom - keyboard), pos2(rest.right(), bottom));
    let notes = Rect::from_min_max(pos2(rest.left(), ruler.bottom()), pos2(rest.right(), keys.top()));
    if let Some(piece) = cx.view.play.piece {
        ruler::ui(cx, ui, state, &piece, ruler);
        let music = hands::strip_ui(cx, ui, state, &piece, notes);
        music_ui(cx, ui, state, &piece, music);
        let place = Rect::from_min_max(pos2(rest.left(), bottom), rest.max);
        transport::ui(cx, ui, state, &piece, place);
    } else {
        falling::grid_ui(ui, notes);
        free_play_ui(ui, state, notes);
    }
    keyboard::ui(cx, ui, state, keys);
}

/// Makes staff and falling notes larger by a factor.
pub(super) fn zoom(state: &mut State, factor: f32) {
    falling::zoom(state, factor);
    staff::zoom(state, factor);
}

/// The staff, falling notes, or both.
fn music_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, piece: &Piece<'_>, rect: Rect) {
    let shown = match shown(cx, piece) {
        // Notes are chosen among those that fall.
        PlayView::Staff if state.hands.is_some() => PlayView::Both,
        shown => shown,
    };
    match shown {
        PlayView::Notes => notes_ui(cx, ui, state, piece, rect),
        PlayView::Staff => staff_ui(cx, ui, state, piece, rect, true),
        PlayView::Both => {
            let height = match cx.view.settings.staff_layout {
                StaffLayout::Line => staff::height(state, piece, rect.height()),
                StaffLayout::Page => page::height(ui, state, piece, rect),
            };
            let (above, below) = rect.split_top_bottom_at_y(rect.top() + height);
            staff_ui(cx, ui, state, piece, above, false);
            notes_ui(cx, ui, state, piece, below);
        }
    }
}

fn notes_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, piece: &Piece<'_>, rect: Rect) {
    falling::ui(cx, ui, state, piece, rect);
    hands::choose_ui(cx, ui, state, piece, rect);
}

/// The staff as a line or as a page; `alone` if no falling notes are shown.
fn staff_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, piece: &Piece<'_>, rect: Rect, alone: bool) {
    match cx.view.settings.staff_layout {
        StaffLayout::Line => staff::ui(cx, ui, state, piece, rect, alone),
        StaffLayout::Page => page::ui(cx, ui, state, piece, rect, alone),
    }
}

/// What is shown of a piece: where no page is known, falling notes.
fn shown(cx: &Cx<'_>, piece: &Piece<'_>) -> PlayView {
    if piece.score.notation().is_some() { cx.view.settings.play_view } else { PlayView::Notes }
}

fn free_play_ui(ui: &mut Ui, state: &mut State, rect: Rect) {
    inside(ui, rect.shrink(16.0), "free play", |ui| {
        if empty_ui(ui, icons::PIANO, tr().free_play_line, Some(tr().choose_piece)) {
            state.screen = Screen::Library;
        }
    });
}

/// What stands under the title: composer, grade, key, metre.
fn context(piece: &Piece<'_>, names: super::view::NoteNames) -> String {
    let mut parts = Vec::new();
    if !piece.composer.is_empty() {
        parts.push(piece.composer.to_owned());
    }
    parts.extend(piece.grade.map(text::grade));
    parts.extend(piece.score.keys().first().map(|k| text::key(*k, names)));
    let meter = piece.score.bars().get(0).meter;
    parts.push(text::meter((meter.beats, meter.unit)));
    parts.join(text::DOT)
}

fn head_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let piece = cx.view.play.piece;
    let modes = segments(ui);
    let chosen = Mode::ALL.iter().position(|m| *m == cx.view.play.transport.chosen.mode).unwrap_or(0);
    let width = ui.available_width() - 2.0 * space::PAGE;
    let chip = topbar::audio_chip_width(ui, &cx.view.devices.audio, if width < 1000.0 { 90.0 } else { width * 0.24 });
    // Where modes stand in the middle there is room for an icon only.
    let keep = takes::keep_button().hide_label(piece.is_some() || width < 700.0);
    let aside = chip + keep.width(ui) + space::GAP;
    let title = width * topbar::TITLE_SHARE;
    let modes_width =
        if piece.is_some() { segmented_width(ui, &modes, chosen, width - title - aside - 32.0) } else { 0.0 };
    let (name, context) = match &piece {
        Some(piece) => (piece.title.to_owned(), context(piece, cx.view.settings.names)),
        None => (tr().free_play.to_owned(), String::new()),
    };
    let bar = topbar::ui(ui, &name, &context, modes_width + aside + 32.0);
    let chip_room = bar.room.with_min_x(bar.room.right() - chip);
    if piece.is_some() {
        let middle = bar.rect.center().x - modes_width / 2.0;
        let left = middle.clamp(bar.room.left(), (bar.room.right() - aside - 16.0 - modes_width).max(bar.room.left()));
        let height = 42.0 + (theme::scale(ui) - 1.0) * 16.0;
        let place = Rect::from_min_size(pos2(left, bar.rect.center().y - height / 2.0), vec2(modes_width, height));
        if let Some(index) = segmented_ui(ui, place, &modes, chosen) {
            cx.send.push(Command::SetMode(Mode::ALL[index]));
        }
    }
    topbar::audio_chip_ui(ui, chip_room, &cx.view.devices.audio, state);
    takes::keep_ui(cx, ui, &keep, chip_room.left() - space::GAP, bar.rect.center().y);
}

fn segments(ui: &Ui) -> Vec<Segment<'static>> {
    let icon = |mode| match mode {
        Mode::Listen => icons::EAR,
        Mode::Wait => icons::HOURGLASS,
        Mode::Follow => icons::FOOTPRINTS,
        Mode::Tempo => icons::TIMER,
        Mode::Rhythm => icons::METRONOME,
    };
    Mode::ALL
        .map(|mode| Segment {
            label: text::mode(mode),
            icon: icon(mode),
            tip: text::with_shortcut(text::mode_tip(mode), &shortcuts::shown(ui.ctx(), Action::Mode(mode))),
            enabled: true,
        })
        .to_vec()
}
