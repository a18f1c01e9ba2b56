//! A take in full: what was played as a piano roll with the written notes behind it, or on a page; ways to listen to it,
//! and to look back at any instant of it.

mod page;
mod past;
mod roll;

pub(in crate::ui) use roll::RollState;

use egui::{Align, Rect, Ui, pos2, vec2};

use super::state::{Screen, State};
use super::takes::export_menu_ui;
use super::text::{self, tr};
use super::theme::{self, space, tokens};
use super::view::{NoteNames, TakeView};
use super::widgets::{Button, Line, Segment, card_ui, empty_ui, mark_shape, page_frame, segmented_ui, segmented_width};
use super::{Command, Cx, icons, topbar};
use crate::practice::recital::Voice;
use crate::practice::story::Story;
use crate::time::Micros;

/// The screen.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let Some(take) = cx.view.take else {
        topbar::ui(ui, tr().take, "", 0.0);
        if empty_ui(ui, icons::RECORD, tr().take_empty, Some(tr().takes)) {
            state.screen = Screen::Takes;
        }
        return;
    };
    head_ui(cx, ui, state, take);
    page_frame().show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = space::GAP;
        // Who looks back needs the room.
        if take.past.is_none() {
            kept_ui(cx, ui, take);
        }
        controls_ui(cx, ui, state, take);
        let below = if take.past.is_some() { past::height(ui) + space::GAP } else { 0.0 };
        let (notes, length) = (text::notes(take.notes.len()), text::duration(take.length));
        let page = take.page.as_ref().filter(|_| state.take_notes);
        card_ui(ui, tr().as_played, &[notes, length].join(text::DOT), |ui| {
            let words = if take.past.is_some() { 0.0 } else { 36.0 * theme::scale(ui) };
            let height = (ui.available_height() - below - space::CARD - words).max(80.0);
            ui.spacing_mut().item_spacing.y = 4.0;
            match page {
                Some(page) => {
                    let legend = page::ui(cx, ui, state, take, page, height);
                    if take.past.is_none() {
                        Line::small(&legend).color(tokens(ui).muted).show(ui);
                    }
                }
                None => {
                    roll::ui(cx, ui, state, take, height);
                    if take.past.is_none() {
                        roll::below_ui(ui, state, take);
                    }
                }
            }
        });
        if let Some(past) = &take.past {
            past::ui(cx, ui, take, past);
        }
    });
}

/// How the take is shown, what is heard of it, and the way back through it.
fn controls_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, take: &TakeView) {
    let segment = |label, icon, tip: &str| Segment { label, icon, tip: tip.to_owned(), enabled: true };
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 42.0 + (theme::scale(ui) - 1.0) * 16.0));
    let back = Button::new(tr().look_back).icon(icons::LOOK_BACK).selected(take.past.is_some()).tip(tr().look_back_tip);
    let width = back.width(ui);
    let place = Rect::from_center_size(pos2(rect.right() - width / 2.0, rect.center().y), vec2(width, space::CONTROL));
    if back.show_at(ui, place).clicked() {
        let here = cx.view.listening.filter(|listening| listening.take == take.id).map(|listening| listening.at);
        let look = Command::LookBack(here.unwrap_or(Micros::ZERO));
        cx.send.push(if take.past.is_some() { Command::LookBackEnd } else { look });
    }
    let mut room = rect.with_max_x(place.left() - space::GAP);
    let voices = Voice::ALL.map(|voice| segment(text::voice(voice).0, "", text::voice(voice).1));
    let heard = Voice::ALL.iter().position(|voice| *voice == cx.view.voice).unwrap_or(0);
    let has_written = !take.written.is_empty();
    let voices_width = if has_written { segmented_width(ui, &voices, heard, room.width()) } else { 0.0 };
    if take.page.is_some() {
        let views = [
            segment(tr().roll, icons::CHART_BARS, tr().roll_tip),
            segment(tr().page, icons::MUSIC_NOTES, tr().page_tip),
        ];
        let chosen = usize::from(state.take_notes);
        let place =
            room.with_max_x((room.right() - voices_width - space::GAP).max(room.left() + 76.0 * theme::scale(ui)));
        let width = segmented_width(ui, &views, chosen, place.width());
        if let Some(index) = segmented_ui(ui, place, &views, chosen) {
            state.take_notes = index == 1;
        }
        room = room.with_min_x(room.left() + width + space::GAP);
    }
    if has_written && let Some(index) = segmented_ui(ui, room, &voices, heard) {
        cx.send.push(Command::SetVoice(Voice::ALL[index]));
    }
}

/// From when to when a bar was played, the first time through it.
pub(super) fn time_of_bar(take: &TakeView, bar: usize) -> Option<(Micros, Micros)> {
    let of_bar = || take.stories.iter().filter(|story| story.bar == bar && story.verdict.written.is_some());
    let pass = of_bar().map(|story| story.verdict.pass).min()?;
    let of_pass = || of_bar().filter(|story| story.verdict.pass == pass);
    Some((of_pass().map(|story| story.at).min()?, of_pass().map(|story| story.end).max()?))
}

