//! What is done with any bytes, by the fuzzer and, on the corpus, by `tests/fuzz_corpus.rs`: every decoder of the store
//! and the bus, the readers of scores, and SoundFonts. No bytes panic; what is read is written again and read the same.
//! Each says whether the bytes were read.

use std::io::{BufReader, Cursor};
use std::path::Path;

use music_trainer::audio::instrument::{Instrument, Part, Pedal};
use music_trainer::audio::soundfont::{Font, Progress};
use music_trainer::bus::core::{Core, Effects, Input, Now, Setup};
use music_trainer::bus::lines;
use music_trainer::bus::storage::{Batch, Header, Payload, Row, StateRow, Storage, StoredEvent, Table};
use music_trainer::bus::testing::check_fold;
use music_trainer::bus::{
    Decoded, DeviceId, EntityKey, Envelope, EventId, Filter, Health, MemoryStorage, Model, Start, State, Versioned,
    fold, load, rows as bus_rows,
};
use music_trainer::formats;
use music_trainer::model::{Entity, Trainer};
use music_trainer::music::Pitch;
use music_trainer::store::record::{self, CHAIN_START, Record};
use music_trainer::store::rows as store_rows;
use music_trainer::time::{Micros, Rate, Stamp, Ticks};

const DEVICE: DeviceId = DeviceId(7);
/// What keys of entities begin with.
const KINDS: [&str; 11] = [
    "settings",
    "piece",
    "score",
    "recorder",
    "take",
    "result",
    "conflicts",
    "device",
    "of a newer program",
    "folder",
    "connection",
];

/// The topics by their place in the corpus: a new one goes to the end, else what is there means something else.
pub(crate) const TOPICS: [&str; 32] = [
    "setting.changed",
    "piece.opened",
    "piece.forgotten",
    "practice.chosen",
    "hands.chosen",
    "piece.tagged",
    "piece.untagged",
    "practise.counted",
    "piece.found",
    "folder.chosen",
    "score.stored",
    "recorder.pointed",
    "take.started",
    "note.played",
    "notes.lost",
    "latency.changed",
    "transport.moved",
    "verdict.given",
    "take.ended",
    "take.named",
    "take.discarded",
    "result.recorded",
    "device.connected",
    "device.lost",
    "device.chosen",
    "device.calibrated",
    "output.chosen",
    "entity.erased",
    "edits.met",
    "edit.leased",
    "sound.interrupted",
    "connection.chosen",
];

/// A record: format byte, flags, chain, header, payload.
pub(crate) fn record(data: &[u8]) -> bool {
    let Ok(found) = Record::split(data) else { return false };
    found.follows(&CHAIN_START);
    let stub = found.erase();
    let erased = Record::split(&stub).expect("what was erased is a record");
    assert!(erased.erased && erased.header == found.header && erased.chain == found.chain);
    assert_eq!(erased.payload_digest(), found.payload_digest(), "the chain stays whole");
    let Ok(event) = found.event() else { return false };
    let mut written = Vec::new();
    let chain = record::encode(&CHAIN_START, &event, &mut written).expect("what was read is written");
    let again = Record::split(&written).expect("what was written is a record");
    assert_eq!(again.event(), Ok(event));
    assert!(again.chain == chain && again.follows(&CHAIN_START));
    true
}

/// A value of a table, by the first byte: as it stands, as the content of a state row, and as a row that a bus finds
/// when it starts.
pub(crate) fn rows(data: &[u8]) -> bool {
    let Some((place, rest)) = data.split_first() else { return false };
    store_rows::unseal("state", b"take/a\0", rest).ok();
    store_rows::parse_by_entity(rest);
    let mut sealed = Vec::new();
    store_rows::seal("state", b"take/a\0", rest, &mut sealed);
    assert_eq!(store_rows::unseal("state", b"take/a\0", &sealed), Ok(rest));
    let mut batch = Batch::default();
    match Table::ALL.get(usize::from(*place)) {
        Some(table) => {
            let key = match table {
                Table::Cursors => b"sub\0".to_vec(),
                Table::Meta => b"peer/\0\0\0\0\0\0\0\x09".to_vec(),
                _ => [b"sub\0".as_slice(), &[0, 0, 0, 0, 0, 0, 0, 1]].concat(),
            };
            batch.rows.push(Row { table: *table, key, value: Some(rest.to_vec()) });
        }
        None => {
            let Ok(row) = store_rows::decode_state(rest) else { return false };
            let mut written = Vec::new();
            store_rows::encode_state(&row, &mut written).expect("what was read is written");
            assert_eq!(store_rows::decode_state(&written), Ok(row.clone()));
            batch.state.push(row);
        }
    }
    starts(batch)
}

