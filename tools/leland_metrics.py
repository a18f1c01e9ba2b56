#!/usr/bin/env python3
"""Writes src/engraving/glyphs.rs from the metadata of Leland.

usage: npm pack @vexflow-fonts/leland && tar xf vexflow-fonts-leland-1.0.1.tgz
       pip install fonttools smufolib
       tools/leland_metrics.py package/metadata.json assets/fonts/Leland.otf smufolib/metadata/glyphnames.json \
           > src/engraving/glyphs.rs
The names are those of SMuFL; its glyphnames.json tells the code points.
"""
import json
import re
import sys

from fontTools.ttLib import TTFont

NAMES = """
gClef fClef cClef gClef8va gClef8vb fClef8vb
noteheadDoubleWhole noteheadWhole noteheadHalf noteheadBlack augmentationDot
restDoubleWhole restWhole restHalf restQuarter rest8th rest16th rest32nd rest64th rest128th
flag8thUp flag16thUp flag32ndUp flag64thUp flag128thUp
flag8thDown flag16thDown flag32ndDown flag64thDown flag128thDown graceNoteSlashStemUp graceNoteSlashStemDown
accidentalTripleFlat accidentalDoubleFlat accidentalFlat accidentalNatural accidentalSharp accidentalDoubleSharp
accidentalTripleSharp
timeSig0 timeSig1 timeSig2 timeSig3 timeSig4 timeSig5 timeSig6 timeSig7 timeSig8 timeSig9
repeatDot segno coda
dynamicPPPP dynamicPPP dynamicPP dynamicPiano dynamicMP dynamicMF dynamicForte dynamicFF dynamicFFF dynamicFFFF
dynamicFortePiano dynamicSforzando1 dynamicSforzato dynamicSforzatoFF dynamicForzando
dynamicRinforzando1 dynamicRinforzando2
articStaccatoAbove articStaccatoBelow articStaccatissimoAbove articStaccatissimoBelow articTenutoAbove articTenutoBelow
articAccentAbove articAccentBelow articMarcatoAbove articMarcatoBelow articTenutoStaccatoAbove articTenutoStaccatoBelow
fermataAbove fermataBelow ornamentTrill ornamentMordent ornamentShortTrill ornamentTurn ornamentTurnInverted
tremolo1 tremolo2 tremolo3 tremolo4 tremolo5 breathMarkComma
tuplet0 tuplet1 tuplet2 tuplet3 tuplet4 tuplet5 tuplet6 tuplet7 tuplet8 tuplet9
fingering1 fingering2 fingering3 fingering4 fingering5
keyboardPedalPed keyboardPedalUp ottavaAlta ottavaBassaVb quindicesimaAlta quindicesimaBassaMb
metNoteDoubleWhole metNoteWhole metNoteHalfUp metNoteQuarterUp metNote8thUp metNote16thUp metNote32ndUp
metAugmentationDot
""".split()


def main():
    meta = json.load(open(sys.argv[1]))
    font = TTFont(sys.argv[2])
    cmap, advances = font.getBestCmap(), font["hmtx"]
    upem = font["head"].unitsPerEm
    codes = json.load(open(sys.argv[3]))
    boxes, anchors, defaults = meta["glyphBBoxes"], meta["glyphsWithAnchors"], meta["engravingDefaults"]
    out = ["//! The measures of Leland's glyphs, in staff spaces; written by `tools/leland_metrics.py` from the font's metadata.",
           "", "use super::font::{Defaults, Glyph, glyph};", ""]
    out += ["/// The font's engraving defaults (SMuFL: `engravingDefaults`).",
            "pub(super) const DEFAULTS: Defaults = Defaults {"]
    for name in ["barlineSeparation", "beamSpacing", "beamThickness", "dashedBarlineDashLength", "dashedBarlineGapLength",
                 "hairpinThickness", "legerLineExtension", "legerLineThickness", "octaveLineThickness",
                 "pedalLineThickness", "repeatBarlineDotSeparation", "repeatEndingLineThickness", "slurEndpointThickness",
                 "slurMidpointThickness", "staffLineThickness", "stemThickness", "thickBarlineThickness",
                 "thinBarlineThickness", "tieEndpointThickness", "tieMidpointThickness", "tupletBracketThickness"]:
        snake = re.sub(r"([A-Z])", lambda m: "_" + m.group(1).lower(), name)
        out.append(f"    {snake}: {float(defaults[name])},")
    out += ["};", ""]
    missing = []
    for name in NAMES:
        code = int(codes[name]["codepoint"][2:], 16)
        if name not in boxes or code not in cmap:
            missing.append(name)
            continue
        box, anchor = boxes[name], anchors.get(name, {})
        left, bottom = box["bBoxSW"]
        right, top = box["bBoxNE"]
        stem = next((anchor[k] for k in ("stemUpSE", "stemUpNW", "stemDownNW", "stemDownSW") if k in anchor), [0.0, 0.0])
        down = next((anchor[k] for k in ("stemDownNW",) if k in anchor), [0.0, 0.0])
        advance = advances[cmap[code]][0] * 4 / upem
        const = re.sub(r"(?<=[a-z0-9])([A-Z])|(?<=[a-zA-Z])(?=[0-9]+(?:nd|th))", lambda m: "_" + m.group(0), name).upper()
        f = lambda v: repr(round(float(v), 3))
        numbers = ", ".join(f(v) for v in (left, bottom, right, top, advance, stem[1], down[1]))
        out.append(f"pub(super) const {const}: Glyph = glyph('\\u{{{code:X}}}', [{numbers}]);")
    print("\n".join(out))
    if missing:
        print("not in the font:", *missing, file=sys.stderr)


main()