fn head_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, take: &TakeView) {
    let listen = listen_button(cx, &take.id);
    let export = Button::icon_only(tr().export_take, icons::EXPORT);
    let results = Button::new(tr().open_results).icon(icons::CHART);
    let judged = take.expression.is_some();
    let widths = [listen.width(ui), export.width(ui), if judged { results.width(ui) } else { 0.0 }];
    let parts = [take.mode.map(text::mode).unwrap_or_default(), &text::moment(take.at)];
    let context = parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(text::DOT);
    let title = take.piece.as_deref().unwrap_or(tr().free_play);
    let bar = topbar::ui(ui, title, &context, widths.iter().sum::<f32>() + 3.0 * space::GAP);
    let mut right = bar.room.right();
    let mut place = |width: f32| {
        let at = pos2(right - width, bar.rect.center().y - space::CONTROL / 2.0);
        right = at.x - space::GAP;
        Rect::from_min_size(at, vec2(width, space::CONTROL))
    };
    if listen.show_at(ui, place(widths[0])).clicked() {
        cx.send.push(listen_command(cx, &take.id));
    }
    let export = export.show_at(ui, place(widths[1]));
    export_menu_ui(cx, &export, &take.id);
    if judged && results.show_at(ui, place(widths[2])).clicked() {
        cx.send.push(Command::ShowResult(take.id.clone()));
        state.screen = Screen::Results;
    }
}

/// The button that plays a take, or stops it.
pub(super) fn listen_button(cx: &Cx<'_>, take: &str) -> Button<'static> {
    let plays = cx.view.listening.is_some_and(|listening| listening.take == take);
    if plays { Button::new(tr().stop).icon(icons::STOP) } else { Button::new(tr().listen_take).icon(icons::PLAY) }
        .primary()
}

/// What that button does.
pub(super) fn listen_command(cx: &Cx<'_>, take: &str) -> Command {
    match cx.view.listening {
        Some(listening) if listening.take == take => Command::StopTake,
        _ => Command::PlayTake(take.to_owned(), Micros::ZERO),
    }
}

/// Today's rules find something else than what is kept.
pub(super) fn kept_ui(cx: &mut Cx<'_>, ui: &mut Ui, take: &TakeView) {
    let Some((right, of)) = take.kept_result else { return };
    let words = text::judged_otherwise(right, of);
    let button = Button::new(tr().keep_new_result).link();
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), space::CHIP));
    let split = rect.right() - button.width(ui);
    Line::new(&words).color(tokens(ui).muted).show_at(ui, rect.with_max_x(split - 8.0));
    if button.show_at(ui, rect.with_min_x(split)).clicked() {
        cx.send.push(Command::KeepResult(take.id.clone()));
    }
}

/// What a press on a place of the take does: listen from there, or look how things stood there.
fn go_command(take: &TakeView, at: Micros) -> Command {
    match take.past {
        Some(_) => Command::LookBack(at),
        None => Command::PlayTake(take.id.clone(), at),
    }
}

/// The notes of a bar, in one pass or in all of them, each with why it was judged so.
pub(super) fn bar_notes_ui(ui: &mut Ui, take: &TakeView, (bar, pass): (usize, Option<u32>), names: NoteNames) {
    let t = tokens(ui);
    let scale = theme::scale(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    let wanted = |story: &&Story| story.bar == bar && pass.is_none_or(|pass| story.verdict.pass == pass);
    let of_bar: Vec<_> = take.stories.iter().filter(wanted).collect();
    if of_bar.is_empty() {
        Line::new(tr().bar_without_notes).color(t.muted).show(ui);
    }
    for story in of_bar {
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 28.0 * scale));
        let kind = story.verdict.kind;
        ui.painter().add(mark_shape(t, kind, pos2(rect.left() + 8.0, rect.center().y), 5.0));
        let name = text::written_octave(take.score(), story.bar, story.pitch, names);
        let (first, beat) = (rect.left() + 24.0, rect.left() + 24.0 + 52.0 * scale);
        let second = beat + 76.0 * scale;
        let third = second + 110.0 * scale;
        Line::new(&name).size(13.0).bold().show_at(ui, rect.with_min_x(first).with_max_x(beat - 6.0));
        if let Some((score, id)) = take.score().zip(story.verdict.written) {
            let words = text::beat(score.beat_in_bar(id));
            let place = rect.with_min_x(beat).with_max_x(second - 6.0);
            Line::new(&words).size(13.0).color(t.muted).show_at(ui, place);
        }
        Line::new(text::story(story, take.mode))
            .size(13.0)
            .show_at(ui, rect.with_min_x(second).with_max_x(third - 6.0));
        let why = text::why(story, take.score(), names);
        Line::new(&why).size(13.0).color(t.muted).align(Align::Min).show_at(ui, rect.with_min_x(third));
    }
}
