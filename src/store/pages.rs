//! A walk over the data file's pages with ordinary reads, before LMDB maps them: LMDB trusts its pages, and one
//! changed byte in them can end the program. After the walk it cannot, for the pages walked.
//!
//! | offset in a page | bytes | what |
//! | ---: | ---: | --- |
//! | 0 | 8 | its own number |
//! | 10 | 2 | flags: 1 branch, 2 leaf, 4 overflow |
//! | 12, 14 | 2, 2 | ends of the pointers and begin of the nodes; in an overflow page one u32, its pages |
//! | 16 | 2 each | where the nodes are, in key order |
//!
//! A node is `lo, hi, flags, key length` (u16 each), key, data. In a branch, the child is `lo | hi << 16 | flags << 32`;
//! in a leaf, `lo | hi << 16` is the length of the data, which flag 1 puts on overflow pages and flag 2 makes a table.
//! A table is 48 bytes: pad u32, flags u16, depth u16, branch, leaf and overflow pages, entries, root (u64 each).

use std::cmp::Ordering;
use std::fs::File;

use super::image::{ImageError, Meta};

/// How much to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Everything but most leaves of the two large tables: a hundredth of a large store. A program that reads the
    /// others may still be ended by one of them; what it needs to start and to go on is safe.
    Inner,
    /// Every page in use.
    All,
}

const BRANCH: u16 = 1;
const LEAF: u16 = 2;
const OVERFLOW: u16 = 4;
/// LMDB marks pages of a transaction under way; what is on disk may keep the mark.
const DIRTY: u16 = 0x10;
const BIG_DATA: u16 = 1;
const SUB_TABLE: u16 = 2;
const INTEGER_KEY: u16 = 8;
const PAGE_HEADER: usize = 16;
const NODE_HEADER: usize = 8;
const TABLE: usize = 48;
const KEY_MAX: usize = 511;
/// LMDB's own bound of a tree's height.
const HEIGHT_MAX: u16 = 32;
/// The root of an empty table.
const NO_PAGE: u64 = u64::MAX;
/// Tables of which [`Depth::Inner`] leaves most leaves out.
const LARGE: [&[u8]; 2] = [b"log", b"by_entity"];

/// Walks the pages that `meta`, the newer one, leads to.
pub(super) fn walk(file: &mut File, meta: &Meta, depth: Depth) -> Result<(), ImageError> {
    let mut walk = Walk::new(file, meta, depth)?;
    let main = Tree { kind: Kind::Main, ..Tree::parse(&meta.tables[TABLE..], 0)? };
    walk.tree(&main)?;
    // Last, because a free page that is also in use is found then.
    let free = Tree { kind: Kind::Free, ..Tree::parse(&meta.tables[..TABLE], INTEGER_KEY)? };
    walk.tree(&free)
}

/// Goes through the rows of one table in key order, past pages that cannot be read; gives what was wrong with those. A
/// value that lies on damaged pages of its own is such an error too.
pub(super) fn rows(file: &mut File, meta: &Meta, table: &[u8], each: &mut dyn FnMut(&[u8], &[u8])) -> Vec<ImageError> {
    let mut errors = Vec::new();
    let found = Walk::new(file, meta, Depth::All).and_then(|mut walk| {
        let main = Tree { kind: Kind::Main, ..Tree::parse(&meta.tables[TABLE..], 0)? };
        let mut description = None;
        let mut find = |key: &[u8], value: &[u8]| {
            if key == table {
                description = Some(value.to_vec());
            }
        };
        walk.gather(&main, main.root, &ROOT, &mut find, &mut errors);
        let tree = match description.as_deref().map(|bytes| Tree::parse(bytes, 0)) {
            Some(tree) => tree?,
            None => return damaged(main.root, "a table is missing"),
        };
        walk.gather(&tree, tree.root, &ROOT, each, &mut errors);
        Ok(())
    });
    errors.extend(found.err());
    errors
}

