//! Invented contents for every screen: what the tests and the gallery draw.

#[path = "../page_support/mod.rs"]
mod page_support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use music_trainer::bus::inspect::{
    DeadLetter, EventView, Fill, LaneReport, LiveReport, Rates, Report, Round, SubscriberReport, TableSize,
};
use music_trainer::bus::storage::Header;
use music_trainer::model::{OutputKeys, OutputUse};
use music_trainer::music::notation::Notation;
use music_trainer::music::{Hand, KeySignature, Meter, NoteId, Pitch, Score, ScoreParts, Tempo, WrittenNote};
use music_trainer::practice::expression::{Expression, Struck};
use music_trainer::practice::pass::{PassResult, passes};
use music_trainer::practice::result::{BarResult, TakeResult};
use music_trainer::practice::story::Story;
use music_trainer::practice::{BarRange, Mode, PlayedId, PracticeSettings, Preset, Verdict, VerdictKind};
use music_trainer::time::{Frames, Micros, Stamp, StreamId, Ticks, WallMillis};
use music_trainer::ui::query::{self, Choices, Query, Selection};
use music_trainer::ui::view::*;
use music_trainer::ui::{Command, text};

/// Everything a [`View`] borrows.
pub(crate) struct Sample {
    pub score: Option<Score>,
    pub title: String,
    pub marks: Vec<Option<Mark>>,
    pub extras: Vec<Extra>,
    pub next: Vec<NoteId>,
    pub bars: Vec<BarResult>,
    pub transport: Transport,
    pub keys: Keys,
    pub pieces: Vec<Arc<PieceRow>>,
    pub list: Selection,
    pub folders: Vec<FolderRow>,
    pub import: Option<Import>,
    pub tally: Tally,
    pub refused: Vec<(String, String)>,
    pub takes: Vec<TakeRow>,
    pub shown: Option<ResultView>,
    pub take: Option<TakeView>,
    pub listening: Option<Micros>,
    pub devices: Devices,
    pub settings: Settings,
    pub report: Option<Report>,
    pub events: Vec<Arc<dyn EventView>>,
    pub detail: Option<EventDetail>,
    pub entities: Vec<EntityRow>,
    pub lab: Lab,
    pub conflicts: Vec<ConflictRow>,
    pub history: Vec<HistoryRow>,
    pub banners: Vec<Banner>,
    pub rescue: Option<Rescue>,
    pub moving: bool,
    pub undo: Option<String>,
}

fn pitch(key: u8) -> Pitch {
    Pitch::new(key).expect("a MIDI key")
}

/// A minuet-like piece of 32 bars in G major, 3/4.
pub(crate) fn minuet() -> Score {
    const RIGHT: [[u8; 6]; 4] =
        [[74, 0, 67, 69, 71, 72], [74, 0, 67, 0, 67, 0], [76, 0, 72, 74, 76, 78], [79, 0, 67, 0, 67, 0]];
    const LEFT: [[u8; 3]; 4] = [[55, 0, 57], [59, 0, 0], [60, 0, 0], [59, 0, 0]];
    let mut notes = Vec::new();
    for bar in 0..32i64 {
        let start = bar * 1440;
        for (i, key) in RIGHT[bar as usize % 4].iter().enumerate().filter(|(_, k)| **k > 0) {
            let length = if i == 0 || bar % 2 == 1 { 480 } else { 240 };
            let onset = Ticks(start + i as i64 * 240);
            let end = Ticks(onset.0 + length);
            notes.push(WrittenNote { onset, end, pitch: pitch(*key), hand: Hand::Right, velocity: 80 });
        }
        for (i, key) in LEFT[bar as usize % 4].iter().enumerate().filter(|(_, k)| **k > 0) {
            let length = if LEFT[bar as usize % 4][2] > 0 { 960 - 480 * (i as i64 / 2) } else { 1440 };
            let onset = Ticks(start + i as i64 * 480);
            let end = Ticks(onset.0 + length);
            notes.push(WrittenNote { onset, end, pitch: pitch(*key), hand: Hand::Left, velocity: 70 });
        }
    }
    Score::new(ScoreParts {
        title: "Minuet in G".into(),
        composer: "C. Petzold".into(),
        resolution: 480,
        notes,
        tempos: vec![Tempo { tick: Ticks(0), micros_per_quarter: 625_000 }],
        meters: vec![Meter { tick: Ticks(0), beats: 3, unit: 4 }],
        keys: vec![KeySignature { tick: Ticks(0), fifths: 1, minor: false }],
        notation: Some(minuet_page()),
        ..Default::default()
    })
}

/// The page of the minuet.
fn minuet_page() -> Notation {
    let four = |bars: &str| [bars; 8].join("|");
    let right = four("d5q g4e a4e b4e c5e | d5q g4q g4q | e5q c5e d5e e5e f#5e | g5q g4q g4q");
    let left = four("g3h a3q | b3h. | c4h. | b3h.");
    page_support::page((3, 4), 1, &[(0, &right), (1, &left)])
}

