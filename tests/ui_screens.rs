//! Every screen at several sizes, colours and text scales: nothing unnamed, nothing clipped, every control does what
//! it says.
#![cfg(feature = "inspection")]

#[path = "ui_support/bench.rs"]
mod bench;
mod ui_support;

use std::sync::Arc;

use bench::Bench;
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, PointerButton, Pos2, Shape, pos2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use music_trainer::model::{OutputKeys, OutputUse};
use music_trainer::music::{Hand, Hands, Percent, Pitch};
use music_trainer::practice::recital::Voice;
use music_trainer::practice::{BarRange, Heard, Mode, Preset};
use music_trainer::time::Micros;
use music_trainer::ui::view::{NoteNames, PlayView, StaffLayout, ThemeChoice};
use music_trainer::ui::{Command, InspectorTab, Screen, Setting, TakeFile};
use ui_support::{Sample, rescue};

const SCREENS: [Screen; 8] = [
    Screen::Library,
    Screen::Play,
    Screen::Takes,
    Screen::Devices,
    Screen::Inspector,
    Screen::Settings,
    Screen::Results,
    Screen::Take,
];

fn window(sample: Sample, screen: Screen, size: [f32; 2]) -> Bench {
    window_at(sample, screen, InspectorTab::Flow, size)
}

fn window_at(sample: Sample, screen: Screen, tab: InspectorTab, size: [f32; 2]) -> Bench {
    Bench::open(sample, size, |sample, state| {
        let chosen = sample.detail.as_ref().map(|detail| detail.seq);
        (state.screen, state.inspector.tab, state.inspector.selected) = (screen, tab, chosen);
    })
}

fn button(pos: egui::Pos2, pressed: bool) -> Event {
    Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE }
}

impl Bench {
    /// Presses the mouse at the first place and lets it go at the last; answers what that sent.
    fn drag(&mut self, [from, over, to]: [egui::Pos2; 3]) -> Vec<Command> {
        for event in [
            Event::PointerMoved(from),
            button(from, true),
            Event::PointerMoved(over),
            Event::PointerMoved(to),
            button(to, false),
        ] {
            self.harness.event(event);
            self.harness.run();
        }
        self.sent()
    }

    fn key(&mut self, key: Key, modifiers: Modifiers) -> Vec<Command> {
        self.harness.key_press_modifiers(modifiers, key);
        self.harness.run();
        self.sent()
    }

    /// A physical key, as the piano reads it.
    fn physical(&mut self, key: Key, pressed: bool) -> Vec<Command> {
        let modifiers = Modifiers::NONE;
        self.harness.event(Event::Key { key, physical_key: Some(key), pressed, repeat: false, modifiers });
        self.harness.run();
        self.sent()
    }
}

fn pitch(key: u8) -> Pitch {
    Pitch::new(key).expect("a MIDI key")
}

/// Texts that stick out of what can be seen of them sideways, or of the window.
fn clipped(bench: &Bench, size: [f32; 2]) -> Vec<String> {
    let mut found = Vec::new();
    let window = egui::Rect::from_min_size(Pos2::ZERO, size.into());
    for clipped in &bench.harness.output().shapes {
        let Shape::Text(text) = &clipped.shape else { continue };
        let rect = text.galley.rect.translate(text.pos.to_vec2());
        let seen = clipped.clip_rect.intersect(window);
        let words = text.galley.text();
        // Rows that are scrolled out of sight above or below are no fault; sideways nothing scrolls.
        let gone = rect.bottom() <= seen.top() || rect.top() >= seen.bottom();
        // Falling notes carry their names out of their panel, as they must.
        let note = words.chars().count() <= 3;
        if !gone && !note && (rect.left() < seen.left() - 1.0 || rect.right() > seen.right() + 1.0) {
            found.push(format!("{words:?} at {rect:?} in {seen:?}"));
        }
    }
    found
}

/// Every screen, the inspector's once a tab; with the inspector an event is chosen or none.
fn scenes() -> Vec<(Screen, InspectorTab)> {
    let others = SCREENS.into_iter().filter(|screen| *screen != Screen::Inspector);
    let tabs = InspectorTab::ALL.into_iter().map(|tab| (Screen::Inspector, tab));
    others.map(|screen| (screen, InspectorTab::Flow)).chain(tabs).collect()
}

#[test]
fn no_text_is_clipped_and_no_control_is_unnamed_on_any_screen() {
    for size in [[1280.0, 800.0], [900.0, 600.0]] {
        for percent in [100, 150] {
            for theme in [ThemeChoice::Dark, ThemeChoice::Light, ThemeChoice::HighContrast] {
                for (screen, tab) in scenes() {
                    for make in [Sample::full, Sample::empty, Sample::fresh, Sample::chosen] {
                        let mut sample = make();
                        sample.settings.theme = theme;
                        sample.settings.text_percent = percent;
                        // The harness panics for unnamed controls after each run.
                        let bench = window_at(sample, screen, tab, size);
                        let clipped = clipped(&bench, size);
                        assert!(clipped.is_empty(), "{screen:?} {tab:?} {size:?} {percent} %: {clipped:#?}");
                    }
                }
            }
        }
    }
}

