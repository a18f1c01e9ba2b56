//! The transport: start, loop, tempo, hands, metronome. Labels give way to icons before anything is cut.

use egui::{Align, Rect, Ui, pos2, vec2};

use super::{ladder, waiting};
use crate::music::{Hand, Percent, Pitch, Score};
use crate::practice::{BarRange, Heard, Mode};
use crate::time::Ticks;
use crate::ui::shortcuts::{self, Action};
use crate::ui::state::{HandsState, State};
use crate::ui::text::{self, tr};
use crate::ui::theme::{self, space, tokens};
use crate::ui::view::{Piece, PlayView, StaffLayout, Transport};
use crate::ui::widgets::{Button, Line, Segment, segmented_ui, segmented_width, slider_ui, snap};
use crate::ui::{Command, Cx, Setting, icons};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Restart,
    Play,
    Loop,
    Tempo,
    Ladder,
    Hands,
    Practise(Hand),
    HearWord,
    Hear(Hand),
    Metronome,
    CountIn,
    Layout,
    View,
}

/// From left to right, with the room before each.
const ITEMS: [(Item, f32); 15] = [
    (Item::Restart, 0.0),
    (Item::Play, 10.0),
    (Item::Loop, 10.0),
    (Item::Tempo, 24.0),
    (Item::Ladder, 12.0),
    (Item::Hands, 16.0),
    (Item::Practise(Hand::Right), 8.0),
    (Item::Practise(Hand::Left), 8.0),
    (Item::HearWord, 12.0),
    (Item::Hear(Hand::Right), 8.0),
    (Item::Hear(Hand::Left), 8.0),
    (Item::Metronome, 16.0),
    (Item::CountIn, 8.0),
    (Item::Layout, 16.0),
    (Item::View, 8.0),
];

/// How far labels have given way: 0 all are there, 3 none; with 4 everything stands close together too.
type Level = u8;
const CLOSE: Level = 4;

/// The transport in `rect`.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, piece: &Piece<'_>, rect: Rect) {
    let t = tokens(ui);
    ui.painter().rect_filled(rect, 0, t.surface);
    ui.painter().hline(rect.x_range(), snap(ui, rect.top()), t.hairline());
    let inner = |level: Level| rect.shrink2(vec2(if level >= CLOSE { 12.0 } else { space::PAGE }, 0.0));
    let transport = cx.view.play.transport;
    let label = Labels {
        range: loop_label(&transport, piece),
        ladder: [false, true].map(|room| ladder::label(&transport, room)),
    };
    let with_page = piece.score.notation().is_some();
    let with_staff = with_page && cx.view.settings.play_view != PlayView::Notes;
    let items = || {
        ITEMS.iter().filter(|(item, _)| match item {
            Item::View => with_page,
            Item::Layout => with_staff,
            _ => true,
        })
    };
    let total = |level: Level| -> f32 {
        items().map(|(item, before)| before.min(gap(level)) + width(ui, *item, level, &label)).sum()
    };
    let level = (0..=CLOSE).find(|l| total(*l) <= inner(*l).width()).unwrap_or(CLOSE);
    let inner = inner(level);
    let spare = (inner.width() - total(level)).max(0.0);
    // Large letters in a small window: what is still too wide loses some of its margins.
    let fixed = if with_page { width(ui, Item::View, level, &label) } else { 0.0 };
    let squeeze = ((inner.width() - fixed) / (total(level) - fixed).max(1.0)).min(1.0);
    let mut x = inner.left();
    for (item, before) in items().copied() {
        x += before.min(gap(level)) * squeeze;
        let mut w = width(ui, item, level, &label) * if item == Item::View { 1.0 } else { squeeze };
        match item {
            Item::Tempo => w += spare.min(120.0),
            Item::Metronome => x += (spare - 120.0).max(0.0),
            _ => {}
        }
        let height = if matches!(item, Item::Tempo) { rect.height() - 8.0 } else { height(item) };
        let place = Rect::from_min_size(pos2(x, rect.center().y - height / 2.0), vec2(w, height));
        match item {
            Item::Hands => hands_ui(ui, state, piece, place),
            _ => item_ui(cx, ui, piece, item, level, &label, place),
        }
        x += w;
    }
}