/// Starts a core on a store that holds this and one event, with a subscriber; whether it could be loaded.
fn starts(mut batch: Batch) -> bool {
    let mut storage = MemoryStorage::new();
    let payload = Payload::Bytes(Vec::new());
    let event = StoredEvent { header: header(1, "take/b", "a.newer.topic", 1), payload };
    let (entity, topic, last) = ("take/b".into(), "a.newer.topic".into(), event.header.id);
    batch.state.push(StateRow { entity, version: 1, last, topic, value: None });
    batch.events.push(event);
    storage.commit(&batch).expect("a store in memory takes anything");
    let reader = storage.reader();
    let letters = bus_rows::dead_letters(&*reader).expect("readable").len();
    bus_rows::reports(&*reader, 1).expect("readable");
    let (Ok(folded), Ok(saved)) = (load::load::<Trainer>(&*reader), bus_rows::subscribers(&*reader)) else {
        return false;
    };
    let known = saved.len() + letters + folded.numbers.len() + folded.entities.len();
    let (rest, buffer) = (Health::Ok, (1_000, 1_000_000));
    let mut core: Core<Trainer, ()> = Core::new(Setup {
        device: DEVICE,
        folded,
        saved,
        rest,
        buffer,
        commit_events: 100,
        snapshot_events: 50,
        seed: 1,
    });
    let (mut now, mut fx) = (Now::default(), Effects::default());
    let subscribe = Input::Subscribe { name: "sub".into(), filter: Filter::all(), start: Start::Beginning };
    core.step(now, subscribe, &mut fx);
    for _ in 0..3 {
        now.mono += Micros(60_000_000);
        core.step(now, Input::Tick, &mut fx);
        if fx.commit.take().is_some() {
            core.step(now, Input::Committed, &mut fx);
        }
    }
    core.subscribers_seen();
    known > 1
}

/// Events of one entity: its kind, then for each the place of its topic, the length of its payload, and the payload.
pub(crate) fn events(data: &[u8]) -> bool {
    let Some((kind, mut rest)) = data.split_first() else { return false };
    let kind = KINDS[usize::from(*kind) % KINDS.len()];
    let key = EntityKey::new(&format!("{kind}/a"));
    let (mut current, mut known): (Option<Versioned<Trainer>>, bool) = (None, false);
    for version in 1.. {
        let Some((&[place, length], more)) = rest.split_first_chunk::<2>() else { break };
        let (payload, more) = more.split_at(usize::from(length).min(more.len()));
        rest = more;
        // One in so many is of a topic that this program does not know.
        let topic = TOPICS.get(usize::from(place) % (TOPICS.len() + 1)).copied().unwrap_or("a.newer.topic");
        let payload = Payload::Bytes(payload.to_vec());
        let stored = StoredEvent { header: header(version, key.as_str(), topic, version), payload };
        let envelope = Envelope::<Trainer>::from_stored(stored.clone());
        assert_eq!(envelope.to_stored(), stored, "nothing is dropped");
        if let Some(event) = envelope.event() {
            known = true;
            let topic = Trainer::topic(event);
            let bytes = Trainer::encode(event);
            match Trainer::decode(topic.schema, topic.schema_version, &bytes) {
                Ok(Decoded::Known(again)) => assert_eq!(Trainer::encode(&again), bytes, "{event:?}"),
                other => panic!("{event:?} became {other:?}"),
            }
            Trainer::check(&key, event, current.as_ref().and_then(|current| current.value.as_ref())).ok();
        }
        current = Some(fold::apply(&envelope, current.as_ref()));
    }
    if let Some(value) = current.and_then(|current| current.value).filter(|value| is_of(kind, value)) {
        let bytes = Trainer::encode_entity(&key, &value);
        let again = Trainer::decode_entity(&key, &bytes).expect("what was written is read");
        assert_eq!(Trainer::encode_entity(&key, &again), bytes, "{value:?}");
    }
    known
}

fn is_of(kind: &str, value: &Entity) -> bool {
    match value {
        Entity::Gone => true,
        Entity::Setting(_) => kind == "settings",
        Entity::Piece(_) => kind == "piece",
        Entity::Folder(_) => kind == "folder",
        Entity::Connection(_) => kind == "connection",
        Entity::Score(_) => kind == "score",
        Entity::Recorder(_) => kind == "recorder",
        Entity::Take(_) => kind == "take",
        Entity::Result(_) => kind == "result",
        Entity::Conflicts(_) => kind == "conflicts",
        Entity::Device(_) => kind == "device",
        Entity::Lease(_) => kind == "lease",
    }
}

fn header(seq: u64, entity: &str, topic: &str, version: u64) -> Header {
    Header {
        seq,
        id: EventId { device: DEVICE, device_seq: seq },
        topic: topic.into(),
        entity: entity.into(),
        version,
        base: None,
        hlc: seq << 16,
        stamp: Some(Stamp::at(Micros(seq as i64 * 1_000))),
        cause: None,
        actor: "recorder".into(),
        schema: topic.into(),
        schema_version: 1,
    }
}

