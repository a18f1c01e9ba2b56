//! What stands on an engraved page, a line each, to compare with another engraver; `tools/compare_engraving.py` reads it.
//!
//! `cargo run --example page_facts -- FILE [MEASURES]` prints measure, staff, kind, and what the kind has: `head` glyph and
//! step above the bottom line, `accidental` likewise, `rest` glyph, `stem` up or down, `beam` how many stems it joins, `dot`,
//! `ledger`, `tie`. With `musicxml` as last word it prints the notes of the page as plain MusicXML instead.

use std::fmt::Write as _;

use music_trainer::engraving::{self, Flow, Part, PlacedMeasure, Point, Shape, System};
use music_trainer::music::notation::{Base, Chord, Clef, Head, Measure, Notation, Rest, TupletMark};

/// All measures stand on one line of this width.
const WIDTH: f32 = 1e6;
/// A stem that ends so near to a beam's edge ends at it, in spaces.
const NEAR: f32 = 0.05;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let path = words.first().expect("a file");
    let most = words.get(1).and_then(|w| w.parse().ok()).unwrap_or(usize::MAX);
    let bytes = std::fs::read(path).expect("a file");
    let score = music_trainer::formats::read(path, &bytes).expect("music").score;
    let page = score.notation().expect("a page");
    if words.iter().any(|w| w == "musicxml") {
        println!("{}", musicxml(page, score.on_page().resolution()));
        return;
    }
    let systems = engraving::engrave(&score, Flow::Lines(WIDTH)).expect("a format with pages");
    print!("{}", facts(page, &systems, most));
}

fn facts(page: &Notation, systems: &[System], most: usize) -> String {
    let mut out = format!("- {} staves\n", page.staves.len());
    for system in systems {
        for measure in system.measures.iter().filter(|m| (m.measure as usize) < most) {
            items(&mut out, system, measure);
            beams(&mut out, measure);
            ledgers(&mut out, measure);
        }
    }
    for (index, measure) in page.measures.iter().enumerate().take(most) {
        for chord in &measure.chords {
            for head in chord.heads.iter().filter(|h| h.tied) {
                let _ = writeln!(out, "{index} {} tie", head.staff.unwrap_or(chord.staff));
            }
        }
    }
    out
}

fn items(out: &mut String, system: &System, measure: &PlacedMeasure) {
    for item in &measure.items {
        let staff = item.tag.staff;
        let top = system.staves.get(usize::from(staff)).copied().unwrap_or(0.0);
        let step = |y: f32| ((4.0 - (y - top)) * 2.0).round() as i32;
        let at = format!("{} {staff}", measure.measure);
        let _ = match (&item.shape, item.tag.part) {
            (Shape::Glyph { sign, at: place, .. }, Part::Head) => {
                writeln!(out, "{at} head {:04X} {}", u32::from(*sign), step(place.y))
            }
            (Shape::Glyph { sign, at: place, .. }, Part::Accidental) => {
                writeln!(out, "{at} accidental {:04X} {}", u32::from(*sign), step(place.y))
            }
            // The augmentation dot of a rest is tagged as part of it.
            (Shape::Glyph { sign: '\u{E1E7}', .. }, Part::Rest | Part::Dot) => writeln!(out, "{at} dot"),
            (Shape::Glyph { sign, .. }, Part::Rest) => writeln!(out, "{at} rest {:04X}", u32::from(*sign)),
            (Shape::Line { from, to, .. }, Part::Stem) => {
                writeln!(out, "{at} stem {}", if to.y < from.y { "up" } else { "down" })
            }
            _ => Ok(()),
        };
    }
}

/// The beams that stems end at, and how many do.
fn beams(out: &mut String, measure: &PlacedMeasure) {
    let tips: Vec<Point> = (measure.items.iter())
        .filter_map(|item| match item.shape {
            Shape::Line { to, .. } if item.tag.part == Part::Stem => Some(to),
            _ => None,
        })
        .collect();
    for item in &measure.items {
        let Shape::Beam([a, b, ..]) = item.shape else { continue };
        let ends_here = |tip: &&Point| {
            let share = (tip.x - a.x) / (b.x - a.x).max(1e-6);
            (-0.01..=1.01).contains(&share) && (a.y + (b.y - a.y) * share - tip.y).abs() < NEAR
        };
        let count = tips.iter().filter(ends_here).count();
        if count > 1 {
            let _ = writeln!(out, "{} {} beam {count}", measure.measure, item.tag.staff);
        }
    }
}

/// Ledger lines; those that touch are one.
fn ledgers(out: &mut String, measure: &PlacedMeasure) {
    let line = |item: &engraving::Item| match item.shape {
        Shape::Line { from, to, .. } if item.tag.part == Part::Ledger => Some((item.tag.staff, from.y, from.x, to.x)),
        _ => None,
    };
    let mut lines: Vec<(u8, f32, f32, f32)> = measure.items.iter().filter_map(line).collect();
    lines.sort_by(|a, b| (a.0, a.1).partial_cmp(&(b.0, b.1)).expect("numbers").then(a.2.total_cmp(&b.2)));
    let mut last: Option<(u8, f32, f32, f32)> = None;
    for own in lines {
        let touches = last.is_some_and(|l| l.0 == own.0 && (l.1 - own.1).abs() < 0.1 && own.2 <= l.3);
        if !touches {
            let _ = writeln!(out, "{} {} ledger", measure.measure, own.0);
        }
        last = Some(if touches { (own.0, own.1, own.2, last.map_or(own.3, |l| l.3.max(own.3))) } else { own });
    }
}

