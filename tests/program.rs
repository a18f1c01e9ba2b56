//! The program itself, run as a person would run it, with everything that can be wrong: each has one clear line on
//! standard error, exit code 1, and nothing is lost.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use music_trainer::app::boot::{Interrupted, boot};
use music_trainer::cli::{BackendChoice, WindowArgs};
use music_trainer::formats::{pieces, smf};
use std::sync::Arc;

const PROGRAM: &str = env!("CARGO_BIN_EXE_music-trainer");

fn run(words: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(words)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

/// One line that contains `part`, exit code 1.
fn check_refused(words: &[&str], part: &str) {
    let Output { status, stderr, .. } = run(words);
    let text = String::from_utf8_lossy(&stderr);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(status.code(), Some(1), "{words:?}: {text}");
    assert_eq!(lines.len(), 1, "{words:?}: one line, not {text}");
    assert!(lines[0].contains(part), "{words:?} says {part:?}, not {text}");
}

fn args(dir: &Path) -> WindowArgs {
    WindowArgs { data_dir: Some(dir.to_owned()), backend: Some(BackendChoice::Null), safe: false, file: None }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a temporary path is text")
}

#[test]
fn words_that_make_no_sense_are_answered_in_one_line() {
    check_refused(&["--nonsense"], "--nonsense");
    check_refused(&["grade", "a.mid", "b.mid"], "--mode");
    check_refused(&["grade", "--mode", "dance", "a.mid", "b.mid"], "dance");
    check_refused(&["--backend", "loud"], "loud");
    check_refused(&["one.mid", "two.mid"], "one piece at a time");
}

#[test]
fn help_and_version_are_printed() {
    let help = run(&["--help"]);
    assert!(help.status.success());
    assert!(String::from_utf8_lossy(&help.stdout).contains("music-trainer devices [--json]"));
    assert!(String::from_utf8_lossy(&run(&["--version"]).stdout).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn files_that_are_no_music_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let out = dir.path().join("out.wav");
    let render = |input: &Path, part: &str| check_refused(&["render", path(input), path(&out)], part);
    render(&dir.path().join("none.mid"), "no such file");
    render(dir.path(), "folder");
    render(&file("empty.mid", b""), "empty");
    render(&file("letter.mid", b"Dear Clara, here is the music"), "neither a MIDI file nor MusicXML");
    let zeros = dir.path().join("zeros.mid");
    fs::File::create(&zeros).unwrap().set_len(500 << 20).unwrap();
    render(&zeros, "more than");
    assert!(!out.exists(), "nothing is written for what cannot be read");
}

#[test]
fn a_piece_is_rendered_the_same_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let score = dir.path().join("piece.mid");
    fs::write(&score, smf::write_score(&pieces::find("lightly-row").unwrap().score)).unwrap();
    let render = |name: &str| {
        let out = dir.path().join(name);
        let Output { status, stderr, .. } = run(&["render", path(&score), path(&out)]);
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
        fs::read(out).unwrap()
    };
    let first = render("a.wav");
    assert!(first.len() > 48_000 * 4 * 30, "half a minute of sound and more");
    assert!(first == render("b.wav"), "bit-identical");
    check_refused(&["render", path(&score), path(&dir.path().join("a.wav"))], "exists already");
    assert!(fs::read(dir.path().join("a.wav")).unwrap() == first, "what is there is never written over");
}

#[test]
fn devices_are_listed_on_a_machine_that_has_none() {
    let output = run(&["devices", "--json"]);
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "a card that is not there is no error");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let null = document["audio"].as_array().unwrap().iter().any(|d| d["backend"] == "null");
    assert!(null && document["midi"].is_array(), "{document}");
}

