#!/usr/bin/env python3
"""Compare engraved pages fact by fact with Verovio, which knows nothing of this project.

usage: compare_engraving.py [--examples FOLDER] [--measures N] [--show N] [FILE ...]

For each MusicXML file, or without any for a choice from the collection of music21 and the built-in pieces, the same
measures are engraved by both. Measure by measure and staff by staff these must agree: heads (glyph and place on the
staff), accidentals, rests, stems (direction), beams (how many notes each joins), dots, ledger lines, ties. Prints for
each kind how many measures of staves agree, and with --show the first N that do not. Exits 1 when a file cannot be read.

Where the two differ for good reasons:
- Beams of nested tuplets: Verovio joins what the file beams apart. Ledger lines of seconds in a chord: one here, two there.
- An accidental at the end of a tie, which the file repeats after its own line break: not here, lines break elsewhere.
- D flat after D natural, and B natural beside B flat: printed here by the rules of the bar, though the file forgot it.
- A pick-up measure that is silent: its rest has its own value here, and is a whole one there.
- A G clef on the first line is read as the treble clef here.

Needs `pip install verovio music21`, and the example page_facts built: `cargo build --example page_facts`. Neither is a
part of this project.
"""
import argparse, re, subprocess, sys, tempfile
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KINDS = ["head", "accidental", "rest", "stem", "beam", "dot", "ledger", "tie"]
# What a page of our own says; stems, beams and accidentals are found by each engraver's rules, and Verovio finds the
# latter two only where the file has them.
GIVEN = ["head", "rest", "dot", "ledger", "tie"]
# Of music21's collection: one part or the staves of one keyboard, from several hands and centuries.
CORPUS = """
bach/bwv846.mxl ciconia/quod_jactatur.xml cpebach/h186.mxl demos/ComprehensiveChordSymbolsTestFile.mxl
demos/multiple-verses.xml demos/nested_tuplet_finale_test.xml demos/nested_tuplet_finale_test2.xml demos/two-parts.xml
demos/two-voices.xml demos/voices_with_chords.xml joplin/maple_leaf_rag.mxl leadSheet/berlinAlexandersRagtime.mxl
leadSheet/fosterBrownHair.mxl mozart/k545/movement1_exposition.mxl schoenberg/opus19/movement2.mxl
schoenberg/opus19/movement6.mxl schumann_clara/polonaise_op1n1.mxl schumann_clara/polonaise_op1n2.mxl
schumann_clara/polonaise_op1n3.mxl schumann_clara/polonaise_op1n4.mxl theoryExercises/TriadExercise.mxl
verdi/laDonnaEMobile.mxl
""".split()
SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"


def ours(path, measures, folder):
    """Facts by (measure, staff, kind), and how many staves there are."""
    words = [str(folder / "page_facts"), str(path), str(measures)]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    facts, staves = defaultdict(Counter), 0
    for line in text.splitlines():
        first, rest = line.split(" ", 1)
        if first == "-":
            staves = int(rest.split()[0])
            continue
        staff, kind, *what = rest.split()
        facts[int(first), int(staff), kind][" ".join(what)] += 1
    return facts, staves


def numbers(text):
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", text or "")]


def place(use):
    return numbers(use.get("transform"))[:2]


def glyph(use):
    return (use.get(XLINK + "href") or use.get("href") or "").lstrip("#")[:4]


def classes(node):
    return (node.get("class") or "").split()


def theirs(path, measures):
    """The same from Verovio's picture."""
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions({
        "breaks": "none", "header": "none", "footer": "none", "adjustPageWidth": True, "adjustPageHeight": True,
        "font": "Leland", "xmlIdSeed": 1, "pageWidth": 100000,
    })
    if not toolkit.loadFile(str(path)):
        raise ValueError("Verovio cannot read it")
    root = ET.fromstring(toolkit.renderToSVG(1))
    facts, staves, index = defaultdict(Counter), 0, -1
    for measure in (g for g in root.iter(SVG + "g") if "measure" in classes(g)):
        index += 1
        if index >= measures:
            break
        for tie in (g for g in measure.iter(SVG + "g") if "tie" in classes(g)):
            facts[index, 0, "tie"][""] += 1
        groups = [g for g in measure if "staff" in classes(g)]
        staves = max(staves, len(groups))
        lines = []
        for group in groups:
            paths = [numbers(p.get("d")) for p in group.findall(SVG + "path")]
            flat = sorted(p[1] for p in paths if len(p) >= 4 and abs(p[1] - p[3]) < 0.1)
            lines.append((flat[4], (flat[4] - flat[0]) / 8))
        for staff, group in enumerate(groups):
            read_staff(facts, index, staff, group, lines)
    return facts, staves


