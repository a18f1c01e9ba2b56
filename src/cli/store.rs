//! What a data folder holds: `inspect`, `log`, `verify`, `backup` and `export` read beside a running program and never
//! take its lock; `restore` and `import` make a folder.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::bus::inspect::{SubscriberReport, event_json};
use crate::bus::load::{self, Difference};
use crate::bus::storage::{EventId, StateRow, StorageReader, StoredEvent};
use crate::bus::{Envelope, lines, rows};
use crate::model::Trainer;
use crate::store::{self, LmdbReader, Offer, OpenOptions, Recovered, Way};

use super::CliError;

/// Events read at a time.
const READ: usize = 4_096;

fn open(dir: &Path) -> Result<LmdbReader, CliError> {
    store::open_read_only(dir).map_err(CliError::of)
}

fn each_event(
    reader: &LmdbReader,
    from: u64,
    mut each: impl FnMut(StoredEvent) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut next = from.max(1);
    loop {
        let events = reader.events(next, READ).map_err(CliError::of)?;
        let Some(last) = events.last() else { return Ok(()) };
        next = last.header.seq + 1;
        events.into_iter().try_for_each(&mut each)?;
    }
}

/// Prints the events from `from` on, a line each.
///
/// # Errors
/// A folder that cannot be opened, a damaged record, an output that is closed.
pub fn log(dir: &Path, from: u64, json: bool, out: &mut dyn Write) -> Result<(), CliError> {
    let reader = open(dir)?;
    let mut first = true;
    if json {
        write!(out, "[")?;
    }
    each_event(&reader, from, |stored| {
        let envelope = Envelope::<Trainer>::from_stored(stored);
        let value = event_json(&envelope);
        if json {
            let comma = if std::mem::take(&mut first) { "" } else { "," };
            write!(out, "{comma}\n{value}")?;
        } else {
            let payload = value.get("payload").cloned().unwrap_or(Value::Null);
            let (seq, topic, entity) = (envelope.seq, &envelope.topic, &envelope.entity);
            writeln!(out, "{seq:>8}  {topic:<18} {entity:<28} v{:<6} {payload}", envelope.version)?;
        }
        Ok(())
    })?;
    if json {
        writeln!(out, "\n]")?;
    }
    Ok(())
}

/// Checks every record, the chain, the versions and the indexes, folds the log and compares with the state.
///
/// # Errors
/// A folder that cannot be opened, or anything that is damaged, with its place.
pub fn verify(dir: &Path, out: &mut dyn Write) -> Result<(), CliError> {
    let reader = open(dir)?;
    let verified = store::verify(&reader, &mut |_, _| {}).map_err(CliError::of)?;
    for damage in &verified.damages {
        writeln!(out, "damaged: {}: {}", damage.place, damage.what)?;
    }
    let places = verified.damages.len() as u64 + verified.more;
    if places > 0 {
        return Err(CliError::new(format!("{places} damaged places")));
    }
    let (differences, snapshots) = load::compare::<Trainer>(&reader).map_err(CliError::of)?;
    for Difference { snapshot, entity } in &differences {
        let place = snapshot.map_or_else(|| "the state".to_owned(), |seq| format!("the snapshot of event {seq}"));
        writeln!(out, "differs: {entity} in {place} is not what its events fold into")?;
    }
    if !differences.is_empty() {
        return Err(CliError::new(format!("{} differences", differences.len())));
    }
    let (events, entities) = (verified.events, verified.entities);
    write!(out, "whole: {events} events in one chain, {entities} entities as the events fold")?;
    writeln!(out, "{}", if snapshots > 0 { format!(", {snapshots} snapshots") } else { String::new() })?;
    Ok(())
}

/// Makes a compact copy of a data folder, also of one in use.
///
/// # Errors
/// A folder that cannot be opened, or a copy that cannot be written.
pub fn backup(dir: &Path, to: &Path, out: &mut dyn Write) -> Result<(), CliError> {
    let reader = open(dir)?;
    let bytes = store::backup(&reader, to).map_err(CliError::of)?;
    writeln!(out, "{bytes} bytes in {}", to.display())?;
    Ok(())
}

