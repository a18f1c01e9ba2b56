//! What stands beside the notes: directions, chord symbols, bar lines, and what `<sound>` elements say.

use roxmltree::Node;

use super::divide::Sign;
use super::note::{above, base};
use super::page::{Reader, Sound};
use super::spans::End;
use super::tree::{child, child_number, child_text, children, has, number, says_yes, text};
use super::words::{dynamic, jump_in, kind_name, tempo_of};
use crate::music::notation::{Barline, Direction, DirectionKind, Dynamic, Jump, NoteValue, SpanKind};
use crate::time::Ticks;

/// Longer words are cut: they are shown on the page.
const WORDS_CHARS_MAX: usize = 100;
/// Directions of one measure; more are no music.
const DIRECTIONS_MAX: usize = 1_000;
/// Quarters a minute that can be meant; a MIDI file says no less than 3.6.
const TEMPO_MIN: f64 = 4.0;
const TEMPO_MAX: f64 = 2_000.0;

/// A velocity from MusicXML's percentage of the usual forte, which is 90 (`dynamics` of `<sound>` and `<note>`).
pub(super) fn velocity(percent: f64) -> u8 {
    (percent * 0.9).round().clamp(1.0, 127.0) as u8
}

impl Reader<'_, '_> {
    /// Reads a direction: all its signs, and what it does to the sound.
    pub(super) fn direction(&mut self, node: Node<'_, '_>) {
        let offset = child(node, "offset").and_then(|offset| text(offset).parse::<f64>().ok());
        let at = self.ticks((self.cursor + self.quarters(offset.unwrap_or(0.0))).max(0.0));
        let (staff, above, sound) = (self.staff(node), above(node), child(node, "sound"));
        let end = End { place: (self.index, at), staff, strike: None, above };
        let signs: Vec<Node<'_, '_>> =
            children(node, "direction-type").flat_map(|n| n.children()).filter(Node::is_element).collect();
        let words: Vec<&str> =
            signs.iter().filter(|n| matches!(n.tag_name().name(), "words" | "rehearsal")).map(|n| text(*n)).collect();
        let words: String = words.join(" ").trim().chars().take(WORDS_CHARS_MAX).collect();
        let jump = jump_in(&words);
        let leads = |name| sound.is_some_and(|sound| sound.attribute(name).is_some());
        let sign_is_name = jump.is_some() || leads("tocoda") || leads("dalsegno") || leads("dacapo");
        let is_tempo = leads("tempo") || signs.iter().any(|sign| sign.tag_name().name() == "metronome");
        let (mut accent, mut pedal) = (false, false);
        for sign in &signs {
            match sign.tag_name().name() {
                "dynamics" => accent |= self.dynamics(*sign, at, staff, above),
                "wedge" => self.wedge(*sign, end),
                "octave-shift" => self.octave_shift(*sign, end),
                "pedal" => pedal |= self.pedal(*sign, end),
                "metronome" => self.metronome(*sign, at, staff, !leads("tempo")),
                "segno" if !sign_is_name => self.jump(Jump::Segno),
                "coda" if !sign_is_name => self.jump(Jump::Coda),
                _ => {}
            }
        }
        match jump {
            Some(jump) => self.jump(jump),
            None if words.is_empty() => {}
            None if !is_tempo && self.begins_with(&words) => self.say(at, staff, above, DirectionKind::Tempo(words)),
            None if is_tempo => self.say(at, staff, above, DirectionKind::Tempo(words)),
            None => self.say(at, staff, above, DirectionKind::Words(words)),
        }
        if let Some(sound) = sound {
            self.sounds(sound, at, staff, (accent, pedal));
        }
    }

    /// Whether the piece begins with a tempo word, which counts until the file gives a number.
    fn begins_with(&mut self, words: &str) -> bool {
        let begins = self.index == 0 && self.is_at_start() && self.bar.sounds.len() < DIRECTIONS_MAX;
        let tempo = tempo_of(words).filter(|_| begins);
        if let Some(tempo) = tempo {
            self.bar.sounds.insert(0, (Ticks::ZERO, Sound::Tempo((60e6 / tempo).round() as u32)));
        }
        tempo.is_some()
    }

    fn say(&mut self, at: Ticks, staff: u8, above: Option<bool>, kind: DirectionKind) {
        if self.bar.page.directions.len() < DIRECTIONS_MAX {
            self.bar.page.directions.push(Direction { staff, at, above, kind });
        }
    }

    fn sounding(&mut self, at: Ticks, sound: Sound) {
        if self.bar.sounds.len() < DIRECTIONS_MAX {
            self.bar.sounds.push((at, sound));
        }
    }

