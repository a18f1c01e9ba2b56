//! What reaches from one place to another: beginnings and ends matched by number.

use roxmltree::Node;

use crate::music::notation::{Span, SpanKind};
use crate::time::Ticks;

/// Unmatched ends and beginnings that are kept in mind; more are damage.
const OPEN_MAX: usize = 64;

/// One end of a span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct End {
    /// Measure and tick.
    pub(super) place: (u32, Ticks),
    pub(super) staff: u8,
    /// The note it hangs on, for slurs.
    pub(super) strike: Option<u32>,
    pub(super) above: Option<bool>,
}

#[derive(Debug)]
struct Open {
    kind: SpanKind,
    number: u8,
    /// Whether it is a beginning.
    begins: bool,
    end: End,
}

/// All spans of a part.
#[derive(Debug, Default)]
pub(super) struct Spans {
    open: Vec<Open>,
    /// Spans, and the note each begins at.
    pub(super) done: Vec<(Span, Option<u32>)>,
}

impl Spans {
    /// A beginning or an end, as the element's type says.
    pub(super) fn mark(&mut self, node: Node<'_, '_>, kind: SpanKind, end: End) {
        let number = super::tree::number(node, "number").unwrap_or(1);
        match node.attribute("type") {
            Some("stop") => self.stop(kind, number, end),
            Some("continue") | None => {}
            Some(_) => self.start(kind, number, end),
        }
    }

    /// A beginning. An end may have been read before it, in a voice that the file gives first.
    pub(super) fn start(&mut self, kind: SpanKind, number: u8, end: End) {
        let is_end =
            |open: &Open| !open.begins && same(open.kind, kind) && open.number == number && open.end.place >= end.place;
        // Only of this measure: files are written measure by measure.
        let found = self.open.iter().position(|open| is_end(open) && open.end.place.0 == end.place.0);
        match found {
            Some(at) => {
                let stop = self.open.remove(at);
                self.push(kind, end, stop.end);
            }
            None => self.keep(Open { kind, number, begins: true, end }),
        }
    }

    /// An end of what began last under this number.
    pub(super) fn stop(&mut self, kind: SpanKind, number: u8, end: End) {
        let begins =
            |open: &Open| open.begins && same(open.kind, kind) && open.number == number && open.end.place <= end.place;
        match self.open.iter().rposition(begins) {
            Some(at) => {
                let open = self.open.remove(at);
                self.push(open.kind, open.end, end);
            }
            // Slurs only: the signs of the other kinds come in their order.
            None if kind == SpanKind::Slur => self.keep(Open { kind, number, begins: false, end }),
            None => {}
        }
    }

    fn keep(&mut self, open: Open) {
        if self.open.len() == OPEN_MAX {
            self.open.remove(0);
        }
        self.open.push(open);
    }

    fn push(&mut self, kind: SpanKind, from: End, to: End) {
        let span =
            Span { kind, staff: from.staff, voice: 0, from: from.place, to: to.place, above: from.above.or(to.above) };
        self.done.push((span, from.strike));
    }
}

/// Whether an end of one kind can end the other: the end of a hairpin does not say which.
fn same(a: SpanKind, b: SpanKind) -> bool {
    use SpanKind::{Crescendo, Diminuendo, Octave, Pedal, Slur};
    matches!(
        (a, b),
        (Slur, Slur) | (Crescendo | Diminuendo, Crescendo | Diminuendo) | (Octave(_), Octave(_)) | (Pedal, Pedal)
    )
}