/// Puts a copy in the place of a data folder.
///
/// # Errors
/// A copy that is damaged, a folder that is in use, a disk that fails.
pub fn restore(from: &Path, dir: &Path, out: &mut dyn Write) -> Result<(), CliError> {
    let restored = store::restore(from, dir).map_err(CliError::of)?;
    writeln!(out, "{} bytes in {}", restored.bytes, dir.display())?;
    if let Some(before) = restored.before {
        writeln!(out, "what was there is in {}", before.display())?;
    }
    Ok(())
}

/// Lists what can be done for a damaged data folder, or does one of it.
///
/// # Errors
/// A folder of which nothing can be read, a number that is not in the list, a folder that is in use, a disk that fails.
pub fn recover(dir: &Path, number: Option<usize>, out: &mut dyn Write) -> Result<(), CliError> {
    let found = store::diagnose(dir).map_err(CliError::of)?;
    let Some(number) = number else {
        for damage in &found.damages {
            writeln!(out, "damaged: {damage}")?;
        }
        if found.damages.is_empty() {
            writeln!(out, "everything can be read")?;
        }
        for (index, offer) in found.offers.iter().enumerate() {
            writeln!(out, "{}  {}", index + 1, in_words(offer))?;
        }
        return match found.offers.is_empty() {
            true => Err(CliError::new(format!(
                "{}: nothing in it can be read, and it has no backup that can",
                dir.display()
            ))),
            false => Ok(()),
        };
    };
    let offer = number.checked_sub(1).and_then(|index| found.offers.get(index));
    let offer = offer.ok_or_else(|| CliError::new(format!("there is no way out number {number}")))?;
    let Recovered { events, before } = store::recover::<Trainer>(dir, &offer.way).map_err(CliError::of)?;
    writeln!(out, "{events} events kept in {}", dir.display())?;
    if let Some(before) = before {
        writeln!(out, "the damaged folder is kept as {}", before.display())?;
    }
    Ok(())
}

fn in_words(offer: &Offer) -> String {
    let until = jiff::Timestamp::from_millisecond(offer.until.0).map_or_else(|_| String::new(), |at| at.to_string());
    let way = match &offer.way {
        Way::Rebuild => "make it anew from its log".to_owned(),
        Way::Bridge => "leave out what is damaged".to_owned(),
        Way::Cut => format!("keep everything up to {until}"),
        Way::Backup(path) => format!("go back to {}", path.display()),
        Way::Afresh => "begin with an empty folder".to_owned(),
    };
    let lost = match offer.loses {
        None => "what came later is lost".to_owned(),
        Some(1) => "1 is lost".to_owned(),
        Some(loses) => format!("{loses} are lost"),
    };
    format!("{way}: {} events are kept, {lost}", offer.keeps)
}

/// Writes everything that a data folder holds as JSON lines into a new file. It is read from a copy, so that all of it is of
/// one moment while the program goes on.
///
/// # Errors
/// A folder that cannot be opened, a file that exists or cannot be written.
pub fn export(dir: &Path, to: &Path, out: &mut dyn Write) -> Result<(), CliError> {
    let reader = open(dir)?;
    let place = |what: &dyn std::fmt::Display| CliError::new(format!("{}: {what}", to.display()));
    let file = File::create_new(to).map_err(|e| place(&e))?;
    let mut file = BufWriter::new(file);
    let scratch = to.with_added_extension("copy");
    let copied = store::backup(&reader, &scratch).map_err(CliError::of).and_then(|_| open(&scratch));
    let copy = match copied {
        Ok(copy) => copy,
        Err(error) => {
            let _ = std::fs::remove_file(to);
            return Err(error);
        }
    };
    let written = lines::export(&copy, reader.device(), &mut file)
        .and_then(|events| file.flush().and_then(|()| file.get_ref().sync_all()).map(|()| events).map_err(Into::into));
    drop(copy);
    let _ = std::fs::remove_dir_all(&scratch);
    match written {
        Ok(events) => writeln!(out, "{events} events in {}", to.display())?,
        Err(error) => {
            // Half an export helps nobody; the error that matters is the first one.
            let _ = std::fs::remove_file(to);
            return Err(place(&error));
        }
    }
    Ok(())
}