#[test]
fn a_folder_the_program_has_used_can_be_inspected_logged_verified_and_copied() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let program = boot(&args(&data), Arc::new(|| {})).unwrap();
    assert!(program.stop(), "everything is durable at the end");
    let verify = run(&["verify", path(&data)]);
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stderr));
    let inspect = run(&["inspect", path(&data), "--json"]);
    let document: serde_json::Value = serde_json::from_slice(&inspect.stdout).unwrap();
    for key in ["applied", "durable", "events", "entities", "topics", "subscribers", "dead_letters", "store", "health"]
    {
        assert!(!document[key].is_null(), "{key} is in {document}");
    }
    assert_eq!(document["applied"], document["events"], "the log has no holes");
    let log = run(&["log", path(&data), "--json"]);
    let events: serde_json::Value = serde_json::from_slice(&log.stdout).unwrap();
    assert_eq!(events.as_array().map(Vec::len), document["events"].as_u64().map(|n| n as usize));
    let copy = dir.path().join("copy");
    assert!(run(&["backup", path(&data), path(&copy)]).status.success());
    assert!(run(&["verify", path(&copy)]).status.success());
    check_refused(&["backup", path(&data), path(&copy)], "exists already");
}

#[test]
fn a_folder_goes_out_as_text_and_comes_back_and_a_copy_takes_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let (data, text, made) = (dir.path().join("data"), dir.path().join("all.jsonl"), dir.path().join("made"));
    let program = boot(&args(&data), Arc::new(|| {})).unwrap();
    assert!(program.stop(), "everything is durable at the end");
    assert!(run(&["export", path(&data), path(&text)]).status.success());
    check_refused(&["export", path(&data), path(&text)], "all.jsonl");
    assert!(run(&["import", path(&text), path(&made)]).status.success());
    check_refused(&["import", path(&text), path(&made)], "exists already");
    assert!(run(&["verify", path(&made)]).status.success());
    let seen = |folder: &Path| String::from_utf8(run(&["log", path(folder), "--json"]).stdout).unwrap();
    assert_eq!(seen(&data), seen(&made));
    let broken = dir.path().join("broken.jsonl");
    fs::write(&broken, &fs::read(&text).unwrap()[..500]).unwrap();
    let nowhere = dir.path().join("nowhere");
    check_refused(&["import", path(&broken), path(&nowhere)], "broken.jsonl: line");
    assert!(!nowhere.exists(), "half an import leaves nothing");

    // The folder grows on; then the copy of before comes back, and what was there is kept.
    let program = boot(&args(&data), Arc::new(|| {})).unwrap();
    check_refused(&["restore", path(&made), path(&data)], "in use");
    assert!(program.stop());
    let grown = seen(&data);
    assert_ne!(grown, seen(&made));
    let restored = run(&["restore", path(&made), path(&data)]);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    assert_eq!(seen(&data), seen(&made));
    assert_eq!(seen(&dir.path().join("data.before-restore")), grown);
    let file = made.join("data.mdb");
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.windows(12).position(|w| w == b"take.started").unwrap();
    bytes[at] ^= 1;
    fs::write(&file, bytes).unwrap();
    check_refused(&["restore", path(&made), path(&data)], "damaged");
    assert_eq!(seen(&dir.path().join("data.before-restore")), grown, "a refusal changes nothing");
    assert!(boot(&args(&data), Arc::new(|| {})).unwrap().stop(), "the program goes on with it");
}

#[test]
fn folders_that_hold_no_data_are_refused_by_the_commands() {
    let dir = tempfile::tempdir().unwrap();
    check_refused(&["verify", path(&dir.path().join("none"))], "none");
    check_refused(&["inspect", path(dir.path())], path(dir.path()));
    let file = dir.path().join("file");
    fs::write(&file, b"x").unwrap();
    check_refused(&["log", path(&file)], "file");
}

#[test]
fn a_second_program_on_one_folder_is_refused_and_the_first_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let first = boot(&args(dir.path()), Arc::new(|| {})).unwrap();
    check_refused(&["--data-dir", path(dir.path()), "--backend", "null"], "in use");
    assert!(first.stop());
}

