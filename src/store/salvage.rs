//! What can still be read of a damaged data file, without LMDB: page by page, past what is damaged. Nothing is written.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::Path;

use super::env::DATA_FILE;
use super::image::{self, ImageError, Meta};
use super::open::{OpenError, env_error};
use super::pages;
use super::reader::{checked_header, keyed_row, printable, seq_of, state_row};
use super::record::{CHAIN_START, Chain, Record, link};
use super::verify::Damage;
use super::{env::EnvError, rows};
use crate::bus::storage::{DeviceId, Row, StateRow, StoredEvent, Table};

/// A data file, opened for reading only. Nobody may write into it meanwhile.
pub(super) struct Salvage {
    file: File,
    meta: Meta,
}

/// A record that parses, of which the chain is not yet known to be right.
struct Held {
    event: StoredEvent,
    /// The chain value as it should be after it.
    computed: Chain,
}

impl Salvage {
    /// Opens the data file of a folder. One of its two headers suffices; if what the newer one leads to cannot be read,
    /// the older one is tried, which is of one commit before.
    pub(super) fn open(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join(DATA_FILE);
        let located = |e| env_error(dir, EnvError::Image(e));
        let mut file = File::open(&path).map_err(|e| located(ImageError::Io(e)))?;
        let mut metas = image::metas(&mut file).map_err(located)?;
        let newest = metas.remove(0);
        let mut salvage = Self { file, meta: newest };
        if let Some(older) = metas.pop()
            && salvage.log_is_empty()
        {
            let newest = std::mem::replace(&mut salvage.meta, older);
            if salvage.log_is_empty() {
                salvage.meta = newest;
            }
        }
        Ok(salvage)
    }

    fn log_is_empty(&mut self) -> bool {
        let mut rows = 0u64;
        self.table("log", &mut |_, _| rows += 1);
        rows == 0
    }

    /// Whether nobody has written since it was opened.
    pub(super) fn is_current(&mut self) -> bool {
        image::metas(&mut self.file).is_ok_and(|metas| metas.contains(&self.meta))
    }

    fn table(&mut self, name: &str, each: &mut dyn FnMut(&[u8], &[u8])) -> Vec<Damage> {
        let errors = pages::rows(&mut self.file, &self.meta, name.as_bytes(), each);
        let damage = |error: ImageError| Damage { place: name.to_owned(), what: error.to_string() };
        errors.into_iter().map(damage).collect()
    }

    /// Hands out the events of the log that are as they were written, in order; gives what is wrong with the others. What
    /// lies between two events that do not follow each other is missing.
    pub(super) fn events(&mut self, each: &mut dyn FnMut(StoredEvent)) -> Vec<Damage> {
        let mut damages = Vec::new();
        let mut held: Option<Held> = None;
        // The record before: its number, and the chain value that it stores.
        let mut before: Option<(u64, Chain)> = Some((0, CHAIN_START));
        let mut row = |key: &[u8], bytes: &[u8]| {
            let place = seq_of(key).map_or_else(|_| format!("log {}", printable(key)), |seq| format!("log {seq}"));
            let read = seq_of(key).map_err(|e| e.to_string()).and_then(|seq| {
                let record = Record::split(bytes).map_err(|e| e.to_string())?;
                checked_header(seq, &record)?;
                Ok((seq, record, record.event().map_err(|e| e.to_string())?))
            });
            let (seq, record, event) = match read {
                Ok(read) => read,
                Err(what) => {
                    damages.push(Damage { place, what });
                    before = None;
                    return;
                }
            };
            let previous = before.filter(|(last, _)| last + 1 == seq).map(|(_, chain)| chain);
            let digest = record.payload_digest();
            if let Some(last) = held.take() {
                // Only its own chain value was wrong if this one follows what it should have been.
                if last.event.header.seq + 1 == seq && link(&last.computed, record.header, &digest) == record.chain {
                    each(last.event);
                    before = Some((seq, record.chain));
                    return each(event);
                }
                let place = format!("log {}", last.event.header.seq);
                damages.push(Damage { place, what: "the record does not fit the chain".to_owned() });
            }
            before = Some((seq, record.chain));
            match previous.map(|previous| link(&previous, record.header, &digest)) {
                Some(computed) if computed != record.chain => held = Some(Held { event, computed }),
                // After a hole there is nothing to compare with.
                _ => each(event),
            }
        };
        let mut pages = self.table("log", &mut row);
        if let Some(last) = held {
            let place = format!("log {}", last.event.header.seq);
            damages.push(Damage { place, what: "the record does not fit the chain".to_owned() });
        }
        damages.append(&mut pages);
        damages
    }

