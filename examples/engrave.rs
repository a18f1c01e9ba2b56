//! Engraves a page into pictures, to look at: `cargo run --example engrave -- [WIDTH|endless] > page.svg`, WIDTH in staff
//! spaces. The font is not in the picture; render it where Leland and Inter are at hand.

#[path = "../tests/page_support/mod.rs"]
mod page_support;

use std::fmt::Write as _;

use music_trainer::engraving::{self, Align, Flow, Item, Point, Shape, System, TextKind};

/// Pixels of a staff space.
const SPACE: f32 = 9.0;
/// Around the music, in spaces.
const MARGIN: f32 = 4.0;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let width = words.iter().find_map(|w| w.parse().ok());
    let flow = width.map_or(Flow::Endless, Flow::Lines);
    let page = showcase();
    let systems = engraving::engrave_page(&page, page_support::RESOLUTION, flow, &|_, _, _| None);
    println!("{}", svg(&systems));
}

/// What is hard to engrave.
fn showcase() -> music_trainer::music::notation::Notation {
    page_support::page(
        (4, 4),
        1,
        &[
            (
                0,
                "g4q b4e c5e d5q f#5q | c5e d5s e5s f5e g5e a5s g5s f#5s e5s d5q | \
                 c#5+e5+g5h. rq | f4+g4+a4q e4+f4+b4q c4+d4+e4+f4h | \
                 (3:2 c5e d5e e5e ) (3:2 d5q e5q f5q ) rq | 'e5s d5q. e5e d5h~ | d5q a5e. b5s c6q e6q | \
                 e5q f5q g5h | c4e. d4s e4s f4e. g4t a4t b4t c5t d5t e5t f5t g5t a5q | R",
            ),
            (
                1,
                "g2+d3h b2h | c3q e3+g3q c3q e3+g3q | a2h. rq | d3e e3e f#3e g3e a3e b3e c4e d4e | \
                 g3w | g2q b2q d3q g3q | c3e g3e e3e g3e c3e g3e e3e g3e | c3w | f2q a2q c3h | R",
            ),
            (0, "yw | yw | yw | yw | yw | yw | yw | c5h b4q c5q | yw | yw"),
        ],
    )
}

/// All lines under each other.
fn svg(systems: &[System]) -> String {
    let mut body = String::new();
    let (mut y, mut width) = (MARGIN, 0.0f32);
    for system in systems {
        y -= system.top;
        width = width.max(system.width);
        for line in system.staff_lines() {
            let (x, thickness) = (MARGIN + system.width, system.line_thickness());
            let _ = writeln!(
                body,
                r#"<line x1="{MARGIN}" x2="{x}" y1="{0}" y2="{0}" stroke="black" stroke-width="{thickness}"/>"#,
                y + line
            );
        }
        let shown = system.visible(f32::MIN, f32::MAX);
        for item in system.measures[shown].iter().flat_map(|m| &m.items).chain(system.spanning(f32::MIN, f32::MAX)) {
            shape(&mut body, item, Point::new(MARGIN, y));
        }
        y += system.bottom + 4.0;
    }
    let (w, h) = (width + 2.0 * MARGIN, y + MARGIN);
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{}" height="{}"><rect width="{w}" height="{h}" fill="white"/>{body}</svg>"#,
        w * SPACE,
        h * SPACE
    )
}

fn shape(out: &mut String, item: &Item, o: Point) {
    let _ = match &item.shape {
        Shape::Glyph { sign, at, scale } => writeln!(
            out,
            r#"<text x="{}" y="{}" font-family="Leland" font-size="{}">{sign}</text>"#,
            o.x + at.x,
            o.y + at.y,
            4.0 * scale
        ),
        Shape::Line { from, to, thickness } => writeln!(
            out,
            r#"<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="black" stroke-width="{thickness}"/>"#,
            o.x + from.x,
            o.y + from.y,
            o.x + to.x,
            o.y + to.y
        ),
        Shape::Beam(points) => {
            let points: Vec<String> = points.iter().map(|p| format!("{},{}", o.x + p.x, o.y + p.y)).collect();
            writeln!(out, r#"<polygon points="{}"/>"#, points.join(" "))
        }
        Shape::Curve { points, middle, ends } => {
            let bulge = (middle - ends) * 0.66;
            let p = |i: usize, dy: f32| format!("{} {}", o.x + points[i].x, o.y + points[i].y + dy);
            writeln!(
                out,
                r#"<path d="M{} C{} {} {} C{} {} {}Z" stroke="black" stroke-width="{ends}"/>"#,
                p(0, 0.0),
                p(1, -bulge),
                p(2, -bulge),
                p(3, 0.0),
                p(2, bulge),
                p(1, bulge),
                p(0, 0.0)
            )
        }
        Shape::Text { text, at, size, kind, align } => {
            let anchor = match align {
                Align::Left => "start",
                Align::Center => "middle",
                Align::Right => "end",
            };
            let style = match kind {
                TextKind::Italic => r#"font-style="italic""#,
                TextKind::Bold => r#"font-weight="600""#,
                TextKind::Number | TextKind::Lyric => "",
            };
            let (x, y) = (o.x + at.x, o.y + at.y);
            writeln!(
                out,
                r#"<text x="{x}" y="{y}" font-family="Inter" font-size="{size}" text-anchor="{anchor}" {style}>{text}</text>"#
            )
        }
        Shape::Brace { x, top, bottom } => {
            let scale = (bottom - top) / 3.96;
            let (x, y) = (o.x + x - 0.248 * scale.min(4.0), o.y + bottom);
            let wide = scale.min(4.0) / scale;
            writeln!(
                out,
                r#"<text transform="translate({x} {y}) scale({wide} 1)" font-family="Leland" font-size="{}">{}</text>"#,
                4.0 * scale,
                '\u{E000}'
            )
        }
    };
}