#[test]
#[cfg(all(unix, feature = "window"))]
fn a_file_for_a_program_that_runs_is_brought_to_its_window() {
    let dir = tempfile::tempdir().unwrap();
    let first = boot(&args(dir.path()), Arc::new(|| {})).unwrap();
    let piece = dir.path().join("Prélude.mid");
    let words = [path(&piece), "--data-dir", path(dir.path())];
    let Output { status, stdout, stderr } = run(&words);
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    assert!(String::from_utf8_lossy(&stdout).contains("is opened in the window that is open already"));
    let door = first.door.as_ref().expect("a door");
    assert_eq!(door.files.try_iter().collect::<Vec<_>>(), [&*piece]);
    // A program without one says so, and what became of the file.
    fs::remove_file(dir.path().join(music_trainer::app::door::DOOR)).unwrap();
    check_refused(&words, "was not opened");
    check_refused(&words, "in use");
    assert!(first.stop());
}

#[test]
fn without_a_display_the_window_says_so() {
    let dir = tempfile::tempdir().unwrap();
    check_refused(&["--data-dir", path(dir.path()), "--backend", "null"], "no display");
    assert!(run(&["verify", path(dir.path())]).status.success(), "what was recorded until then is whole");
}

#[test]
fn a_damaged_data_folder_does_not_keep_the_program_from_starting() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("data.mdb"), vec![7_u8; 40_000]).unwrap();
    let program = boot(&args(dir.path()), Arc::new(|| {})).unwrap();
    assert_eq!(program.lines.len(), 1, "{:?}", program.lines);
    assert!(program.lines[0].starts_with("nothing is being saved"), "{:?}", program.lines);
    program.stop();
    let bytes = fs::read(dir.path().join("data.mdb")).unwrap();
    assert_eq!(bytes, vec![7_u8; 40_000], "what cannot be read is left as it is");
}

#[test]
fn a_take_that_was_cut_off_is_ended_at_the_next_start() {
    use music_trainer::bus::Publish;
    use music_trainer::model::{Entity, Event, Played, TakeEnd, recorder_entity};
    let dir = tempfile::tempdir().unwrap();
    let program = boot(&args(dir.path()), Arc::new(|| {})).unwrap();
    let snapshot = program.bus.snapshot();
    let Some(Entity::Recorder(Some(take))) = snapshot.state.value(recorder_entity().as_str()) else {
        panic!("a take is being recorded");
    };
    let note = Event::NotePlayed(Played { source: 0, data: [0x90, 60, 80] });
    program.bus.publish(Publish::new(take.entity(), note)).durable().unwrap();
    // The program ends without a word: its threads stop with the process; here the folder is copied as it is on disk.
    let copy = dir.path().join("copy");
    assert!(run(&["backup", path(dir.path()), path(&copy)]).status.success());
    let again = boot(&args(&copy), Arc::new(|| {})).unwrap();
    let interrupted = Interrupted { take: *take, notes: 1, piece: None };
    assert_eq!(again.interrupted, Some(interrupted), "for the line that leads to it");
    match again.bus.snapshot().state.value(take.entity().as_str()) {
        Some(Entity::Take(found)) => assert_eq!((found.notes, found.end), (1, Some(TakeEnd::Interrupted))),
        other => panic!("the take is there, not {other:?}"),
    }
    again.stop();
    program.stop();
}