#[test]
fn controls_do_not_overlap() {
    for (size, percent) in
        [([1280.0, 800.0], 100), ([900.0, 600.0], 100), ([900.0, 600.0], 150), ([1280.0, 800.0], 150)]
    {
        for ((screen, tab), make) in
            scenes().into_iter().flat_map(|scene| [(scene, Sample::full as fn() -> Sample), (scene, Sample::chosen)])
        {
            let mut sample = make();
            sample.settings.text_percent = percent;
            let bench = window_at(sample, screen, tab, size);
            let buttons: Vec<(String, egui::Rect)> = [Role::Button, Role::RadioButton, Role::Slider, Role::TextInput]
                .into_iter()
                .flat_map(|role| bench.harness.query_all_by_role(role).collect::<Vec<_>>())
                .map(|node| (node.accesskit_node().label().unwrap_or_default(), node.rect()))
                .collect();
            for (i, (name, rect)) in buttons.iter().enumerate() {
                for (other, place) in &buttons[i + 1..] {
                    let common = rect.intersect(*place);
                    // A row may hold a button of its own.
                    let inside = rect.expand(1.0).contains_rect(*place) || place.expand(1.0).contains_rect(*rect);
                    let apart = common.width() < 2.0 || common.height() < 2.0;
                    assert!(
                        apart || inside,
                        "{screen:?} {tab:?} {size:?} {percent} %: {name:?} {rect:?} and {other:?} {place:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn empty_screens_say_what_to_do_with_one_button() {
    for (screen, line, button) in [
        (Screen::Library, "No pieces yet", "Open file…"),
        (Screen::Takes, "Nothing was played yet", "Go and play"),
        (Screen::Results, "No result yet", "Choose a piece"),
        (Screen::Play, "Play anything", "Choose a piece"),
    ] {
        let bench = window(Sample::empty(), screen, [900.0, 600.0]);
        assert!(bench.harness.query_by_label_contains(line).is_some(), "{screen:?}");
        assert!(bench.harness.query_all_by_label(button).next().is_some(), "{screen:?}");
    }
}

#[test]
fn each_mode_button_chooses_its_mode() {
    let mut bench = window(Sample::full(), Screen::Play, [1280.0, 800.0]);
    assert_eq!(bench.click("Listen"), [Command::SetMode(Mode::Listen)]);
    assert_eq!(bench.click("Keep tempo"), [Command::SetMode(Mode::Tempo)]);
    assert_eq!(bench.click("Wait for me"), [Command::SetMode(Mode::Wait)]);
    assert_eq!(bench.click("Follow me"), [Command::SetMode(Mode::Follow)]);
    assert_eq!(bench.click("Rhythm only"), [Command::SetMode(Mode::Rhythm)]);
}

#[test]
fn the_transport_sends_what_it_says() {
    let mut bench = window(Sample::full(), Screen::Play, [1280.0, 800.0]);
    let cases = [
        ("Back to the start", Command::Restart),
        ("Pause", Command::Pause),
        ("Bars 5–8", Command::SetLoop(None)),
        ("Practise the right hand", Command::SetPractised(Hands::LEFT)),
        ("Practise the left hand", Command::SetPractised(Hands::RIGHT)),
        ("Hear the right hand", Command::SetHeard(Hand::Right, Heard::WhenMissed)),
        ("Hear the left hand", Command::SetHeard(Hand::Left, Heard::WhenMissed)),
    ];
    for (name, expected) in cases {
        assert_eq!(bench.click(name), [expected], "{name}");
    }
    let clicks = [("Metronome", Command::SetMetronome(false)), ("Count-in", Command::SetCountIn(false))];
    for (mode, work) in [(Mode::Wait, [false, false]), (Mode::Listen, [true, false]), (Mode::Tempo, [true, true])] {
        bench.harness.state_mut().0.transport.chosen.mode = mode;
        bench.harness.run();
        for ((name, command), works) in clicks.iter().zip(work) {
            let expected: Vec<Command> = works.then(|| command.clone()).into_iter().collect();
            assert_eq!(bench.click(name), expected, "{name} in {mode:?}");
        }
    }
    bench.harness.state_mut().0.transport.playing = false;
    bench.harness.run();
    assert_eq!(bench.click("Start"), [Command::Play]);
}

#[test]
fn the_tempo_slider_obeys_screen_readers() {
    let mut bench = window(Sample::full(), Screen::Play, [1280.0, 800.0]);
    bench.harness.get_by_role_and_label(Role::Slider, "Tempo").set_value_accesskit(60.0);
    bench.harness.run();
    assert_eq!(bench.sent(), [Command::SetTempo(Percent::new(60))]);
    bench.harness.get_by_role_and_label(Role::Slider, "Tempo").increment_accesskit();
    bench.harness.run();
    assert_eq!(bench.sent(), [Command::SetTempo(Percent::new(76))]);
}

#[test]
fn shortcuts_work_without_touching_a_control() {
    let mut bench = window(Sample::full(), Screen::Play, [1280.0, 800.0]);
    let none = Modifiers::NONE;
    for (key, modifiers, expected) in [
        (Key::Space, none, Command::Pause),
        (Key::Home, none, Command::Restart),
        (Key::ArrowRight, none, Command::SeekBar(7)),
        (Key::ArrowLeft, none, Command::SeekBar(5)),
        (Key::Plus, none, Command::SetTempo(Percent::new(76))),
        (Key::Minus, none, Command::SetTempo(Percent::new(74))),
        (Key::Num3, none, Command::SetMode(Mode::Follow)),
        (Key::Num4, none, Command::SetMode(Mode::Tempo)),
        (Key::Num5, none, Command::SetMode(Mode::Rhythm)),
        (Key::Escape, none, Command::Panic),
        (Key::F12, none, Command::Panic),
        (Key::Z, Modifiers::COMMAND, Command::Undo),
    ] {
        assert_eq!(bench.key(key, modifiers), [expected], "{key:?}");
    }
    assert_eq!(bench.key(Key::Z, Modifiers::COMMAND | Modifiers::SHIFT), [], "nothing to do again");
}

#[test]
fn escape_closes_what_is_open_before_it_means_panic() {
    let mut bench = window(Sample::full(), Screen::Play, [1280.0, 800.0]);
    bench.key(Key::F1, Modifiers::NONE);
    assert!(bench.harness.state().1.help);
    assert!(bench.harness.query_by_label("Press Esc to close").is_some());
    assert_eq!(bench.key(Key::Escape, Modifiers::NONE), []);
    assert!(!bench.harness.state().1.help);
    assert_eq!(bench.key(Key::Escape, Modifiers::NONE), [Command::Panic]);
}

#[test]
fn an_open_dialog_keeps_shortcuts_and_the_piano_quiet() {
    let mut bench = window(Sample::full(), Screen::Takes, [1280.0, 800.0]);
    bench.click("Delete: Prelude in C · before breakfast · Wait for me · yesterday 12:04");
    assert_eq!(bench.key(Key::Space, Modifiers::NONE), []);
    assert_eq!(bench.physical(Key::A, true), []);
    assert_eq!(bench.key(Key::Escape, Modifiers::NONE), []);
    assert_eq!(bench.harness.state().1.confirm_delete, None);
}

#[test]
fn sound_devices_can_be_tried_and_silenced() {
    let mut bench = window(Sample::full(), Screen::Devices, [900.0, 2_600.0]);
    assert_eq!(bench.click("Test tone"), [Command::TestTone]);
    assert_eq!(bench.click("All sound off"), [Command::Panic]);
    assert_eq!(bench.click("Use jack"), [Command::SetBackend("jack".into())]);
    assert_eq!(bench.click("Use Roland FP-30X"), [Command::EnableMidi("roland fp-30x".into(), false)]);
    assert_eq!(bench.click("128 frames"), [Command::Set(Setting::Period(128))]);
    let hda = "Use HDA Intel PCH, ALC257 Analog";
    let chosen = Setting::OutputDevice(Some("hda intel pch, alc257 analog".into()));
    assert_eq!(bench.click(hda), [Command::Set(chosen)]);
    assert_eq!(bench.click("Look again"), [Command::LookForDevices]);
    assert_eq!(bench.click("Stop"), [Command::TapAlong(false)]);
    assert_eq!(bench.click("Send chirps"), [Command::LoopBack(true)]);
    assert_eq!(bench.click("Try again"), [Command::OpenLeftOut]);
}

#[test]
fn midi_that_found_no_room_is_told_and_only_then() {
    let mut bench = window(Sample::full(), Screen::Devices, [900.0, 2_600.0]);
    assert!(bench.harness.query_by_label_contains("Late blocks").is_some());
    assert!(bench.harness.query_by_label_contains("MIDI lost").is_none());
    let mut lossy = Sample::full();
    lossy.devices.audio.midi_lost = 476;
    bench = window(lossy, Screen::Devices, [900.0, 2_600.0]);
    assert!(bench.harness.query_by_label_contains("MIDI lost").is_some());
}

#[test]
fn a_midi_output_is_given_its_work() {
    let mut bench = window(Sample::full(), Screen::Devices, [1280.0, 2_000.0]);
    let usage = OutputUse {
        enabled: true,
        accompaniment: true,
        lights: Some(4),
        keys: OutputKeys::Instrument,
        ..OutputUse::default()
    };
    let mut check = |name: &str, expected: OutputUse| {
        assert_eq!(bench.click(name), [Command::UseOutput("fp".into(), expected)], "{name}");
    };
    check("Play on Roland FP-30X", OutputUse { enabled: false, ..usage });
    check("Roland FP-30X: Only there", OutputUse { alone: true, ..usage });
    check("Roland FP-30X: Metronome", OutputUse { clicks: true, ..usage });
    check("Roland FP-30X: Light keys, channel 4", OutputUse { lights: None, ..usage });
    check("Roland FP-30X: A higher channel for lights", OutputUse { lights: Some(5), ..usage });
    check("Roland FP-30X: The program", OutputUse { keys: OutputKeys::Program, ..usage });
    let other = OutputUse { enabled: true, ..OutputUse::default() };
    assert_eq!(bench.click("Play on Microcosm MIDI 1"), [Command::UseOutput("synth".into(), other)]);
}

#[test]
fn the_microphone_is_switched_and_its_tuner_is_read_aloud() {
    let mut bench = window(Sample::full(), Screen::Devices, [1280.0, 2_000.0]);
    assert_eq!(bench.click("Stop listening"), [Command::Listen(false)]);
    assert_eq!(bench.click("What I play here counts"), [Command::Set(Setting::MicrophonePlays(true))]);
    let webcam = Setting::InputDevice(Some("webcam".into()));
    assert_eq!(bench.click("Listen to Webcam"), [Command::Set(webcam)]);
    bench.harness.get_by_label("Not sure about E4, G4: once more, please.");
    bench.harness.get_by_label("Tuner: A4, 8 cents low");
    let mut unsure = Sample::full();
    if let Some(tuner) = &mut unsure.devices.microphone.tuner {
        tuner.steady = false;
    }
    unsure.devices.microphone.lost_notes = 3;
    unsure.settings.microphone_plays = true;
    let bench = window(unsure, Screen::Devices, [1280.0, 2_000.0]);
    bench.harness.get_by_label("Tuner: A4, not sure");
    bench.harness.get_by_label("Missed notes");
    bench.harness.get_by_label_contains("hides some of your notes");
    let mut off = Sample::full();
    off.devices.microphone = Default::default();
    let mut bench = window(off, Screen::Devices, [1280.0, 2_000.0]);
    assert_eq!(bench.click("Listen to the microphone"), [Command::Listen(true)]);
    assert!(bench.harness.query_by_label_contains("Tuner").is_none());
}

#[test]
fn a_key_held_by_the_mouse_is_let_go_when_another_screen_comes() {
    let mut bench = window(Sample::empty(), Screen::Play, [1280.0, 800.0]);
    let pos = bench.harness.get_by_label("Keyboard").rect().center_bottom() - egui::vec2(0.0, 5.0);
    bench.harness.event(Event::PointerMoved(pos));
    let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
    bench.harness.event(Event::PointerButton { pos, button, pressed: true, modifiers });
    bench.harness.run();
    let down = bench.sent();
    let [Command::KeyDown(pitch, _)] = down[..] else { panic!("{down:?}") };
    bench.harness.state_mut().1.screen = Screen::Library;
    bench.harness.run();
    assert_eq!(bench.sent(), [Command::KeyUp(pitch)]);
}

#[test]
fn the_computer_keyboard_plays_and_lets_go_when_the_window_loses_the_focus() {
    let mut bench = window(Sample::empty(), Screen::Play, [900.0, 600.0]);
    assert_eq!(bench.physical(Key::A, true), [Command::KeyDown(pitch(60), 80)]);
    assert_eq!(bench.physical(Key::W, true), [Command::KeyDown(pitch(61), 80)]);
    assert_eq!(bench.physical(Key::A, false), [Command::KeyUp(pitch(60))]);
    bench.harness.event(Event::WindowFocused(false));
    bench.harness.run();
    assert_eq!(bench.sent(), [Command::KeyUp(pitch(61))]);
}

#[test]
fn typing_a_search_plays_nothing_and_finds_the_piece() {
    let mut bench = window(Sample::full(), Screen::Library, [1280.0, 800.0]);
    bench.harness.get_by_label("Search").click();
    bench.harness.run();
    bench.harness.event(Event::Text("satie".into()));
    assert_eq!(bench.physical(Key::S, true), []);
    assert_eq!(bench.physical(Key::Num4, true), []);
    assert_eq!(bench.harness.state().1.query.search, "satie");
    let found = bench.harness.query_all_by_label_contains("Open Gymnop").count();
    assert_eq!((found, bench.harness.query_all_by_label_contains("Open Minuet").count()), (1, 0));
    assert_eq!(bench.click("Open Gymnopédie No. 1 by E. Satie"), [Command::OpenPiece("f".into())]);
}

#[test]
fn the_mouse_plays_the_keyboard_and_slides_over_it() {
    let size = [1280.0, 800.0];
    let mut bench = window(Sample::empty(), Screen::Play, size);
    let keyboard = bench.harness.get_by_label("Keyboard").rect();
    let white = keyboard.width() / 52.0;
    // The 24th white key is C4.
    let at = |keys: f32| pos2(keyboard.left() + white * (keys + 0.5), keyboard.bottom() - 6.0);
    bench.harness.event(Event::PointerMoved(at(23.0)));
    bench.harness.event(button(at(23.0), true));
    bench.harness.run();
    let down = bench.sent();
    assert!(matches!(down[..], [Command::KeyDown(p, v)] if p == pitch(60) && v > 100), "{down:?}");
    bench.harness.event(Event::PointerMoved(at(24.0)));
    bench.harness.run();
    let slid = bench.sent();
    assert!(
        matches!(slid[..], [Command::KeyUp(a), Command::KeyDown(b, _)] if a == pitch(60) && b == pitch(62)),
        "{slid:?}"
    );
    bench.harness.event(button(at(24.0), false));
    bench.harness.run();
    assert_eq!(bench.sent(), [Command::KeyUp(pitch(62))]);
}

#[test]
fn dragging_over_the_ruler_loops_whole_bars_and_a_click_goes_there() {
    let mut bench = window(Sample::full(), Screen::Play, [1280.0, 800.0]);
    let ruler = bench.harness.get_by_label_contains("Bars of the piece").rect();
    let step = (ruler.width() - 48.0) / 32.0;
    let at = |bar: f32| pos2(ruler.left() + 24.0 + step * bar, ruler.center().y);
    assert_eq!(bench.drag([at(9.5), at(12.0), at(14.2)]), [Command::SetLoop(Some(BarRange::new(9, 14)))]);
    for event in [Event::PointerMoved(at(20.5)), button(at(20.5), true), button(at(20.5), false)] {
        bench.harness.event(event);
    }
    bench.harness.run();
    assert_eq!(bench.sent(), [Command::SeekBar(20)]);
}

#[test]
fn a_dropped_file_is_opened() {
    #[derive(Debug)]
    struct File(std::path::PathBuf);
    impl egui::DroppedFile for File {
        fn path(&self) -> &std::path::Path {
            &self.0
        }
        fn bytes(&self) -> Result<Vec<u8>, String> {
            Err("not read by the window".to_owned())
        }
    }
    let mut bench = window(Sample::empty(), Screen::Library, [900.0, 600.0]);
    let path = std::path::PathBuf::from("/tmp/waltz.mid");
    bench.harness.input_mut().dropped_files.push(Arc::new(File(path.clone())));
    bench.harness.run();
    assert_eq!(bench.sent(), [Command::OpenFile(path)]);
}

#[test]
fn a_bar_of_the_staff_is_gone_to_by_a_click_and_several_are_looped() {
    let mut bench = window(Sample::full(), Screen::Play, [1280.0, 800.0]);
    let staff = bench.harness.get_by_label_contains("Staff: click a bar").rect();
    assert_eq!(staff.height(), 176.0);
    let at = |share: f32| pos2(staff.left() + staff.width() * share, staff.center().y);
    let sent = bench.drag([at(0.6), at(0.7), at(0.9)]);
    let [Command::SetLoop(Some(range))] = sent[..] else { panic!("{sent:?}") };
    // The playhead is in the seventh bar at a third of the width; what is further right comes later.
    assert!(range.first() > 6 && range.last() > range.first() && range.last() < 16, "{range:?}");
    for event in [Event::PointerMoved(at(0.6)), button(at(0.6), true), button(at(0.6), false)] {
        bench.harness.event(event);
    }
    bench.harness.run();
    assert_eq!(bench.sent(), [Command::SeekBar(range.first())]);
}

#[test]
fn the_staff_falling_notes_or_both_are_shown_and_the_place_is_told_by_each() {
    for (view, chosen) in [(PlayView::Staff, "Staff"), (PlayView::Notes, "Notes"), (PlayView::Both, "Both")] {
        let mut sample = Sample::full();
        assert_eq!(
            window(Sample::full(), Screen::Play, [1280.0, 800.0]).click(chosen),
            [Command::Set(Setting::PlayView(view))]
        );
        sample.settings.play_view = view;
        let bench = window(sample, Screen::Play, [900.0, 600.0]);
        assert!(bench.harness.query_by_label("Minuet in G, bar 7 of 32, next: C4 E5").is_some(), "{view:?}");
        let staff = bench.harness.query_by_label_contains("Staff: click a bar").map(|node| node.rect().height());
        assert_eq!(staff, (view == PlayView::Both).then_some(140.0), "{view:?}");
    }
}

#[test]
fn the_staff_as_a_page_goes_to_bars_loops_them_and_is_scrolled_while_the_music_stands_still() {
    let mut bench = window(Sample::full(), Screen::Play, [1280.0, 800.0]);
    assert_eq!(bench.click("Page"), [Command::Set(Setting::StaffLayout(StaffLayout::Page))]);
    let mut sample = Sample::full();
    sample.settings.staff_layout = StaffLayout::Page;
    sample.transport.playing = false;
    let mut bench = window(sample, Screen::Play, [1280.0, 800.0]);
    assert_eq!(bench.click("Page"), [Command::Set(Setting::StaffLayout(StaffLayout::Line))]);
    let page = bench.harness.get_by_label_contains("Staff: click a bar").rect();
    let at = |x: f32, y: f32| pos2(page.left() + page.width() * x, page.top() + page.height() * y);
    let (upper, lower) = (at(0.5, 0.25), at(0.5, 0.75));
    let bar_at = |bench: &mut Bench, place| {
        for event in [Event::PointerMoved(place), button(place, true), button(place, false)] {
            bench.harness.event(event);
        }
        bench.harness.run();
        match bench.sent()[..] {
            [Command::SeekBar(bar)] => bar,
            ref other => panic!("{other:?}"),
        }
    };
    let (first, second) = (bar_at(&mut bench, upper), bar_at(&mut bench, lower));
    assert!(first > 3 && second > first + 8, "bars {first} and {second} stand beneath each other");
    let sent = bench.drag([at(0.3, 0.25), at(0.6, 0.3), lower]);
    let [Command::SetLoop(Some(range))] = sent[..] else { panic!("{sent:?}") };
    assert!(range.first() < first && range.last() == second, "{range:?}");
    let delta = egui::vec2(0.0, -page.height() / 2.0);
    let (unit, phase) = (egui::MouseWheelUnit::Point, egui::TouchPhase::Move);
    let (source, modifiers) = (egui::MouseWheelSource::Unknown, Modifiers::NONE);
    bench.harness.event(Event::MouseWheel { unit, delta, phase, source, modifiers });
    bench.harness.run();
    assert!(bar_at(&mut bench, upper) > first, "the page was scrolled");
}

#[test]
fn settings_change_one_thing_each() {
    let mut bench = window(Sample::full(), Screen::Settings, [1280.0, 800.0]);
    for (name, expected) in [
        ("Dark", Setting::Theme(ThemeChoice::Dark)),
        ("150 %", Setting::TextPercent(150)),
        ("do re mi", Setting::Names(NoteNames::FixedDo)),
        ("Strict ± 50 ms", Setting::Preset(Preset::Strict)),
    ] {
        assert_eq!(bench.click(name), [Command::Set(expected)], "{name}");
    }
    bench.harness.get_by_role_and_label(Role::Slider, "Metronome").set_value_accesskit(10.0);
    bench.harness.run();
    assert_eq!(bench.sent(), [Command::Set(Setting::VolumeMetronome(10))]);
}

#[test]
fn a_take_opens_its_result_and_is_deleted_only_when_confirmed() {
    let mut bench = window(Sample::full(), Screen::Takes, [1280.0, 800.0]);
    assert_eq!(bench.click("Minuet in G · Keep tempo · today 12:04"), [Command::ShowResult("8f2b".into())]);
    assert_eq!(bench.harness.state().1.screen, Screen::Results);
    bench.harness.state_mut().1.screen = Screen::Takes;
    bench.harness.run();
    assert_eq!(bench.click("Delete: Prelude in C · before breakfast · Wait for me · yesterday 12:04"), []);
    assert_eq!(bench.click("Cancel"), []);
    bench.click("Delete: Prelude in C · before breakfast · Wait for me · yesterday 12:04");
    assert_eq!(bench.click("Delete"), [Command::DeleteTake("8f2a".into())]);
}

#[test]
fn a_take_is_exported_as_sound_midi_or_a_table() {
    let mut bench = window(Sample::full(), Screen::Takes, [1280.0, 800.0]);
    for (name, file) in
        [("Sound (WAV)", TakeFile::Sound), ("MIDI file", TakeFile::Midi), ("Table (CSV)", TakeFile::Table)]
    {
        assert_eq!(bench.click("Export: Prelude in C · before breakfast · Wait for me · yesterday 12:04"), []);
        assert_eq!(bench.click(name), [Command::ExportTake("8f2a".into(), file)]);
        assert!(bench.harness.query_by_label(name).is_none(), "the menu is closed");
    }
}

#[test]
fn results_lead_back_to_practising() {
    let mut bench = window(Sample::full(), Screen::Results, [1280.0, 800.0]);
    // It was played at 75 %, with faults.
    let again = bench.click("Once more");
    assert_eq!(again, [Command::PlayAgain { piece: "b".into(), speed: Percent::new(75) }]);
    assert_eq!(bench.harness.state().1.screen, Screen::Play);
    let mut full = Sample::full();
    full.shown.as_mut().expect("a result").chosen.tempo = Percent::FULL;
    bench = window(full, Screen::Results, [1280.0, 800.0]);
    let again = bench.click("Again at 80 %");
    assert_eq!(again, [Command::PlayAgain { piece: "b".into(), speed: Percent::new(80) }]);
}

#[test]
fn after_all_was_right_it_is_offered_faster_and_never_faster_than_written() {
    for (tempo, name, speed) in [(75, "Again at 85 %", 85), (95, "Again at 100 %", 100), (100, "Once more", 100)] {
        let mut full = Sample::full();
        let shown = full.shown.as_mut().expect("a result");
        shown.chosen.tempo = Percent::new(tempo);
        shown.result = Arc::new(ui_support::all_right(full.score.as_ref().expect("a piece")));
        let mut bench = window(full, Screen::Results, [1280.0, 800.0]);
        let again = Command::PlayAgain { piece: "b".into(), speed: Percent::new(speed) };
        assert_eq!(bench.click(name), [again], "at {tempo} %");
    }
}

#[test]
fn a_bar_of_the_result_tells_of_each_note_why_it_was_judged_so() {
    let mut bench = window(Sample::full(), Screen::Results, [1280.0, 2_000.0]);
    let before = bench.harness.query_all_by_label("Practise bar 23").count();
    let bar = bench.harness.get_by_label_contains("Bar 23: ");
    bar.click();
    bench.harness.run();
    assert!(bench.harness.query_all_by_label_contains("no key of this name was pressed near it").next().is_some());
    bench.sent();
    let buttons: Vec<_> = bench.harness.query_all_by_label("Practise bar 23").collect();
    assert_eq!(buttons.len(), before + 1);
    buttons[0].click();
    bench.harness.run();
    let sent = bench.sent();
    assert!(matches!(&sent[..], [Command::PractiseBars { bars, .. }] if *bars == BarRange::new(22, 22)), "{sent:?}");
    bench.harness.state_mut().1.screen = Screen::Results;
    bench.harness.run();
    assert_eq!(bench.sent(), [Command::Pause], "what one leaves is paused");
    for (name, expected) in [("Hear mine", Voice::Mine), ("Hear as written", Voice::AsWritten)] {
        let sent = bench.click(name);
        let [Command::PlayPart { take, voice, from, until }] = &sent[..] else { panic!("{sent:?}") };
        assert_eq!((take.as_str(), *voice), ("8f2b", expected));
        // A bar of three quarters at 96 a minute.
        assert_eq!(*until - *from, Micros(1_875_000));
    }
}

#[test]
fn a_take_is_listened_to_from_the_list_and_from_the_place_that_was_clicked() {
    let mut bench = window(Sample::full(), Screen::Takes, [1280.0, 800.0]);
    let other = "Listen: Prelude in C · before breakfast · Wait for me · yesterday 12:04";
    assert_eq!(bench.click(other), [Command::PlayTake("8f2a".into(), Micros::ZERO)]);
    assert_eq!(bench.click("Stop: Minuet in G · Keep tempo · today 12:04"), [Command::StopTake]);
    // All of it is in sight.
    bench = window(Sample::full(), Screen::Take, [4_000.0, 800.0]);
    assert_eq!(bench.click("Keep the new result"), [Command::KeepResult("8f2b".into())]);
    let roll = bench.harness.get_by_label_contains("Piano roll: ");
    roll.click();
    bench.harness.run();
    let sent = bench.sent();
    assert!(matches!(&sent[..], [Command::PlayTake(take, from)] if take == "8f2b" && *from > Micros::ZERO), "{sent:?}");
    assert_eq!(bench.click("Results"), [Command::ShowResult("8f2b".into())]);
}

#[test]
fn the_last_five_minutes_are_kept_from_wherever_one_plays() {
    let samples: [(fn() -> Sample, Screen); 3] =
        [(Sample::full, Screen::Takes), (Sample::full, Screen::Play), (Sample::empty, Screen::Play)];
    for (sample, screen) in samples {
        for size in [[1280.0, 800.0], [900.0, 600.0]] {
            let mut bench = window(sample(), screen, size);
            assert_eq!(bench.click("Keep the last 5 minutes"), [Command::KeepLast], "{screen:?} at {size:?}");
        }
    }
    let mut bench = window(Sample::full(), Screen::Results, [1280.0, 800.0]);
    assert_eq!(bench.key(Key::K, Modifiers::COMMAND), [Command::KeepLast]);
}

#[test]
fn a_take_is_heard_in_four_voices_and_read_as_notes() {
    for size in [[1280.0, 800.0], [900.0, 600.0]] {
        let mut bench = window(Sample::full(), Screen::Take, size);
        for (name, voice) in
            [("Written, my tempo", Voice::InMyTempo), ("Written", Voice::AsWritten), ("Both", Voice::Both)]
        {
            assert_eq!(bench.click(name), [Command::SetVoice(voice)], "{size:?}");
        }
        assert_eq!(bench.click("Notes"), []);
        let page = bench.harness.get_by_label_contains("Page: ");
        page.click();
        bench.harness.run();
        let sent = bench.sent();
        assert!(matches!(&sent[..], [Command::PlayTake(take, _)] if take == "8f2b"), "{sent:?}");
        assert_eq!(bench.click("Roll"), []);
        assert!(bench.harness.query_by_label_contains("Piano roll: ").is_some());
    }
    let mut free = Sample::full();
    free.take = free.score.as_ref().map(ui_support::free_take);
    let mut bench = window(free, Screen::Take, [1280.0, 800.0]);
    assert!(bench.harness.query_by_label("Both").is_none(), "nothing is written");
    bench.click("Notes");
    assert!(bench.harness.query_all_by_label_contains("the beat heard in it").next().is_some());
}

#[test]
fn one_looks_back_through_a_take_event_by_event_and_on_to_the_bus() {
    let mut bench = window(Sample::full(), Screen::Take, [1280.0, 800.0]);
    assert_eq!(bench.click("Look back"), [Command::LookBack(Micros(7_300_000))], "from what is heard now");
    // On the widest one all of the roll is in sight.
    for size in [[900.0, 600.0], [4_000.0, 800.0]] {
        let mut sample = Sample::full();
        let past = sample.score.as_ref().map(ui_support::past);
        sample.take.as_mut().expect("a take").past = past;
        sample.listening = None;
        bench = window(sample, Screen::Take, size);
        assert_eq!(bench.click("Event forward"), [Command::LookBackBy(1)]);
        assert_eq!(bench.click("Event back"), [Command::LookBackBy(-1)]);
        assert_eq!(bench.click("See the bus"), [Command::ShowBusAt(1_284_907)]);
        for (words, place) in [("note.played", "event"), ("pedal down", "keys"), ("right · next", "judge")] {
            let shown = bench.harness.query_all_by_label_contains(words).next();
            let bottom = shown.map(|node| node.rect().bottom()).unwrap_or_else(|| panic!("{place}: {words}"));
            assert!(bottom <= size[1], "{place} ends at {bottom}");
        }
        let slider = bench.harness.get_by_role_and_label(Role::Slider, "Place in the take");
        slider.set_value_accesskit(2_500.0);
        bench.harness.run();
        assert_eq!(bench.sent(), [Command::LookBack(Micros(2_500_000))]);
    }
    for (size, percent, notes) in
        [([1280.0, 800.0], 150, false), ([900.0, 600.0], 150, true), ([900.0, 600.0], 100, true)]
    {
        let mut sample = Sample::full();
        let past = sample.score.as_ref().map(ui_support::past);
        sample.take.as_mut().expect("a take").past = past;
        sample.settings.text_percent = percent;
        let mut other = window(sample, Screen::Take, size);
        other.harness.state_mut().1.take_notes = notes;
        other.harness.run();
        assert!(clipped(&other, size).is_empty(), "{size:?} {percent} %: {:#?}", clipped(&other, size));
    }
    for (key, by) in [(Key::ArrowRight, 1), (Key::ArrowLeft, -1)] {
        bench.harness.ctx.memory_mut(|m| m.focused().into_iter().for_each(|id| m.surrender_focus(id)));
        assert_eq!(bench.key(key, Modifiers::NONE), [Command::LookBackBy(by)]);
    }
    bench.harness.get_by_label_contains("Piano roll: ").click();
    bench.harness.run();
    let sent = bench.sent();
    assert!(matches!(&sent[..], [Command::LookBack(at)] if *at > Micros::ZERO), "{sent:?}");
    assert_eq!(bench.click("Look back"), [Command::LookBackEnd]);
}

#[test]
fn what_was_played_without_a_result_is_looked_at() {
    let mut bench = window(Sample::full(), Screen::Takes, [1280.0, 800.0]);
    let taken = bench.harness.query_all_by_label_contains("Für Elise").next().expect("a take");
    taken.click();
    bench.harness.run();
    assert_eq!(bench.sent(), [Command::ShowTake("8f29".into())]);
    assert_eq!(bench.harness.state().1.screen, Screen::Take);
}

#[test]
fn the_inspector_shows_all_of_a_chosen_event() {
    for size in [[1280.0, 800.0], [900.0, 600.0]] {
        let mut bench = window(Sample::chosen(), Screen::Inspector, size);
        bench.harness.state_mut().1.inspector.selected = None;
        bench.harness.run();
        bench.click("Event 1284905, verdict.given, take/8f2c");
        assert_eq!(bench.harness.state().1.inspector.selected, Some(1_284_905));
        for told in [
            "played: 0 µs · at 0 µs",
            "taken by the bus: 662 µs · at 662 µs",
            "applied: 29 µs · at 691 µs",
            "visible to all: 15 µs · at 706 µs",
            "drawn: 12.7 ms · at 13.4 ms",
            "on disk: 23.3 ms · at 24.0 ms",
            "verdicts.late",
            "51b208d177a03c5e:1284904",
            "2026-11-23 23:10:14.850 · counter 0",
        ] {
            assert!(bench.harness.query_by_label(told).is_some(), "{told}");
        }
        assert!(bench.harness.query_by_label_contains("\"velocity\": 71").is_some());
        if size[0] < 1_000.0 {
            // Further down there.
            continue;
        }
        bench.click("Go to event 1284131");
        let inspector = &bench.harness.state().1.inspector;
        assert_eq!((inspector.selected, inspector.top), (Some(1_284_131), Some(1_284_131)));
        bench.click("Close");
        assert_eq!(bench.harness.state().1.inspector.selected, None);
    }
}

#[test]
fn the_event_table_goes_through_the_log_and_back_to_the_newest() {
    let mut bench = window(Sample::full(), Screen::Inspector, [1280.0, 800.0]);
    let shown = |bench: &Bench| {
        let rows = bench.harness.query_all_by_label_contains("Event 1284").collect::<Vec<_>>();
        let seq = |label: String| label.split([' ', ',']).nth(1).and_then(|seq| seq.parse::<u64>().ok());
        rows.iter().filter_map(|node| node.accesskit_node().label()).filter_map(seq).collect::<Vec<_>>()
    };
    let newest = shown(&bench);
    assert_eq!(newest[0], 1_284_907);
    assert!((6..30).contains(&newest.len()), "only what is seen is drawn: {newest:?}");
    bench.click("Older");
    assert_eq!(shown(&bench)[0], newest[newest.len() - 1] - 1, "a page down");
    bench.click("Newer");
    assert_eq!(shown(&bench), newest);
    bench.click("Live");
    assert_eq!(bench.harness.state().1.inspector.top, None);
    bench.click("Live");
    assert_eq!(bench.harness.state().1.inspector.top, Some(1_284_907), "it stays where it is");
    bench.harness.get_by_role_and_label(Role::Slider, "Place in the log").set_value_accesskit(1_284_800.0);
    bench.harness.run();
    assert_eq!(shown(&bench)[0], 1_284_800);
    let over = bench.harness.get_by_label_contains("Event 1284799").rect().center();
    bench.harness.event(Event::PointerMoved(over));
    bench.harness.event(Event::MouseWheel {
        unit: egui::MouseWheelUnit::Line,
        source: egui::MouseWheelSource::Wheel,
        delta: egui::vec2(0.0, -1.0),
        phase: egui::TouchPhase::Move,
        modifiers: Modifiers::NONE,
    });
    bench.harness.run();
    let down = shown(&bench)[0];
    assert!((1_284_790..1_284_800).contains(&down), "the wheel goes on to {down}");
}

/// What one tab of the inspector tells, by its texts.
#[track_caller]
fn check_told(tab: InspectorTab, make: fn() -> Sample, told: &[&str]) {
    let bench = window_at(make(), Screen::Inspector, tab, [1280.0, 800.0]);
    for text in told {
        assert!(bench.harness.query_all_by_label(text).next().is_some(), "{tab:?}: {text}");
    }
}

#[test]
fn the_store_is_told_by_size_table_and_commit() {
    check_told(
        InspectorTab::Store,
        Sample::full,
        &[
            "312 MB",
            "7 %",
            "4\u{2009}300 kB free in it",
            "by_entity",
            "74 MB",
            "73 %",
            "171 B",
            "4\u{2009}211 · 14.5 events each",
            "18 MB",
            "6 · 2\u{2009}204 B",
            "552",
        ],
    );
}

#[test]
fn the_callback_its_stream_and_the_lanes_are_told() {
    check_told(
        InspectorTab::RealTime,
        Sample::full,
        &[
            "169\u{2009}651 blocks · worst 108 %",
            "cpal · stream 2",
            "31 % of each block",
            "128 frames · 2.7 ms",
            "119\u{2009}997",
            "has lost events",
            "Rounds of the bus",
        ],
    );
    check_told(InspectorTab::RealTime, quiet, &["No block was measured yet: no stream runs, or nobody measures it."]);
}

/// A bus without a sound device.
fn quiet() -> Sample {
    Sample { devices: Sample::empty().devices, ..Sample::full() }
}

#[test]
fn a_subscriber_tells_how_far_behind_it_is_and_what_it_tries() {
    check_told(
        InspectorTab::Subscribers,
        Sample::full,
        &["Lag", "Pending", "Held", "Tries", "Again", "Next try", "in 4.8 s"],
    );
}

#[test]
fn tabs_of_the_inspector_are_chosen_by_name() {
    let mut bench = window(Sample::full(), Screen::Inspector, [1280.0, 800.0]);
    for (name, tab) in [("Store", InspectorTab::Store), ("Real time", InspectorTab::RealTime)] {
        bench.click(name);
        assert_eq!(bench.harness.state().1.inspector.tab, tab);
    }
    bench.click("Entities");
    assert_eq!(bench.harness.state().1.inspector.tab, InspectorTab::Entities);
    assert!(bench.harness.query_by_label("take/8f00").is_some());
}

#[test]
fn banners_are_read_and_dismissed() {
    let mut bench = window(Sample::empty(), Screen::Library, [900.0, 600.0]);
    assert_eq!(bench.click("Dismiss"), [Command::DismissBanner(1)]);
}

#[test]
fn a_damaged_folder_is_told_of_with_each_way_out() {
    let mut sample = Sample::full();
    sample.rescue = Some(rescue());
    let mut bench = window(sample, Screen::Library, [900.0, 600.0]);
    assert!(bench.harness.query_by_label_contains("log 18211").is_some());
    assert!(bench.harness.query_by_label_contains("202 are lost").is_some());
    assert_eq!(bench.physical(Key::A, true), [], "the piano is quiet meanwhile");
    assert_eq!(bench.click("Keep everything up to yesterday 18:40"), [Command::Recover(1)]);
    assert_eq!(bench.key(Key::Escape, Modifiers::NONE), []);
    assert!(bench.harness.query_by_label_contains("log 18211").is_none());
    bench.harness.state_mut().1.rescue_put_off = false;
    bench.harness.step();
    assert_eq!(bench.click("Not now"), []);
    assert!(bench.harness.query_by_label_contains("log 18211").is_none());
}

#[test]
fn the_place_in_the_score_is_told() {
    let bench = window(Sample::full(), Screen::Play, [1280.0, 800.0]);
    assert!(bench.harness.query_by_label("Minuet in G, bar 7 of 32, next: C4 E5").is_some());
}

#[test]
fn at_rest_nothing_asks_for_another_frame() {
    for screen in SCREENS {
        let mut bench = window(Sample::full(), screen, [1280.0, 800.0]);
        bench.harness.step();
        let delay = bench.harness.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay;
        assert_eq!(delay, std::time::Duration::MAX, "{screen:?}");
    }
}

#[test]
fn a_dead_letter_is_replayed_and_dropped_from_the_inspector() {
    let mut bench = window(Sample::full(), Screen::Inspector, [1280.0, 800.0]);
    bench.harness.state_mut().1.inspector.tab = InspectorTab::Subscribers;
    bench.harness.run();
    let replay = bench.click("Replay event 1284002 for results");
    assert_eq!(replay, [Command::ReplayLetter { subscriber: "results".to_owned(), seq: 1_284_002 }]);
    let drop = bench.click("Drop event 1204311 for results");
    assert_eq!(drop, [Command::DropLetter { subscriber: "results".to_owned(), seq: 1_204_311 }]);
}

#[test]
fn what_lost_a_conflict_is_brought_back_and_an_entity_tells_its_history() {
    let mut bench = window(Sample::full(), Screen::Inspector, [1280.0, 800.0]);
    bench.harness.state_mut().1.inspector.tab = InspectorTab::Conflicts;
    bench.harness.run();
    let back = bench.click("Bring back edit 1203 of piece/builtin-minuet");
    let (entity, device, number) = ("piece/builtin-minuet".to_owned(), 0x51b2, 1_203);
    assert_eq!(back, [Command::BringBack { entity, device, number }]);
    bench.harness.state_mut().1.inspector.tab = InspectorTab::Entities;
    bench.harness.run();
    let asked = bench.click("History of take/8f00");
    assert_eq!(asked, [Command::ShowHistory("take/8f00".to_owned())]);
}

#[test]
fn the_time_machine_goes_back_to_an_event() {
    let mut bench = window(Sample::full(), Screen::Inspector, [1280.0, 800.0]);
    bench.harness.state_mut().1.inspector.tab = InspectorTab::Entities;
    bench.harness.run();
    bench.harness.get_by_role_and_label(Role::Slider, "Time machine").set_value_accesskit(642_450.0);
    bench.harness.run();
    assert_eq!(bench.sent(), [Command::ShowAt(Some(642_450))]);
    bench.harness.get_by_role_and_label(Role::Slider, "Time machine").decrement_accesskit();
    bench.harness.run();
    assert_eq!(bench.sent(), [Command::ShowAt(Some(1_284_900))], "one event before now");
}

#[test]
fn the_laboratory_breaks_one_thing_each() {
    let mut bench = window(Sample::full(), Screen::Inspector, [1280.0, 800.0]);
    bench.harness.state_mut().1.inspector.tab = InspectorTab::Laboratory;
    bench.harness.run();
    assert_eq!(bench.click("Frozen disk"), [Command::Break(music_trainer::ui::view::Failure::Frozen, true)]);
    assert_eq!(bench.click("Lost acknowledgements"), [Command::Break(music_trainer::ui::view::Failure::Deaf, true)]);
    assert_eq!(bench.click("Lanes not drained"), [Command::Break(music_trainer::ui::view::Failure::Stuck, true)]);
    assert_eq!(bench.click("Panic in a component"), [Command::PanicComponent]);
    assert_eq!(bench.click("Fill a lane"), [Command::FillLane]);
}
