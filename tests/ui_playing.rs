//! Practising by the window: the tempo ladder, what is heard, hands, the keyboard that one has, loops by keys.
#![cfg(feature = "inspection")]

#[allow(dead_code)]
#[path = "ui_support/bench.rs"]
mod bench;
#[allow(dead_code)]
mod ui_support;

use bench::Bench;
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, PointerButton, Pos2, pos2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use music_trainer::music::{Hand, HandEdit, Hands, NoteId, Percent, Pitch};
use music_trainer::practice::ladder::{Climb, Ladder, LadderPlan, Rung};
use music_trainer::practice::{BarRange, ChordWindow, Heard, KeyRange, Mode};
use music_trainer::ui::view::Keys;
use music_trainer::ui::{Command, Screen, Setting};
use ui_support::Sample;

fn window(sample: Sample, screen: Screen) -> Bench {
    Bench::open(sample, [1280.0, 800.0], |_, state| state.screen = screen)
}

impl Bench {
    fn key(&mut self, key: Key) -> Vec<Command> {
        self.harness.key_press(key);
        self.harness.run();
        self.sent()
    }

    fn mouse(&mut self, from: Pos2, to: Pos2) {
        let button = |pos, pressed| Event::PointerButton {
            pos,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        };
        let events = [Event::PointerMoved(from), button(from, true), Event::PointerMoved(to), button(to, false)];
        for event in events {
            self.harness.event(event);
            self.harness.run();
        }
    }
}

fn still(mut sample: Sample) -> Sample {
    sample.moving = false;
    sample
}

#[test]
fn the_ladder_is_set_in_its_panel_and_tells_where_one_stands() {
    let mut sample = still(Sample::full());
    let plan = LadderPlan { on: true, ..LadderPlan::default() };
    sample.transport.chosen.mode = Mode::Tempo;
    sample.transport.chosen.ladder = plan;
    let mut ladder = Ladder::at(plan, Percent::new(75));
    ladder.pass(true);
    sample.transport.ladder = Some(ladder);
    let mut bench = window(sample, Screen::Play);
    bench.click("Tempo ladder");
    bench.harness.get_by_label("Now 75 %, 1 of 2 clean passes.");
    assert_eq!(bench.click("The tempo climbs by itself"), [Command::SetLadder(LadderPlan { on: false, ..plan })]);
    bench.harness.get_by_role_and_label(Role::Slider, "Goal").focus();
    bench.harness.run();
    assert_eq!(bench.key(Key::ArrowRight), [Command::SetLadder(LadderPlan { goal: Percent::new(101), ..plan })]);
    assert_eq!(bench.key(Key::Escape), [], "it closes the panel, and means nothing else");
    assert!(bench.harness.query_by_role_and_label(Role::Slider, "Goal").is_none());
    assert_eq!(bench.key(Key::Num6), [Command::SetLadder(LadderPlan { on: false, ..plan })]);
}

#[test]
fn how_the_music_waits_is_chosen_where_the_ladder_is_in_other_modes() {
    let mut sample = Sample::full();
    sample.transport.chosen.mode = Mode::Wait;
    let mut bench = window(sample, Screen::Play);
    assert!(bench.harness.query_by_label("Tempo ladder").is_none(), "nothing climbs where the music waits");
    bench.click("How the music waits");
    assert_eq!(bench.click("Notes of a chord: 150 ms"), [Command::SetChordWindow(ChordWindow::Normal)]);
    assert_eq!(bench.click("Any key will do"), [Command::SetAnyNote(true)]);
    assert_eq!(bench.click("Go on after a wrong key"), [Command::SetGoOn(true)]);
}

#[test]
fn music_that_waits_for_its_first_key_says_so_and_space_does_no_harm() {
    let mut sample = Sample::full();
    (sample.transport.playing, sample.transport.armed) = (false, true);
    let mut bench = window(sample, Screen::Play);
    assert_eq!(bench.key(Key::Space), [Command::Play], "which the music that is under way leaves alone");
}

#[test]
fn how_the_ladder_went_is_among_the_results() {
    let mut sample = still(Sample::full());
    let shown = sample.shown.as_mut().expect("a result");
    let rung = |speed, clean, climb| Rung { speed: Percent::new(speed), clean, climb };
    let mut result = (*shown.result).clone();
    result.ladder = vec![rung(60, true, Climb::Up), rung(65, false, Climb::Stays), rung(65, true, Climb::Done)];
    shown.result = result.into();
    let bench = window(sample, Screen::Results);
    bench.harness.get_by_label("Goal reached: from 60 % to 65 % in 3 passes, 2 of them clean.");
    bench.harness.get_by_label("Pass 2: 65 %, not clean, the same again");
}

#[test]
fn a_hand_is_heard_heard_when_missed_or_muted() {
    let mut sample = still(Sample::full());
    sample.transport.chosen.practise = Hands::RIGHT;
    let heard = |bench: &mut Bench| bench.click("Hear the right hand");
    for (now, next) in
        [(Heard::Always, Heard::WhenMissed), (Heard::WhenMissed, Heard::Muted), (Heard::Muted, Heard::Always)]
    {
        sample.transport.chosen.heard_right = now;
        let mut bench = window(still(Sample { ..clone(&sample) }), Screen::Play);
        assert_eq!(heard(&mut bench), [Command::SetHeard(Hand::Right, next)]);
        let other = bench.click("Hear the left hand");
        assert_eq!(other, [Command::SetHeard(Hand::Left, Heard::Muted)], "nobody misses what somebody else plays");
    }
}