#[test]
#[cfg(feature = "window")]
fn a_damaged_folder_comes_back_by_the_window_and_by_the_command() {
    use music_trainer::app::caretaker::News;
    use music_trainer::app::rescue::Rescue;
    use music_trainer::bus::Publish;
    use music_trainer::model::{Event, Setting};
    use music_trainer::store::{LOCK_FILE, Way};
    use std::time::Duration;
    const WAIT: Duration = Duration::from_secs(30);
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let program = boot(&args(&data), Arc::new(|| {})).unwrap();
    for percent in [110, 120, 130] {
        let setting = Setting::TextPercent(percent);
        program.bus.publish(Publish::new(setting.entity(), Event::SettingChanged(setting))).durable().unwrap();
    }
    assert!(program.stop());
    assert!(run(&["verify", path(&data)]).status.success());
    let file = data.join("data.mdb");
    let whole = fs::read(&file).unwrap();

    // A record is changed, and the program that wrote it last was killed: the next one looks, and says so.
    let mut bytes = whole.clone();
    let found = bytes.windows(14).enumerate().filter(|(_, w)| w == b"schema_version").map(|(at, _)| at);
    let of_it = |at: &usize| bytes[*at..bytes.len().min(at + 60)].windows(12).any(|w| w == b"text-percent");
    // In every copy that pages no longer in use may have.
    for at in found.filter(of_it).collect::<Vec<_>>() {
        bytes[at] ^= 1;
    }
    fs::write(&file, &bytes).unwrap();
    fs::write(data.join(LOCK_FILE), "4711\n").unwrap();
    let program = boot(&args(&data), Arc::new(|| {})).unwrap();
    let news = program.news.recv_timeout(WAIT);
    assert_eq!(news, Ok(News::Damaged(data.clone())), "{:?}", program.lines);
    let (done, woken) = std::sync::mpsc::channel();
    let wake = move || done.send(()).unwrap();
    let mut rescue = Rescue::begin(data.clone(), wake.clone()).unwrap();
    woken.recv_timeout(WAIT).unwrap();
    assert!(rescue.poll().is_none());
    let bridge = rescue.offers().iter().position(|offer| offer.way == Way::Bridge);
    let lost = rescue.offers()[bridge.unwrap_or(0)].loses;
    assert!(lost.is_some_and(|lost| (1..=3).contains(&lost)), "{:?}", rescue.offers());
    assert!(program.stop());
    assert!(rescue.go(bridge.unwrap_or(0), wake).unwrap());
    woken.recv_timeout(WAIT).unwrap();
    let recovered = rescue.poll().expect("it is done").unwrap();
    assert!(recovered.before.is_some_and(|dir| dir.join("data.mdb").exists()));
    let verify = run(&["verify", path(&data)]);
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stderr));
    assert!(boot(&args(&data), Arc::new(|| {})).unwrap().stop(), "the program goes on with it");

    // A folder whose structure is damaged is not opened; what its log holds comes back.
    let again = dir.path().join("again");
    fs::create_dir(&again).unwrap();
    let mut bytes = whole;
    let len = bytes.len();
    bytes.truncate(len - 1);
    fs::write(again.join("data.mdb"), &bytes).unwrap();
    let listed = run(&["recover", path(&again)]);
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.status.success() && text.contains("1  "), "{text}");
    check_refused(&["recover", path(&again), "9"], "no way out number 9");
    check_refused(&["recover", path(&dir.path().join("none"))], "none");
    let done = run(&["recover", path(&again), "1"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(run(&["verify", path(&again)]).status.success());
}

#[test]
fn practising_survives_its_panics_and_what_is_played_is_kept_all_the_while() {
    use crossbeam_channel::unbounded;
    use music_trainer::app::control::{Desk, Wish};
    use music_trainer::bus::supervision::PARK_EVENTS;
    use music_trainer::formats::pieces;
    use music_trainer::midi::Cause;
    use music_trainer::model::{Entity, PieceId};
    use music_trainer::music::Pitch;
    use std::time::Duration;
    let dir = tempfile::tempdir().unwrap();
    let (woken, wakes) = unbounded();
    let repaint = Arc::new(move || {
        // The test may be over.
        let _ = woken.send(());
    });
    let program = boot(&args(dir.path()), repaint).unwrap();
    let until = |what: &str, is: &dyn Fn(&Desk) -> bool| {
        while !is(&program.control.desk()) {
            wakes.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|_| panic!("{what}"));
        }
    };
    let says = |desk: &Desk, text: &str| desk.notices.iter().any(|notice| notice.text.contains(text));
    let open = || Wish::Open(PieceId::builtin(pieces::builtin()[0].id), None);
    assert!(program.control.wish(open()));
    until("a piece is open", &|desk| desk.session.piece.is_some());
    let level = || {
        let report = program.bus.inspect_now().unwrap();
        report.applied == report.durable && report.subscribers.iter().all(|subscriber| subscriber.lag == 0)
    };
    for time in 1..=PARK_EVENTS as u32 {
        // The next event is for practising, and for no other component.
        assert!((0..100_000).any(|_| level()), "components are level");
        program.lab.panic_next();
        let cause = Cause(time);
        let at = program.clock.now();
        assert!(program.control.wish(Wish::KeyDown { at, cause, pitch: Pitch::new(60).unwrap(), velocity: 80 }));
        assert!(program.control.wish(Wish::KeyUp { at, cause }));
        if time < PARK_EVENTS as u32 {
            // Said again, it is a line of its own.
            until("it is told", &|desk| desk.notices.iter().any(|n| n.bad && n.id >= u64::from(time)));
            until("the piece is on the stand again", &|desk| desk.session.piece.is_some());
        }
    }
    until("it is parked", &|desk| says(desk, "is off until") && desk.session.piece.is_none());
    assert!(program.control.wish(open()));
    until("no piece is opened any more", &|desk| says(desk, "practising is off"));
    let notes = |take: &Entity| if let Entity::Take(take) = take { take.notes } else { 0 };
    let kept = || {
        let snapshot = program.bus.snapshot();
        snapshot.state.iter().filter_map(|(_, v)| v.value.as_ref().map(notes)).sum::<u32>()
    };
    let level = (0..100_000).any(|_| program.bus.inspect_now().is_some() && kept() >= PARK_EVENTS as u32);
    assert!(level, "every note is in the take");
    assert!(program.stop(), "and it ends in order");
}