fn damaged<T>(page: u64, what: impl Into<String>) -> Result<T, ImageError> {
    Err(ImageError::Damaged { page, what: what.into() })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Free,
    Main,
    Small,
    Large,
}

/// A table as its 48 bytes describe it.
struct Tree {
    kind: Kind,
    depth: u16,
    entries: u64,
    root: u64,
}

impl Tree {
    fn parse(bytes: &[u8], flags: u16) -> Result<Self, ImageError> {
        let tree = Self { kind: Kind::Small, depth: half(bytes, 6), entries: word(bytes, 32), root: word(bytes, 40) };
        let empty = tree.root == NO_PAGE;
        if half(bytes, 4) != flags || tree.depth > HEIGHT_MAX || (tree.depth == 0) != empty {
            return damaged(0, "an impossible table");
        }
        Ok(tree)
    }

    fn order(&self, a: &[u8], b: &[u8]) -> Ordering {
        match (self.kind, <[u8; 8]>::try_from(a), <[u8; 8]>::try_from(b)) {
            (Kind::Free, Ok(a), Ok(b)) => u64::from_ne_bytes(a).cmp(&u64::from_ne_bytes(b)),
            _ => a.cmp(b),
        }
    }
}

struct Walk<'f> {
    file: &'f mut File,
    page: usize,
    /// Page numbers are below this.
    pages: u64,
    /// Bytes of the file.
    length: u64,
    /// A bit per page in use.
    seen: Vec<u64>,
    depth: Depth,
}

/// Where a page hangs: its level from 1, and the keys it must lie between.
struct Place<'k> {
    level: u16,
    low: Option<&'k [u8]>,
    high: Option<&'k [u8]>,
}

impl<'k> Place<'k> {
    /// Where the child of a branch's node hangs.
    fn child<'c>(&self, nodes: &[Node<'c>], at: usize) -> Place<'c>
    where
        'k: 'c,
    {
        let low = if at == 0 { self.low } else { Some(nodes[at].key) };
        let high = nodes.get(at + 1).map_or(self.high, |next| Some(next.key));
        Place { level: self.level + 1, low, high }
    }
}

/// Where a root hangs.
const ROOT: Place<'_> = Place { level: 1, low: None, high: None };

/// A node's place in its page.
struct Node<'p> {
    flags: u16,
    /// The child in a branch, the length of the data in a leaf.
    number: u64,
    key: &'p [u8],
    data: &'p [u8],
}

impl<'f> Walk<'f> {
    fn new(file: &'f mut File, meta: &Meta, depth: Depth) -> Result<Self, ImageError> {
        let pages = meta.last_page + 1;
        let length = file.metadata()?.len();
        let seen = vec![0; usize::try_from(pages / 64 + 1).map_err(|_| ImageError::Foreign("too large"))?];
        let mut walk = Self { file, page: meta.page, pages, length, seen, depth };
        walk.claim(0, 2)?;
        Ok(walk)
    }

    fn tree(&mut self, tree: &Tree) -> Result<(), ImageError> {
        let mut entries = 0;
        if tree.root != NO_PAGE {
            self.visit(tree, tree.root, &ROOT, &mut entries)?;
        }
        let complete = self.depth == Depth::All || tree.kind != Kind::Large;
        match complete && entries != tree.entries {
            true => damaged(tree.root, format!("a table of {} entries that has {entries}", tree.entries)),
            false => Ok(()),
        }
    }

    fn visit(&mut self, tree: &Tree, number: u64, place: &Place<'_>, entries: &mut u64) -> Result<(), ImageError> {
        let is_leaf = place.level == tree.depth;
        let bytes = self.load(tree, number, place)?;
        let nodes = checked_nodes(tree, number, place, &bytes)?;
        self.claim(number, 1)?;
        if is_leaf {
            *entries += nodes.len() as u64;
            return nodes.iter().try_for_each(|node| self.leaf_node(tree, number, node));
        }
        let skip = self.depth == Depth::Inner && tree.kind == Kind::Large && place.level + 1 == tree.depth;
        let first = if skip { nodes.len() - 1 } else { 0 };
        for at in first..nodes.len() {
            self.visit(tree, nodes[at].number, &place.child(&nodes, at), entries)?;
        }
        Ok(())
    }

