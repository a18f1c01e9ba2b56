//! The program as a person has it, from end to end: the real binary on a JACK server and an X display of this test's
//! own, played by a JACK client on exact frames, listened to frame by frame, driven through its window, killed, and
//! started again. A machine without jackd or Xvfb fails here, loudly.
#![cfg(all(feature = "jack", feature = "inspection", target_os = "linux"))]

mod ear;
mod hand;
#[path = "../jack_support/mod.rs"]
mod jack_support;
mod memory;
mod pitch;
mod program;
mod window;

use std::collections::BTreeMap;
use std::path::Path;

use ear::Ear;
use egui::accesskit::Role;
use egui::{Key as WindowKey, Modifiers};
use hand::{Hand, Key};
use jack_support::{PERIOD, Server, with_server_name};
use memory::Memory;
use music_trainer::formats::pieces;
use music_trainer::model::{Setting, TakeEnd, TakeId, ThemeChoice};
use music_trainer::music::{Hands, NoteId, Percent, Score};
use music_trainer::practice::{Mode, Verdict};
use music_trainer::time::{Micros, Rate, Ticks};
use program::{Display, Program};
use window::Window;

const PIECE: &str = "lightly-row";
const OPEN: &str = "Open Lightly Row by German folk tune";
const RATE: Rate = Rate(48_000);
/// Frames of a millisecond.
const MILLI: i64 = 48;
/// From "now" to the next note: time to tell the player.
const SOON: u32 = 4 * PERIOD;
/// Bars of the loop that *Keep tempo* is tried on.
const LOOP_BARS: usize = 4;
/// How the notes of the loop are played beside their time, in milliseconds, over and over.
const OFFSETS: [i64; 5] = [-20, 35, 0, -48, 13];
/// Runs that an interruption of the sound may spoil: the machine is shared.
const RUNS_MAX: u32 = 8;
/// The first sample of a click is louder than this, what a silent piano leaves is not.
const CLICK: f32 = 1e-3;

/// The person at the program.
struct Lesson<'a> {
    ear: Ear,
    hand: Hand,
    data: &'a Path,
    window: Window,
    score: &'static Score,
}

#[test]
fn a_piece_is_practised_heard_and_remembered() {
    with_server_name("a_piece_is_practised_heard_and_remembered", |server| {
        let _server = Server::start(server);
        let display = Display::start();
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let (mut ear, mut hand) = (Ear::open(), Hand::open());
        let mut program = Program::start(&data, &display);
        let window = sit_down(&program, &mut ear, &mut hand);
        let score = &pieces::find(PIECE).expect("a built-in piece").score;
        let mut lesson = Lesson { ear, hand, data: &data, window, score };

        let waited = lesson.plays_the_piece_in_wait_for_me();
        lesson.keeps_tempo();
        let cut_short = lesson.begins_a_take_after_choosing_light_colours();
        program.kill();

        program::run(&["verify"], &data);
        let memory = Memory::open(&data);
        assert_eq!(memory.end(cut_short), None, "killed in the middle of the take");
        drop(memory);

        lesson.ear.wait_until_gone();
        let mut program = Program::start(&data, &display);
        lesson.window = sit_down(&program, &mut lesson.ear, &mut lesson.hand);
        lesson.finds_everything_again(waited, cut_short);
        lesson.window.press_and_leave(WindowKey::Q, Modifiers::COMMAND);
        program.wait();
        the_folder_is_whole(&data);
    });
}

/// Waits for the program's window and its ports.
fn sit_down(program: &Program, ear: &mut Ear, hand: &mut Hand) -> Window {
    let window = Window::connect(program.port, ear);
    ear.connect();
    hand.connect(ear);
    window
}