/// Makes a new data folder from an export.
///
/// # Errors
/// A text that is damaged, with the line; a folder that exists already; a disk that fails.
pub fn import(from: &Path, dir: &Path, out: &mut dyn Write) -> Result<(), CliError> {
    let place = |what: &dyn std::fmt::Display| CliError::new(format!("{}: {what}", from.display()));
    let mut file = BufReader::new(File::open(from).map_err(|e| place(&e))?);
    let device = lines::device(&mut file).map_err(|e| place(&e))?;
    if dir.symlink_metadata().is_ok() {
        return Err(CliError::new(format!("{} exists already", dir.display())));
    }
    let options = OpenOptions { device: Some(device), ..OpenOptions::default() };
    let mut opened = store::open(dir, options).map_err(CliError::of)?;
    let read = lines::import::<Trainer>(&mut file, &mut opened.storage);
    drop(opened);
    match read {
        Ok(events) => writeln!(out, "{events} events in {}", dir.display())?,
        Err(error) => {
            // The folder is new and ours; the error that matters is the first one.
            let _ = std::fs::remove_dir_all(dir);
            return Err(place(&error));
        }
    }
    Ok(())
}

/// Shows watermarks, topics, entities, subscribers and sizes.
///
/// # Errors
/// A folder that cannot be opened, a damaged record, an output that is closed.
pub fn inspect(dir: &Path, json: bool, out: &mut dyn Write) -> Result<(), CliError> {
    let reader = open(dir)?;
    let document = inspect_document(&reader)?;
    if json {
        writeln!(out, "{document:#}")?;
        return Ok(());
    }
    for name in ["applied", "durable", "events", "entities", "dead_letters", "conflicts", "health"] {
        writeln!(out, "{name:<14} {}", plain(&document[name]))?;
    }
    writeln!(out, "{:<14} {}", "store", document["store"])?;
    for (title, key) in [("topics", "topics"), ("subscribers", "subscribers")] {
        writeln!(out, "{title}")?;
        for row in document[key].as_array().into_iter().flatten() {
            writeln!(out, "  {row}")?;
        }
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What the log itself tells: how many events of each topic, and how many edits did not know of the one before.
#[derive(Default)]
struct LogFacts {
    events: u64,
    topics: BTreeMap<String, u64>,
    conflicts: u64,
    last: HashMap<Box<str>, EventId>,
}

impl LogFacts {
    fn take(&mut self, stored: StoredEvent) {
        let header = stored.header;
        self.events += 1;
        *self.topics.entry(header.topic.into_string()).or_default() += 1;
        let before = self.last.insert(header.entity, header.id);
        self.conflicts += u64::from(header.base.is_some() && header.base != before);
    }
}

fn inspect_document(reader: &LmdbReader) -> Result<Value, CliError> {
    let end = reader.last().map_err(CliError::of)?;
    let mut log = LogFacts::default();
    each_event(reader, 1, |stored| {
        log.take(stored);
        Ok(())
    })?;
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    let mut count = |row: StateRow| {
        let kind = row.entity.split('/').next().unwrap_or_default().to_owned();
        *kinds.entry(kind).or_default() += 1;
    };
    reader.state(&mut count).map_err(CliError::of)?;
    let dead = rows::dead_letters(reader).map_err(CliError::of)?.len();
    let subscribers = rows::reports(reader, end.seq).map_err(CliError::of)?;
    let size = reader.size().map_err(CliError::of)?;
    Ok(json!({
        "applied": end.seq,
        "durable": end.seq,
        "events": log.events,
        "entities": kinds.values().sum::<u64>(),
        "kinds": kinds,
        "topics": log.topics.iter().map(|(name, count)| json!({ "name": name, "events": count })).collect::<Vec<_>>(),
        "subscribers": subscribers.iter().map(subscriber).collect::<Vec<_>>(),
        "dead_letters": dead,
        "conflicts": log.conflicts,
        "store": { "bytes": size.bytes, "map_used": size.map_used, "schema_version": store::STORE_FORMAT },
        // From outside nobody sees what a running program has not written yet; what is written could be read.
        "health": "readable",
    }))
}

fn subscriber(report: &SubscriberReport) -> Value {
    json!({
        "name": report.name,
        "acked": report.acked,
        "lag": report.lag,
        "pending": report.pending,
        "redelivered": report.redelivered,
        "parked": report.parked,
    })
}