fn gap(level: Level) -> f32 {
    match level {
        0 | 1 => 24.0,
        2 | 3 => 12.0,
        _ => 4.0,
    }
}

fn height(item: Item) -> f32 {
    if matches!(item, Item::Restart | Item::Play | Item::Loop | Item::Layout | Item::View) {
        space::CONTROL
    } else {
        space::CHIP
    }
}

fn loop_label(transport: &Transport, piece: &Piece<'_>) -> String {
    text::loop_label(transport.chosen.range, |bar| piece.score.bars().number(bar))
}

/// Words that change.
struct Labels {
    range: String,
    /// The ladder's where there is little room, and where there is much.
    ladder: [String; 2],
}

impl Labels {
    fn ladder(&self, level: Level) -> &str {
        match level {
            0 => &self.ladder[1],
            CLOSE.. => "",
            _ => &self.ladder[0],
        }
    }
}

/// Opens and closes the strip that tells hands.
fn hands_ui(ui: &mut Ui, state: &mut State, piece: &Piece<'_>, rect: Rect) {
    let open = state.hands.is_some();
    if hands_chip(open).show_at(ui, rect).clicked() {
        let split = middle_of(piece.score);
        state.hands = (!open).then(|| HandsState { split, ..HandsState::default() });
    }
}

/// The lowest key of the right hand as a rule: halfway between the middles of the hands.
fn middle_of(score: &Score) -> Pitch {
    let mean = |hand: Hand| {
        let keys = score.notes().iter().filter(|note| note.hand == hand).map(|note| u64::from(note.pitch.key()));
        let (sum, count) = keys.fold((0, 0), |(sum, count), key| (sum + key, count + 1));
        (count > 0).then(|| sum / count)
    };
    match (mean(Hand::Left), mean(Hand::Right)) {
        (Some(left), Some(right)) => Pitch::from_data_byte(((left + right) / 2) as u8),
        _ => Pitch::MIDDLE_C,
    }
}

fn hands_chip(open: bool) -> Button<'static> {
    Button::new(tr().hands).icon(icons::HAND).chip().selected(open).hide_label(true).tip(tr().hands_tip)
}

fn width(ui: &Ui, item: Item, level: Level, label: &Labels) -> f32 {
    let scale = theme::scale(ui);
    match item {
        Item::Restart => 44.0,
        Item::Play => 54.0,
        Item::Loop => loop_button(&label.range, level).width(ui),
        Item::Ladder => ladder::chip(label.ladder(level), false, "").width(ui),
        Item::Hands => hands_chip(false).width(ui),
        Item::Tempo => [190.0, 176.0, 150.0, 110.0, 88.0][usize::from(level.min(CLOSE))] * (1.0 + (scale - 1.0) * 0.8),
        Item::Practise(hand) => practise_chip(ui, hand, false, level).width(ui),
        Item::HearWord if level >= 1 => 0.0,
        Item::HearWord => Line::small(tr().hear).width(ui).ceil() + 1.0,
        Item::Hear(hand) => hear_chip(hand, Heard::Muted, level, "").width(ui),
        Item::Metronome => metronome_chip(false, level).width(ui),
        Item::CountIn => count_in_chip(false, level).width(ui),
        Item::Layout => layout_button(false).width(ui),
        Item::View => segmented_width(ui, &views(), 0, view_room(level)),
    }
}

fn loop_button(label: &str, level: Level) -> Button<'_> {
    Button::new(label).icon(icons::REPEAT).hide_label(level >= 3).tip(tr().loop_tip)
}

fn practise_chip(ui: &Ui, hand: Hand, on: bool, level: Level) -> Button<'static> {
    let (name, shown) = match hand {
        Hand::Right => (tr().right_practise, tr().right),
        _ => (tr().left_practise, tr().left),
    };
    let letter = if hand == Hand::Right { tr().right_letter } else { tr().left_letter };
    let shown = if level >= 3 { letter } else { shown };
    Button::new(name).shown(shown).dot(tokens(ui).hand(hand)).chip().selected(on).tip(name)
}

