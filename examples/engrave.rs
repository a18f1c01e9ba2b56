//! Engraves a page into pictures, to look at: `cargo run --example engrave -- [signs|FILE.musicxml] [WIDTH] > page.svg`, WIDTH in staff
//! spaces, one endless line without it. The font is not in the picture; render it where Leland and Inter are at hand.

#[path = "../tests/page_support/mod.rs"]
mod page_support;

use std::fmt::Write as _;

use music_trainer::engraving::{self, Align, Flow, Item, Point, Shape, System, TextKind};
use music_trainer::music::notation::Notation;

/// Pixels of a staff space.
const SPACE: f32 = 9.0;
/// A text's size is from ascender to descender; fonts are measured by their em.
const TEXT: f32 = 0.72;
/// Around the music, in spaces.
const MARGIN: f32 = 4.0;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let width = words.iter().find_map(|w| w.parse().ok());
    let flow = width.map_or(Flow::Endless, Flow::Lines);
    if let Some(path) = words.iter().find(|w| w.contains('.')) {
        let bytes = std::fs::read(path).expect("a file");
        let reading = music_trainer::formats::read(path, &bytes).expect("music");
        for warning in &reading.warnings {
            eprintln!("{warning}");
        }
        let systems = engraving::engrave(&reading.score, flow).expect("a format with pages");
        println!("{}", svg(&systems));
        return;
    }
    let page = if words.iter().any(|w| w == "signs") { signs() } else { notes() };
    let systems = engraving::engrave_page(&page, page_support::RESOLUTION, flow, &|_, _, _| None);
    println!("{}", svg(&systems));
}

/// Signs beside the notes.
fn signs() -> Notation {
    use music_trainer::music::notation::*;
    use music_trainer::time::Ticks;
    let mut page = page_support::page(
        (3, 4),
        -3,
        &[
            (
                0,
                "eb5q g5e f5e eb5q | d5q. c5e bb4q | ab5+c6q g5q f5q | eb5h. | c5s d5s eb5s f5s g5q ab5q | bb5e c6e d6e eb6e f6e g6e | \
                 f#4q g4q a4q | b4h. | c5q d5q e5q | c5h.",
            ),
            (
                1,
                "eb3h. | f3q ab3q d4q | c3+eb3+g3h. | eb2q bb2q eb3q | ab3h. | bb2q f3q ab3q | g3q b3q d4q | g2h. | \
                 c3e e3e g3e e3e c3e e3e | c3h.",
            ),
        ],
    );
    let direction = |staff, at, above, kind| Direction { staff, at: Ticks(at), above, kind };
    let m = &mut page.measures;
    m[0].directions = vec![
        direction(0, 0, Some(true), DirectionKind::Tempo("Andante".into())),
        direction(0, 0, Some(true), DirectionKind::Metronome(NoteValue::plain(Base::Quarter), 72.0)),
        direction(0, 0, None, DirectionKind::Dynamic(Dynamic::P)),
    ];
    m[1].directions = vec![direction(0, 480, None, DirectionKind::Words("dolce".into()))];
    m[2].directions = vec![direction(0, 0, None, DirectionKind::Dynamic(Dynamic::Sfz))];
    m[4].directions = vec![direction(0, 0, None, DirectionKind::Dynamic(Dynamic::Mf))];
    m[3].directions =
        vec![direction(1, 0, None, DirectionKind::PedalDown), direction(1, 960, None, DirectionKind::PedalUp)];
    let signs = [Articulation::Staccato, Articulation::Accent, Articulation::Tenuto, Articulation::Marcato];
    for measure in [2, 8] {
        for (chord, sign) in m[measure].chords.iter_mut().zip(signs.into_iter().cycle()) {
            chord.articulations = vec![sign];
        }
    }
    m[2].chords[1].ornaments = vec![Ornament::Arpeggio];
    let ornaments = [Ornament::Trill, Ornament::Mordent, Ornament::Turn, Ornament::Fermata];
    for (chord, ornament) in m[6].chords.iter_mut().filter(|c| c.staff == 0).zip(ornaments) {
        chord.ornaments = vec![ornament];
    }
    m[9].chords[0].ornaments = vec![Ornament::Fermata];
    for measure in [0, 4] {
        for (index, chord) in m[measure].chords.iter_mut().enumerate() {
            chord.heads[0].finger = Some(index as u8 % 5 + 1);
        }
    }
    for (chord, text) in m[8].chords.iter_mut().filter(|c| c.staff == 0).zip(["sing", "with", "me"]) {
        chord.lyrics = vec![Lyric { verse: 0, text: text.into(), hyphen: text == "sing", extends: text == "me" }];
    }
    m[1].repeat_start = true;
    m[4].repeat_end = Some(2);
    m[4].ending = Some(Ending { passes: vec![1], starts: true, ends: true });
    m[5].ending = Some(Ending { passes: vec![2], starts: true, ends: false });
    m[6].fifths = Some(1);
    m[6].clefs = vec![(1, Ticks(480), Clef::Treble)];
    m[7].clefs = vec![(1, Ticks(0), Clef::Bass)];
    m[8].fifths = Some(0);
    m[8].meter = Some((3, 4));
    m[9].barline = Barline::Final;
    m[9].jumps = vec![Jump::DaCapoAlFine];
    m[7].barline = Barline::Double;
    let span = |kind, staff, voice, from: (u32, i64), to: (u32, i64)| Span {
        kind,
        staff,
        voice,
        from: (from.0, Ticks(from.1)),
        to: (to.0, Ticks(to.1)),
        above: None,
    };
    page.spans = vec![
        span(SpanKind::Slur, 0, 0, (0, 0), (1, 960)),
        span(SpanKind::Slur, 1, 1, (5, 0), (6, 960)),
        span(SpanKind::Slur, 0, 0, (4, 0), (4, 480)),
        span(SpanKind::Crescendo, 0, 0, (2, 480), (3, 960)),
        span(SpanKind::Diminuendo, 0, 0, (4, 480), (5, 480)),
        span(SpanKind::Octave(1), 0, 0, (5, 480), (6, 480)),
        span(SpanKind::Pedal, 1, 1, (8, 0), (9, 960)),
    ];
    page
}

/// What is hard to engrave.
fn notes() -> Notation {
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
                r#"<text x="{x}" y="{y}" font-family="Inter" font-size="{}" text-anchor="{anchor}" {style}>{text}</text>"#,
                size * TEXT
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
