//! The measures of Leland's glyphs, in staff spaces; written by `tools/leland_metrics.py` from the font's metadata.

use super::font::{Defaults, Glyph, glyph};

/// The font's engraving defaults (SMuFL: `engravingDefaults`).
pub(super) const DEFAULTS: Defaults = Defaults {
    barline_separation: 0.37,
    beam_spacing: 0.25,
    beam_thickness: 0.5,
    dashed_barline_dash_length: 0.6,
    dashed_barline_gap_length: 0.4,
    hairpin_thickness: 0.12,
    leger_line_extension: 0.35,
    leger_line_thickness: 0.16,
    octave_line_thickness: 0.11,
    pedal_line_thickness: 0.11,
    repeat_barline_dot_separation: 0.37,
    repeat_ending_line_thickness: 0.11,
    slur_endpoint_thickness: 0.05,
    slur_midpoint_thickness: 0.21,
    staff_line_thickness: 0.11,
    stem_thickness: 0.1,
    thick_barline_thickness: 0.55,
    thin_barline_thickness: 0.18,
    tie_endpoint_thickness: 0.05,
    tie_midpoint_thickness: 0.21,
    tuplet_bracket_thickness: 0.1,
};

pub(super) const G_CLEF: Glyph = glyph('\u{E050}', [0.0, -2.664, 2.556, 4.448, 2.56, 0.0, 0.0]);
pub(super) const F_CLEF: Glyph = glyph('\u{E062}', [0.0, -2.468, 2.656, 1.004, 2.652, 0.0, 0.0]);
pub(super) const C_CLEF: Glyph = glyph('\u{E05C}', [0.0, -1.92, 2.508, 1.928, 2.508, 0.0, 0.0]);
pub(super) const G_CLEF8VA: Glyph = glyph('\u{E053}', [0.0, -2.664, 2.556, 5.348, 2.56, 0.0, 0.0]);
pub(super) const G_CLEF8VB: Glyph = glyph('\u{E052}', [0.0, -3.588, 2.56, 4.448, 2.56, 0.0, 0.0]);
pub(super) const F_CLEF8VB: Glyph = glyph('\u{E064}', [0.0, -2.968, 2.656, 1.004, 2.652, 0.0, 0.0]);
pub(super) const NOTEHEAD_DOUBLE_WHOLE: Glyph = glyph('\u{E0A0}', [0.0, -0.708, 2.152, 0.716, 2.156, 0.0, 0.0]);
pub(super) const NOTEHEAD_WHOLE: Glyph = glyph('\u{E0A2}', [0.0, -0.536, 1.492, 0.544, 1.492, -0.4, 0.0]);
pub(super) const NOTEHEAD_HALF: Glyph = glyph('\u{E0A3}', [0.0, -0.528, 1.3, 0.528, 1.3, 0.16, -0.168]);
pub(super) const NOTEHEAD_BLACK: Glyph = glyph('\u{E0A4}', [0.0, -0.532, 1.3, 0.528, 1.3, 0.16, -0.168]);
pub(super) const AUGMENTATION_DOT: Glyph = glyph('\u{E1E7}', [0.0, -0.196, 0.4, 0.2, 0.4, 0.0, 0.0]);
pub(super) const REST_DOUBLE_WHOLE: Glyph = glyph('\u{E4E2}', [0.0, -0.044, 0.5, 1.048, 0.5, 0.0, 0.0]);
pub(super) const REST_WHOLE: Glyph = glyph('\u{E4E3}', [0.0, -0.524, 1.3, 0.02, 1.3, 0.0, 0.0]);
pub(super) const REST_HALF: Glyph = glyph('\u{E4E4}', [0.0, -0.016, 1.3, 0.528, 1.3, 0.0, 0.0]);
pub(super) const REST_QUARTER: Glyph = glyph('\u{E4E5}', [0.0, -1.324, 0.94, 1.604, 0.94, 0.0, 0.0]);
pub(super) const REST_8TH: Glyph = glyph('\u{E4E6}', [0.0, -1.02, 1.104, 0.812, 1.104, 0.0, 0.0]);
pub(super) const REST_16TH: Glyph = glyph('\u{E4E7}', [0.004, -2.028, 1.372, 0.812, 1.376, 0.0, 0.0]);
pub(super) const REST_32ND: Glyph = glyph('\u{E4E8}', [0.0, -2.028, 1.56, 1.836, 1.564, 0.0, 0.0]);
pub(super) const REST_64TH: Glyph = glyph('\u{E4E9}', [0.0, -3.032, 1.688, 1.852, 1.692, 0.0, 0.0]);
pub(super) const REST_128TH: Glyph = glyph('\u{E4EA}', [0.0, -3.032, 1.896, 2.864, 1.9, 0.0, 0.0]);
pub(super) const FLAG_8TH_UP: Glyph = glyph('\u{E240}', [0.0, -3.268, 1.156, 0.044, 1.156, -0.008, 0.0]);
pub(super) const FLAG_16TH_UP: Glyph = glyph('\u{E242}', [0.0, -3.28, 1.116, 0.048, 1.12, -0.004, 0.0]);
pub(super) const FLAG_32ND_UP: Glyph = glyph('\u{E244}', [0.0, -3.284, 1.116, 0.744, 1.116, 0.692, 0.0]);
pub(super) const FLAG_64TH_UP: Glyph = glyph('\u{E246}', [0.0, -3.284, 1.116, 1.492, 1.116, 1.44, 0.0]);
pub(super) const FLAG_128TH_UP: Glyph = glyph('\u{E248}', [0.0, -3.28, 1.116, 2.292, 1.12, 2.24, 0.0]);
pub(super) const FLAG_8TH_DOWN: Glyph = glyph('\u{E241}', [0.0, -0.044, 1.232, 3.268, 1.236, 0.004, 0.0]);
pub(super) const FLAG_16TH_DOWN: Glyph = glyph('\u{E243}', [0.0, -0.104, 1.232, 3.212, 1.236, -0.036, 0.0]);
pub(super) const FLAG_32ND_DOWN: Glyph = glyph('\u{E245}', [0.0, -0.86, 1.232, 3.212, 1.236, -0.796, 0.0]);
pub(super) const FLAG_64TH_DOWN: Glyph = glyph('\u{E247}', [0.0, -1.608, 1.232, 3.212, 1.236, -1.544, 0.0]);
pub(super) const FLAG_128TH_DOWN: Glyph = glyph('\u{E249}', [0.0, -2.36, 1.232, 3.212, 1.236, -2.296, 0.0]);
pub(super) const GRACE_NOTE_SLASH_STEM_UP: Glyph = glyph('\u{E564}', [0.0, 0.0, 1.956, 1.196, 1.956, 0.0, 0.0]);
pub(super) const GRACE_NOTE_SLASH_STEM_DOWN: Glyph = glyph('\u{E565}', [0.0, -1.196, 1.956, 0.0, 1.956, 0.0, 0.0]);
pub(super) const ACCIDENTAL_TRIPLE_FLAT: Glyph = glyph('\u{E266}', [0.0, -0.704, 2.156, 1.812, 2.156, 0.0, 0.0]);
pub(super) const ACCIDENTAL_DOUBLE_FLAT: Glyph = glyph('\u{E264}', [0.0, -0.704, 1.484, 1.812, 1.484, 0.0, 0.0]);
pub(super) const ACCIDENTAL_FLAT: Glyph = glyph('\u{E260}', [0.0, -0.704, 0.812, 1.812, 0.848, 0.0, 0.0]);
pub(super) const ACCIDENTAL_NATURAL: Glyph = glyph('\u{E261}', [0.0, -1.292, 0.684, 1.3, 0.684, 0.0, 0.0]);
pub(super) const ACCIDENTAL_SHARP: Glyph = glyph('\u{E262}', [0.0, -1.332, 0.976, 1.336, 0.976, 0.0, 0.0]);
pub(super) const ACCIDENTAL_DOUBLE_SHARP: Glyph = glyph('\u{E263}', [0.0, -0.548, 1.1, 0.552, 1.1, 0.0, 0.0]);
pub(super) const ACCIDENTAL_TRIPLE_SHARP: Glyph = glyph('\u{E265}', [0.0, -1.332, 2.344, 1.336, 2.344, 0.0, 0.0]);
pub(super) const TIME_SIG0: Glyph = glyph('\u{E080}', [0.06, -1.016, 1.556, 1.02, 1.616, 0.0, 0.0]);
pub(super) const TIME_SIG1: Glyph = glyph('\u{E081}', [0.06, -0.972, 1.344, 0.98, 1.404, 0.0, 0.0]);
pub(super) const TIME_SIG2: Glyph = glyph('\u{E082}', [0.06, -0.972, 1.508, 0.98, 1.568, 0.0, 0.0]);
pub(super) const TIME_SIG3: Glyph = glyph('\u{E083}', [0.06, -0.976, 1.456, 0.976, 1.516, 0.0, 0.0]);
pub(super) const TIME_SIG4: Glyph = glyph('\u{E084}', [0.052, -0.992, 1.768, 0.992, 1.828, 0.0, 0.0]);
pub(super) const TIME_SIG5: Glyph = glyph('\u{E085}', [0.06, -0.976, 1.448, 0.984, 1.508, 0.0, 0.0]);
pub(super) const TIME_SIG6: Glyph = glyph('\u{E086}', [0.06, -0.976, 1.548, 0.98, 1.608, 0.0, 0.0]);
pub(super) const TIME_SIG7: Glyph = glyph('\u{E087}', [0.056, -1.0, 1.46, 1.004, 1.524, 0.0, 0.0]);
pub(super) const TIME_SIG8: Glyph = glyph('\u{E088}', [0.06, -0.992, 1.572, 0.984, 1.632, 0.0, 0.0]);
pub(super) const TIME_SIG9: Glyph = glyph('\u{E089}', [0.06, -0.976, 1.548, 0.98, 1.608, 0.0, 0.0]);
pub(super) const REPEAT_DOT: Glyph = glyph('\u{E044}', [0.0, -0.212, 0.416, 0.212, 0.416, 0.0, 0.0]);
pub(super) const SEGNO: Glyph = glyph('\u{E047}', [0.0, 0.0, 2.616, 3.476, 2.616, 0.0, 0.0]);
pub(super) const CODA: Glyph = glyph('\u{E048}', [0.0, -0.452, 2.98, 2.94, 2.98, 0.0, 0.0]);
pub(super) const DYNAMIC_PPPP: Glyph = glyph('\u{E529}', [-0.38, -0.652, 5.156, 1.052, 5.288, 0.0, 0.0]);
pub(super) const DYNAMIC_PPP: Glyph = glyph('\u{E52A}', [-0.38, -0.652, 3.86, 1.052, 3.992, 0.0, 0.0]);
pub(super) const DYNAMIC_PP: Glyph = glyph('\u{E52B}', [-0.38, -0.652, 2.564, 1.052, 2.696, 0.0, 0.0]);
pub(super) const DYNAMIC_PIANO: Glyph = glyph('\u{E520}', [-0.38, -0.652, 1.268, 1.052, 1.4, 0.0, 0.0]);
pub(super) const DYNAMIC_MP: Glyph = glyph('\u{E52C}', [-0.028, -0.652, 2.784, 1.052, 2.916, 0.0, 0.0]);
pub(super) const DYNAMIC_MF: Glyph = glyph('\u{E52D}', [-0.028, -0.772, 2.832, 1.684, 2.964, 0.0, 0.0]);
pub(super) const DYNAMIC_FORTE: Glyph = glyph('\u{E522}', [-0.548, -0.772, 1.336, 1.684, 1.468, 0.0, 0.0]);
pub(super) const DYNAMIC_FF: Glyph = glyph('\u{E52F}', [-0.548, -0.784, 2.352, 1.688, 2.484, 0.0, 0.0]);
pub(super) const DYNAMIC_FFF: Glyph = glyph('\u{E530}', [-0.548, -0.784, 3.352, 1.692, 3.484, 0.0, 0.0]);
pub(super) const DYNAMIC_FFFF: Glyph = glyph('\u{E531}', [-0.548, -0.784, 4.352, 1.692, 4.484, 0.0, 0.0]);
pub(super) const DYNAMIC_FORTE_PIANO: Glyph = glyph('\u{E534}', [-0.544, -0.772, 2.324, 1.684, 2.456, 0.0, 0.0]);
pub(super) const DYNAMIC_SFORZANDO1: Glyph = glyph('\u{E536}', [0.0, -0.772, 2.268, 1.684, 2.4, 0.0, 0.0]);
pub(super) const DYNAMIC_SFORZATO: Glyph = glyph('\u{E539}', [0.0, -0.772, 2.792, 1.684, 2.86, 0.0, 0.0]);
pub(super) const DYNAMIC_SFORZATO_FF: Glyph = glyph('\u{E53B}', [0.0, -0.784, 3.8, 1.688, 3.868, 0.0, 0.0]);
pub(super) const DYNAMIC_FORZANDO: Glyph = glyph('\u{E535}', [-0.548, -0.772, 1.852, 1.684, 1.92, 0.0, 0.0]);
pub(super) const DYNAMIC_RINFORZANDO1: Glyph = glyph('\u{E53C}', [-0.048, -0.772, 2.344, 1.684, 2.476, 0.0, 0.0]);
pub(super) const DYNAMIC_RINFORZANDO2: Glyph = glyph('\u{E53D}', [-0.048, -0.772, 2.864, 1.684, 2.932, 0.0, 0.0]);
pub(super) const ARTIC_STACCATO_ABOVE: Glyph = glyph('\u{E4A2}', [0.0, 0.0, 0.308, 0.308, 0.312, 0.0, 0.0]);
pub(super) const ARTIC_STACCATO_BELOW: Glyph = glyph('\u{E4A3}', [0.0, -0.312, 0.308, 0.0, 0.312, 0.0, 0.0]);
pub(super) const ARTIC_STACCATISSIMO_ABOVE: Glyph = glyph('\u{E4A6}', [0.0, 0.0, 0.504, 0.992, 0.508, 0.0, 0.0]);
pub(super) const ARTIC_STACCATISSIMO_BELOW: Glyph = glyph('\u{E4A7}', [0.0, -0.992, 0.504, 0.0, 0.508, 0.0, 0.0]);
pub(super) const ARTIC_TENUTO_ABOVE: Glyph = glyph('\u{E4A4}', [0.0, 0.0, 1.264, 0.184, 1.264, 0.0, 0.0]);
pub(super) const ARTIC_TENUTO_BELOW: Glyph = glyph('\u{E4A5}', [0.0, -0.184, 1.264, 0.0, 1.264, 0.0, 0.0]);
pub(super) const ARTIC_ACCENT_ABOVE: Glyph = glyph('\u{E4A0}', [0.0, 0.0, 1.444, 0.94, 1.44, 0.0, 0.0]);
pub(super) const ARTIC_ACCENT_BELOW: Glyph = glyph('\u{E4A1}', [0.0, -0.94, 1.444, 0.0, 1.44, 0.0, 0.0]);
pub(super) const ARTIC_MARCATO_ABOVE: Glyph = glyph('\u{E4AC}', [0.004, 0.0, 1.184, 1.012, 1.18, 0.0, 0.0]);
pub(super) const ARTIC_MARCATO_BELOW: Glyph = glyph('\u{E4AD}', [0.0, -1.012, 1.18, 0.0, 1.184, 0.0, 0.0]);
pub(super) const ARTIC_TENUTO_STACCATO_ABOVE: Glyph = glyph('\u{E4B2}', [0.0, 0.0, 1.264, 0.748, 1.264, 0.0, 0.0]);
pub(super) const ARTIC_TENUTO_STACCATO_BELOW: Glyph = glyph('\u{E4B3}', [0.0, -0.748, 1.264, 0.0, 1.264, 0.0, 0.0]);
pub(super) const FERMATA_ABOVE: Glyph = glyph('\u{E4C0}', [0.0, 0.0, 2.488, 1.472, 2.488, 0.0, 0.0]);
pub(super) const FERMATA_BELOW: Glyph = glyph('\u{E4C1}', [0.0, -1.472, 2.488, 0.0, 2.488, 0.0, 0.0]);
pub(super) const ORNAMENT_TRILL: Glyph = glyph('\u{E566}', [-0.048, 0.0, 1.532, 1.532, 1.732, 0.0, 0.0]);
pub(super) const ORNAMENT_MORDENT: Glyph = glyph('\u{E56D}', [0.0, -0.308, 1.892, 1.264, 1.892, 0.0, 0.0]);
pub(super) const ORNAMENT_SHORT_TRILL: Glyph = glyph('\u{E56C}', [0.0, 0.0, 1.892, 0.992, 1.892, 0.0, 0.0]);
pub(super) const ORNAMENT_TURN: Glyph = glyph('\u{E567}', [0.0, 0.0, 1.824, 0.928, 1.824, 0.0, 0.0]);
pub(super) const ORNAMENT_TURN_INVERTED: Glyph = glyph('\u{E568}', [0.0, 0.0, 1.824, 0.928, 1.824, 0.0, 0.0]);
pub(super) const TREMOLO1: Glyph = glyph('\u{E220}', [-0.58, -0.368, 0.58, 0.384, 0.58, 0.0, 0.0]);
pub(super) const TREMOLO2: Glyph = glyph('\u{E221}', [-0.58, -0.752, 0.58, 0.756, 0.58, 0.0, 0.0]);
pub(super) const TREMOLO3: Glyph = glyph('\u{E222}', [-0.58, -1.132, 0.58, 1.128, 0.58, 0.0, 0.0]);
pub(super) const TREMOLO4: Glyph = glyph('\u{E223}', [-0.58, -1.508, 0.58, 1.512, 0.58, 0.0, 0.0]);
pub(super) const TREMOLO5: Glyph = glyph('\u{E224}', [-0.58, -1.884, 0.58, 1.888, 0.58, 0.0, 0.0]);
pub(super) const BREATH_MARK_COMMA: Glyph = glyph('\u{E4CE}', [0.0, 0.0, 0.76, 1.284, 0.764, 0.0, 0.0]);
pub(super) const TUPLET0: Glyph = glyph('\u{E880}', [0.0, -0.028, 1.092, 1.452, 1.092, 0.0, 0.0]);
pub(super) const TUPLET1: Glyph = glyph('\u{E881}', [0.0, 0.0, 0.956, 1.452, 0.956, 0.0, 0.0]);
pub(super) const TUPLET2: Glyph = glyph('\u{E882}', [0.0, 0.0, 1.188, 1.448, 1.188, 0.0, 0.0]);
pub(super) const TUPLET3: Glyph = glyph('\u{E883}', [0.0, -0.032, 1.116, 1.448, 1.116, 0.0, 0.0]);
pub(super) const TUPLET4: Glyph = glyph('\u{E884}', [0.0, 0.0, 1.144, 1.452, 1.144, 0.0, 0.0]);
pub(super) const TUPLET5: Glyph = glyph('\u{E885}', [0.0, -0.024, 1.18, 1.456, 1.18, 0.0, 0.0]);
pub(super) const TUPLET6: Glyph = glyph('\u{E886}', [0.0, -0.02, 1.116, 1.46, 1.116, 0.0, 0.0]);
pub(super) const TUPLET7: Glyph = glyph('\u{E887}', [0.0, -0.02, 1.088, 1.46, 1.088, 0.0, 0.0]);
pub(super) const TUPLET8: Glyph = glyph('\u{E888}', [0.0, -0.02, 1.132, 1.46, 1.132, 0.0, 0.0]);
pub(super) const TUPLET9: Glyph = glyph('\u{E889}', [0.0, 0.0, 1.116, 1.48, 1.116, 0.0, 0.0]);
pub(super) const FINGERING1: Glyph = glyph('\u{ED11}', [0.0, 0.0, 0.588, 1.02, 0.588, 0.0, 0.0]);
pub(super) const FINGERING2: Glyph = glyph('\u{ED12}', [0.0, -0.004, 0.736, 1.016, 0.736, 0.0, 0.0]);
pub(super) const FINGERING3: Glyph = glyph('\u{ED13}', [0.0, -0.02, 0.728, 1.02, 0.728, 0.0, 0.0]);
pub(super) const FINGERING4: Glyph = glyph('\u{ED14}', [0.0, 0.0, 0.76, 1.02, 0.76, 0.0, 0.0]);
pub(super) const FINGERING5: Glyph = glyph('\u{ED15}', [0.0, -0.02, 0.724, 1.02, 0.724, 0.0, 0.0]);
pub(super) const KEYBOARD_PEDAL_PED: Glyph = glyph('\u{E650}', [0.0, -0.036, 3.924, 2.18, 3.924, 0.0, 0.0]);
pub(super) const KEYBOARD_PEDAL_UP: Glyph = glyph('\u{E655}', [0.0, 0.0, 1.892, 1.892, 1.892, 0.0, 0.0]);
pub(super) const OTTAVA_ALTA: Glyph = glyph('\u{E511}', [0.0, 0.0, 3.384, 1.6, 3.384, 0.0, 0.0]);
pub(super) const OTTAVA_BASSA_VB: Glyph = glyph('\u{E51C}', [0.0, 0.0, 3.18, 1.596, 3.184, 0.0, 0.0]);
pub(super) const QUINDICESIMA_ALTA: Glyph = glyph('\u{E515}', [0.0, -0.032, 5.24, 1.564, 5.24, 0.0, 0.0]);
pub(super) const QUINDICESIMA_BASSA_MB: Glyph = glyph('\u{E51D}', [0.0, -0.032, 5.016, 1.564, 5.016, 0.0, 0.0]);
pub(super) const MET_NOTE_DOUBLE_WHOLE: Glyph = glyph('\u{ECA0}', [0.0, -0.888, 2.688, 0.892, 2.688, 0.0, 0.0]);
pub(super) const MET_NOTE_WHOLE: Glyph = glyph('\u{ECA2}', [0.0, -0.688, 1.896, 0.688, 1.9, 0.0, 0.0]);
pub(super) const MET_NOTE_HALF_UP: Glyph = glyph('\u{ECA3}', [0.0, -0.684, 1.696, 3.452, 1.7, 0.0, 0.0]);
pub(super) const MET_NOTE_QUARTER_UP: Glyph = glyph('\u{ECA5}', [0.0, -0.688, 1.696, 3.448, 1.7, 0.0, 0.0]);
pub(super) const MET_NOTE_8TH_UP: Glyph = glyph('\u{ECA7}', [0.0, -0.688, 2.844, 3.6, 2.848, 0.0, 0.0]);
pub(super) const MET_NOTE_16TH_UP: Glyph = glyph('\u{ECA9}', [0.0, -0.688, 2.844, 3.7, 2.848, 0.0, 0.0]);
pub(super) const MET_NOTE_32ND_UP: Glyph = glyph('\u{ECAB}', [0.0, -0.688, 2.844, 4.572, 2.848, 0.0, 0.0]);
pub(super) const MET_AUGMENTATION_DOT: Glyph = glyph('\u{ECB7}', [0.0, -0.308, 0.62, 0.308, 0.62, 0.0, 0.0]);
