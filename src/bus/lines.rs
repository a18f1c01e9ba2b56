//! A whole store as JSON lines, and back: for other programs, for repair by hand, and to outlive the database's format.
//!
//! The first line is `{"format":"music-trainer","version":1,"device":…}`; then each event in order
//! (`{"event":{…header…,"payload":"hex"}}`, or `"erased":"digest"` in place of a payload), then each row of the small
//! tables (`{"row":{"table":"cursors","key":"hex","value":"hex"}}`). The state is not written: it is the fold of the
//! events, and import makes it so. Where the log was compacted, the values of the snapshot that it now folds from follow
//! the snapshot's event (`{"value":{"entity":…,"version":…,"topic":…,"value":"hex"}}`). Numbers have up to 64 bits.

use std::io::{BufRead, Read, Write};

use serde::{Deserialize, Serialize};

use super::envelope::Name;
use super::fold::FoldError;
use super::json::hex;
use super::model::Model;
use super::rebuild::{Rebuild, RebuildError};
use super::rows;
use super::storage::{
    DeviceId, EventId, Header, Payload, Row, StateRow, Storage, StorageError, StorageReader, StoredEvent, Table,
};
use crate::time::Stamp;

/// What the first line says that it is.
const FORMAT: &str = "music-trainer";
/// The version that is written, and the newest that is read.
const VERSION: u32 = 1;
/// Bytes of a line at most: an event's payload is bounded, and so is what is read at a time.
pub const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Events read or committed at a time.
const EVENTS: usize = 1_024;
/// Why an export or an import stopped.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    /// A line is not what it should be.
    #[error("line {line}: {what}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The events contradict each other.
    #[error("line {line}: {error}")]
    Fold {
        /// The line's number, from 1.
        line: u64,
        /// How.
        error: FoldError,
    },
    /// The store cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The text cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Event(Box<EventLine>),
    Value(ValueLine),
    Row(RowLine),
    #[serde(untagged)]
    Begin(Begin),
}

