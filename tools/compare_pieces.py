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

# id: (collection, file, options). Options:
#   number          the tune's place in a file of many
#   shift           what must be added to the other encoding's onsets, which begin with rests
#   transpose       what must be added to the other encoding's keys, in semitones
#   left_transpose  what our left hand plays lower than the tune, in semitones
#   any_hand        hands are not compared: the tune has one staff, or its staves are not its hands
#   as_written      repeats are not unfolded, because the other encoding has them in one hand only
#   da_capo         so many quarters from the beginning are played again, from this quarter on
#   until           only so many quarters of the other encoding are meant
PIECES = {
    "lightly-row": ("music21", "essenFolksong/dva0.abc",
                    {"number": 191, "transpose": -7, "left_transpose": -12, "any_hand": True, "until": 64}),
    "schumann-little-piece": (
        "mutopia", "ftp/SchumannR/O68/schumann-op68-05-petite-piece/schumann-op68-05-petite-piece.ly", {"shift": -1}),
    "minuet-g-major": ("mutopia", "ftp/BachJS/BWVAnh114/anna-magdalena-04/anna-magdalena-04.ly", {}),
    "minuet-g-minor": ("mutopia", "ftp/BachJS/BWVAnh115/anna-magdalena-05/anna-magdalena-05.ly", {}),
    "musette-d-major": ("mutopia", "ftp/BachJS/BWVAnh126/anna-magdalena-22/anna-magdalena-22.ly", {"da_capo": (16, 80)}),
    "schumann-melodie": ("mutopia", "ftp/SchumannR/O68/schumann-op68-01-melodie/schumann-op68-01-melodie.ly", {}),
    "burgmuller-arabesque": ("mutopia", "ftp/BurgmullerJFF/O100/25EF-02/25EF-02.ly", {"as_written": True}),
    "bach-prelude-c-major": ("mutopia", "ftp/BachJS/BWV846/wtk1-prelude1/wtk1-prelude1.ly", {}),
    "chopin-prelude-a-major": ("mutopia", "ftp/ChopinFF/O28/Chop-28-7/Chop-28-7-lys/chopin_prelude_op28_no7.ly", {}),
    "gymnopedie-1": ("mutopia", "ftp/SatieE/gymnopedie_1/gymnopedie_1.ly", {"any_hand": True}),
}


def ours(piece, as_written):
    """The notes of one of our pieces: (onset in quarters, key, hand)."""
    text = (ROOT / "assets" / "pieces" / f"{piece}.txt").read_text()
    if as_written:
        text = re.sub(r"([RL]:)\s*\|:", r"\1", text)
        text = re.sub(r":\|2|\|1|:\|:|\|:|:\|", "|", text)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "piece.txt"
        file.write_text(text)
        command = ["cargo", "run", "-q", "--no-default-features", "--example", "piece_notes", str(file)]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{piece}: {run.stderr.strip()[-400:]}")
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


def block_end(text, start):
    """Where the braces that open after `start` are closed."""
    depth = 0
    for at in range(text.index("{", start), len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    return len(text)


def without(text, name):
    """The text without its blocks of a name."""
    while found := re.search(r"\\" + name + r"\s*\{", text):
        text = text[:found.start()] + text[block_end(text, found.start()):]
    return text


def from_lilypond(path, unfold):
    """The notes that LilyPond plays; the first staff is the right hand. Only what makes sound is given to it."""
    import lilypond, mido

    text = re.sub(r"%[^\n]*", "", path.read_text(errors="replace"))
    text = re.sub(r"\\(grace|acciaccatura|appoggiatura)\s*(\{[^}]*\}|[a-g]\S*)", "", text)
    text = re.sub(r'\\include "(header|paper)\S*"', "", text)
    for name in ("header", "layout", "paper"):
        text = without(text, name)
    scores, rest = [], text
    while found := re.search(r"\\score\s*\{", rest):
        end = block_end(rest, found.start())
        scores.append(rest[found.end():end])
        rest = rest[:found.start()] + rest[end:]
    score = next(s for s in scores if "\\midi" in s)
    text = rest + "\n\\score {" + (" \\unfoldRepeats " if unfold and "unfoldRepeats" not in score else " ") + score
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "piece.ly"
        file.write_text(text)
        if old := re.search(r'\\version "2\.(\d+)', text):
            if int(old[1]) < 10:
                subprocess.run([str(lilypond.executable("convert-ly")), "-e", str(file)], check=True, capture_output=True)
        command = [str(lilypond.executable()), "-s", "-o", str(Path(folder) / "piece"), str(file)]
        run = subprocess.run(command, capture_output=True, text=True)
        made = sorted(Path(folder).glob("piece*.mid*"))
        if not made:
            raise SystemExit(f"{path}: {run.stderr.strip()[-400:]}")
        midi = mido.MidiFile(str(made[0]))
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
        return from_music21(corpus.parse(file, number=options.get("number")))
    if folders[collection] is None:
        raise FileNotFoundError(f"needs --{collection}")
    path = Path(folders[collection]) / file
    if path.suffix == ".ly":
        return from_lilypond(path, not options.get("as_written"))
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
    found = ours(piece, options.get("as_written"))
    left = options.get("left_transpose", 0)
    found = [(at, key - (left if hand == "L" else 0), hand) for at, key, hand in found]
    shift, transpose = options.get("shift", 0), options.get("transpose", 0)
    expected = [(at + shift, key + transpose, hand) for at, key, hand in expected]
    if "until" in options:
        expected = [note for note in expected if note[0] < options["until"]]
    if "da_capo" in options:
        first, end = options["da_capo"]
        expected += [(at + end, key, hand) for at, key, hand in expected if at < first]
    if options.get("any_hand"):
        found, expected = [[(at, key, "-") for at, key, _ in notes] for notes in (found, expected)]
    # One key at one time is one note for a hand, however many voices write it.
    found, expected = Counter(set(found)), Counter(set(expected))
    only_ours, only_theirs = found - expected, expected - found
    agree = sum((found & expected).values())
    verdict = "agree" if not only_ours and not only_theirs else "DIFFERS"
    print(f"{piece}: {agree} notes agree, {len(only_ours)} only here, {len(only_theirs)} only in {collection}: {verdict}")
    for name, notes in (("here", only_ours), ("there", only_theirs)):
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