/// A store as JSON lines: what is read is written, read and written again the same, and its state is its fold.
pub(crate) fn lines(data: &[u8]) -> bool {
    let Some((device, storage)) = import(data) else { return false };
    let export = |device, storage: &MemoryStorage| {
        let mut text = Vec::new();
        lines::export(&*storage.reader(), device, &mut text).expect("what was read is written");
        text
    };
    let text = export(device, &storage);
    let (device, again) = import(&text).expect("what was written is read");
    assert_eq!(export(device, &again), text);
    let reader = storage.reader();
    let folded = load::fold_log::<Trainer>(&*reader).expect("what was read is whole");
    check_fold(&*reader, &State::from_entities(&folded.entities)).expect("the state is the fold of the log");
    true
}

fn import(text: &[u8]) -> Option<(DeviceId, MemoryStorage)> {
    let mut input = BufReader::new(text);
    let device = lines::device(&mut input).ok()?;
    let mut storage = MemoryStorage::new();
    lines::import::<Trainer>(&mut input, &mut storage).ok()?;
    Some((device, storage))
}

/// A score of any format, and a take: what is read is written as a file that is read again.
pub(crate) fn score(data: &[u8]) -> bool {
    formats::smf::read_performance(data).ok();
    let Ok(reading) = formats::read("a.mid", data) else { return false };
    let written = formats::smf::write_score(&reading.score);
    formats::read("b.mid", &written).expect("what was written is read");
    true
}

/// Programs of a font that are played; what a key may have to look through is the same for each.
const PROGRAMS: usize = 3;

/// A SoundFont, plain or compressed: what is read is played, with all that a player can do, in blocks of any length.
pub(crate) fn font(data: &[u8]) -> bool {
    let Ok(font) = Font::read(Cursor::new(data), Path::new("a.sf2"), &Progress::default()) else { return false };
    let mut instrument = font.instrument(Rate::DEFAULT, 0, 440.0).expect("a rate that it plays at");
    let mut block = [vec![0.0; 700], vec![0.0; 700]];
    let mut render = |instrument: &mut dyn Instrument, frames: usize| {
        let [left, right] = &mut block;
        instrument.render(&mut left[..frames], &mut right[..frames]);
        assert!(left[..frames].iter().chain(&right[..frames]).all(|sample| sample.is_finite()));
    };
    let programs = font.presets().filter_map(|(_, program, _)| u8::try_from(program).ok());
    for program in programs.chain([127]).take(PROGRAMS) {
        instrument.program(Part::LIVE, program);
        for (key, velocity, frames) in [(0, 127, 1), (41, 1, 31), (60, 100, 64), (84, 64, 257), (127, 127, 700)] {
            instrument.note_on(Part::LIVE, Pitch::new(key).expect("a key"), velocity);
            render(&mut instrument, frames);
        }
        instrument.pressure(Part::LIVE, 127);
        instrument.bend(Part::LIVE, if program % 2 == 0 { 2_400.0 } else { -2_400.0 });
        instrument.pedal(Part::LIVE, Pedal::Sustain(127));
        instrument.note_off(Part::LIVE, Pitch::MIDDLE_C);
        render(&mut instrument, 700);
        instrument.pedal(Part::LIVE, Pedal::Sustain(0));
        (0..128).filter_map(Pitch::new).for_each(|pitch| instrument.note_off(Part::LIVE, pitch));
        render(&mut instrument, 700);
    }
    instrument.silence(Part::LIVE);
    render(&mut instrument, 700);
    true
}

/// MusicXML: the page is whole, what is played stands on it, and it is written as a MIDI file that is read again.
pub(crate) fn musicxml(data: &[u8]) -> bool {
    let Ok(reading) = formats::musicxml::read(data) else { return false };
    let score = &reading.score;
    let page = score.notation().expect("a page");
    let mut now = Ticks::ZERO;
    for passage in &page.passages {
        assert_eq!(passage.start, now, "passages follow one another");
        let measure = &page.measures[passage.measure as usize];
        now += measure.length;
        for chord in &measure.chords {
            assert!(usize::from(chord.staff) < page.staves.len());
            assert!(chord.heads.is_sorted_by_key(|head| head.pitch.diatonic()), "from below");
        }
    }
    assert!(page.spans.iter().all(|span| span.from.0 <= span.to.0 && (span.to.0 as usize) < page.measures.len()));
    assert!(score.notes().iter().all(|note| note.onset >= Ticks::ZERO && note.end > note.onset));
    let written = formats::smf::write_score(score);
    formats::read("b.mid", &written).expect("what was written is read");
    true
}
