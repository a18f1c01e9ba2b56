//! Which parts of a document stand on the page for the hands, and which the program plays beside them.

use super::super::hands::{by_pitch, named_hand};
use super::outline::Part;
use crate::music::Hand;

/// Parts of an ensemble on one page: two staves of two voices can be read and, mostly, played.
const PAGE_PARTS_MAX: usize = 4;
/// Names in one line; a symphony has thirty.
const NAMES_MAX: usize = 6;

/// What is read, and what a person should know about it.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// Indices of the parts on the page and the staff at which each begins; of one staff the higher first.
    pub(super) page: Vec<(usize, u8)>,
    /// How many staves there are.
    pub(super) staves: u8,
    /// Indices of the parts that are heard only.
    pub(super) heard: Vec<usize>,
    pub(super) notices: Vec<String>,
}

impl Choice {
    /// All parts that are read: those on the page first.
    pub(super) fn read(&self) -> impl Iterator<Item = usize> {
        self.page.iter().map(|(part, _)| *part).chain(self.heard.iter().copied())
    }

    /// Staves on which several parts stand.
    pub(super) fn shared(&self) -> impl Iterator<Item = u8> {
        let parts = |staff: u8| self.page.iter().filter(move |(_, first)| *first == staff).count();
        (0..self.staves).filter(move |staff| parts(*staff) > 1)
    }

    /// The names of the score's parts, those on the page first; none where the staves of one instrument are all. An
    /// instrument of several staves has a part for each hand.
    pub(super) fn names(&self, parts: &[Part<'_, '_>]) -> Vec<String> {
        let name = |part: usize| name(parts, part);
        match self.page[..] {
            [_] if self.heard.is_empty() => Vec::new(),
            [(only, _)] if parts[only].staves > 1 => {
                let staves = ["upper staff", "lower staff"].map(|staff| format!("{}, {staff}", name(only)));
                staves.into_iter().chain(self.heard.iter().map(|part| name(*part))).collect()
            }
            _ => self.read().map(name).collect(),
        }
    }
}

/// Chooses what stands on the page: a keyboard part of several staves, else two parts that are its hands, else any part
/// of several staves, else a keyboard part of one; without any of them a reduction of the ensemble. What else has pitches is heard.
/// `None` when nothing but drums sounds.
pub(super) fn choose(parts: &[Part<'_, '_>]) -> Option<Choice> {
    let pitched: Vec<usize> = (0..parts.len()).filter(|i| parts[*i].sounds && !parts[*i].drums).collect();
    let first = |wanted: fn(&Part<'_, '_>) -> bool| pitched.iter().copied().find(|i| wanted(&parts[*i]));
    let page = if let Some(part) = first(|part| part.keyboard && part.staves > 1) {
        vec![(part, 0)]
    } else if let Some([upper, lower]) = hands(parts, &pitched) {
        vec![(upper, 0), (lower, 1)]
    } else if let Some(part) = first(|part| part.staves > 1).or_else(|| first(|part| part.keyboard)) {
        vec![(part, 0)]
    } else {
        reduced(parts, &pitched)
    };
    let staves = page.iter().map(|(part, staff)| parts[*part].staves + staff).max()?;
    let heard = pitched.into_iter().filter(|part| page.iter().all(|(chosen, _)| chosen != part)).collect();
    let mut choice = Choice { page, staves, heard, notices: Vec::new() };
    choice.notices = notices(parts, &choice);
    Some(choice)
}

/// Two parts of one staff that are the right hand and the left, or the two staves of one keyboard.
fn hands(parts: &[Part<'_, '_>], pitched: &[usize]) -> Option<[usize; 2]> {
    let single = |i: &&usize| parts[**i].staves == 1;
    let of = |hand| pitched.iter().filter(single).copied().find(|i| named_hand(&parts[*i].name) == Some(hand));
    let is_choir = |i: usize| sings(&parts[i]) && pitched.len() > 2;
    if let (Some(right), Some(left)) = (of(Hand::Right), of(Hand::Left))
        && !is_choir(right)
        && !is_choir(left)
    {
        return Some([right, left]);
    }
    let keyboards: Vec<usize> = pitched.iter().filter(single).copied().filter(|i| parts[*i].keyboard).collect();
    match keyboards[..] {
        [upper, lower] if upper + 1 == lower => Some([upper, lower]),
        _ => None,
    }
}

/// The parts of an ensemble that two hands can play, the higher half on the upper staff: all of them where they are few,
/// else the voices of its choir; of more than there is room for the outer ones.
fn reduced(parts: &[Part<'_, '_>], pitched: &[usize]) -> Vec<(usize, u8)> {
    let choir: Vec<usize> = pitched.iter().copied().filter(|i| sings(&parts[*i])).collect();
    let mut chosen = if pitched.len() > PAGE_PARTS_MAX && choir.len() > 1 { choir } else { pitched.to_vec() };
    chosen.sort_by(|a, b| parts[*b].height.total_cmp(&parts[*a].height));
    if let [only] = chosen[..] {
        return vec![(only, 0)];
    }
    let outer = PAGE_PARTS_MAX / 2;
    if chosen.len() > PAGE_PARTS_MAX {
        chosen.drain(outer..chosen.len() - outer);
    }
    let heights: Vec<f64> = chosen.iter().map(|i| parts[*i].height).collect();
    let hands = by_pitch(&heights);
    chosen.into_iter().zip(hands).map(|(part, hand)| (part, u8::from(hand != Hand::Right))).collect()
}

/// Whether a part is a voice of a choir by its name.
fn sings(part: &Part<'_, '_>) -> bool {
    const VOICES: [&str; 16] = [
        "s",
        "a",
        "t",
        "b",
        "soprano",
        "alto",
        "tenor",
        "bass",
        "sopran",
        "alt",
        "cantus",
        "discantus",
        "altus",
        "tenore",
        "bassus",
        "basso",
    ];
    let name = part.name.to_lowercase();
    name.split(|c: char| !c.is_alphabetic()).next().is_some_and(|word| VOICES.contains(&word))
}

/// What a part is called.
pub(super) fn name(parts: &[Part<'_, '_>], part: usize) -> String {
    match parts[part].name.as_str() {
        "" => format!("part {}", part + 1),
        name => name.to_owned(),
    }
}

/// Some names in a line.
pub(super) fn names(parts: &[Part<'_, '_>], chosen: impl Iterator<Item = usize>) -> String {
    let all: Vec<usize> = chosen.collect();
    let told: Vec<String> = all.iter().take(NAMES_MAX).map(|part| name(parts, *part)).collect();
    match all.len() - told.len() {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

/// The lines about what is not on the page.
fn notices(parts: &[Part<'_, '_>], choice: &Choice) -> Vec<String> {
    let mut lines = Vec::new();
    if !choice.heard.is_empty() {
        let page = names(parts, choice.page.iter().map(|(part, _)| *part));
        let heard = names(parts, choice.heard.iter().copied());
        lines.push(format!("for the hands: {page}; played by the program: {heard}"));
    }
    let is_read = |part: usize| choice.read().any(|read| read == part);
    let silent = |part: &usize| !is_read(*part) && (parts[*part].sounds || parts[*part].unpitched);
    let drums = names(parts, (0..parts.len()).filter(silent));
    if !drums.is_empty() {
        lines.push(format!("percussion is left out: {drums}"));
    }
    lines
}