/// What became of the notes up to a tick: mostly on time, some not.
pub(crate) fn judged(score: &Score, until: Ticks) -> (Vec<Option<Mark>>, TakeResult) {
    let mut marks = vec![None; score.notes().len()];
    let mut verdicts = Vec::new();
    let mut seed = 7u64;
    for (id, note) in score.iter().filter(|(_, n)| n.onset < until) {
        let mut noise = 0.0;
        for _ in 0..6 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            noise += (seed >> 33) as f64 / f64::from(1u32 << 31) - 0.5;
        }
        let millis = -12.0 + noise * 60.0;
        let bar = score.bars().index_at(note.onset);
        let kind = match bar {
            10 | 22 if id.0 % 3 == 0 => VerdictKind::Missed,
            _ if millis < -65.0 => VerdictKind::Early,
            _ if millis > 50.0 => VerdictKind::Late,
            _ => VerdictKind::OnTime,
        };
        let deviation = kind.is_right().then_some(Micros((millis * 1000.0) as i64));
        marks[id.0 as usize] = Some(Mark { kind, deviation });
        let played = kind.is_right().then_some(PlayedId(u64::from(id.0)));
        verdicts.push(Verdict { pass: 0, played, written: Some(id), kind, deviation });
        if bar == 11 && id.0 % 4 == 0 {
            let kind = VerdictKind::Extra;
            verdicts.push(Verdict { pass: 0, played: Some(PlayedId(90_000)), written: None, kind, deviation: None });
        }
    }
    let mut result = TakeResult::of(Mode::Tempo, score, &verdicts, |_| Some(11));
    result.completed = true;
    (marks, result)
}

/// Every note of a piece on time.
#[allow(dead_code)]
pub(crate) fn all_right(score: &Score) -> TakeResult {
    let kind = VerdictKind::OnTime;
    let right = |id: NoteId| Verdict {
        pass: 0,
        played: Some(PlayedId(u64::from(id.0))),
        written: Some(id),
        kind,
        deviation: Some(Micros::ZERO),
    };
    let verdicts: Vec<Verdict> = score.iter().map(|(id, _)| right(id)).collect();
    TakeResult::of(Mode::Tempo, score, &verdicts, |_| None)
}

