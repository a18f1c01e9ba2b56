//! What a document holds before its music is read: titles, parts with their measures, how many staves and how high.

use roxmltree::{Document, Node};

use super::super::text::tidy;
use super::super::{FormatError, NOTES_MAX};
use super::choose::Choice;
use super::note::spelled;
use super::titles;
use super::tree::{child, child_number, child_text, children, fail_at, has};

/// More staves than any keyboard part has: an organ has three.
pub(super) const STAVES_MAX: u8 = 4;

/// Measures of all parts together; a symphony has fifty thousand.
const MEASURES_MAX: usize = 1_000_000;
/// Parts; a score for the largest orchestra has a hundred.
const PARTS_MAX: usize = 1_000;

/// A measure of one part.
#[derive(Clone, Copy, Debug)]
pub(super) struct MeasureNode<'a, 'i> {
    /// The element with its number.
    pub(super) head: Node<'a, 'i>,
    /// The element with its notes; none where a timewise score leaves the part out.
    pub(super) body: Option<Node<'a, 'i>>,
}

/// A part.
#[derive(Debug)]
pub(super) struct Part<'a, 'i> {
    id: &'a str,
    pub(super) name: String,
    /// Whether name or instrument are those of a keyboard.
    pub(super) keyboard: bool,
    pub(super) drums: bool,
    /// Whether it has notes with a pitch, and whether it has some without.
    pub(super) sounds: bool,
    pub(super) unpitched: bool,
    /// The mean of its keys as they sound.
    pub(super) height: f64,
    pub(super) staves: u8,
    pub(super) measures: Vec<MeasureNode<'a, 'i>>,
}

impl<'a> Part<'a, '_> {
    fn new(id: &'a str) -> Self {
        let (name, measures) = (String::new(), Vec::new());
        let (keyboard, drums, sounds, unpitched) = (false, false, false, false);
        Self { id, name, keyboard, drums, sounds, unpitched, height: 0.0, staves: 1, measures }
    }
}

/// A whole document.
#[derive(Debug)]
pub(super) struct Outline<'a, 'i> {
    pub(super) title: String,
    pub(super) composer: String,
    pub(super) parts: Vec<Part<'a, 'i>>,
}

/// Reads the outline of a score of either kind.
pub(super) fn read<'a, 'i>(document: &'a Document<'i>) -> Result<Outline<'a, 'i>, FormatError> {
    let root = document.root_element();
    let fail = |node: Node<'_, '_>, problem: String| Err(fail_at(document.input_text(), node.range().start, problem));
    let timewise = match root.tag_name().name() {
        "score-partwise" => false,
        "score-timewise" => true,
        other => return fail(root, format!("the file holds <{}>, not a score", tidy(other))),
    };
    let mut parts = part_list(root);
    let too_many = |parts: usize, measures: usize| parts > PARTS_MAX || parts * measures > MEASURES_MAX;
    if timewise {
        for (index, head) in children(root, "measure").enumerate() {
            for body in children(head, "part") {
                if too_many(parts.len(), index) {
                    return fail(body, "the score has more parts and measures than are read".into());
                }
                let part = by_id(&mut parts, body);
                // What a part leaves out is silent.
                while part.measures.len() < index {
                    part.measures.push(MeasureNode { head, body: None });
                }
                part.measures.push(MeasureNode { head, body: Some(body) });
            }
        }
    } else {
        for node in children(root, "part") {
            if too_many(parts.len(), 1) {
                return fail(node, "the score has more parts than are read".into());
            }
            let part = by_id(&mut parts, node);
            part.measures.extend(children(node, "measure").map(|head| MeasureNode { head, body: Some(head) }));
        }
    }
    parts.retain(|part| !part.measures.is_empty());
    let Some(longest) = parts.iter().map(|part| part.measures.len()).max() else {
        return fail(root, "the score has no measures".into());
    };
    if longest > NOTES_MAX / 10 {
        return fail(root, format!("the score has {longest} measures, more than are read"));
    }
    for part in &mut parts {
        look_inside(part);
    }
    Ok(Outline { title: titles::title(root), composer: titles::composer(root), parts })
}

fn part_list<'a, 'i>(root: Node<'a, 'i>) -> Vec<Part<'a, 'i>> {
    let list = child(root, "part-list");
    let entries = list.into_iter().flat_map(|list| children(list, "score-part"));
    let part = |node: Node<'a, 'i>| {
        let mut words = vec![child_text(node, "part-name").to_owned()];
        let mut drums = false;
        for instrument in children(node, "score-instrument") {
            words.push(child_text(instrument, "instrument-name").to_owned());
            words.push(child_text(instrument, "instrument-sound").to_owned());
        }
        for midi in children(node, "midi-instrument") {
            drums |= child_number::<u8>(midi, "midi-channel") == Some(10) || has(midi, "midi-unpitched");
        }
        Part {
            name: tidy(child_text(node, "part-name")),
            keyboard: words.iter().any(|word| is_keyboard(word)),
            drums,
            ..Part::new(node.attribute("id").unwrap_or_default())
        }
    };
    entries.take(PARTS_MAX).map(part).collect()
}