def read_staff(facts, measure, staff, group, lines):
    # A note that crosses over stands in its own staff's group: its place tells where it is printed.
    def step(y, own=staff):
        bottom, half = lines[own]
        return str(round((bottom - y) / half))

    # Where two voices meet in one head Verovio draws it twice in its place.
    drawn = set()
    for node in group.iter(SVG + "g"):
        kinds = classes(node)
        uses = [u for u in node.iter(SVG + "use")]
        if "notehead" in kinds:
            for use in uses:
                if (glyph(use), *place(use)) in drawn:
                    continue
                drawn.add((glyph(use), *place(use)))
                facts[measure, staff, "head"][f"{glyph(use)} {step(place(use)[1])}"] += 1
        elif "accid" in kinds:
            for use in uses:
                facts[measure, staff, "accidental"][f"{glyph(use)} {step(place(use)[1])}"] += 1
        elif "rest" in kinds or "mRest" in kinds:
            for use in uses[:1]:
                facts[measure, staff, "rest"][glyph(use)] += 1
        elif "stem" in kinds:
            # The first is the stem, a second one the stroke of a grace note.
            for path in node.findall(SVG + "path")[:1]:
                points = numbers(path.get("d"))
                if len(points) >= 4:
                    read_stem(facts, measure, staff, node, group, points)
        elif "dots" in kinds:
            facts[measure, staff, "dot"][""] += len(list(node.iter(SVG + "ellipse")))
        elif "beam" in kinds:
            notes = [g for g in node.iter(SVG + "g") if set(classes(g)) & {"note", "chord"}]
            # Grace notes under the beam of others have one of their own.
            notes = [g for g in notes if not is_small(g)] or notes
            inner = [g for chord in notes if "chord" in classes(chord) for g in chord.iter(SVG + "g") if g is not chord]
            facts[measure, staff, "beam"][str(len([n for n in notes if n not in inner]))] += 1
        elif "ledgerLines" in kinds:
            for path in node.iter(SVG + "path"):
                facts[measure, staff, "ledger"][""] += 1


def is_small(note):
    """Whether it is a grace note: its head is drawn at three quarters of the usual scale."""
    scales = [numbers(u.get("transform"))[2] for h in note.iter(SVG + "g") if "notehead" in classes(h)
              for u in h.iter(SVG + "use") if len(numbers(u.get("transform"))) > 2]
    return bool(scales) and max(scales) < 0.65


def read_stem(facts, measure, staff, node, group, points):
    parents = {child: parent for parent in group.iter() for child in parent}
    owner = parents[node]
    heads = [place(u)[1] for h in owner.iter(SVG + "g") if "notehead" in classes(h) for u in h.iter(SVG + "use")]
    top, bottom = min(points[1], points[3]), max(points[1], points[3])
    middle = sum(heads) / len(heads) if heads else 0
    facts[measure, staff, "stem"]["up" if abs(top - middle) > abs(bottom - middle) else "down"] += 1


def compare(path, name, args, totals):
    mine, own = ours(path, args.measures, args.examples)
    other, staves = theirs(path, args.measures)
    if own != staves:
        print(f"{name}: {own} staves here, {staves} there: left out")
        return
    cells = {(m, s) for m, s, _ in list(mine) + list(other)}
    line = []
    for kind in KINDS if "." in name else GIVEN:
        agree = all_cells = items = same = 0
        if kind == "tie":
            # Verovio has them by measure only.
            cells_of = {(m, None) for m, _ in cells}
            sums = lambda facts, m: sum((facts[m, s, kind] for s in range(staves)), Counter())
        else:
            cells_of = cells
        for measure, staff in sorted(cells_of, key=str):
            a = sums(mine, measure) if staff is None else mine[measure, staff, kind]
            b = sums(other, measure) if staff is None else other[measure, staff, kind]
            all_cells += 1
            agree += a == b
            items += max(sum(a.values()), sum(b.values()))
            same += sum((a & b).values())
            if a != b and args.show > 0 and args.kind in (None, kind):
                args.show -= 1
                print(f"  {name} measure {measure} staff {staff} {kind}: only here {dict(a - b)}, only there {dict(b - a)}")
        totals[kind] += Counter(agree=agree, cells=all_cells, same=same, items=items)
        line.append(f"{kind} {same}/{items}")
    print(f"{name}: {', '.join(line)}")


def choice():
    import music21

    folder = Path(music21.__file__).parent / "corpus"
    return [(folder / name, name) for name in CORPUS]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=Path, default=ROOT / "target/debug/examples")
    parser.add_argument("--measures", type=int, default=48)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("files", nargs="*", type=Path)
    args = parser.parse_args()
    totals, failed = defaultdict(Counter), 0
    with tempfile.TemporaryDirectory() as folder:
        files = [(path, path.name) for path in args.files]
        if not files:
            files = choice()
            for piece in sorted((ROOT / "assets/pieces").glob("*.txt")):
                out = Path(folder) / (piece.stem + ".musicxml")
                words = [str(args.examples / "page_facts"), str(piece), "0", "musicxml"]
                out.write_text(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
                files.append((out, piece.stem))
        for path, name in files:
            try:
                compare(path, name, args, totals)
            except (subprocess.CalledProcessError, ValueError, ET.ParseError) as error:
                failed += 1
                print(f"{name}: {error}")
    for kind in KINDS:
        sums = totals[kind]
        if sums["items"]:
            share = 100 * sums["same"] / sums["items"]
            print(f"{kind:10} {sums['same']:6} of {sums['items']:6} agree ({share:.2f} %), "
                  f"{sums['agree']} of {sums['cells']} measures of staves")
    sys.exit(1 if failed else 0)


main()
