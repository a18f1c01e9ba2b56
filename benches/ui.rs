//! A pass of the window (egui's run and tessellation) over a piece of ten thousand notes, beside an empty pass.
//!
//! `cargo bench --features inspection --bench ui`

#[cfg(feature = "window")]
#[path = "../tests/page_support/mod.rs"]
mod page_support;

#[cfg(feature = "window")]
mod window {
    use super::page_support;
    use std::time::{Duration, Instant};

    use egui::{Context, Pos2, RawInput, Rect, vec2};
    use music_trainer::engraving::{self, Flow, Sheet};
    use music_trainer::music::{Hand, Pitch, Score, ScoreParts, WrittenNote};
    use music_trainer::time::Ticks;
    use music_trainer::ui::view::{Devices, Keys, Piece, Play, PlayView, Settings, StaffLayout, Transport, View};
    use music_trainer::ui::{self, State};

    const PASSES: usize = 2_000;

    /// Ten thousand notes as a page: eighths, sixteenths and chords on two staves, with accidentals and ties.
    fn score_with_page() -> Score {
        let bars = [
            ("c5s d5s e5s f#5s g5e a5e b5e c6e g5q~", "c3+e3+g3q rq e3e g3e c4e e4e"),
            ("g5+b5q e5+g5e. f5s d5q c#5+e5+a5q", "d3s f#3s a3s d4s f#3q a2+c#3+e3h"),
        ];
        let voice = |pick: fn(&(&'static str, &'static str)) -> &'static str| {
            (0..610).map(|bar| pick(&bars[bar % 2])).collect::<Vec<_>>().join("|")
        };
        let (right, left) = (voice(|bar| bar.0), voice(|bar| bar.1));
        let page = page_support::page((4, 4), 2, &[(0, &right), (1, &left)]);
        let mut notes = Vec::new();
        for passage in &page.passages {
            for chord in &page.measures[passage.measure as usize].chords {
                for (at, pitch) in chord.heads.iter().filter_map(|head| head.sounds) {
                    let onset = passage.start + at;
                    notes.push(WrittenNote { onset, end: onset + Ticks(110), pitch, hand: chord.hand, velocity: 80 });
                }
            }
        }
        Score::new(ScoreParts {
            title: "Page".into(),
            resolution: 480,
            notes,
            notation: Some(page),
            ..Default::default()
        })
    }

    /// Ten thousand notes, both hands, thick chords.
    fn score() -> Score {
        let notes = (0..10_000u32)
            .map(|i| {
                let onset = Ticks(i64::from(i / 4) * 120);
                let pitch = Pitch::from_data_byte(36 + (i * 7 % 60) as u8);
                let hand = if pitch < Pitch::MIDDLE_C { Hand::Left } else { Hand::Right };
                WrittenNote { onset, end: Ticks(onset.0 + 110), pitch, hand, velocity: 80 }
            })
            .collect();
        Score::new(ScoreParts { title: "Study".into(), resolution: 480, notes, ..Default::default() })
    }

    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    fn now() -> Instant {
        Instant::now()
    }

    /// Times of many passes, sorted; the triangles of the last one.
    fn measure(ctx: &Context, mut draw: impl FnMut(&mut egui::Ui, usize)) -> (Vec<Duration>, usize) {
        let mut times = Vec::with_capacity(PASSES);
        let mut triangles = 0;
        for pass in 0..PASSES + 50 {
            let input = RawInput {
                screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(1280.0, 800.0))),
                time: Some(pass as f64 / 60.0),
                ..RawInput::default()
            };
            let start = now();
            let mut out = ctx.run_ui(input, |ui| draw(ui, pass));
            let shapes = std::mem::take(&mut out.shapes);
            let meshes = ctx.tessellate(shapes, out.pixels_per_point);
            let took = start.elapsed();
            out.textures_delta.clear();
            triangles = meshes
                .iter()
                .map(|m| match &m.primitive {
                    egui::epaint::Primitive::Mesh(mesh) => mesh.indices.len() / 3,
                    egui::epaint::Primitive::Callback(_) => 0,
                })
                .sum();
            if pass >= 50 {
                times.push(took);
            }
        }
        times.sort_unstable();
        (times, triangles)
    }

    fn time_engraving(what: &str, notes: usize, mut engrave: impl FnMut()) {
        let engraved: Vec<Duration> = (0..20)
            .map(|_| {
                let start = now();
                engrave();
                start.elapsed()
            })
            .collect();
        println!("engraving {notes} notes as {what}: {:?} to {:?}", engraved.iter().min(), engraved.iter().max());
    }

    fn tell(name: &str, times: &[Duration], triangles: usize, baseline: Option<&[Duration]>) {
        let at = |times: &[Duration], q: f64| times[((times.len() - 1) as f64 * q) as usize].as_secs_f64() * 1e3;
        let ratio =
            baseline.map(|b| format!(", {:.1} × an empty pass", at(times, 0.5) / at(b, 0.5))).unwrap_or_default();
        let (p50, p99) = (at(times, 0.5), at(times, 0.99));
        println!("{name}: p50 {p50:.3} ms, p99 {p99:.3} ms, {triangles} triangles{ratio}");
    }

    /// The play screen, with the music moving, and an empty window.
    pub(crate) fn main() {
        let (plain, page) = (score(), score_with_page());
        let devices = Devices::default();
        let ctx = Context::default();
        ui::install(&ctx);
        let (empty, triangles) = measure(&ctx, |_, _| {});
        tell("empty pass", &empty, triangles, None);
        time_engraving("a line", page.notes().len(), || {
            std::hint::black_box(engraving::engrave(&page, Flow::Endless));
        });
        time_engraving("a page", page.notes().len(), || {
            std::hint::black_box(Sheet::new(&page, 150.0));
        });
        for (name, score, play_view, staff_layout) in [
            ("falling notes", &plain, PlayView::Both, StaffLayout::Line),
            ("staff and falling notes", &page, PlayView::Both, StaffLayout::Line),
            ("page and falling notes", &page, PlayView::Both, StaffLayout::Page),
            ("page alone", &page, PlayView::Staff, StaffLayout::Page),
        ] {
            let settings = Settings { play_view, staff_layout, ..Settings::default() };
            let (mut state, mut send) = (State::new(), Vec::new());
            // The library is shown first; the music is what is measured.
            state.screen = ui::Screen::Play;
            let (times, triangles) = measure(&ctx, |ui, pass| {
                let piece = Piece {
                    id: "study",
                    score,
                    title: "Study",
                    composer: "",
                    grade: None,
                    marks: &[],
                    extras: &[],
                    next: &[],
                    bars: &[],
                };
                let transport = Transport { playing: true, position: pass as f64 * 16.0, ..Transport::default() };
                let play = Play { piece: Some(piece), transport, keys: Keys::default() };
                let view = View { moving: true, play, ..View::new(&devices, &settings) };
                ui::frame(ui, &view, &mut state, &mut send);
            });
            tell(&format!("play screen, {name}, {} notes", score.notes().len()), &times, triangles, Some(&empty));
        }
    }
}

fn main() {
    #[cfg(feature = "window")]
    window::main();
    #[cfg(not(feature = "window"))]
    println!("built without the feature `window`");
}