/// The take of those verdicts, at the written tempo.
fn take_view(score: &Score, marks: &[Option<Mark>]) -> TakeView {
    let (mut notes, mut written, mut stories, mut verdicts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let time = |ticks: Ticks| score.tempo().micros(ticks, music_trainer::music::Percent::FULL);
    for ((id, note), mark) in score.iter().zip(marks) {
        let Some(Mark { kind, deviation }) = *mark else { continue };
        let (at, end, hand, pitch) = (time(note.onset), time(note.end), note.hand, note.pitch);
        let played = kind.is_right().then_some(PlayedId(u64::from(id.0)));
        let verdict = Verdict { pass: 0, played, written: Some(id), kind, deviation };
        let bar = score.bars().index_at(note.onset);
        stories.push(Story::new(&verdict, (at, end), pitch, bar));
        written.push(RollWritten { at, end, pitch, hand, kind });
        verdicts.push(verdict);
        if let Some(deviation) = deviation {
            let (at, velocity) = (at + deviation, 50 + (id.0 * 7 % 50) as u8);
            let duration = Micros((end - time(note.onset)).0 * 4 / 5);
            notes.push(RollNote { at, duration, pitch, velocity, hand: Some(hand), kind: Some(kind) });
        }
    }
    let played = |id: PlayedId| {
        let note = score.note(NoteId(id.0 as u32));
        let late = marks[id.0 as usize].and_then(|mark| mark.deviation)?;
        let duration = Micros((time(note.end) - time(note.onset)).0 * 4 / 5);
        Some(Struck { at: time(note.onset) + late, duration, velocity: 50 + (id.0 * 7 % 50) as u8 })
    };
    TakeView {
        id: "8f2b".into(),
        at: today(12, 4),
        piece: Some("Minuet in G".into()),
        mode: Some(Mode::Tempo),
        length: score.duration(),
        notes,
        written,
        stories,
        passes: Arc::default(),
        expression: Some(Expression::of(score, Mode::Tempo, &verdicts, played)),
        kept_result: Some((201, 216)),
        page: Some(TakePage {
            score: Arc::new(score.clone()),
            marks: marks.to_vec(),
            extras: vec![Extra { tick: 2_400.0, pitch: pitch(66) }, Extra { tick: 4_100.0, pitch: pitch(50) }],
            course: score.notes().iter().map(|note| (time(note.onset), note.onset.0 as f64)).collect(),
            hands: music_trainer::music::Hands::BOTH,
            beat: None,
        }),
        past: None,
    }
}

/// Ten passes over its first bars, the earlier ones with more missed and slower.
#[allow(dead_code, reason = "not every test looks at passes")]
pub(crate) fn ten_passes(score: &Score, take: &TakeView) -> Arc<[PassResult]> {
    let bars = 8;
    let of_pass = |pass: u32| {
        let missed = 3 + pass as usize * 2;
        take.stories.iter().filter(move |story| story.bar < bars).enumerate().map(move |(n, story)| {
            let mut story = story.clone();
            story.verdict.pass = pass;
            story.at = Micros(story.at.0 * i64::from(20 - pass) / 10);
            story.verdict.deviation = Some(Micros((n as i64 % 7 - 3) * i64::from(24 - 2 * pass) * 1_000));
            if n % missed == 0 {
                (story.verdict.kind, story.verdict.deviation) = (VerdictKind::Missed, None);
            }
            story
        })
    };
    let stories: Vec<Story> = (0..10).flat_map(of_pass).collect();
    passes(score, Mode::Tempo, &stories).into()
}

/// An instant of that take.
pub(crate) fn past(score: &Score) -> PastInstant {
    let until = Ticks(6 * 1440);
    let (marks, result) = judged(score, until);
    let next = score.onset_groups(music_trainer::music::Hands::BOTH, until, score.end());
    let at = score.tempo().micros(until, music_trainer::music::Percent::FULL);
    PastInstant {
        at,
        span: (Micros::ZERO, score.duration()),
        events: 412,
        of: 1_630,
        event: Some((1_284_907, "note.played".to_owned())),
        keys: Keys::bit(pitch(62)) | Keys::bit(pitch(66)),
        pedal: 127,
        place: Some(until.0 as f64),
        marks,
        extras: vec![Extra { tick: 2_400.0, pitch: pitch(66) }],
        next: next.first().map(|group| group.notes.clone()).unwrap_or_default(),
        counts: Some((result.counts.right(), result.counts.written(), result.counts.extra)),
        ..PastInstant::default()
    }
}

/// A take of free playing, written down from the notes themselves.
pub(crate) fn free_take(score: &Score) -> TakeView {
    let all: Vec<Option<Mark>> =
        vec![Some(Mark { kind: VerdictKind::OnTime, deviation: Some(Micros::ZERO) }); score.notes().len()];
    let take = take_view(score, &all);
    let played = |n: &RollNote| music_trainer::formats::smf::PlayedNote {
        at: n.at,
        duration: n.duration,
        pitch: n.pitch,
        velocity: n.velocity,
    };
    let notes: Vec<_> = take.notes.iter().map(played).collect();
    let page = music_trainer::formats::notate::take(&notes).expect("a page");
    let plain = |n: &RollNote| RollNote { hand: None, kind: None, ..*n };
    TakeView {
        piece: None,
        mode: None,
        notes: take.notes.iter().map(plain).collect(),
        written: Vec::new(),
        stories: Vec::new(),
        passes: Arc::default(),
        expression: None,
        kept_result: None,
        page: Some(TakePage {
            score: Arc::new(page.score),
            marks: Vec::new(),
            extras: Vec::new(),
            course: page.course.into_iter().map(|(at, tick)| (at, tick.0 as f64)).collect(),
            hands: music_trainer::music::Hands::BOTH,
            beat: page.beat,
        }),
        ..take
    }
}

fn row(id: &str, title: &str, composer: &str, grade: u8, fifths: i8, last: Option<(u32, u32)>) -> PieceRow {
    PieceRow {
        id: id.into(),
        title: title.into(),
        composer: composer.into(),
        grade: Some(grade),
        estimate: Some(grade),
        key: Some(KeySignature { tick: Ticks(0), fifths, minor: false }),
        meter: Some((3, 4)),
        bars: 32,
        duration: Micros(94_000_000),
        builtin: true,
        favourite: grade == 2,
        practised: Micros(754_000_000),
        last: last.map(|(right, of)| LastResult {
            at: today(12, 4),
            right: right / 2,
            of,
            part: Some(9),
            ..LastResult::default()
        }),
        best: last.map(|(right, of)| LastResult { at: today(10, 31), right, of, ..LastResult::default() }),
        ..PieceRow::default()
    }
}

/// The folder that is watched.
const MUSIC: &str = "/home/ada/music";

/// A piece of a folder.
fn file(id: &str, title: &str, composer: &str, path: &str, opened: i64) -> PieceRow {
    PieceRow {
        grade: None,
        estimate: Some(4),
        builtin: false,
        favourite: false,
        practised: Micros::ZERO,
        opened: WallMillis(opened),
        path: Some(PathBuf::from(MUSIC).join(path)),
        ..row(id, title, composer, 0, -3, None)
    }
}

/// Rows as the program makes them.
fn pieces(rows: Vec<PieceRow>) -> Vec<Arc<PieceRow>> {
    let whole = |mut row: PieceRow| {
        row.sort = (text::fold(&row.title), text::fold(&row.composer));
        row.search = query::searched(&row);
        Arc::new(row)
    };
    rows.into_iter().map(whole).collect()
}

fn today(hour: u8, minute: u8) -> LocalTime {
    LocalTime { days_ago: 0, year: 2026, month: 11, day: 23, hour, minute, second: 31 }
}

/// An event of the inspector's list.
#[derive(Debug)]
struct Event(u64);

impl EventView for Event {
    fn seq(&self) -> u64 {
        self.0
    }
    fn topic(&self) -> &str {
        ["note.played", "verdict.given", "transport.moved", "settings.changed"][(self.0 % 4) as usize]
    }
    fn entity(&self) -> &str {
        ["take/8f2c", "take/8f2c", "transport/main", "settings/main"][(self.0 % 4) as usize]
    }
    fn header(&self) -> Header {
        header(self)
    }
    fn payload(&self) -> serde_json::Value {
        serde_json::json!({ "pitch": 60 + self.0 % 12, "velocity": 71, "on": true })
    }
}

fn header(event: &Event) -> Header {
    use music_trainer::bus::{DeviceId, EventId};
    let id = |device_seq| EventId { device: DeviceId(0x51b2_08d1_77a0_3c5e), device_seq };
    Header {
        seq: event.0,
        id: id(event.0),
        topic: event.topic().into(),
        entity: event.entity().into(),
        version: event.0 / 4 + 1,
        base: (event.0 % 4 == 3).then(|| id(event.0 - 4)),
        hlc: (1_795_000_000_000 + event.0 * 370) << 16,
        stamp: event.0.is_multiple_of(4).then_some(Stamp {
            driver: Micros(88_120_442),
            mono: Micros(271_218_040),
            frame: Some(Frames(13_018_464)),
            stream: StreamId(2),
        }),
        cause: (event.0 % 4 == 1).then(|| id(event.0 - 1)),
        actor: if event.0.is_multiple_of(4) { "recorder" } else { "person" }.into(),
        schema: "note".into(),
        schema_version: 1,
    }
}

/// A verdict that a played note led to.
fn detail() -> EventDetail {
    let link = |seq, topic: &str, entity: &str, actor: &str| EventLink {
        seq,
        topic: topic.into(),
        entity: entity.into(),
        actor: actor.into(),
    };
    let change = |path: &str, before: Option<&str>, after: Option<&str>| FieldChange {
        path: path.into(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    };
    EventDetail {
        seq: 1_284_905,
        event: Arc::new(Event(1_284_905)),
        at: today(12, 4),
        changes: vec![
            change("notes", Some("216"), Some("217")),
            change("last.driver", Some("88118201"), Some("88120442")),
            change("verdicts.late", None, Some("1")),
        ],
        causes: vec![
            link(1_284_904, "note.played", "take/8f2c", "recorder"),
            link(1_284_131, "take.started", "take/8f2c", "recorder"),
        ],
        root_found: true,
        effects: vec![link(1_284_906, "transport.moved", "transport/main", "session")],
    }
}

fn hops() -> Hops {
    Hops {
        played: Some(Micros(271_218_040)),
        round: Some(Round { taken: Micros(271_218_702), applied: Micros(271_218_731), stored: Micros(271_218_746) }),
        painted: Some(Micros(271_231_420)),
        durable: Some(Micros(271_242_010)),
    }
}

fn conflicts() -> Vec<ConflictRow> {
    let side = |number, actor: &str, payload: &str| Side {
        device: 0x51b2,
        number,
        at: Some(today(12, 4)),
        actor: actor.into(),
        payload: payload.into(),
    };
    let row = |entity: &str, topic: &str, strategy: &str, winner, loser| ConflictRow {
        entity: entity.into(),
        topic: topic.into(),
        strategy: strategy.into(),
        both: strategy == "keep both",
        winner,
        loser,
    };
    vec![
        row(
            "piece/builtin-minuet",
            "practice.chosen",
            "last writer",
            side(1_204, "person", r#"{"mode":"tempo","tempo":80,"looping":true}"#),
            side(1_203, "teacher", r#"{"mode":"wait","tempo":60,"looping":false}"#),
        ),
        row(
            "take/8f2a",
            "take.named",
            "keep both",
            side(1_101, "person", r#"{"name":"before breakfast"}"#),
            side(77, "person", r#"{"name":"Tuesday, slowly"}"#),
        ),
    ]
}

fn history() -> Vec<HistoryRow> {
    let row = |version, theme: &str| HistoryRow {
        version,
        seq: version * 311,
        at: today(9, version as u8),
        topic: "setting.changed".into(),
        actor: "person".into(),
        payload: format!(r#"{{"setting":"theme","value":"{theme}"}}"#),
        value: format!("Theme({theme})"),
    };
    vec![row(4, "dark"), row(3, "dark"), row(2, "light"), row(1, "system")]
}

fn report() -> Report {
    let mut report = Report {
        device: 1,
        applied: 1_284_907,
        durable: 1_284_901,
        entities: 42,
        commands: Fill { used: 3, capacity: 4096, high_water: 12 },
        undurable: Fill { used: 6, capacity: 65_536, high_water: 412 },
        ..Report::default()
    };
    report.lanes = ["audio callback", "MIDI FP-30X", "jack"]
        .iter()
        .enumerate()
        .map(|(i, name)| LaneReport {
            name: (*name).to_owned(),
            fill: Fill { used: 3 + i * 900, capacity: 8192, high_water: 41 + i * 2000 },
            pushed: 120_000 + i as u64 * 912,
            delivered: 119_997,
            lost: i as u64 * 12,
            gaps: i as u64,
            panics: 0,
            rate: Some(i as f32 * 912.4),
            closed: false,
        })
        .collect();
    for i in 0..900u64 {
        report.commit.record(Micros(((i * i) % 4800) as i64 + 200));
        report.step.record(Micros((i % 40) as i64));
    }
    report.at = Micros(271_300_000);
    report.rates = Some(Rates {
        published: 1_824.6,
        applied: 1_824.6,
        durable: 1_821.0,
        commits: 4.9,
        snapshots: 240.0,
        deliveries: 0.0,
    });
    report.counts.commits = 4_211;
    report.counts.commit_failures = 3;
    report.counts.applied = 61_204;
    report.counts.bytes_committed = 18_400_000;
    report.counts.erased = 552;
    report.undurable_bytes = 2_204;
    report.store.bytes = 312_000_000;
    report.store.map_used = 300_000_000;
    report.store.free = 4_300_000;
    report.store.entities = 1_042;
    for (table, (name, entries, bytes)) in report.store.tables.iter_mut().zip([
        ("log", 1_284_901, 221_000_000),
        ("by_entity", 1_284_901, 74_200_000),
        ("state", 1_042, 480_000),
        ("private", 12, 8_192),
        ("cursors", 4, 4_096),
        ("meta", 3, 4_096),
        ("pending", 3, 4_096),
        ("dead_letters", 2, 4_096),
        ("outbox", 0, 0),
    ]) {
        *table = TableSize { name, entries, bytes };
    }
    report.store.map_size = 4_000_000_000;
    report.store.events = 1_284_901;
    for (name, lag, pending, parked) in
        [("recorder", 0, 0, false), ("results", 0, 2, false), ("progress", 3, 1, false), ("library", 0, 0, true)]
    {
        report.subscribers.push(SubscriberReport {
            name: name.to_owned(),
            filter: "take/*".to_owned(),
            acked: 1_284_900 - lag,
            lag,
            pending,
            tries: pending as u32 * 2,
            held: pending / 2,
            redelivered: pending as u64 * 3,
            next_due: (pending == 2).then_some(Micros(276_100_000)),
            parked,
            panics: if parked { 5 } else { 0 },
            attached: !parked,
            ..SubscriberReport::default()
        });
    }
    let letter = |seq, tries, error: &str| DeadLetter {
        subscriber: "results".to_owned(),
        seq,
        tries,
        error: error.to_owned(),
        wall: WallMillis(1_795_500_000_000),
    };
    report.live = ["**", "take.*, note.*"]
        .iter()
        .map(|filter| LiveReport {
            filter: (*filter).to_owned(),
            fill: Fill { used: 2, capacity: 1_024, high_water: 77 },
            lost: 0,
        })
        .collect();
    report.letters = vec![
        letter(1_204_311, 6, "what follows was refused: result/8f2a was changed meanwhile and is now at version 3"),
        letter(1_284_002, 1, "there is no take 8f2c"),
    ];
    report.dead_letters = report.letters.len();
    report
}

fn devices() -> Devices {
    let port = |name: &str, connected, messages| MidiPort {
        id: name.to_lowercase(),
        name: name.to_owned(),
        connected,
        enabled: true,
        messages,
    };
    let midi_in = None;
    let monitor = [
        MidiView::On(pitch(60), 71),
        MidiView::Off(pitch(60)),
        MidiView::Control(64, 127),
        MidiView::On(pitch(67), 64),
        MidiView::Other(vec![0xf0, 0x7e, 0x7f, 0xf7]),
    ];
    Devices {
        audio: AudioView {
            state: AudioState::Running,
            font_refused: false,
            device: "Scarlett 2i2".into(),
            backend: "cpal".into(),
            rate: 48_000,
            period: 128,
            measured_rate: Some(48_000.9),
            latency: Some(Micros(6_200)),
            parts: LatencyParts {
                input: Some((4_821, 1_340.0, 2_690.0)),
                engine: 2_667.0,
                output: 3_533.0,
                reported: 3_533.0,
                jitter: (140.0, 920.0),
            },
            bluetooth: false,
            load: 0.31,
            xruns: 2,
            midi_lost: 0,
            callback: Callback {
                loads: [
                    0, 12, 880, 5_120, 31_004, 60_208, 41_330, 18_201, 7_004, 2_910, 1_404, 811, 402, 188, 97, 41, 22,
                    9, 4, 2, 2, 0, 0, 0,
                ]
                .to_vec(),
                worst: 1.08,
                stream: 2,
                late: 1,
                unsent: 0,
                refused: 0,
                faults: 0,
            },
            backends: vec!["cpal".into(), "jack".into(), "null".into()],
            outputs: ["Scarlett 2i2", "HDA Intel PCH, ALC257 Analog"]
                .map(|name| OutputRow {
                    id: name.to_lowercase(),
                    name: name.to_owned(),
                    default: name.starts_with('S'),
                    chosen: name.starts_with('S'),
                })
                .to_vec(),
            looking: false,
            calibration: CalibrationView {
                tapped: Some(Micros(11_400)),
                loopback: None,
                stand: CalibrationStand::Tapping { done: 7, of: 24 },
            },
            loading: None,
            presets: ["Yamaha Grand Piano", "Bright Yamaha Grand", "Electric Piano", "Honky Tonk", "Rhodes EP"]
                .iter()
                .enumerate()
                .map(|(i, name)| (i as u8, (*name).to_owned()))
                .collect(),
        },
        midi_in,
        midi_out: vec![
            OutputPort {
                id: "fp".into(),
                name: "Roland FP-30X".into(),
                connected: true,
                usage: OutputUse {
                    enabled: true,
                    accompaniment: true,
                    lights: Some(4),
                    keys: OutputKeys::Instrument,
                    ..OutputUse::default()
                },
                messages: 912,
            },
            OutputPort {
                id: "synth".into(),
                name: "Microcosm MIDI 1".into(),
                connected: false,
                usage: OutputUse::default(),
                messages: 0,
            },
        ],
        left_out: vec!["sound on alsa:hw:3".into()],
        midi: vec![port("Roland FP-30X", true, 4821), port("nanoKONTROL2 with a very long name indeed", false, 0)],
        microphone: Microphone {
            on: true,
            device: Some("Scarlett 2i2, input 1".into()),
            fault: None,
            level: -21.4,
            tuner: Some(Tuner { pitch: pitch(69), cents: -7.6, steady: true }),
            unsure: vec![pitch(64), pitch(67)],
            inputs: vec![
                OutputRow { id: "scarlett".into(), name: "Scarlett 2i2".into(), default: true, chosen: true },
                OutputRow { id: "webcam".into(), name: "Webcam".into(), default: false, chosen: false },
            ],
            lost: 0,
            lost_notes: 0,
        },
        monitor: monitor
            .into_iter()
            .enumerate()
            .map(|(i, message)| MonitorRow {
                at: Micros(271_218_000 - i as i64 * 37_000),
                port: "Roland FP-30X".into(),
                message,
                sent: i == 3,
            })
            .collect(),
    }
}

fn takes() -> Vec<TakeRow> {
    let take = |id: &str, days_ago, piece: Option<&str>, mode, notes, state, result| TakeRow {
        id: id.into(),
        at: LocalTime { days_ago, ..today(12, 4) },
        piece: piece.map(str::to_owned),
        name: if id == "8f2a" { "before breakfast".into() } else { String::new() },
        mode,
        notes,
        duration: Micros(notes as i64 * 420_000),
        state,
        result,
    };
    vec![
        take("8f2c", 0, None, None, 12, TakeState::Recording, None),
        take("8f2b", 0, Some("Minuet in G"), Some(Mode::Tempo), 216, TakeState::Complete, Some((203, 216))),
        take("8f2a", 1, Some("Prelude in C"), Some(Mode::Wait), 549, TakeState::Complete, Some((549, 549))),
        take("8f29", 3, Some("Für Elise"), Some(Mode::Wait), 120, TakeState::Incomplete { lost: 14 }, None),
    ]
}

impl Sample {
    /// A person in the middle of everything.
    pub(crate) fn full() -> Self {
        let score = minuet();
        let position = 6.0 * 1440.0;
        let (marks, result) = judged(&score, Ticks(6 * 1440));
        let next = score.onset_groups(music_trainer::music::Hands::BOTH, Ticks(6 * 1440), score.end());
        let (all, whole) = judged(&score, score.end());
        let chosen = PracticeSettings {
            mode: Mode::Wait,
            tempo: music_trainer::music::Percent::new(75),
            range: Some(BarRange::new(4, 7)),
            looping: true,
            preset: Preset::Standard,
            ..PracticeSettings::default()
        };
        let next: Vec<NoteId> = next.first().map(|g| g.notes.clone()).unwrap_or_default();
        let live = next.first().map_or(0, |id| Keys::bit(score.note(*id).pitch));
        Self {
            title: "Minuet in G".into(),
            marks,
            extras: vec![Extra { tick: position - 300.0, pitch: pitch(66) }],
            next,
            bars: result.bars().copied().collect(),
            transport: Transport { chosen, playing: true, position, ..Transport::default() },
            keys: Keys { live: live | Keys::bit(pitch(66)), wrong: Keys::bit(pitch(66)), right: 0, left: 0 },
            pieces: pieces(vec![
                row("a", "Ode to Joy", "L. van Beethoven", 1, 2, Some((61, 62))),
                row("b", "Minuet in G", "C. Petzold", 2, 1, Some((203, 216))),
                row("c", "Minuet in D minor", "Anonymous", 2, -1, None),
                row("d", "Prelude in C, from the first book of the Well-Tempered Clavier", "J. S. Bach", 4, 0, None),
                row("e", "Für Elise", "L. van Beethoven", 4, 0, Some((70, 120))),
                row("f", "Gymnopédie No. 1", "E. Satie", 5, 2, None),
                row("g", "Musette", "J. S. Bach", 3, 2, None),
                file("h", "waltz", "", "scans/waltz.mid", 5),
                PieceRow {
                    tags: vec!["exam".into(), "slow".into()],
                    curve: vec![0.4, 0.55, 0.5, 0.7, 0.82, 0.8, 0.93],
                    curve_of: Some(Series {
                        mode: Mode::Tempo,
                        hand: Some(Hand::Right),
                        bars: Some(BarRange::new(8, 11)),
                    }),
                    passes: 31,
                    practised: Micros(1_860_000_000),
                    last: Some(LastResult { at: today(12, 4), right: 186, of: 200, ..LastResult::default() }),
                    best: Some(LastResult { at: today(12, 4), right: 186, of: 200, ..LastResult::default() }),
                    tempo: Some(85),
                    ..file("i", "Nocturne in E♭", "F. Chopin", "chopin/op9-2.mxl", 0)
                },
                PieceRow { missing: true, ..file("j", "Invention 8", "J. S. Bach", "bach/inv8.mid", 0) },
            ]),
            list: Selection::default(),
            folders: vec![
                FolderRow { path: "/home/ada/music".into(), files: 1_284, ..FolderRow::default() },
                FolderRow {
                    path: "/media/ada/STICK/scores".into(),
                    away: Some("there is no such file".into()),
                    ..FolderRow::default()
                },
            ],
            import: Some(Import {
                done: 412,
                of: 1_284,
                file: "/home/ada/music/bach/Bach - Invention 9, from an old edition.mid".into(),
            }),
            tally: Tally { found: 398, known: 12, refused: 2, left: 0 },
            refused: vec![
                ("/home/ada/music/broken.mid".into(), "the MIDI header at byte 0 is cut off".into()),
                ("/home/ada/music/locked.mxl".into(), "you are not allowed to read it".into()),
            ],
            takes: takes(),
            shown: Some(ResultView {
                take: "8f2b".into(),
                piece: "b".into(),
                title: "Minuet in G".into(),
                at: today(12, 4),
                chosen: PracticeSettings { mode: Mode::Tempo, range: None, looping: false, ..chosen },
                result: Arc::new(whole),
                tempo: Some(Held { held: 71.0, asked: 72.0, unit: 4 }),
            }),
            take: Some(take_view(&score, &all)),
            listening: Some(Micros(7_300_000)),
            devices: devices(),
            settings: Settings {
                soundfont: Some(PathBuf::from("/usr/share/sounds/sf2/FluidR3_GM.sf2")),
                ..Settings::default()
            },
            report: Some(report()),
            lab: Lab::default(),
            conflicts: conflicts(),
            history: history(),
            events: (1_284_700..=1_284_907).rev().map(|seq| Arc::new(Event(seq)) as Arc<dyn EventView>).collect(),
            detail: None,
            entities: (0..30)
                .map(|i| EntityRow {
                    key: format!("take/{:04x}", 0x8f00 + i),
                    version: 300 + i,
                    value: r#"{"notes":216,"piece":"minuet","state":"complete"}"#.into(),
                })
                .collect(),
            banners: Vec::new(),
            rescue: None,
            moving: false,
            undo: Some("Tempo 75 %".into()),
            score: Some(score),
        }
    }

    /// A person who has just come, on a machine without anything.
    pub(crate) fn empty() -> Self {
        Self {
            score: None,
            title: String::new(),
            marks: Vec::new(),
            extras: Vec::new(),
            next: Vec::new(),
            bars: Vec::new(),
            transport: Transport::default(),
            keys: Keys::default(),
            pieces: Vec::new(),
            list: Selection::default(),
            folders: Vec::new(),
            import: None,
            tally: Tally::default(),
            refused: Vec::new(),
            takes: Vec::new(),
            shown: None,
            take: None,
            listening: None,
            devices: Devices::default(),
            settings: Settings::default(),
            report: None,
            events: Vec::new(),
            detail: None,
            entities: Vec::new(),
            lab: Lab::default(),
            conflicts: Vec::new(),
            history: Vec::new(),
            banners: vec![Banner {
                id: 1,
                level: Level::Warn,
                text: "No sound device was found. Everything else works; plug one in and it is used at once.".into(),
                actions: vec![("Devices".into(), Command::TestTone)],
            }],
            rescue: None,
            moving: false,
            undo: None,
        }
    }

    /// The same, after an event was chosen.
    pub(crate) fn chosen() -> Self {
        Self { detail: Some(detail()), ..Self::full() }
    }

    /// The same person, with a bus on which nothing has happened.
    pub(crate) fn fresh() -> Self {
        Self { report: Some(Report::default()), ..Self::empty() }
    }

    /// Looks up what is asked for, as the program does beside the window.
    pub(crate) fn look_up(&mut self, asked: &Query) {
        let names = |of: fn(&PieceRow) -> Vec<String>| {
            let mut names: Vec<String> = self.pieces.iter().flat_map(|row| of(row)).collect();
            names.sort();
            names.dedup();
            names.into_iter().map(|name| (name, 1)).collect()
        };
        let (tags, composers) = (names(|row| row.tags.clone()), names(|row| vec![row.composer.clone()]));
        let places = self.pieces.iter().filter_map(|row| row.path.as_ref()?.parent());
        let mut folders: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for folder in places.flat_map(|place| place.ancestors().take_while(|folder| folder.starts_with(MUSIC))) {
            *folders.entry(folder.to_owned()).or_default() += 1;
        }
        let choices = Arc::new(Choices { tags, composers, folders: query::tree(folders) });
        self.list = Selection { choices, ..query::select(&self.pieces, asked) };
    }

    /// The view of it.
    pub(crate) fn view(&self) -> View<'_> {
        View {
            moving: self.moving,
            play: Play {
                piece: self.score.as_ref().map(|score| Piece {
                    id: "sample",
                    score,
                    title: &self.title,
                    composer: score.composer(),
                    grade: Some(2),
                    marks: &self.marks,
                    extras: &self.extras,
                    next: &self.next,
                    bars: &self.bars,
                }),
                transport: self.transport,
                keys: self.keys,
            },
            library: Library {
                rows: &self.pieces,
                list: Some(&self.list),
                folders: &self.folders,
                import: self.import.as_ref(),
                tally: self.tally,
                refused: &self.refused,
            },
            takes: &self.takes,
            result: self.shown.as_ref(),
            take: self.take.as_ref(),
            voice: music_trainer::practice::recital::Voice::Mine,
            listening: self.take.as_ref().zip(self.listening).map(|(take, at)| Listening {
                take: &take.id,
                at,
                voice: music_trainer::practice::recital::Voice::Mine,
            }),
            devices: &self.devices,
            settings: &self.settings,
            system_soundfont: Some(Path::new("/usr/share/sounds/sf2/TimGM6mb.sf2")),
            bus: self.report.as_ref(),
            events: Events {
                rows: &self.events,
                low: self.events.last().map_or(1, |event| event.seq()),
                end: self.report.as_ref().map_or(0, |report| report.applied),
                offset: 0,
                searching: false,
                chosen: self.detail.as_ref().map(|detail| Chosen {
                    event: &detail.event,
                    hops: hops(),
                    detail: Some(detail),
                }),
            },
            entities: &self.entities,
            past: None,
            lab: Some(&self.lab),
            conflicts: &self.conflicts,
            history: (!self.history.is_empty()).then_some(("settings/theme", &*self.history)),
            rescue: self.rescue.as_ref(),
            banners: &self.banners,
            undo: self.undo.as_deref(),
            redo: None,
        }
    }
}

/// A damaged data folder with every way out.
pub(crate) fn rescue() -> Rescue {
    let yesterday = LocalTime { days_ago: 1, year: 2026, month: 3, day: 14, hour: 18, minute: 40, second: 0 };
    let offer = |way, keeps, loses| Offer { way, keeps, loses: Some(loses), until: yesterday };
    Rescue {
        folder: "/home/clara/.local/share/music-trainer".into(),
        damage: "log 18211: the record does not fit the chain".into(),
        damages: 3,
        saving: false,
        offers: vec![
            offer(Way::Bridge, 20_411, 1),
            offer(Way::Cut, 18_210, 2_202),
            offer(Way::Backup, 17_005, 3_407),
            offer(Way::Backup, 12_288, 8_124),
        ],
    }
}