/// The part of an id, made if the list forgot it.
fn by_id<'l, 'a, 'i>(parts: &'l mut Vec<Part<'a, 'i>>, node: Node<'a, 'i>) -> &'l mut Part<'a, 'i> {
    let id = node.attribute("id").unwrap_or_default();
    let found = parts.iter().position(|part| part.id == id).unwrap_or_else(|| {
        parts.push(Part::new(id));
        parts.len() - 1
    });
    &mut parts[found]
}

fn is_keyboard(word: &str) -> bool {
    const WORDS: [&str; 12] = [
        "piano",
        "klavier",
        "clavier",
        "keyboard",
        "harpsichord",
        "cembalo",
        "clavec",
        "organ",
        "orgel",
        "orgue",
        "celesta",
        "clavichord",
    ];
    let word = word.to_lowercase();
    WORDS.iter().any(|known| word.contains(known))
}

/// Finds out how many staves there are, whether they are for drums, what sounds and how high.
fn look_inside(part: &mut Part<'_, '_>) {
    let bodies = part.measures.iter().filter_map(|measure| measure.body);
    let (mut sum, mut count) = (0, 0);
    for note in bodies.clone().flat_map(|body| children(body, "note")) {
        part.unpitched |= has(note, "unpitched");
        part.sounds |= has(note, "pitch");
        if let Some(pitch) = child(note, "pitch").and_then(spelled) {
            sum += (i64::from(pitch.octave) + 1) * 12 + i64::from(pitch.step.semitones() + pitch.alter);
            count += 1;
        }
    }
    let attributes = bodies.clone().flat_map(|body| children(body, "attributes"));
    let transpose = attributes.filter_map(|node| child(node, "transpose")).next();
    let moved = transpose.map_or(0.0, |node| {
        let of = |name| child_number::<f64>(node, name).unwrap_or(0.0).clamp(-48.0, 48.0);
        of("chromatic") + 12.0 * of("octave-change")
    });
    part.height = sum as f64 / f64::from(count.max(1)) + moved;
    let mut clefs = 0;
    for attributes in bodies.flat_map(|body| children(body, "attributes")) {
        let staves = child_number(attributes, "staves").unwrap_or(1);
        part.staves = part.staves.max(staves).min(STAVES_MAX);
        for clef in children(attributes, "clef") {
            part.drums |= clefs == 0 && child_text(clef, "sign") == "percussion";
            clefs += 1;
        }
    }
}

/// How many notes of drums there are.
pub(super) fn drum_notes(parts: &[Part<'_, '_>]) -> usize {
    let bodies = parts.iter().flat_map(|part| &part.measures).filter_map(|measure| measure.body);
    bodies.flat_map(|body| children(body, "note")).filter(|note| has(*note, "unpitched")).count()
}

/// The most ticks to the quarter: what a MIDI file can say.
const RESOLUTION_MAX: u64 = 0x7fff;

/// Ticks to the quarter note in which all divisions of the parts that are read are whole, and the usual values and triplets
/// too where that fits; whether they are.
pub(super) fn resolution(parts: &[Part<'_, '_>], choice: &Choice) -> (u16, bool) {
    /// Whole down to 128ths, triplets and quintuplets.
    const USUAL: u64 = 480;
    let bodies = choice.read().flat_map(|part| &parts[part].measures).filter_map(|measure| measure.body);
    let attributes = bodies.flat_map(|body| children(body, "attributes"));
    let divisions: Vec<f64> = attributes.filter_map(|node| child_number::<f64>(node, "divisions")).collect();
    let whole = |n: f64| (n >= 1.0 && n <= RESOLUTION_MAX as f64 && n.fract() == 0.0).then_some(n as u64);
    let common = divisions
        .iter()
        .try_fold(1, |common, n| whole(*n).map(|n| lcm(common, n)).filter(|common| *common <= RESOLUTION_MAX));
    let Some(common) = common else {
        // 2^5 · 3^2 · 5 · 7: what is not whole in this is moved by less than a millisecond.
        return (10_080, false);
    };
    let candidates = [lcm(common, USUAL), lcm(common, 96), lcm(common, 32), common];
    let fits = candidates.into_iter().find(|n| *n <= RESOLUTION_MAX).unwrap_or(common);
    (fits as u16, true)
}

fn lcm(a: u64, b: u64) -> u64 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}
