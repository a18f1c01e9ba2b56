//! Draws every screen of the window with invented contents, for looking at.
//!
//! `cargo run --features window --example ui_gallery -- SCREEN [dark|light|high] [empty|fresh|full|chosen] [TEXT_PERCENT]
//! [TAB] [staff|notes|both] [page] [FILE.musicxml] [WxH]`: `fresh` has a bus and nothing on it, `chosen` shows the inspector with an
//! event chosen, `bar` the notes of a bar of the result, TAB is one of its tabs; `page`, `past` and `free` show a take as
//! notes, at an instant of it, and one of free playing; `still` while nothing plays; `hands` the strip that tells hands,
//! `ladder` a tempo ladder under way and how it went, `keys13` a keyboard of one octave; `passes` a take of ten, `pass` one of them chosen; `joined` JACK's own input.

#[cfg(feature = "window")]
#[path = "../tests/ui_support/mod.rs"]
mod ui_support;

#[cfg(feature = "window")]
fn main() -> eframe::Result {
    use music_trainer::ui::{self, Screen, State, view::ThemeChoice};

    struct Gallery {
        sample: ui_support::Sample,
        state: State,
    }
    impl eframe::App for Gallery {
        fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
            let mut send = Vec::new();
            self.sample.look_up(&self.state.query);
            ui::frame(ui, &self.sample.view(), &mut self.state, &mut send);
            for command in send {
                println!("{command:?}");
            }
        }
    }

    let words: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| words.iter().any(|w| w == word);
    let mut sample = match (has("empty"), has("chosen")) {
        (true, _) => ui_support::Sample::empty(),
        (_, true) => ui_support::Sample::chosen(),
        _ if has("fresh") => ui_support::Sample::fresh(),
        _ => ui_support::Sample::full(),
    };
    sample.settings.theme = match (has("light"), has("high")) {
        (true, _) => ThemeChoice::Light,
        (_, true) => ThemeChoice::HighContrast,
        _ => ThemeChoice::Dark,
    };
    if let Some(path) = words.iter().find(|w| w.contains(".m")) {
        let bytes = std::fs::read(path).expect("a file");
        let score = music_trainer::formats::read(path, &bytes).expect("music").score;
        let now = sample.transport.position.max(0.0) as i64;
        sample.marks = ui_support::judged(&score, music_trainer::time::Ticks(now)).0;
        sample.next = score.iter().filter(|(_, n)| n.onset.0 >= now).take(1).map(|(id, _)| id).collect();
        sample.extras.clear();
        sample.score = Some(score);
    }
    let view = |word: &str| {
        music_trainer::ui::view::PlayView::ALL.into_iter().find(|v| format!("{v:?}").to_lowercase() == word)
    };
    sample.settings.play_view = words.iter().find_map(|w| view(w)).unwrap_or_default();
    if has("page") {
        sample.settings.staff_layout = music_trainer::ui::view::StaffLayout::Page;
    }
    sample.settings.text_percent = words.iter().find_map(|w| w.parse().ok()).unwrap_or(100);
    if has("free")
        && let Some(score) = &sample.score
    {
        sample.take = Some(ui_support::free_take(score));
    }
    if let (true, Some(take), Some(score)) = (has("past"), &mut sample.take, &sample.score) {
        take.past = Some(ui_support::past(score));
        sample.listening = None;
    }
    if has("still") {
        sample.listening = None;
    }
    if let (true, Some(take), Some(score)) = (has("passes"), &mut sample.take, &sample.score) {
        take.passes = ui_support::ten_passes(score, take);
    }
    if has("joined") {
        let sources = vec!["qsynth:midi_out".to_owned(), "vmpk:output".to_owned()];
        sample.devices.midi_in = Some(music_trainer::ui::view::JoinedPort {
            sources,
            awaited: vec!["Piano:out".to_owned()],
            messages: 1_204,
        });
    }
    if has("ladder") {
        climb(&mut sample);
    }
    if has("keys13") {
        let key = music_trainer::music::Pitch::from_data_byte;
        let keyboard = music_trainer::practice::KeyRange { low: key(60), high: key(72) };
        (sample.settings.keyboard, sample.transport.chosen.keyboard) = (keyboard, keyboard);
    }
    sample.rescue = has("rescue").then(ui_support::rescue);
    let mut state = State::new();
    let mut send = Vec::new();
    // The first frame shows the piece; the screen asked for comes after it.
    let ctx = egui::Context::default();
    ui::install(&ctx);
    ctx.run_ui(egui::RawInput::default(), |ui| ui::frame(ui, &sample.view(), &mut state, &mut send))
        .textures_delta
        .clear();
    state.screen = match words.first().map(String::as_str) {
        Some("library") => Screen::Library,
        Some("takes") => Screen::Takes,
        Some("devices") => Screen::Devices,
        Some("inspector") => Screen::Inspector,
        Some("settings") => Screen::Settings,
        Some("results") => Screen::Results,
        Some("take") => Screen::Take,
        _ => Screen::Play,
    };
    if has("pass") {
        state.pass = Some(("8f2b".to_owned(), 3));
    }
    if has("bar") {
        state.bar = Some(("8f2b".to_owned(), 22));
    }
    state.hands = has("hands").then(Default::default);
    state.help = has("help");
    if has("folders") {
        state.library.dialog = Some(ui::Dialog::Folders);
    }
    if has("about") {
        state.library.dialog = Some(ui::Dialog::Pieces(vec!["i".to_owned()]));
    }
    if has("several") {
        state.library.chosen = Some(["a", "i"].map(str::to_owned).into());
    }
    state.take_notes = has("page");
    if has("files") {
        state.open_browser(ui::FilePurpose::Piece);
    }
    if let Some(tab) = ui::InspectorTab::ALL.into_iter().find(|tab| has(&format!("{tab:?}").to_lowercase())) {
        state.inspector.tab = tab;
    }
    state.inspector.selected = sample.detail.as_ref().map(|detail| detail.seq);
    let size = words.iter().find_map(|w| w.split_once('x').and_then(|(a, b)| Some([a.parse().ok()?, b.parse().ok()?])));
    let size: [f32; 2] = size.unwrap_or([1280.0, 800.0]);
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_inner_size(size)
            .with_position([0.0, 0.0])
            .with_decorations(false),
        ..Default::default()
    };
    eframe::run_native(
        "ui_gallery",
        options,
        Box::new(|cc| {
            ui::install(&cc.egui_ctx);
            // The look was put into force on another context.
            state.forget_look();
            Ok(Box::new(Gallery { sample, state }))
        }),
    )
}

/// On the second rung of a ladder, and the result of one that was climbed.
#[cfg(feature = "window")]
fn climb(sample: &mut ui_support::Sample) {
    use music_trainer::music::Percent;
    use music_trainer::practice::ladder::{Ladder, LadderPlan, Rung};

    let plan = LadderPlan { on: true, start: Percent::new(60), ..LadderPlan::default() };
    let mut ladder = Ladder::at(plan, plan.start);
    let passes = [true, true, false, true, true, true, false, false, false, true, true, true, true, true];
    let rungs: Vec<Rung> = (passes.into_iter().cycle().take(30))
        .map(|clean| {
            let speed = ladder.speed();
            Rung { speed, clean, climb: ladder.pass(clean) }
        })
        .collect();
    (sample.transport.chosen.ladder, sample.transport.ladder) = (plan, Some(ladder));
    if let Some(shown) = &mut sample.shown {
        let mut result = (*shown.result).clone();
        result.ladder = rungs;
        shown.result = result.into();
    }
}

#[cfg(not(feature = "window"))]
fn main() {
    println!("built without the feature `window`");
}