fn hear_chip<'a>(hand: Hand, heard: Heard, level: Level, tip: &'a str) -> Button<'a> {
    let (name, shown) = match hand {
        Hand::Right => (tr().right_hear, tr().right),
        _ => (tr().left_hear, tr().left),
    };
    let icon = match heard {
        Heard::Always => icons::SPEAKER,
        Heard::WhenMissed => icons::SPEAKER_LOW,
        Heard::Muted => icons::SPEAKER_OFF,
    };
    let chip = Button::new(name).shown(shown).icon(icon).chip().selected(heard != Heard::Muted).tip(tip);
    let letter = if hand == Hand::Right { tr().right_letter } else { tr().left_letter };
    if level >= 2 { chip.shown(letter) } else { chip }
}

fn metronome_chip(on: bool, level: Level) -> Button<'static> {
    let name = tr().metronome;
    Button::new(name).icon(icons::METRONOME).chip().selected(on).hide_label(level >= 1).tip(name)
}

fn count_in_chip(on: bool, level: Level) -> Button<'static> {
    let chip = Button::new(tr().count_in).chip().selected(on).tip(tr().count_in_tip);
    if level >= 1 { chip.icon(icons::NUMBERS).hide_label(true) } else { chip }
}

/// A chip that does nothing in this mode, and says why.
fn without_effect<'a>(chip: Button<'a>, why: &'a str) -> Button<'a> {
    chip.enabled(false).selected(false).tip(why)
}

fn layout_button(page: bool) -> Button<'static> {
    let tip = if page { tr().as_line_tip } else { tr().as_page_tip };
    Button::icon_only(tr().as_page, icons::ARTICLE).selected(page).tip(tip)
}

/// The room for what is shown: words only where there is plenty.
fn view_room(level: Level) -> f32 {
    if level == 0 { f32::INFINITY } else { 0.0 }
}

fn views() -> [Segment<'static>; 3] {
    PlayView::ALL.map(|view| {
        let (label, tip) = text::play_view(view);
        let icon = match view {
            PlayView::Staff => icons::MUSIC_NOTES,
            PlayView::Notes => icons::CHART_BARS,
            PlayView::Both => icons::ROWS,
        };
        Segment { label, icon, tip: tip.to_owned(), enabled: true }
    })
}