/// A pipe that nobody writes to is like a share that does not answer.
#[test]
#[cfg(unix)]
fn a_file_that_does_not_answer_stops_nothing_and_what_is_wished_of_a_piece_waits_for_it() {
    use crossbeam_channel::unbounded;
    use music_trainer::app::control::{Desk, Wish};
    use music_trainer::midi::Cause;
    use music_trainer::model::PieceId;
    use music_trainer::music::Pitch;
    use std::time::Duration;
    let dir = tempfile::tempdir().unwrap();
    let (woken, wakes) = unbounded();
    let repaint = Arc::new(move || {
        // The test may be over.
        let _ = woken.send(());
    });
    let program = boot(&args(&dir.path().join("data")), repaint).unwrap();
    let wish = |wish| assert!(program.control.wish(wish));
    let until = |what: &str, is: &dyn Fn(&Desk) -> bool| {
        while !is(&program.control.desk()) {
            wakes.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|_| panic!("{what}"));
        }
    };
    let pipe = dir.path().join("pipe.mid");
    let hangs = || {
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        wish(Wish::OpenFile(pipe.clone()));
        wish(Wish::Play);
        // Keys go down and come up, and everything is silent when it is wanted.
        let (at, cause) = (program.clock.now(), Cause(1));
        wish(Wish::KeyDown { at, cause, pitch: Pitch::new(60).unwrap(), velocity: 80 });
        until("the key is heard", &|desk| desk.held != 0);
        assert!(program.control.desk().session.piece.is_none());
    };
    // Opening it the other way lets the reader go on: it is no plain file.
    let answers = || {
        drop(fs::OpenOptions::new().write(true).open(&pipe).unwrap());
        fs::remove_file(&pipe).unwrap();
    };
    hangs();
    wish(Wish::Panic);
    until("silence", &|desk| desk.held == 0);
    answers();
    until("it is told", &|desk| desk.notices.iter().any(|n| n.bad && n.text.contains("it is not a plain file")));
    assert!(program.control.desk().session.piece.is_none());
    let told = || -> Vec<u64> {
        let desk = program.control.desk();
        desk.notices.iter().filter(|n| n.text.contains("plain file")).map(|n| n.id).collect()
    };
    let first = told()[0];

    // Another piece is wanted meanwhile: the one before does not come any more.
    hangs();
    let builtin = PieceId::builtin(pieces::builtin()[0].id);
    wish(Wish::Open(builtin.clone(), None));
    let is_open = |desk: &Desk, id: &PieceId| desk.session.piece.as_ref().is_some_and(|piece| piece.id == *id);
    until("the built-in piece is open", &|desk| is_open(desk, &builtin));
    answers();

    // A file that answers is put on the stand, and then played.
    let (file, score) = (dir.path().join("x.mid"), &pieces::builtin()[0].score);
    fs::write(&file, smf::write_score(score)).unwrap();
    wish(Wish::OpenFile(file));
    let listen =
        music_trainer::practice::PracticeSettings { mode: music_trainer::practice::Mode::Listen, ..Default::default() };
    wish(Wish::Choose(listen, None));
    wish(Wish::Play);
    let other = |desk: &Desk| desk.session.piece.as_ref().is_some_and(|piece| piece.id != builtin);
    until("the file is played", &|desk| {
        other(desk) && desk.session.playing && desk.session.settings.mode == listen.mode
    });
    assert_eq!(told(), [first], "of what is not wanted any more nothing is told");
    assert!(program.stop(), "and it ends in order");
}