/// The notes of a page: no more than the comparison looks at.
fn musicxml(page: &Notation, resolution: u16) -> String {
    let mut out = String::from(
        "<score-partwise version=\"4.0\"><part-list><score-part id=\"P1\"><part-name>Piano</part-name></score-part>\
         </part-list><part id=\"P1\">",
    );
    for (index, measure) in page.measures.iter().enumerate() {
        let _ = write!(out, "<measure number=\"{index}\"><attributes><divisions>{resolution}</divisions>");
        if let Some(fifths) = measure.fifths {
            let _ = write!(out, "<key><fifths>{fifths}</fifths></key>");
        }
        if let Some((beats, unit)) = measure.meter {
            let _ = write!(out, "<time><beats>{beats}</beats><beat-type>{unit}</beat-type></time>");
        }
        let _ = write!(out, "<staves>{}</staves>", page.staves.len());
        for (staff, own) in page.staves.iter().enumerate().filter(|_| index == 0) {
            clef(&mut out, staff, own.clef);
        }
        out.push_str("</attributes>");
        voices(&mut out, measure, resolution);
        out.push_str("</measure>");
    }
    out + "</part></score-partwise>"
}

fn clef(out: &mut String, staff: usize, clef: Clef) {
    let (sign, line) = match clef {
        Clef::Bass | Clef::Bass8vb => ('F', 4),
        Clef::Alto => ('C', 3),
        Clef::Tenor => ('C', 4),
        _ => ('G', 2),
    };
    let _ = write!(out, "<clef number=\"{}\"><sign>{sign}</sign><line>{line}</line></clef>", staff + 1);
}

fn voices(out: &mut String, measure: &Measure, resolution: u16) {
    let mut voices: Vec<u8> = measure.chords.iter().map(|c| c.voice).collect();
    voices.sort_unstable();
    voices.dedup();
    let (mut at, mut changed) = (0, vec![false; measure.clefs.len()]);
    for voice in voices {
        let _ = write!(out, "<backup><duration>{at}</duration></backup>");
        at = 0;
        for chord in measure.chords.iter().filter(|c| c.voice == voice) {
            for (index, (staff, tick, own)) in measure.clefs.iter().enumerate() {
                if !changed[index] && *staff == chord.staff && tick.0 <= chord.at.0 {
                    changed[index] = true;
                    out.push_str("<attributes>");
                    clef(out, usize::from(*staff), *own);
                    out.push_str("</attributes>");
                }
            }
            let _ = write!(out, "<forward><duration>{}</duration></forward>", chord.at.0 - at);
            let length = if chord.rest == Rest::WholeMeasure && chord.heads.is_empty() {
                measure.length.0
            } else {
                chord.ticks(resolution).0
            };
            at = chord.at.0 + length;
            if chord.heads.is_empty() {
                note(out, chord, None, length);
            }
            for (index, head) in chord.heads.iter().enumerate() {
                note(out, chord, Some((index, head)), length);
            }
        }
    }
}

fn note(out: &mut String, chord: &Chord, head: Option<(usize, &Head)>, length: i64) {
    let hidden = if head.is_none() && chord.rest == Rest::Hidden { " print-object=\"no\"" } else { "" };
    let _ = write!(out, "<note{hidden}>");
    if chord.grace.is_some() {
        out.push_str("<grace slash=\"yes\"/>");
    }
    match head {
        Some((index, head)) => {
            let (pitch, tied) = (head.pitch, head.tied);
            if index > 0 {
                out.push_str("<chord/>");
            }
            let _ = write!(out, "<pitch><step>{:?}</step><alter>{}</alter>", pitch.step, pitch.alter);
            let _ = write!(out, "<octave>{}</octave></pitch>", pitch.octave);
            tail(out, chord, length, head.staff.unwrap_or(chord.staff), tied);
        }
        None => {
            let full = if chord.rest == Rest::WholeMeasure { " measure=\"yes\"" } else { "" };
            let _ = write!(out, "<rest{full}/>");
            tail(out, chord, length, chord.staff, false);
        }
    }
}

fn tail(out: &mut String, chord: &Chord, length: i64, staff: u8, tied: bool) {
    if chord.grace.is_none() {
        let _ = write!(out, "<duration>{length}</duration>");
    }
    if tied {
        out.push_str("<tie type=\"start\"/>");
    }
    let names = ["breve", "whole", "half", "quarter", "eighth", "16th", "32nd", "64th", "128th"];
    let name = Base::ALL.iter().position(|base| *base == chord.value.base).and_then(|i| names.get(i));
    let _ = write!(out, "<voice>{}</voice><type>{}</type>", chord.voice + 1, name.unwrap_or(&"quarter"));
    for _ in 0..chord.value.dots {
        out.push_str("<dot/>");
    }
    if let Some(ratio) = chord.value.ratio {
        let (actual, normal) = (ratio.actual, ratio.normal);
        let _ = write!(
            out,
            "<time-modification><actual-notes>{actual}</actual-notes><normal-notes>{normal}</normal-notes></time-modification>"
        );
    }
    let _ = write!(out, "<staff>{}</staff><notations>", staff + 1);
    if tied {
        out.push_str("<tied type=\"start\"/>");
    }
    match chord.tuplet {
        TupletMark::Starts { .. } => out.push_str("<tuplet type=\"start\"/>"),
        TupletMark::Ends => out.push_str("<tuplet type=\"stop\"/>"),
        _ => {}
    }
    out.push_str("</notations></note>");
}