    /// Hands out the rows below a page, as far as pages can be read.
    fn gather(
        &mut self,
        tree: &Tree,
        number: u64,
        place: &Place<'_>,
        each: &mut dyn FnMut(&[u8], &[u8]),
        errors: &mut Vec<ImageError>,
    ) {
        if number == NO_PAGE {
            return;
        }
        let bytes = match self.load(tree, number, place) {
            Ok(bytes) => bytes,
            Err(error) => return errors.push(error),
        };
        // Claimed only when it fits: a wrong pointer must not take a page from whom it belongs to.
        let nodes = checked_nodes(tree, number, place, &bytes);
        let nodes = match nodes.and_then(|nodes| self.claim(number, 1).map(|()| nodes)) {
            Ok(nodes) => nodes,
            Err(error) => return errors.push(error),
        };
        for (at, node) in nodes.iter().enumerate() {
            if place.level < tree.depth {
                self.gather(tree, node.number, &place.child(&nodes, at), each, errors);
            } else if node.flags & BIG_DATA == 0 {
                each(node.key, node.data);
            } else {
                match self.overflow(word(node.data, 0), node.number, true) {
                    Ok(data) => each(node.key, &data),
                    Err(error) => errors.push(error),
                }
            }
        }
    }

    /// The bytes of a page that is what it should be where it hangs.
    fn load(&mut self, tree: &Tree, number: u64, place: &Place<'_>) -> Result<Vec<u8>, ImageError> {
        if number >= self.pages {
            return damaged(number, "there is no such page");
        }
        let mut bytes = vec![0; self.page];
        self.read(number, &mut bytes)?;
        let expected = if place.level == tree.depth { LEAF } else { BRANCH };
        if word(&bytes, 0) != number || half(&bytes, 10) & !DIRTY != expected {
            return damaged(number, "another page in its place");
        }
        Ok(bytes)
    }

    fn leaf_node(&mut self, tree: &Tree, number: u64, node: &Node<'_>) -> Result<(), ImageError> {
        let big;
        let data = match node.flags {
            0 => node.data,
            BIG_DATA => {
                big = self.overflow(word(node.data, 0), node.number, tree.kind == Kind::Free)?;
                &big
            }
            SUB_TABLE if tree.kind == Kind::Main && node.data.len() == TABLE => {
                let kind = if LARGE.contains(&node.key) { Kind::Large } else { Kind::Small };
                return self.tree(&Tree { kind, ..Tree::parse(node.data, 0)? });
            }
            _ => return damaged(number, "a node of a kind that is not ours"),
        };
        match tree.kind {
            Kind::Main => damaged(number, "a row outside all tables"),
            Kind::Free => self.free_pages(number, data),
            Kind::Small | Kind::Large => Ok(()),
        }
    }

    /// Checks the pages of a long value; reads it only where it matters.
    fn overflow(&mut self, first: u64, bytes: u64, wanted: bool) -> Result<Vec<u8>, ImageError> {
        let count = (PAGE_HEADER as u64 - 1 + bytes) / self.page as u64 + 1;
        self.claim(first, count)?;
        let mut value = vec![0; if wanted { PAGE_HEADER + bytes as usize } else { PAGE_HEADER }];
        self.read(first, &mut value)?;
        let pages = u64::from(u32::from_ne_bytes([value[12], value[13], value[14], value[15]]));
        if word(&value, 0) != first || half(&value, 10) & !DIRTY != OVERFLOW || pages != count {
            return damaged(first, "another page in the place of a long value");
        }
        Ok(value.split_off(PAGE_HEADER))
    }