fn item_ui(cx: &mut Cx<'_>, ui: &mut Ui, piece: &Piece<'_>, item: Item, level: Level, label: &Labels, rect: Rect) {
    let chosen = cx.view.play.transport.chosen;
    match item {
        Item::Restart => {
            let tip = text::with_shortcut(tr().restart, &shortcuts::shown(ui.ctx(), Action::Restart));
            let button = Button::icon_only(tr().restart, icons::SKIP_BACK).tip(&tip);
            if button.show_at(ui, rect).clicked() {
                cx.send.push(Command::Restart);
            }
        }
        Item::Play => play_ui(cx, ui, rect),
        Item::Loop => {
            if loop_button(&label.range, level).selected(chosen.range.is_some()).show_at(ui, rect).clicked() {
                cx.send.push(Command::SetLoop(toggled_loop(cx, piece)));
            }
        }
        Item::Tempo => tempo_ui(cx, ui, piece, rect),
        Item::Ladder if chosen.mode == Mode::Wait => waiting::ui(cx, ui, rect),
        Item::Ladder => ladder::ui(cx, ui, rect, label.ladder(level)),
        Item::Hands => {}
        Item::Practise(hand) => {
            let on = chosen.practise.contains(hand);
            if practise_chip(ui, hand, on, level).show_at(ui, rect).clicked() {
                cx.send.push(Command::SetPractised(chosen.practise.toggled(hand)));
            }
        }
        Item::HearWord if level >= 1 => {}
        Item::HearWord => {
            Line::small(tr().hear).color(tokens(ui).muted).show_at(ui, rect);
        }
        Item::Hear(hand) => {
            let heard = if hand == Hand::Right { chosen.heard_right } else { chosen.heard_left };
            let tip = text::heard(hand, heard);
            if hear_chip(hand, heard, level, &tip).show_at(ui, rect).clicked() {
                let judged = chosen.mode.is_judged() && chosen.practise.contains(hand);
                cx.send.push(Command::SetHeard(hand, next_heard(heard, judged)));
            }
        }
        Item::Metronome => {
            let chip = metronome_chip(chosen.metronome, level);
            let clicks = chosen.mode.keeps_time();
            let chip = if clicks { chip } else { without_effect(chip, tr().no_metronome_tip) };
            if chip.show_at(ui, rect).clicked() {
                cx.send.push(Command::SetMetronome(!chosen.metronome));
            }
            let transport = cx.view.play.transport;
            if transport.playing && chosen.metronome && chosen.mode.keeps_time() {
                beats_ui(ui, &transport, piece, rect);
            }
        }
        Item::CountIn => {
            let on = chosen.count_in_bars > 0;
            let chip = count_in_chip(on, level);
            let counts = chosen.mode.is_timed();
            let chip = if counts { chip } else { without_effect(chip, tr().no_count_in_tip) };
            if chip.show_at(ui, rect).clicked() {
                cx.send.push(Command::SetCountIn(!on));
            }
        }
        Item::Layout => {
            let page = cx.view.settings.staff_layout == StaffLayout::Page;
            if layout_button(page).show_at(ui, rect).clicked() {
                let next = if page { StaffLayout::Line } else { StaffLayout::Page };
                cx.send.push(Command::Set(Setting::StaffLayout(next)));
            }
        }
        Item::View => {
            let chosen = PlayView::ALL.iter().position(|v| *v == cx.view.settings.play_view).unwrap_or(0);
            if let Some(index) = segmented_ui(ui, rect, &views(), chosen) {
                cx.send.push(Command::Set(Setting::PlayView(PlayView::ALL[index])));
            }
        }
    }
}

/// The beats of the bar as dots under the metronome, the present one lit: for eyes, where ears are busy.
fn beats_ui(ui: &Ui, transport: &Transport, piece: &Piece<'_>, chip: Rect) {
    const DISTANCE: f32 = 10.0;
    let t = tokens(ui);
    let (beat, beats) = beat_of(piece.score, transport.begins, transport.position);
    let left = chip.center().x - (f32::from(beats) - 1.0) * DISTANCE / 2.0;
    for dot in 0..beats {
        let at = pos2(left + f32::from(dot) * DISTANCE, chip.bottom() + 8.0);
        let (radius, color) = if dot == beat { (4.0, t.accent) } else { (2.5, t.faint) };
        ui.painter().circle_filled(at, radius, color);
    }
}

/// The beat of a place in its bar, from 0, and how many there are. Before `from` it is being counted in.
fn beat_of(score: &Score, from: Ticks, position: f64) -> (u8, u8) {
    let bars = score.bars();
    let counted_in = position < from.0 as f64;
    let place = Ticks(if counted_in { from.0 } else { position as i64 });
    let index = bars.index_at(place);
    let bar = bars.get(index);
    let beat = bar.meter.beat_ticks(score.resolution()) as f64;
    let beats = bar.meter.beats.max(1);
    // Whole beats are left before the music begins, and in an incomplete first bar before the second.
    let from_end = |left: f64| (f64::from(beats) - (left / beat).ceil()).rem_euclid(f64::from(beats)) as u8;
    let now = match index {
        _ if counted_in => from_end(from.0 as f64 - position),
        0 => from_end(bar.end.0 as f64 - position),
        _ => (((position - bar.start.0 as f64) / beat) as u8).min(beats - 1),
    };
    (now, beats)
}

fn play_ui(cx: &mut Cx<'_>, ui: &mut Ui, rect: Rect) {
    let playing = cx.view.play.transport.playing;
    let (name, icon) = if playing { (tr().pause, icons::PAUSE) } else { (tr().start, icons::PLAY) };
    let tip = text::with_shortcut(name, &shortcuts::shown(ui.ctx(), Action::PlayPause));
    if Button::icon_only(name, icon).primary().tip(&tip).show_at(ui, rect).clicked() {
        cx.send.push(if playing { Command::Pause } else { Command::Play });
    }
}