#[test]
fn a_machine_that_wakes_up_lets_go_of_the_windows_keys_and_looks_at_its_devices() {
    use music_trainer::app::control::Wish;
    use music_trainer::bus::lab::Failure;
    use music_trainer::midi::Cause;
    use music_trainer::music::Pitch;
    let dir = tempfile::tempdir().unwrap();
    let (woken, wakes) = crossbeam_channel::unbounded();
    let repaint = Arc::new(move || {
        // The test may be over.
        let _ = woken.send(());
    });
    let program = boot(&args(dir.path()), repaint).unwrap();
    let until_held = |keys: u32| {
        while program.control.desk().held.count_ones() != keys {
            wakes.recv_timeout(std::time::Duration::from_secs(30)).unwrap_or_else(|_| panic!("{keys} keys are held"));
        }
    };
    let press = |cause, key| {
        let (at, pitch) = (program.clock.now(), Pitch::new(key).unwrap());
        assert!(program.control.wish(Wish::KeyDown { at, cause: Cause(cause), pitch, velocity: 80 }));
    };
    press(1, 60);
    press(2, 64);
    until_held(2);
    // The wall clock goes on by a day, the monotonic one does not.
    program.lab.set(Failure::Ahead, true);
    until_held(0);
    press(1, 60);
    until_held(1);
    // The key-up that was missed comes late, and is none.
    assert!(program.control.wish(Wish::KeyUp { at: program.clock.now(), cause: Cause(2) }));
    assert!(program.control.wish(Wish::KeyUp { at: program.clock.now(), cause: Cause(1) }));
    until_held(0);
    assert!(program.stop(), "and it ends in order");
}

#[test]
fn what_was_measured_of_the_sound_device_is_known_at_once_and_can_be_forgotten() {
    use music_trainer::app::control::Wish;
    use music_trainer::bus::Publish;
    use music_trainer::components::devices::calibration_entity;
    use music_trainer::model::{Calibration, Event};
    use music_trainer::time::Micros;
    let dir = tempfile::tempdir().unwrap();
    let (woken, wakes) = crossbeam_channel::unbounded();
    let repaint = Arc::new(move || {
        // The test may be over.
        let _ = woken.send(());
    });
    let program = boot(&args(dir.path()), repaint).unwrap();
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        while !holds() {
            wakes.recv_timeout(std::time::Duration::from_secs(30)).unwrap_or_else(|_| panic!("{what}"));
        }
    };
    until("a stream runs", &|| program.control.desk().sound.stream.is_some());
    let stream = program.control.desk().sound.stream.clone().unwrap();
    let tapped = Some(Micros(-37_000));
    let measured = Calibration { name: stream.device.clone(), loopback: None, tapped };
    program.bus.transact(vec![Publish::new(calibration_entity(&stream), Event::DeviceCalibrated(measured))]);
    until("it is known", &|| program.control.desk().sound.calibration.tapped == tapped);
    assert_eq!(program.control.desk().sound.judged(), Micros(-37_000));
    assert!(program.control.wish(Wish::ForgetCalibration));
    until("it is forgotten", &|| program.control.desk().sound.calibration.tapped.is_none());
    assert!(program.stop());
}