    /// A list of free pages: how many, then their numbers, descending.
    fn free_pages(&mut self, number: u64, data: &[u8]) -> Result<(), ImageError> {
        let (words, rest) = data.as_chunks::<8>();
        let mut words = words.iter().map(|w| u64::from_ne_bytes(*w));
        let count = words.next().and_then(|n| usize::try_from(n).ok());
        if !rest.is_empty() || count.is_none_or(|n| n > words.len()) {
            return damaged(number, "an impossible list of free pages");
        }
        let mut last = NO_PAGE;
        for page in words.take(count.unwrap_or(0)) {
            if page >= last {
                return damaged(number, "a list of free pages out of order");
            }
            self.claim(page, 1)?;
            last = page;
        }
        Ok(())
    }

    /// Notes pages as used, each once.
    fn claim(&mut self, first: u64, count: u64) -> Result<(), ImageError> {
        if first.checked_add(count).is_none_or(|end| end > self.pages) {
            return damaged(first, "there is no such page");
        }
        for page in first..first + count {
            let (word, bit) = (&mut self.seen[(page / 64) as usize], 1 << (page % 64));
            if *word & bit != 0 {
                return damaged(page, "used twice");
            }
            *word |= bit;
        }
        Ok(())
    }

    fn read(&mut self, number: u64, out: &mut [u8]) -> Result<(), ImageError> {
        let at = number * self.page as u64;
        if at + (out.len().max(self.page)) as u64 > self.length {
            return damaged(number, "past the end of the file");
        }
        read_at(self.file, at, out)
    }
}

#[cfg(unix)]
fn read_at(file: &mut File, at: u64, out: &mut [u8]) -> Result<(), ImageError> {
    Ok(std::os::unix::fs::FileExt::read_exact_at(file, out, at)?)
}

#[cfg(not(unix))]
fn read_at(file: &mut File, at: u64, out: &mut [u8]) -> Result<(), ImageError> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(at))?;
    Ok(file.read_exact(out)?)
}

/// The nodes of a page with their keys in order.
fn checked_nodes<'p>(
    tree: &Tree,
    number: u64,
    place: &Place<'_>,
    bytes: &'p [u8],
) -> Result<Vec<Node<'p>>, ImageError> {
    let is_leaf = place.level == tree.depth;
    let Some(nodes) = nodes(bytes, is_leaf) else { return damaged(number, "its nodes do not fit together") };
    match check_keys(tree, &nodes, place, is_leaf) {
        Some(what) => damaged(number, what),
        None => Ok(nodes),
    }
}

/// The nodes of a page, if they lie within it, side by side and without a gap.
fn nodes(page: &[u8], is_leaf: bool) -> Option<Vec<Node<'_>>> {
    let (lower, upper) = (usize::from(half(page, 12)), usize::from(half(page, 14)));
    if lower < PAGE_HEADER || lower > upper || upper > page.len() || !lower.is_multiple_of(2) {
        return None;
    }
    let mut taken = 0;
    let pointers = page[PAGE_HEADER..lower].as_chunks::<2>().0;
    let mut nodes = Vec::with_capacity(pointers.len());
    for pointer in pointers {
        let at = usize::from(u16::from_ne_bytes(*pointer));
        if at < upper || !at.is_multiple_of(2) {
            return None;
        }
        let node = page.get(at..).filter(|node| node.len() >= NODE_HEADER)?;
        // The lower half comes first on little-endian machines, and second on others.
        let (first, second) = (u64::from(half(node, 0)), u64::from(half(node, 2)));
        let low = if cfg!(target_endian = "little") { first | second << 16 } else { second | first << 16 };
        let flags = half(node, 4);
        let (key, rest) = node[NODE_HEADER..].split_at_checked(usize::from(half(node, 6)))?;
        let (number, length) = match (is_leaf, flags & BIG_DATA != 0) {
            (false, _) => (low | u64::from(flags) << 32, 0),
            (true, true) => (low, 8),
            (true, false) => (low, usize::try_from(low).ok()?),
        };
        let data = rest.get(..length)?;
        taken += (NODE_HEADER + key.len() + length).next_multiple_of(2);
        nodes.push(Node { flags, number, key, data });
    }
    (taken == page.len() - upper).then_some(nodes)
}