fn tempo_ui(cx: &mut Cx<'_>, ui: &mut Ui, piece: &Piece<'_>, rect: Rect) {
    let t = tokens(ui);
    let chosen = cx.view.play.transport.chosen;
    let tick = Ticks(cx.view.play.transport.position.max(0.0) as i64);
    let (written, unit) = piece.score.beats_per_minute(tick);
    let percent = chosen.tempo.get();
    let (now, rest) = text::tempo_line((written * f64::from(percent) / 100.0, written), percent, unit);
    let line = 20.0 * theme::scale(ui);
    let top = Rect::from_min_size(pos2(rect.left(), rect.center().y - line - 2.0), vec2(rect.width(), line));
    let name = Line::small(tr().tempo).color(t.muted);
    let rest_line = Line::small(&rest).color(t.muted).align(Align::Max);
    let now_line = Line::small(&now).bold().align(Align::Max);
    let rest_width = rest_line.width(ui).ceil();
    let now_width = now_line.width(ui).ceil();
    let wide = name.width(ui) + 12.0 + now_width + rest_width <= rect.width();
    if wide {
        name.paint(ui, top);
        rest_line.paint(ui, top);
        now_line.paint(ui, top.with_max_x(top.right() - rest_width));
    } else {
        let short = text::percent(percent);
        Line::small(&short).color(t.muted).align(Align::Max).paint(ui, top);
        now_line.align(Align::Min).paint(ui, top);
    }
    let track = Rect::from_min_size(pos2(rect.left(), top.bottom()), vec2(rect.width(), 20.0));
    let range = Percent::MIN.get().into()..=Percent::MAX.get().into();
    if let Some(percent) = slider_ui(ui, track, tr().tempo, percent.into(), range) {
        cx.send.push(Command::SetTempo(Percent::new(percent as u16)));
    }
}

/// No loop when there is one, else four bars from here.
fn toggled_loop(cx: &Cx<'_>, piece: &Piece<'_>) -> Option<BarRange> {
    let transport = cx.view.play.transport;
    if transport.chosen.range.is_some() {
        return None;
    }
    let bars = piece.score.bars();
    let now = bars.index_at(Ticks(transport.position.max(0.0) as i64));
    Some(BarRange::new(now, (now + 3).min(bars.len() - 1)))
}

/// Heard, heard when I miss, muted; what nobody misses is heard or muted.
fn next_heard(heard: Heard, judged: bool) -> Heard {
    match heard {
        Heard::Always if judged => Heard::WhenMissed,
        Heard::Always | Heard::WhenMissed => Heard::Muted,
        Heard::Muted => Heard::Always,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{Meter, ScoreParts, WrittenNote};

    #[test]
    fn the_lit_beat_is_that_of_the_place_counted_in_or_after_a_pick_up() {
        let pitch = crate::music::Pitch::MIDDLE_C;
        let note = WrittenNote { onset: Ticks(0), end: Ticks(6_000), pitch, hand: Hand::Right, velocity: 80 };
        let meters = vec![Meter { tick: Ticks(0), beats: 3, unit: 4 }];
        let score = |pickup| {
            Score::new(ScoreParts {
                resolution: 480,
                notes: vec![note],
                meters: meters.clone(),
                pickup,
                ..Default::default()
            })
        };
        let whole = score(Ticks(0));
        for (position, beat) in [(0.0, 0), (479.0, 0), (480.0, 1), (1_439.0, 2), (1_440.0, 0), (-1.0, 2), (-481.0, 1)] {
            assert_eq!(beat_of(&whole, Ticks(0), position), (beat, 3), "{position}");
        }
        let pickup = score(Ticks(480));
        for (position, beat) in [(0.0, 2), (479.0, 2), (480.0, 0), (-1.0, 2)] {
            assert_eq!(beat_of(&pickup, Ticks(0), position), (beat, 3), "{position} after a pick-up");
        }
    }
}