    /// How far the numbers after `last` go that the index by entity knows without a gap: the log may have ended with
    /// records that cannot be read. The index has no checks, so that one wild number says nothing.
    pub(super) fn indexed_after(&mut self, last: u64) -> u64 {
        let mut known = BTreeSet::new();
        self.table("by_entity", &mut |key, _| {
            known.extend(rows::parse_by_entity(key).map(|(_, _, seq)| seq).filter(|seq| *seq > last));
        });
        known.into_iter().zip(last + 1..).take_while(|(seq, next)| seq == next).last().map_or(last, |(seq, _)| seq)
    }

    /// The state, or what is wrong with it.
    pub(super) fn state(&mut self) -> Result<Vec<StateRow>, Vec<Damage>> {
        let (mut found, mut wrong) = (Vec::new(), Vec::new());
        let errors = self.table("state", &mut |key, value| match state_row(key, value) {
            Ok(row) => found.push(row),
            Err(what) => wrong.push(Damage { place: format!("state {}", printable(key)), what }),
        });
        wrong.extend(errors);
        if wrong.is_empty() { Ok(found) } else { Err(wrong) }
    }

    /// The snapshots of which all can be read.
    pub(super) fn snapshots(&mut self) -> Vec<u64> {
        /// Rows wanted and rows found.
        type Count = (Option<u64>, u64);
        let mut found: BTreeMap<u64, Count> = BTreeMap::new();
        self.table("snapshots", &mut |key, value| {
            let Some((seq, rest)) = key.split_first_chunk::<8>() else { return };
            let entry = found.entry(u64::from_be_bytes(*seq)).or_default();
            match rows::unseal("snapshots", key, value) {
                Err(_) => {}
                Ok(content) if rest.is_empty() => entry.0 = content.try_into().ok().map(u64::from_be_bytes),
                Ok(content) => entry.1 += u64::from(keyed_row(rest, content).is_ok()),
            }
        });
        let whole = |(seq, (wanted, rows)): (u64, Count)| (wanted == Some(rows)).then_some(seq);
        found.into_iter().filter_map(whole).collect()
    }

    /// The rows of one of these.
    pub(super) fn snapshot(&mut self, wanted: u64) -> Vec<StateRow> {
        let mut found = Vec::new();
        self.table("snapshots", &mut |key, value| {
            let Some((seq, rest)) = key.split_first_chunk::<8>() else { return };
            if u64::from_be_bytes(*seq) == wanted && !rest.is_empty() {
                found.extend(rows::unseal("snapshots", key, value).and_then(|content| keyed_row(rest, content)));
            }
        });
        found
    }

    /// The rows of the small tables that can be read, and what is wrong with the others.
    pub(super) fn small(&mut self) -> (Vec<Row>, Vec<Damage>) {
        let (mut found, mut damages) = (Vec::new(), Vec::new());
        for table in Table::ALL {
            let name = table.name();
            let mut wrong = Vec::new();
            let errors = self.table(name, &mut |key, value| match rows::unseal(name, key, value) {
                Ok(content) => found.push(Row { table, key: key.to_vec(), value: Some(content.to_vec()) }),
                Err(what) => wrong.push(Damage { place: format!("{name} {}", printable(key)), what }),
            });
            damages.extend(errors.into_iter().chain(wrong));
        }
        (found, damages)
    }
}

/// The machine that most of these events are of: the one that wrote the folder, unless somebody else plays more.
#[derive(Default)]
pub(super) struct Devices(HashMap<DeviceId, u64>);

impl Devices {
    pub(super) fn count(&mut self, device: DeviceId) {
        *self.0.entry(device).or_default() += 1;
    }

    pub(super) fn most(&self) -> Option<DeviceId> {
        self.0.iter().max_by_key(|(device, count)| (**count, device.0)).map(|(device, _)| *device)
    }
}