    /// Signs of loudness; whether they are accents, which hold for one note only.
    pub(super) fn dynamics(&mut self, node: Node<'_, '_>, at: Ticks, staff: u8, above: Option<bool>) -> bool {
        let mut accents = false;
        for sign in node.children().filter(Node::is_element).filter_map(|n| dynamic(n.tag_name().name())) {
            self.say(at, staff, above, DirectionKind::Dynamic(sign));
            if sign.is_accent() {
                accents = true;
                self.sounding(at, Sound::Accent(sign.velocity(), staff));
            } else {
                self.sounding(at, Sound::Loud(sign.velocity(), staff));
            }
            if sign == Dynamic::Fp {
                self.sounding(at + Ticks(1), Sound::Loud(Dynamic::P.velocity(), staff));
            }
        }
        accents
    }

    fn wedge(&mut self, node: Node<'_, '_>, end: End) {
        let kind = match node.attribute("type") {
            Some("diminuendo") => SpanKind::Diminuendo,
            _ => SpanKind::Crescendo,
        };
        self.spans.mark(node, kind, end);
    }

    fn octave_shift(&mut self, node: Node<'_, '_>, end: End) {
        let octaves = match number::<u8>(node, "size").unwrap_or(8) {
            22 => 3,
            15 => 2,
            _ => 1,
        };
        // "Down" says where the notes are put: lower than they sound.
        let octaves = if node.attribute("type") == Some("up") { -octaves } else { octaves };
        self.spans.mark(node, SpanKind::Octave(octaves), end);
    }

    /// Whether the sign moves the pedal.
    fn pedal(&mut self, node: Node<'_, '_>, end: End) -> bool {
        let (at, line) = (end.place.1, says_yes(node, "line"));
        let number = number(node, "number").unwrap_or(1);
        let (down, up) = match node.attribute("type") {
            Some("start") => (true, false),
            Some("stop") => (false, true),
            Some("change") => (true, true),
            _ => return false,
        };
        if up {
            self.sounding(at, Sound::Pedal(0));
            self.spans.stop(SpanKind::Pedal, number, end);
        }
        if down {
            // The foot lets the former sound end before it goes down again.
            let later = if up { Ticks(i64::from(self.resolution / 16).max(1)) } else { Ticks::ZERO };
            self.sounding(at + later, Sound::Pedal(127));
        }
        match (down, line || (down && up)) {
            (true, true) => self.spans.start(SpanKind::Pedal, number, end),
            (true, false) => self.say(at, end.staff, end.above, DirectionKind::PedalDown),
            (false, false) => self.say(at, end.staff, end.above, DirectionKind::PedalUp),
            (false, true) => {}
        }
        true
    }

    fn metronome(&mut self, node: Node<'_, '_>, at: Ticks, staff: u8, sounds: bool) {
        let Some(base) = base(child_text(node, "beat-unit")) else { return };
        let dots = children(node, "beat-unit-dot").take(3).count() as u8;
        let minute = child_text(node, "per-minute");
        let mut parts = minute.split(|c: char| !c.is_ascii_digit() && c != '.');
        let Some(beats) = parts.find_map(|part| part.parse::<f32>().ok()).filter(|beats| *beats > 0.0) else {
            return;
        };
        let value = NoteValue::dotted(base, dots);
        self.say(at, staff, Some(true), DirectionKind::Metronome(value, beats));
        if sounds {
            // 480 divides every value down to the dotted 128th that a metronome counts.
            self.tempo(at, f64::from(beats) * value.ticks(480).0 as f64 / 480.0);
        }
    }

    fn tempo(&mut self, at: Ticks, quarters_a_minute: f64) {
        if quarters_a_minute.is_finite() && quarters_a_minute > 0.0 {
            let tempo = quarters_a_minute.clamp(TEMPO_MIN, TEMPO_MAX);
            self.sounding(at, Sound::Tempo((60e6 / tempo).round() as u32));
        }
    }

    /// A `<sound>` on its own.
    pub(super) fn sound(&mut self, node: Node<'_, '_>, at: Ticks, staff: u8) {
        self.sounds(node, at, staff, (false, false));
    }

    /// What a `<sound>` says beyond the signs it stands with.
    fn sounds(&mut self, node: Node<'_, '_>, at: Ticks, staff: u8, (accent, pedal): (bool, bool)) {
        if let Some(tempo) = number(node, "tempo") {
            self.tempo(at, tempo);
        }
        if let Some(percent) = number::<f64>(node, "dynamics").filter(|percent| percent.is_finite()) {
            let level = velocity(percent);
            self.sounding(at, if accent { Sound::Accent(level, staff) } else { Sound::Loud(level, staff) });
        }
        match node.attribute("damper-pedal") {
            Some(_) if pedal => {}
            Some("yes") => self.sounding(at, Sound::Pedal(127)),
            Some("no") => self.sounding(at, Sound::Pedal(0)),
            Some(depth) => {
                if let Ok(percent) = depth.parse::<f64>() {
                    self.sounding(at, Sound::Pedal((percent * 1.27).round().clamp(0.0, 127.0) as u8));
                }
            }
            None => {}
        }
        let jumps = [
            ("segno", Jump::Segno),
            ("coda", Jump::Coda),
            ("tocoda", Jump::ToCoda),
            ("fine", Jump::Fine),
            ("dacapo", Jump::DaCapo),
            ("dalsegno", Jump::DalSegno),
        ];
        for (name, jump) in jumps {
            if node.attribute(name).is_some_and(|value| value != "no") {
                self.jump(jump);
            }
        }
    }

