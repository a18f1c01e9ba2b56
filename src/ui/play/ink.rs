//! How engraved music looks in the window: which colours its notes have, what stands under them, the playhead. The same
//! for the line and for the page.

use std::ops::RangeInclusive;
use std::sync::Arc;

use egui::{Color32, Direction, Painter, Rangef, Rect, Shape, Stroke, Ui};

use super::pen::Pen;
use super::wrong;
use crate::engraving::{self, Item, Part, Point, System};
use crate::music::notation::Notation;
use crate::music::{Hand, Hands, NoteId};
use crate::practice::{KeyRange, VerdictKind};
use crate::time::Ticks;
use crate::ui::theme::{self, Tokens, fade, tokens};
use crate::ui::view::Piece;
use crate::ui::widgets::{color_of, snap};

/// From the left edge of a head to its middle, in spaces.
pub(super) const HALF_HEAD: f32 = 0.65;
/// The size of the marks of what was played, in points.
pub(super) const MARK_RADIUS: f32 = 4.5;

/// What was engraved: the page, and where its score's notes lie.
#[derive(Debug, Default)]
pub(super) struct Source(Option<(Arc<Notation>, usize)>);

impl Source {
    /// What there is to engrave of a piece, if it has a page.
    pub(super) fn of(piece: &Piece<'_>) -> Option<Self> {
        let page = piece.score.notation()?;
        Some(Self(Some((Arc::clone(page), piece.score.notes().as_ptr().addr()))))
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some((page, notes)), Some((other, at))) => Arc::ptr_eq(page, other) && notes == at,
            _ => false,
        }
    }
}

/// What the colours are chosen by.
pub(super) struct Ink<'a> {
    pub(super) piece: &'a Piece<'a>,
    practised: (Hands, KeyRange),
    pub(super) tokens: &'static Tokens,
}

impl<'a> Ink<'a> {
    /// `practised` tells which hands' notes stand out, and of which keys.
    pub(super) fn new(ui: &Ui, piece: &'a Piece<'a>, practised: (Hands, KeyRange)) -> Self {
        Self { piece, practised, tokens: tokens(ui) }
    }

    /// Draws an item that stands for a note of the score, if it stands for one.
    pub(super) fn item_ui(&self, pen: &mut Pen<'_>, item: &Item, note: Option<NoteId>) {
        let color = self.color(item, note);
        if item.tag.part == Part::Head {
            self.halo_ui(pen, item, note);
        }
        pen.draw(&item.shape, color);
    }

    fn is_next(&self, note: Option<NoteId>) -> bool {
        note.is_some_and(|note| self.piece.next.contains(&note))
    }

    /// Whose a note is; its voice's on the page where it is no note.
    fn hand(&self, item: &Item, note: Option<NoteId>) -> Option<Hand> {
        let note = note.and_then(|note| self.piece.score.notes().get(note.0 as usize));
        note.map(|note| note.hand).or(item.tag.hand)
    }

    /// What is needed now has a soft ground.
    fn halo_ui(&self, pen: &Pen<'_>, item: &Item, note: Option<NoteId>) {
        let (engraving::Shape::Glyph { at, .. }, Some(hand)) = (&item.shape, self.hand(item, note)) else { return };
        if self.is_next(note) {
            let center = pen.at(Point::new(at.x + HALF_HEAD, at.y));
            pen.painter().circle_filled(center, pen.space * 1.1, fade(self.tokens.hand(hand), 0.25));
        }
    }

    /// Heads tell what became of them; what has passed steps back, and so does what somebody else plays.
    fn color(&self, item: &Item, note: Option<NoteId>) -> Color32 {
        let t = self.tokens;
        let ink = match item.tag.part {
            Part::Barline | Part::Ledger => theme::mix(t.paper, t.ink, 0.7),
            Part::Number => return t.muted,
            _ => t.ink,
        };
        let is_note = matches!(item.tag.part, Part::Head | Part::Accidental | Part::Dot);
        if is_note && self.is_next(note) {
            return self.hand(item, note).map_or(ink, |hand| t.hand(hand));
        }
        let mark = note.and_then(|note| self.piece.marks.get(note.0 as usize).copied().flatten());
        if let (Part::Head, Some(color)) = (item.tag.part, mark.and_then(|m| color_of(t, m.kind))) {
            return color;
        }
        let mine = match note.and_then(|note| self.piece.score.notes().get(note.0 as usize)) {
            Some(note) => self.practised.0.contains(note.hand) && self.practised.1.contains(note.pitch),
            None => item.tag.hand.is_none_or(|hand| self.practised.0.contains(hand)),
        };
        if mine { ink } else { theme::mix(t.paper, ink, 0.55) }
    }

    /// What became of the notes between two ticks of the score: for each tick the worst; and taps too many, where any key
    /// will do.
    pub(super) fn marks(&self, (from, to): (f64, f64), taps: bool, mut draw: impl FnMut(f64, VerdictKind)) {
        let notes = self.piece.score.notes();
        let first = notes.partition_point(|n| (n.onset.0 as f64) < from);
        let mut shown: Option<(Ticks, VerdictKind)> = None;
        for (index, note) in notes.iter().enumerate().skip(first).take_while(|(_, n)| n.onset.0 as f64 <= to) {
            let Some(mark) = self.piece.marks.get(index).copied().flatten() else { continue };
            match &mut shown {
                Some((onset, kind)) if *onset == note.onset => {
                    if rank(mark.kind) > rank(*kind) {
                        *kind = mark.kind;
                    }
                }
                _ => {
                    if let Some((onset, kind)) = shown.replace((note.onset, mark.kind)) {
                        draw(onset.0 as f64, kind);
                    }
                }
            }
        }
        if let Some((onset, kind)) = shown {
            draw(onset.0 as f64, kind);
        }
        for extra in wrong::between(self.piece.extras, from, to).filter(|_| taps) {
            draw(extra.tick, VerdictKind::Extra);
        }
    }
}

/// How bad a verdict is, to show the worst of several.
fn rank(kind: VerdictKind) -> u8 {
    match kind {
        VerdictKind::Neutral => 0,
        VerdictKind::OnTime => 1,
        VerdictKind::Early | VerdictKind::Late => 2,
        VerdictKind::Missed => 3,
        VerdictKind::Extra | VerdictKind::WrongOctave => 4,
    }
}

/// Draws the lines of the staves between two places of the screen.
pub(super) fn lines_ui(ui: &Ui, painter: &Painter, pen: &Pen<'_>, system: &System, x: RangeInclusive<f32>) {
    let t = tokens(ui);
    let thick = (system.line_thickness() * pen.space).max(1.0);
    for line in system.staff_lines() {
        let y = snap(ui, pen.at(Point::new(0.0, line)).y);
        painter.hline(x.clone(), y, Stroke::new(thick, theme::mix(t.paper, t.ink, 0.45)));
    }
}

/// The playhead with a glow behind it.
pub(super) fn playhead_ui(painter: &Painter, t: &Tokens, x: f32, y: Rangef) {
    let glow = Rect::from_x_y_ranges(x - 30.0..=x, y);
    painter.add(Shape::gradient_rect(glow, Direction::LeftToRight, [theme::CLEAR, fade(t.accent, 0.16)]));
    painter.vline(x, y, Stroke::new(2.0, t.accent));
}
