#!/usr/bin/env python3
"""Compare the built-in pieces note by note with independent encodings by others.

usage: compare_pieces.py [--mutopia FOLDER] [--pianoplayer FOLDER] [PIECE ...]

Every note of a piece, repeats unfolded, must have its like in the other encoding: onset in quarter notes, key and staff,
and none may be left over on either side. Lengths are not compared: editions differ in how they write the end of a note.
Prints one line a piece and the differences; exits 1 when there are any, or when an encoding is missing.

Needs `pip install music21 mido lilypond` and cargo. The other encodings are read where they are and never become part
of this project:
- music21: its corpus of scores, from PyPI.
- pianoplayer: the scores in the source distribution of pianoplayer 3.0.2 from PyPI, unpacked into --pianoplayer.
- mutopia: LilyPond files of https://github.com/MutopiaProject/MutopiaProject, checked out into --mutopia; LilyPond
  itself makes notes of them. Grace notes are left out on both sides: our texts have none.
"""
import argparse, re, subprocess, sys, tempfile
from collections import Counter
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# id: (collection, file, options). Options: number, the tune's place in the file; transpose, in semitones;
# left_transpose, what our left hand plays lower than the tune; any_hand, the tune has one staff and we gave it hands.
PIECES = {
    "minuet-g-major": ("mutopia", "ftp/BachJS/BWVAnh114/anna-magdalena-04/anna-magdalena-04.ly", {}),
}


def ours(piece):
    run = subprocess.run(["cargo", "run", "-q", "--no-default-features", "--example", "piece_notes", piece],
                         cwd=ROOT, capture_output=True, text=True, check=True)
    rows = [line.split() for line in run.stdout.splitlines()]
    return [(Fraction(int(onset), 480), int(key), hand) for onset, _, key, hand in rows]


def from_music21(source):
    """The notes of a music21 score; the upper of two staves is the right hand."""
    import music21

    if source.recurse().getElementsByClass(music21.bar.Repeat):
        source = source.expandRepeats()
    notes = []
    for hand, part in zip("RL", source.parts):
        for note in part.stripTies().flatten().notes:
            if not note.duration.isGrace:
                notes += [(Fraction(note.offset).limit_denominator(96), p.midi, hand) for p in note.pitches]
    return notes


def from_lilypond(path):
    """The notes that LilyPond plays, repeats unfolded; the first staff is the right hand."""
    import lilypond, mido

    text = path.read_text(errors="replace")
    text = re.sub(r"\\(grace|acciaccatura|appoggiatura)\s*(\{[^}]*\}|[a-g]\S*)", "", text)
    text = re.sub(r"\\score\s*\{", r"\\score { \\unfoldRepeats", text)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "piece.ly"
        file.write_text(text)
        command = [str(lilypond.executable()), "-s", "-dno-print-pages", "-o", str(Path(folder) / "piece"), str(file)]
        subprocess.run(command, check=True, cwd=path.parent)
        midi = mido.MidiFile(str(next(Path(folder).glob("piece*.mid*"))))
    staves = [t for t in midi.tracks if any(m.type == "note_on" for m in t)]
    notes = []
    for hand, staff in zip("RL", staves):
        tick = 0
        for message in staff:
            tick += message.time
            if message.type == "note_on" and message.velocity > 0:
                notes.append((Fraction(tick, midi.ticks_per_beat), message.note, hand))
    return notes


def theirs(collection, file, options, folders):
    if collection == "music21":
        from music21 import corpus
        score = corpus.parse(file, number=options["number"]) if "number" in options else corpus.parse(file)
        return from_music21(score)
    if folders[collection] is None:
        raise FileNotFoundError(f"needs --{collection}")
    path = Path(folders[collection]) / file
    if path.suffix == ".ly":
        return from_lilypond(path)
    from music21 import converter
    return from_music21(converter.parse(path))


def compare(piece, folders):
    """Prints what differs; whether nothing does."""
    collection, file, options = PIECES[piece]
    try:
        expected = theirs(collection, file, options, folders)
    except FileNotFoundError as missing:
        print(f"{piece}: NOT COMPARED: {missing}")
        return False
    found = ours(piece)
    left = options.get("left_transpose", 0)
    found = [(at, key - (left if hand == "L" else 0), hand) for at, key, hand in found]
    expected = [(at, key + options.get("transpose", 0), hand) for at, key, hand in expected]
    if options.get("any_hand"):
        found, expected = [[(at, key, "-") for at, key, _ in notes] for notes in (found, expected)]
    # One key at one time is one note for a hand, however many voices write it.
    found, expected = Counter(set(found)), Counter(set(expected))
    only_ours, only_theirs = found - expected, expected - found
    agree = sum((found & expected).values())
    verdict = "agree" if not only_ours and not only_theirs else "DIFFERS"
    print(f"{piece}: {agree} notes agree, {len(only_ours)} only here, {len(only_theirs)} only in {collection}: {verdict}")
    for name, notes in (("here ", only_ours), ("there", only_theirs)):
        for at, key, hand in sorted(notes)[:12]:
            print(f"  only {name}: quarter {float(at):g} key {key} hand {hand}")
    return verdict == "agree"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutopia", help="a checkout of MutopiaProject/MutopiaProject")
    parser.add_argument("--pianoplayer", help="pianoplayer 3.0.2, unpacked")
    parser.add_argument("pieces", nargs="*", help="only these")
    arguments = parser.parse_args()
    results = [compare(piece, vars(arguments)) for piece in arguments.pieces or PIECES]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