#[derive(Serialize, Deserialize)]
struct Begin {
    format: String,
    version: u32,
    device: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventLine {
    seq: u64,
    id: EventId,
    topic: Name,
    entity: Name,
    version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base: Option<EventId>,
    hlc: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stamp: Option<Stamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<EventId>,
    actor: Name,
    schema: Name,
    schema_version: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    erased: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowLine {
    table: String,
    key: String,
    value: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueLine {
    entity: Name,
    version: u64,
    topic: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    bytes.filter(|_| rest.is_empty()).ok_or_else(|| "not hexadecimal".to_owned())
}

impl EventLine {
    fn of(event: StoredEvent) -> Self {
        let StoredEvent { header, payload } = event;
        let name = |text: Box<str>| Name::Owned(text.into());
        let (payload, erased) = match payload {
            Payload::Bytes(bytes) => (Some(hex(&bytes)), None),
            Payload::Stub { digest } => (None, Some(hex(&digest))),
        };
        Self {
            seq: header.seq,
            id: header.id,
            topic: name(header.topic),
            entity: name(header.entity),
            version: header.version,
            base: header.base,
            hlc: header.hlc,
            stamp: header.stamp,
            cause: header.cause,
            actor: name(header.actor),
            schema: name(header.schema),
            schema_version: header.schema_version,
            payload,
            erased,
        }
    }

    fn event(self) -> Result<StoredEvent, String> {
        let payload = match (self.payload, self.erased) {
            (Some(payload), None) => Payload::Bytes(unhex(&payload)?),
            (None, Some(digest)) => {
                let digest = unhex(&digest)?.try_into().map_err(|_| "a digest has 16 bytes".to_owned())?;
                Payload::Stub { digest }
            }
            _ => return Err("an event has a payload, or a digest if it is erased".to_owned()),
        };
        let header = Header {
            seq: self.seq,
            id: self.id,
            topic: (*self.topic).into(),
            entity: (*self.entity).into(),
            version: self.version,
            base: self.base,
            hlc: self.hlc,
            stamp: self.stamp,
            cause: self.cause,
            actor: (*self.actor).into(),
            schema: (*self.schema).into(),
            schema_version: self.schema_version,
        };
        Ok(StoredEvent { header, payload })
    }
}

fn write(out: &mut dyn Write, line: &Line) -> Result<(), LinesError> {
    serde_json::to_writer(&mut *out, line).map_err(std::io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}

/// Writes a store of a machine; gives how many events. Nobody may write into it meanwhile, since log and rows must be of
/// one moment: of a store at work a copy is exported.
///
/// # Errors
/// The store cannot be read, or the text not written.
pub fn export(reader: &dyn StorageReader, device: DeviceId, out: &mut dyn Write) -> Result<u64, LinesError> {
    let end = reader.last()?.seq;
    write(out, &Line::Begin(Begin { format: FORMAT.to_owned(), version: VERSION, device: device.0 }))?;
    let compacted = rows::compacted(reader)?;
    let mut rows = Vec::new();
    for table in Table::ALL {
        rows.extend(reader.rows(table, &[])?);
    }
    let mut next = 1;
    while next <= end {
        let events = reader.events(next, EVENTS)?;
        let Some(last) = events.last() else { break };
        next = last.header.seq + 1;
        for event in events.into_iter().filter(|event| event.header.seq <= end) {
            let seq = event.header.seq;
            write(out, &Line::Event(Box::new(EventLine::of(event))))?;
            if seq == compacted {
                export_values(reader, seq, out)?;
            }
        }
    }
    for Row { table, key, value } in rows {
        let value = hex(&value.unwrap_or_default());
        write(out, &Line::Row(RowLine { table: table.name().to_owned(), key: hex(&key), value }))?;
    }
    Ok(end)
}

fn export_values(reader: &dyn StorageReader, seq: u64, out: &mut dyn Write) -> Result<(), LinesError> {
    let mut values = Vec::new();
    reader.snapshot(seq, &mut |row| values.push(row))?;
    for StateRow { entity, version, topic, value, .. } in values {
        let name = |text: Box<str>| Name::Owned(text.into());
        let value = value.map(|value| hex(&value));
        write(out, &Line::Value(ValueLine { entity: name(entity), version, topic: name(topic), value }))?;
    }
    Ok(())
}

/// One line, bounded; nothing at the end.
fn read_line(input: &mut dyn BufRead, line: u64) -> Result<Option<Vec<u8>>, LinesError> {
    let mut text = Vec::new();
    input.take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut text)?;
    if text.len() > LINE_BYTES_MAX {
        return Err(LinesError::Line { line, what: format!("more than {LINE_BYTES_MAX} bytes") });
    }
    Ok((!text.is_empty()).then_some(text))
}

/// The machine that a text comes from, out of its first line.
///
/// # Errors
/// It cannot be read, or is something else or newer.
pub fn device(input: &mut dyn BufRead) -> Result<DeviceId, LinesError> {
    let wrong = |what: &str| LinesError::Line { line: 1, what: what.to_owned() };
    let text = read_line(input, 1)?.ok_or_else(|| wrong("the file is empty"))?;
    match serde_json::from_slice(&text) {
        Ok(Begin { format, version, device }) if format == FORMAT => match version {
            VERSION => Ok(DeviceId(device)),
            newer => Err(wrong(&format!("version {newer}; this program reads {VERSION}"))),
        },
        _ => Err(wrong("this is no export of this program")),
    }
}

/// Reads what follows the first line into an empty store of that machine; gives how many events. The state is folded
/// anew.
///
/// # Errors
/// A line that is no event or row, events that contradict each other, each with the line; or the disk fails. What was
/// read before that is in the store: the caller makes a new one, and throws it away.
pub fn import<M: Model>(input: &mut dyn BufRead, storage: &mut dyn Storage) -> Result<u64, LinesError> {
    let reader = storage.reader();
    let mut rebuild = Rebuild::<M>::new(storage)?;
    let mut line = 1;
    loop {
        line += 1;
        let wrong = |what: String| LinesError::Line { line, what };
        let located = |error| match error {
            RebuildError::Fold(error) => LinesError::Fold { line, error },
            RebuildError::Value(what) => LinesError::Line { line, what },
            RebuildError::Storage(error) => LinesError::Storage(error),
        };
        let Some(text) = read_line(input, line)? else { break };
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))? {
            Line::Begin(_) => return Err(wrong("another beginning".to_owned())),
            Line::Event(event) => rebuild.event(event.event().map_err(wrong)?).map_err(located)?,
            Line::Value(ValueLine { entity, version, topic, value }) => {
                let made = rebuild.folded().entities.get(&*entity).map_or(0, |entity| entity.version);
                if made != version {
                    let what = format!("version {version} of {}, and its events made {made}", &*entity);
                    return Err(wrong(what));
                }
                let value = value.as_deref().map(unhex).transpose().map_err(wrong)?;
                rebuild.value(&entity, &topic, value.as_deref()).map_err(located)?;
            }
            Line::Row(row) => {
                let table = Table::ALL.into_iter().find(|table| table.name() == row.table);
                let table = table.ok_or_else(|| wrong(format!("no table is called {:?}", row.table)))?;
                let (key, value) = (unhex(&row.key).map_err(wrong)?, unhex(&row.value).map_err(wrong)?);
                rebuild.row(Row { table, key, value: Some(value) });
            }
        }
    }
    let folded = rebuild.finish().map_err(|error| LinesError::Line { line, what: error.to_string() })?;
    let end = folded.end.seq;
    let compacted = rows::compacted(&*reader)?;
    if compacted > 0 && !reader.snapshots()?.contains(&compacted) {
        let what = format!("the log is compacted up to event {compacted}, and no values follow that");
        return Err(LinesError::Line { line, what });
    }
    for saved in rows::subscribers(&*reader)? {
        if saved.cursor.next > end + 1 {
            let what = format!("the cursor of {:?} is at {}, and the log ends at {end}", saved.name, saved.cursor.next);
            return Err(LinesError::Line { line, what });
        }
    }
    Ok(end)
}
