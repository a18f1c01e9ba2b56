//! The stored form of one event: bytes in and out, and the chain that ties each record to the one before it.
//! No database here.
//!
//! A record, format 1. Integers are little-endian; a record has no padding.
//!
//! | offset | bytes | what |
//! | ---: | ---: | --- |
//! | 0 | 1 | format, 1 |
//! | 1 | 1 | flags: bit 0 *erased*; the others are 0 |
//! | 2 | 16 | chain: the first 16 bytes of BLAKE3(chain of the record before, header, digest of the payload) |
//! | 18 | 4 | length of the header, *h* |
//! | 22 | *h* | header: a MessagePack map with named fields |
//! | 22 + *h* | rest | the payload, or, when *erased*, its digest of 16 bytes |
//!
//! The digest of a payload is the first 16 bytes of its BLAKE3. The record before the first counts as sixteen zeros.
//! The chain covers the digest and not the payload, so that a payload can be erased without touching any later record.
//!
//! Header fields: `seq`, `device`, `device_seq`, `topic`, `entity`, `version`, `hlc`, `actor`, `schema`,
//! `schema_version`; where known also `base` and `cause` as `[device, device_seq]`, and `stamp` as a map of `driver`,
//! `mono`, `stream` and, where known, `frame`. Fields that a reader does not know are skipped, and are kept by erasure.

use super::header;
use crate::bus::storage::{Header, Payload, StoredEvent};

/// The format this program writes, and the highest that it reads.
pub const FORMAT: u8 = 1;
/// The flag of a record whose payload is gone.
pub const ERASED: u8 = 1;
/// Bytes before the header.
pub const PREFIX: usize = 22;

/// A value of the chain.
pub type Chain = [u8; 16];
/// What stands before the first record.
pub const CHAIN_START: Chain = [0; 16];

/// Why bytes are not a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Fewer bytes than a record must have.
    #[error("a record of {have} bytes, at least {need} needed")]
    Short {
        /// Bytes at hand.
        have: usize,
        /// Bytes needed.
        need: usize,
    },
    /// Written by a newer program, or not a record at all.
    #[error("record format {0}, this program reads {FORMAT}")]
    Format(u8),
    /// Flags that this format does not have.
    #[error("unknown record flags {0:#04x}")]
    Flags(u8),
    /// The header cannot be read.
    #[error("unreadable record header: {0}")]
    Header(String),
    /// An erased record must end with a digest of 16 bytes.
    #[error("an erased record with {0} bytes instead of its digest")]
    Stub(usize),
    /// The header does not fit its length field.
    #[error("a record header of {0} bytes")]
    TooLong(usize),
}

/// The digest that stands for a payload in the chain.
pub fn digest(payload: &[u8]) -> [u8; 16] {
    first16(&blake3::hash(payload))
}

fn first16(hash: &blake3::Hash) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&hash.as_bytes()[..16]);
    out
}

/// The chain value after a record with this header and payload digest.
pub fn link(previous: &Chain, header: &[u8], payload_digest: &[u8; 16]) -> Chain {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous).update(header).update(payload_digest);
    first16(&hasher.finalize())
}

/// Appends the record of `event` to `out` and returns its chain value, for the next.
pub fn encode(previous: &Chain, event: &StoredEvent, out: &mut Vec<u8>) -> Result<Chain, RecordError> {
    let start = out.len();
    let (flags, payload, payload_digest): (u8, &[u8], [u8; 16]) = match &event.payload {
        Payload::Bytes(bytes) => (0, bytes, digest(bytes)),
        Payload::Stub { digest } => (ERASED, digest, *digest),
    };
    out.resize(start + PREFIX, 0);
    header::write(&event.header, out);
    let header_len = out.len() - start - PREFIX;
    let header_len = u32::try_from(header_len).map_err(|_| RecordError::TooLong(header_len))?;
    let chain = link(previous, &out[start + PREFIX..], &payload_digest);
    let prefix = &mut out[start..start + PREFIX];
    prefix[0] = FORMAT;
    prefix[1] = flags;
    prefix[2..18].copy_from_slice(&chain);
    prefix[18..22].copy_from_slice(&header_len.to_le_bytes());
    out.extend_from_slice(payload);
    Ok(chain)
}

/// A record taken apart, nothing decoded yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Whether the payload is gone.
    pub erased: bool,
    /// The chain value as stored.
    pub chain: Chain,
    /// MessagePack.
    pub header: &'a [u8],
    /// The payload, or its digest when erased.
    pub payload: &'a [u8],
}

impl<'a> Record<'a> {
    /// Takes bytes apart; total.
    pub fn split(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let short = |need| RecordError::Short { have: bytes.len(), need };
        let format = *bytes.first().ok_or(short(PREFIX))?;
        if format != FORMAT {
            return Err(RecordError::Format(format));
        }
        let (prefix, rest) = bytes.split_first_chunk::<PREFIX>().ok_or(short(PREFIX))?;
        let flags = prefix[1];
        if flags & !ERASED != 0 {
            return Err(RecordError::Flags(flags));
        }
        let mut chain = CHAIN_START;
        chain.copy_from_slice(&prefix[2..18]);
        let header_len = u32::from_le_bytes([prefix[18], prefix[19], prefix[20], prefix[21]]) as usize;
        let (header, payload) = rest.split_at_checked(header_len).ok_or(short(PREFIX.saturating_add(header_len)))?;
        let erased = flags & ERASED != 0;
        if erased && payload.len() != 16 {
            return Err(RecordError::Stub(payload.len()));
        }
        Ok(Self { erased, chain, header, payload })
    }

    /// The digest that the chain covers: of the payload, or the one that is left of it.
    pub fn payload_digest(&self) -> [u8; 16] {
        match <[u8; 16]>::try_from(self.payload) {
            Ok(left) if self.erased => left,
            _ => digest(self.payload),
        }
    }

    /// Whether the stored chain value is right after `previous`.
    pub fn follows(&self, previous: &Chain) -> bool {
        self.chain == link(previous, self.header, &self.payload_digest())
    }

    /// Decodes the header; total.
    pub fn header(&self) -> Result<Header, RecordError> {
        header::read(self.header).map_err(RecordError::Header)
    }

    /// Decodes all of it; total.
    pub fn event(&self) -> Result<StoredEvent, RecordError> {
        let payload = match self.erased {
            true => Payload::Stub { digest: self.payload_digest() },
            false => Payload::Bytes(self.payload.to_vec()),
        };
        Ok(StoredEvent { header: self.header()?, payload })
    }

    /// The same record without its payload: header and chain stay byte for byte.
    pub fn erase(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(PREFIX + self.header.len() + 16);
        out.extend_from_slice(&[FORMAT, ERASED]);
        out.extend_from_slice(&self.chain);
        out.extend_from_slice(&(self.header.len() as u32).to_le_bytes());
        out.extend_from_slice(self.header);
        out.extend_from_slice(&self.payload_digest());
        out
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
pub(super) mod tests;