fn the_folder_is_whole(data: &Path) {
    program::run(&["verify"], data);
    let json = |text: String| serde_json::from_str::<serde_json::Value>(&text).expect("one JSON document");
    let inspected = json(program::run(&["inspect", "--json"], data));
    let log = json(program::run(&["log", "--json"], data));
    let log = log.as_array().expect("a list of events");
    assert_eq!(inspected["events"], log.len());
    assert_eq!(inspected["applied"], inspected["durable"]);
    assert_eq!(inspected["durable"], log.len(), "as many events as the newest one's number says");
    for (event, seq) in log.iter().zip(1..) {
        assert_eq!(event["seq"], seq, "no number is left out");
    }
}

/// A pass of the loop in *Keep tempo*.
struct Pass {
    take: TakeId,
    /// By how much each note was played beside its time.
    played: BTreeMap<NoteId, Micros>,
    /// When the count-in's later clicks were heard, and when they were due.
    clicks: Vec<(Option<u32>, u32)>,
}

impl Lesson<'_> {
    fn click(&mut self, role: Role, name: &str) {
        self.window.click(&mut self.ear, role, name);
    }

    /// Clicks on a control unless it is on already, and waits until it is.
    fn switch_on(&mut self, role: Role, name: &str) {
        if self.window.find(&mut self.ear, name, |tree| tree.is_on(role, name)) {
            return;
        }
        self.click(role, name);
        self.window.find(&mut self.ear, name, |tree| tree.is_on(role, name).filter(|on| *on));
    }

    /// Starts playing, and waits until the log says so.
    fn start(&mut self, memory: &Memory, mode: Mode) -> TakeId {
        let before = memory.newest_take(mode);
        self.click(Role::Button, "Start");
        self.new_take(memory, mode, before)
    }

    fn new_take(&mut self, memory: &Memory, mode: Mode, before: Option<TakeId>) -> TakeId {
        self.ear.until("a new take", |_| memory.newest_take(mode).filter(|take| Some(*take) != before))
    }

    /// Plays every note of the piece, each group after the one before is done, and hears each.
    fn plays_the_piece_in_wait_for_me(&mut self) -> TakeId {
        self.click(Role::Tab, "Library");
        // Waiting for its first note needs no button.
        self.click(Role::Button, OPEN);
        let memory = Memory::open(self.data);
        let take = self.new_take(&memory, Mode::Wait, None);
        self.ear.hear_silence(PERIOD);
        let groups = self.score.onset_groups(Hands::BOTH, Ticks(0), self.score.end());
        let mut listened = 0;
        for (i, group) in groups.iter().enumerate() {
            listened += u32::from(self.plays_what_is_needed(i as u32, &group.notes));
            let done: usize = groups[..=i].iter().map(|g| g.notes.len()).sum();
            self.ear.until("the verdict", |_| (memory.verdicts(take).len() >= done).then_some(()));
        }
        println!("wait for me: {listened} of {} notes heard without an interruption", groups.len());
        assert!(listened as usize > groups.len() / 2, "the sound was interrupted in most of the notes");
        let right = memory.verdicts(take).iter().filter(|v| v.kind.is_right()).count();
        assert_eq!(right, self.score.notes().len(), "every note is right");
        self.ear.until("the end of the take", |_| memory.end(take));
        assert_eq!(memory.end(take), Some(TakeEnd::Completed));
        self.sees_a_perfect_result();
        take
    }

    /// Waits until the window asks for the notes, plays them and listens; whether the sound was not interrupted, so that
    /// what was heard counts.
    fn plays_what_is_needed(&mut self, count: u32, notes: &[NoteId]) -> bool {
        let names: Vec<String> = notes.iter().map(|id| name(self.score, *id)).collect();
        let asked = format!("Keyboard, next: {}", names.join(" "));
        self.window.find(&mut self.ear, &asked, |tree| tree.named(Role::Group, &asked).map(|_| ()));
        // What was heard meanwhile waits to be taken: only then is now now.
        self.ear.hear();
        let down = self.ear.now() + SOON + count * 389 % PERIOD;
        let sounds = down + PERIOD;
        let up = sounds + pitch::WINDOW;
        let keys: Vec<Key> = notes.iter().map(|id| Key { pitch: self.score.note(*id).pitch, down, up }).collect();
        let interrupted = self.ear.interruptions();
        self.hand.play(&keys);
        self.ear.hear_until(up + PERIOD);
        if self.ear.interruptions() != interrupted {
            return false;
        }
        if count == 0 {
            // From silence the onset can be read off: the strings begin to move within the first milliseconds.
            let onset = self.ear.onset(down, 1e-6).expect("a sound");
            assert!((sounds..sounds + 96).contains(&onset), "played at {down}, heard at {onset}");
        }
        let (heard, margin) = pitch::strongest(self.ear.heard(sounds, pitch::WINDOW));
        let written: Vec<_> = keys.iter().map(|k| k.pitch).collect();
        assert!(written.contains(&heard), "note {count}: {heard:?} sounds (by {margin:.2}) and not {written:?}");
        true
    }

    fn sees_a_perfect_result(&mut self) {
        self.window.find(&mut self.ear, "a perfect result", |tree| {
            (tree.says("of the notes right") && tree.says("100 %")).then_some(())
        });
    }

    /// Plays four bars with known deviations from the metronome's clicks, until the sound was not interrupted.
    fn keeps_tempo(&mut self) {
        self.click(Role::Tab, "Play");
        self.switch_on(Role::RadioButton, "Keep tempo");
        self.switch_on(Role::Button, "Metronome");
        self.switch_on(Role::Button, "Count-in");
        self.click(Role::Button, "Back to the start");
        self.click(Role::Button, "Loop");
        let looped = format!("Bars 1–{LOOP_BARS}");
        self.window.find(&mut self.ear, &looped, |tree| tree.named(Role::Button, &looped).map(|_| ()));
        let memory = Memory::open(self.data);
        for run in 0..RUNS_MAX {
            let before = self.interruptions();
            let Pass { take, played, clicks } = self.plays_the_loop(&memory);
            if self.interruptions() == before {
                for (beat, (heard, due)) in (1..).zip(clicks) {
                    assert_eq!(heard, Some(due), "the count-in's click on beat {beat}");
                }
                println!("keep tempo: {run} runs were interrupted and repeated");
                compare(&memory.verdicts(take), &played);
                return;
            }
        }
        panic!("the sound was interrupted in each of {RUNS_MAX} runs");
    }

    /// Everything that spoils a run: the client's and the program's xruns, gaps in what is heard, late messages.
    fn interruptions(&mut self) -> (u32, u32, String) {
        self.click(Role::Tab, "Devices");
        let xruns = self.window.find(&mut self.ear, "late blocks", |t| t.beside("Late blocks").map(str::to_owned));
        self.click(Role::Tab, "Play");
        (self.ear.interruptions(), self.hand.late(), xruns)
    }

    /// One pass of the loop.
    fn plays_the_loop(&mut self, memory: &Memory) -> Pass {
        self.ear.hear_silence(8 * PERIOD);
        let asked = self.ear.now();
        let take = self.start(memory, Mode::Tempo);
        let click = self.ear.until("the first click", |ear| ear.onset(asked, CLICK));
        let due = |tick| click + self.score.tempo().frames(tick, Percent::FULL, RATE).0 as u32;
        // Who hears the music later by the way to the ear plays so much later.
        let latency = RATE.frames(memory.latency(take)).0 as i32;
        let bar = self.score.bars().get(1).start;
        let end = self.score.bars().get(LOOP_BARS).start;
        let mut played = BTreeMap::new();
        let mut keys = Vec::new();
        for ((id, note), millis) in self.score.iter().zip(OFFSETS.into_iter().cycle()) {
            if note.onset >= end {
                break;
            }
            let beside = (millis * MILLI) as i32 + latency;
            let down = due(bar + note.onset).checked_add_signed(beside).expect("after the click");
            keys.push(Key { pitch: note.pitch, down, up: down + RATE.0 / 4 });
            played.insert(id, Micros::from_millis(millis));
        }
        self.hand.play(&keys);
        self.ear.hear_until(due(bar + end) + RATE.0);
        let beats = (1..4).map(|beat| due(Ticks(bar.0 / 4 * beat)));
        let clicks = beats.map(|at| (self.ear.onset(at - RATE.0 / 4, CLICK), at)).collect();
        self.click(Role::Button, "Pause");
        self.ear.until("the end of the take", |_| memory.end(take));
        Pass { take, played, clicks }
    }

    /// Changes a setting, begins a take and is in the middle of it.
    fn begins_a_take_after_choosing_light_colours(&mut self) -> TakeId {
        self.click(Role::Tab, "Settings");
        self.switch_on(Role::RadioButton, "Light");
        let memory = Memory::open(self.data);
        self.ear.until("the setting", |_| memory.chose(&Setting::Theme(ThemeChoice::Light)).then_some(()));
        self.click(Role::Tab, "Play");
        let before = memory.newest_take(Mode::Wait);
        self.switch_on(Role::RadioButton, "Wait for me");
        let take = self.new_take(&memory, Mode::Wait, before);
        let groups = self.score.onset_groups(Hands::BOTH, Ticks(0), self.score.end());
        for (i, group) in groups.iter().take(2).enumerate() {
            self.plays_what_is_needed(i as u32 + 1, &group.notes);
        }
        self.ear.until("two durable notes", |_| (memory.notes(take) == 2).then_some(()));
        take
    }

    /// Results, takes and settings, after the program was killed and started again.
    fn finds_everything_again(&mut self, waited: TakeId, cut_short: TakeId) {
        self.click(Role::Tab, "Settings");
        self.window.find(&mut self.ear, "light colours", |t| t.is_on(Role::RadioButton, "Light").filter(|on| *on));
        let memory = Memory::open(self.data);
        let end = self.ear.until("the end of the take that was cut short", |_| memory.end(cut_short));
        assert_eq!(end, TakeEnd::Interrupted);
        assert_eq!(memory.notes(cut_short), 2, "what was durable is there");
        assert_eq!(memory.end(waited), Some(TakeEnd::Completed));
        self.click(Role::Tab, "Takes");
        let oldest = self.window.find(&mut self.ear, "the takes of the piece", |tree| {
            let waited = tree.beginning(Role::Button, "Lightly Row · Wait for me");
            let kept_tempo = tree.beginning(Role::Button, "Lightly Row · Keep tempo");
            (waited.len() == 2 && !kept_tempo.is_empty()).then(|| window::centre(waited[1]))
        });
        self.window.click_at(oldest);
        self.sees_a_perfect_result();
        self.click(Role::Tab, "Library");
        self.window.find(&mut self.ear, OPEN, |tree| tree.named(Role::Button, OPEN).map(|_| ()));
    }
}

/// As the window calls it.
fn name(score: &Score, id: NoteId) -> String {
    use music_trainer::ui::{text, view::NoteNames};
    text::note_octave(score.note(id).pitch, NoteNames::English)
}

/// Whether the program reports what was played, to the millisecond.
fn compare(verdicts: &[Verdict], played: &BTreeMap<NoteId, Micros>) {
    let first_pass = verdicts.iter().filter(|v| v.pass == 0);
    let reported: BTreeMap<NoteId, Verdict> = first_pass.filter_map(|v| Some((v.written?, *v))).collect();
    assert_eq!(reported.len(), played.len(), "a verdict for each written note: {reported:?}");
    let mut worst = 0;
    for (id, expected) in played {
        let verdict = reported.get(id).expect("a verdict");
        let deviation = verdict.deviation.unwrap_or_else(|| panic!("note {id:?} was not recognised: {verdict:?}"));
        let error = (deviation.0 - expected.0).abs();
        assert!(error <= 1_000, "note {id:?}: {deviation:?} reported, {expected:?} played");
        worst = worst.max(error);
    }
    println!("keep tempo: {} deviations, at most {worst} µs beside what was played", played.len());
}