fn clone(sample: &Sample) -> Sample {
    Sample { transport: sample.transport, ..Sample::full() }
}

#[test]
fn hands_are_told_by_split_part_and_chosen_notes() {
    let mut bench = window(still(Sample::full()), Screen::Play);
    assert_eq!(bench.click("Hands"), []);
    bench.harness.get_by_label("Lowest key of the right hand").focus();
    bench.harness.run();
    bench.key(Key::ArrowRight);
    let split = bench.harness.state().1.hands.as_ref().expect("the strip").split;
    let label = format!("Split at {split}");
    assert_eq!(bench.click(&label), [Command::EditHands(HandEdit::Split { at: split, bars: None })]);
    bench.harness.get_by_role_and_label(Role::RadioButton, "Bars 5–8").click();
    bench.harness.run();
    assert_eq!(bench.click(&label), [Command::EditHands(HandEdit::Split { at: split, bars: Some((4, 7)) })]);
    bench.click("Parts");
    let part = HandEdit::Part { part: 1, bars: Some((4, 7)), hand: Hand::Neither };
    assert_eq!(bench.click("Lower staff: Heard only"), [Command::EditHands(part)]);
    bench.key(Key::Escape);

    let area = bench.harness.get_by_role_and_label(Role::Region, "Drag over falling notes to choose them.").rect();
    bench.mouse(pos2(area.left() + 4.0, area.top() + 4.0), pos2(area.right() - 4.0, area.bottom() - 4.0));
    let chosen = bench.harness.state().1.hands.as_ref().expect("the strip").notes.clone();
    assert!(chosen.len() > 4 && chosen.is_sorted(), "{chosen:?}");
    assert!(bench.sent().is_empty(), "choosing changes nothing");
    let sent = bench.click("Left");
    assert_eq!(sent, [Command::EditHands(HandEdit::Notes { notes: chosen, hand: Hand::Left })]);
    assert_eq!(bench.harness.state().1.hands.as_ref().map(|hands| hands.notes.clone()), Some(Vec::<NoteId>::new()));
    let found = bench.harness.get_by_label("As found").accesskit_node().is_disabled();
    assert!(found, "nothing was said yet");
    bench.click("Done");
    assert!(bench.harness.state().1.hands.is_none());
}

#[test]
fn what_was_said_about_hands_is_forgotten_by_one_button() {
    let mut sample = still(Sample::full());
    sample.transport.hands_edited = true;
    let mut bench = window(sample, Screen::Play);
    bench.click("Hands");
    assert_eq!(bench.click("As found"), [Command::ForgetHands]);
}

#[test]
fn a_keyboard_is_chosen_moved_and_learnt() {
    let key = |key| Pitch::new(key).expect("a key");
    let keys = |low, high| KeyRange { low: key(low), high: key(high) };
    let set = |range| vec![Command::Set(Setting::Keyboard(range))];
    let mut bench = window(still(Sample::full()), Screen::Settings);
    assert_eq!(bench.click("61"), set(keys(36, 96)));
    bench.harness.state_mut().0.settings.keyboard = keys(36, 96);
    assert_eq!(bench.click("An octave lower"), set(keys(24, 84)));
    bench.harness.get_by_label("61 keys, C2 to C7");
    bench.click("Press lowest and highest");
    for (live, said) in [(40, "Now press your highest key…"), (0, "Now press your highest key…")] {
        bench.harness.state_mut().0.keys.live = if live > 0 { Keys::bit(key(live)) } else { 0 };
        bench.harness.run();
        bench.harness.get_by_label(said);
    }
    assert_eq!(bench.sent(), []);
    bench.harness.state_mut().0.keys.live = Keys::bit(key(88));
    bench.harness.run();
    assert_eq!(bench.sent(), set(keys(40, 88)));
}

#[test]
fn a_loop_is_set_from_here_and_to_here_by_keys() {
    let mut sample = still(Sample::full());
    sample.transport.chosen.range = Some(BarRange::new(4, 7));
    let mut bench = window(sample, Screen::Play);
    // The music is in the seventh bar.
    assert_eq!(bench.key(Key::OpenBracket), [Command::SetLoop(Some(BarRange::new(6, 7)))]);
    assert_eq!(bench.key(Key::CloseBracket), [Command::SetLoop(Some(BarRange::new(4, 6)))]);
    assert_eq!(bench.key(Key::Backslash), [Command::SetLoop(None)]);
    bench.harness.state_mut().0.transport.chosen.range = None;
    assert_eq!(bench.key(Key::OpenBracket), [Command::SetLoop(Some(BarRange::new(6, 31)))]);
    assert_eq!(bench.key(Key::CloseBracket), [Command::SetLoop(Some(BarRange::new(0, 6)))]);
    assert_eq!(bench.key(Key::Plus), [Command::SetTempo(Percent::new(76))]);
    assert_eq!(bench.key(Key::Minus), [Command::SetTempo(Percent::new(74))]);
}
