//! What `<attributes>` change: divisions, transposition, time signature, key signature, clefs.

use roxmltree::Node;

use super::page::{Reader, Transpose};
use super::tree::{child, child_number, child_text, children, has, number, text};
use crate::music::KeySignature;
use crate::music::notation::Clef;
use crate::time::Ticks;

impl Reader<'_, '_> {
    /// Reads divisions, transposition, metre, key and clefs.
    pub(super) fn attributes(&mut self, node: Node<'_, '_>) {
        if let Some(divisions) = child_number::<f64>(node, "divisions") {
            if divisions.is_finite() && divisions > 0.0 {
                self.divisions = divisions;
            } else {
                self.warnings.add("divisions of 0 are ignored");
            }
        }
        if let Some(transpose) = child(node, "transpose") {
            let octaves = child_number::<i32>(transpose, "octave-change").unwrap_or(0).clamp(-4, 4);
            let semitones = child_number::<f64>(transpose, "chromatic").unwrap_or(0.0).clamp(-48.0, 48.0) as i32;
            // The usual steps of so many semitones, where the file does not say.
            let usual = [0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6][semitones.unsigned_abs() as usize % 12];
            let usual = (usual + semitones.abs() / 12 * 7) * semitones.signum();
            let steps = child_number::<i32>(transpose, "diatonic").unwrap_or(usual).clamp(-28, 28);
            self.transpose = Transpose { steps: steps + octaves * 7, semitones: semitones + octaves * 12 };
        }
        if let Some(time) = child(node, "time") {
            self.time(time);
        }
        if let Some(key) = child(node, "key")
            && let Some(fifths) = child_number::<i32>(key, "fifths")
        {
            let Transpose { steps, semitones } = self.transpose;
            let sounding = fifths.clamp(-7, 7) + semitones * 7 - steps * 12;
            let fifths = if sounding.abs() <= 7 { sounding } else { sounding - 12 * sounding.signum() };
            let fifths = fifths.clamp(-7, 7) as i8;
            self.bar.page.fifths = Some(fifths);
            let minor = child_text(key, "mode") == "minor";
            self.bar.key = Some(KeySignature { tick: Ticks(0), fifths, minor });
        }
        for node in children(node, "clef") {
            self.clef(node);
        }
    }

    /// A time signature: sums such as 3+2/8, and several fractions, become one.
    fn time(&mut self, node: Node<'_, '_>) {
        if has(node, "senza-misura") {
            return;
        }
        let beats =
            children(node, "beats").map(|n| text(n).split('+').filter_map(|n| n.trim().parse::<u32>().ok()).sum());
        let units = children(node, "beat-type").filter_map(|n| text(n).parse::<u32>().ok());
        let pairs: Vec<(u32, u32)> = beats.zip(units).collect();
        let is_unit = |unit: u32| unit.is_power_of_two() && unit <= 64;
        let common = pairs.iter().map(|pair| pair.1).max().unwrap_or(0);
        let total = (pairs.iter().all(|(beats, unit)| is_unit(*unit) && *beats <= 255) && common > 0)
            .then(|| pairs.iter().map(|(beats, unit)| beats * (common / unit)).sum::<u32>());
        match total.and_then(|beats| u8::try_from(beats).ok()).filter(|beats| *beats > 0) {
            Some(beats) => {
                self.meter = (beats, common as u8);
                self.bar.page.meter = Some(self.meter);
            }
            None => self.warnings.add("its time signature is none that can be counted, and is ignored"),
        }
    }

    fn clef(&mut self, node: Node<'_, '_>) {
        let staff = number::<u8>(node, "number").unwrap_or(1).clamp(1, self.staves) - 1;
        let octaves = child_number::<i8>(node, "clef-octave-change").unwrap_or(0);
        let clef = match (child_text(node, "sign"), child_number::<u8>(node, "line"), octaves.signum()) {
            ("G", _, 0) => Clef::Treble,
            ("G", _, 1) => Clef::Treble8va,
            ("G", _, _) => Clef::Treble8vb,
            ("F", _, -1) => Clef::Bass8vb,
            ("F", _, _) => Clef::Bass,
            ("C", Some(4 | 5), _) => Clef::Tenor,
            ("C", Some(1), _) => Clef::Treble,
            ("C", _, _) => Clef::Alto,
            _ => return,
        };
        let at = self.ticks(self.cursor);
        if self.index == 0 && at.0 == 0 {
            self.clefs[usize::from(self.first_staff + staff).min(self.clefs.len() - 1)] = clef;
        } else {
            self.bar.page.clefs.push((self.first_staff + staff, at, clef));
        }
    }
}