    /// A jump once; of two of one kind the one that says more.
    pub(super) fn jump(&mut self, jump: Jump) {
        // What is at a measure's very end stands before the next one.
        if matches!(jump, Jump::Segno | Jump::Coda) && self.is_full() {
            if !self.next_jumps.contains(&jump) {
                self.next_jumps.push(jump);
            }
            return;
        }
        let jumps = &mut self.bar.page.jumps;
        match jumps.iter_mut().find(|other| kind(**other) == kind(jump)) {
            Some(other) if matches!(other, Jump::DaCapo | Jump::DalSegno) => *other = jump,
            Some(_) => {}
            None => jumps.push(jump),
        }
    }

    /// Reads a chord symbol.
    pub(super) fn harmony(&mut self, node: Node<'_, '_>) {
        let Some(root) = child(node, "root") else { return };
        let note = |node, step, alter| {
            let sign = match child_number::<f64>(node, alter).unwrap_or(0.0) {
                a if a > 0.0 => "♯",
                a if a < 0.0 => "♭",
                _ => "",
            };
            format!("{}{sign}", child_text(node, step))
        };
        let kind = child(node, "kind");
        let printed = kind.and_then(|kind| kind.attribute("text"));
        let name = printed.unwrap_or_else(|| kind.map_or("", |kind| kind_name(text(kind))));
        let mut symbol = note(root, "root-step", "root-alter") + name;
        if let Some(bass) = child(node, "bass") {
            symbol = format!("{symbol}/{}", note(bass, "bass-step", "bass-alter"));
        }
        let offset = child(node, "offset").and_then(|offset| text(offset).parse::<f64>().ok());
        let at = self.ticks((self.cursor + self.quarters(offset.unwrap_or(0.0))).max(0.0));
        let staff = self.staff(node);
        self.say(at, staff, Some(true), DirectionKind::Harmony(symbol.chars().take(WORDS_CHARS_MAX).collect()));
    }

    /// Reads a bar line: its look, repeats, endings.
    pub(super) fn barline(&mut self, node: Node<'_, '_>) {
        let location = node.attribute("location").unwrap_or("right");
        if location == "right" {
            self.bar.page.barline = match child_text(node, "bar-style") {
                "light-light" => Barline::Double,
                "light-heavy" | "heavy" | "heavy-heavy" => Barline::Final,
                "dashed" | "dotted" | "tick" | "short" => Barline::Dashed,
                "none" => Barline::None,
                _ => Barline::Single,
            };
        }
        for ending in children(node, "ending") {
            self.ending(ending);
        }
        for (name, jump) in [("segno", Jump::Segno), ("coda", Jump::Coda)] {
            if has(node, name) {
                self.jump(jump);
            }
        }
        let Some(repeat) = child(node, "repeat") else { return };
        /// Nobody plays anything more often.
        const TIMES_MAX: u8 = 64;
        let times = number::<u8>(repeat, "times").unwrap_or(2).clamp(2, TIMES_MAX);
        match (repeat.attribute("direction"), location) {
            (Some(way @ ("forward" | "backward")), "middle") => {
                let sign = if way == "forward" { Sign::Start } else { Sign::End(times) };
                self.bar.within.push((self.ticks(self.cursor), sign));
            }
            (Some("forward"), "left") => self.bar.page.repeat_start = true,
            (Some("forward"), _) => self.next_repeat_start = true,
            (Some("backward"), "left") => self.bar.repeat_before = Some(times),
            (Some("backward"), _) => self.bar.page.repeat_end = Some(times),
            _ => {}
        }
    }
}

/// Jumps of which a measure has one.
fn kind(jump: Jump) -> u8 {
    match jump {
        Jump::Segno => 0,
        Jump::Coda => 1,
        Jump::ToCoda => 2,
        Jump::Fine => 3,
        Jump::DaCapo | Jump::DaCapoAlFine | Jump::DaCapoAlCoda => 4,
        Jump::DalSegno | Jump::DalSegnoAlFine | Jump::DalSegnoAlCoda => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loudness_is_a_share_of_forte() {
        assert_eq!((velocity(100.0), velocity(54.44), velocity(0.0), velocity(900.0)), (90, 49, 1, 127));
    }
}