/// What is wrong with the keys of a page. The first key of a branch stands for everything lower, whatever it says.
fn check_keys(tree: &Tree, nodes: &[Node<'_>], place: &Place<'_>, is_leaf: bool) -> Option<&'static str> {
    let least = if is_leaf || tree.kind == Kind::Free { 1 } else { 2 };
    if nodes.len() < least {
        return Some("fewer nodes than a page must have");
    }
    let keys = &nodes[usize::from(!is_leaf)..];
    let length = |key: &[u8]| match tree.kind {
        Kind::Free => key.len() == 8,
        _ => (1..=KEY_MAX).contains(&key.len()),
    };
    if !keys.iter().all(|node| length(node.key)) {
        return Some("a key of an impossible length");
    }
    let rising = keys.windows(2).all(|pair| tree.order(pair[0].key, pair[1].key) == Ordering::Less);
    let above = |low| keys.first().is_none_or(|first| tree.order(first.key, low) != Ordering::Less);
    let below = |high| keys.last().is_none_or(|last| tree.order(last.key, high) == Ordering::Less);
    match rising && place.low.is_none_or(above) && place.high.is_none_or(below) {
        true => None,
        false => Some("keys out of order"),
    }
}

fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes([bytes[at], bytes[at + 1]])
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_ne_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::storage::{Batch, Erasure, EventId, Storage};
    use crate::bus::testing::stored;
    use crate::store::{OpenOptions, open};

    fn check(path: &std::path::Path, depth: Depth) -> Result<(), ImageError> {
        let mut file = File::open(path)?;
        let meta = super::super::image::newest_meta(&mut file)?;
        walk(&mut file, &meta, depth)
    }

    #[test]
    fn a_store_with_history_is_whole_after_every_commit() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("data.mdb");
        let mut opened = open(dir.path(), OpenOptions::default()).expect("a fresh folder opens");
        let mut seq = 0;
        for round in 0..40 {
            let mut batch = Batch::default();
            for _ in 0..round * 7 % 50 {
                seq += 1;
                let id = EventId { device: opened.device, device_seq: seq };
                let entity = format!("take/{}", seq * 2_654_435_761 % 97);
                batch.events.push(stored(id, entity, 1, vec![1; (seq * seq % 6_000) as usize]));
            }
            opened.storage.commit(&batch).expect("a commit");
            if round % 3 == 0 && seq > 0 {
                let entity = format!("take/{}", (seq / 2 + 1) * 2_654_435_761 % 97);
                let what = Erasure::Entity { entity: entity.into(), versions: 1..2 };
                opened.storage.erase(&what, 1).expect("an erasure");
            }
            check(&file, Depth::All).expect("every page");
            check(&file, Depth::Inner).expect("the inner pages");
        }
    }

    #[test]
    fn a_page_of_zeros_is_named() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("data.mdb");
        drop(open(dir.path(), OpenOptions::default()).expect("a fresh folder opens"));
        let mut bytes = std::fs::read(&file).expect("the file");
        let root = word(&bytes[newest(&bytes)..], 40 + TABLE + 40) as usize;
        bytes[root * 4_096..][..4_096].fill(0);
        std::fs::write(&file, &bytes).expect("the file");
        let found = check(&file, Depth::Inner).expect_err("damage").to_string();
        assert_eq!(found, format!("page {root}: another page in its place"));
    }

    /// Where the newer meta page begins.
    fn newest(bytes: &[u8]) -> usize {
        if word(&bytes[4_096..], 144) > word(bytes, 144) { 4_096 } else { 0 }
    }
}
