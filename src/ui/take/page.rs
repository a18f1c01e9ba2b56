//! A take as music on a page: that of its piece with every verdict in place, or one made from what was played.

use egui::{Ui, vec2};

use super::go_command;
use crate::ui::Cx;
use crate::ui::play::{Shown, Touched, page_ui};
use crate::ui::state::State;
use crate::ui::text::{self, tr};
use crate::ui::view::{Piece, TakePage, TakeView};

/// The page; answers what is to be said under it.
pub(super) fn ui(
    cx: &mut Cx<'_>,
    ui: &mut Ui,
    state: &mut State,
    take: &TakeView,
    page: &TakePage,
    height: f32,
) -> String {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
    if state.take_place.0 != take.id {
        state.take_place = (take.id.clone(), 0.0);
    }
    let listening = cx.view.listening.filter(|listening| listening.take == take.id).map(|listening| listening.at);
    let heard = listening.map(|at| page.tick_at(at));
    let past = take.past.as_ref();
    let looked_at = past.map(|past| past.place.unwrap_or_else(|| page.tick_at(past.at)));
    let position = looked_at.or(heard).unwrap_or(state.take_place.1);
    // Where one listened is where one is.
    state.take_place.1 = position;
    let title = take.piece.as_deref().unwrap_or(tr().free_play);
    let piece = Piece {
        id: &take.id,
        score: &page.score,
        title,
        composer: page.score.composer(),
        grade: None,
        marks: past.map_or(&page.marks, |past| &past.marks),
        extras: past.map_or(&page.extras, |past| &past.extras),
        next: past.map_or(&[], |past| &past.next),
        bars: &[],
    };
    let words = text::page_in_words(take.notes.len(), take.length);
    let shown = Shown { piece: &piece, position, hands: page.hands, words: &words };
    match page_ui(ui, &mut state.take_page, &shown, rect) {
        Some(Touched::Pressed(tick)) => cx.send.push(go_command(take, page.time_at(tick))),
        Some(Touched::Moved(tick)) if past.is_none() && heard.is_none() => state.take_place.1 = tick,
        Some(Touched::Moved(_)) | None => {}
    }
    if take.mode.is_some() { tr().page_legend.to_owned() } else { text::page_of_free_play(page.beat) }
}
