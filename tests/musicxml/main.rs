//! MusicXML: one small score for each thing that is read or mended.

mod hostile;
mod page;

use music_trainer::formats::{Reading, hands, read};
use music_trainer::music::notation::{
    Articulation, BeamHint, Chord, Clef, DirectionKind, Dynamic, Jump, Ornament, Rest, SpanKind, TupletMark,
};
use music_trainer::music::{Hand, HandEdit, HandEdits, Pitch};
use music_trainer::time::Ticks;

/// A score of one part with divisions of an eighth.
fn score(measures: &str) -> String {
    part_list(
        "<score-part id=\"P1\"><part-name>Piano</part-name></score-part>",
        &format!("<part id=\"P1\">{measures}</part>"),
    )
}

fn part_list(list: &str, parts: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE score-partwise PUBLIC \"-//Recordare//DTD MusicXML 4.0 \
         Partwise//EN\" \"http://www.musicxml.org/dtds/partwise.dtd\">\n<score-partwise version=\"4.0\">\n\
         <part-list>{list}</part-list>\n{parts}</score-partwise>"
    )
}

/// A measure, on a line of its own.
fn measure(number: &str, content: &str) -> String {
    format!("<measure number=\"{number}\">{content}</measure>\n")
}

const EIGHTHS: &str =
    "<attributes><divisions>2</divisions><time><beats>2</beats><beat-type>4</beat-type></time></attributes>";
const TWO_STAVES: &str = "<attributes><divisions>2</divisions><time><beats>2</beats><beat-type>4</beat-type></time>\
    <staves>2</staves><clef number=\"1\"><sign>G</sign><line>2</line></clef><clef number=\"2\"><sign>F</sign><line>4</line>\
    </clef></attributes>";

/// A note such as `C4`, `F#4` or `Bb3` that lasts so many eighths; `r` is a rest. What follows is put into it.
fn note(name: &str, eighths: u32, more: &str) -> String {
    if name == "r" {
        return format!("<note><rest/><duration>{eighths}</duration>{more}</note>");
    }
    format!("<note>{}<duration>{eighths}</duration>{more}</note>", pitch(name))
}

fn pitch(name: &str) -> String {
    let (step, octave) = (&name[..1], &name[name.len() - 1..]);
    let alter = match &name[1..name.len() - 1] {
        "#" => "<alter>1</alter>",
        "b" => "<alter>-1</alter>",
        _ => "",
    };
    format!("<pitch><step>{step}</step>{alter}<octave>{octave}</octave></pitch>")
}

/// Notes of one voice, an eighth each unless said otherwise: `C4 D4:2 r`.
fn notes(text: &str, more: &str) -> String {
    let each = |word: &str| {
        let (name, eighths) = word.split_once(':').unwrap_or((word, "1"));
        note(name, eighths.parse().expect("a number"), more)
    };
    text.split_whitespace().map(each).collect()
}

fn backup(eighths: u32) -> String {
    format!("<backup><duration>{eighths}</duration></backup>")
}

#[track_caller]
fn reading(text: &str) -> Reading {
    read("a.musicxml", text.as_bytes()).expect("a readable score")
}

/// Onset and end in eighths, key and hand.
fn played(reading: &Reading) -> String {
    let eighths = |ticks: Ticks| ticks.0 as f64 * 2.0 / f64::from(reading.score.resolution());
    let letter = |hand| match hand {
        Hand::Right => 'R',
        Hand::Left => 'L',
        Hand::Neither => '-',
    };
    let each = |n: &music_trainer::music::WrittenNote| {
        format!("{}-{}:{}{}", eighths(n.onset), eighths(n.end), n.pitch.key(), letter(n.hand))
    };
    reading.score.notes().iter().map(each).collect::<Vec<_>>().join(" ")
}

/// Checks what sounds, and that each note is a head of the page at its place.
#[track_caller]
fn check(text: &str, expected: &str, warnings: &[&str]) -> Reading {
    let reading = reading(text);
    assert_eq!(played(&reading), expected);
    assert_eq!(reading.warnings, warnings);
    let page = reading.score.notation().expect("a page").clone();
    let mut heads = vec![false; reading.score.notes().len()];
    let mut now = Ticks(0);
    for passage in &page.passages {
        assert_eq!(passage.start, now, "passages follow one another");
        let measure = &page.measures[passage.measure as usize];
        now += measure.length;
        for (chord, head) in measure.chords.iter().flat_map(|c| c.heads.iter().map(move |h| (c, h))) {
            let found = head.sounds.and_then(|(at, pitch)| reading.score.find(passage.start + at, pitch, chord.hand));
            if let Some(id) = found {
                heads[id.0 as usize] = true;
            }
        }
    }
    let notes = reading.score.notes().iter();
    assert!(notes.zip(&heads).all(|(n, head)| *head == (n.hand != Hand::Neither)), "each note has its head: {heads:?}");
    reading
}

#[track_caller]
fn check_error(bytes: &[u8], message: &str) {
    assert_eq!(read("a.musicxml", bytes).expect_err("an error").to_string(), message);
}

fn chords(reading: &Reading, measure: usize) -> Vec<Chord> {
    reading.score.notation().expect("a page").measures[measure].chords.clone()
}

#[test]
fn two_staves_are_two_hands() {
    let text = score(&measure(
        "1",
        &(TWO_STAVES.to_owned()
            + &notes("E5 F#5 G5:2", "<voice>1</voice><staff>1</staff>")
            + &backup(4)
            + &notes("C3:4", "<voice>5</voice><staff>2</staff>")),
    ));
    let reading = check(&text, "0-4:48L 0-1:76R 1-2:78R 2-4:79R", &[]);
    let page = reading.score.notation().expect("a page");
    assert_eq!(
        page.staves.iter().map(|s| (s.hand, s.clef)).collect::<Vec<_>>(),
        [(Hand::Right, Clef::Treble), (Hand::Left, Clef::Bass)]
    );
    let spelled: Vec<String> = chords(&reading, 0).iter().map(|c| c.heads[0].pitch.to_string()).collect();
    assert_eq!(spelled, ["E5", "C3", "F♯5", "G5"]);
    assert_eq!((page.measures[0].meter, page.measures[0].number.as_str()), (Some((2, 4)), "1"));
}

#[test]
fn a_voice_that_crosses_the_staves_stays_with_its_hand() {
    let left = notes("C3 E3", "<voice>5</voice><staff>2</staff>")
        + &notes("G4", "<voice>5</voice><staff>1</staff>")
        + &notes("E3", "<voice>5</voice><staff>2</staff>");
    let last = notes("C3 C3 C3 C3", "<voice>5</voice><staff>2</staff>");
    let text = score(&(measure("1", &(TWO_STAVES.to_owned() + &left)) + &measure("2", &last)));
    let reading = check(&text, "0-1:48L 1-2:52L 2-3:67L 3-4:52L 4-5:48L 5-6:48L 6-7:48L 7-8:48L", &[]);
    let crossing = &chords(&reading, 0)[2];
    assert_eq!((crossing.staff, crossing.heads[0].staff, crossing.voice), (1, Some(0), 0));
}

#[test]
fn one_name_of_a_voice_on_both_staves_is_two_voices() {
    let text = score(&measure(
        "1",
        &(TWO_STAVES.to_owned()
            + &notes("C5:2 D5:2", "<voice>1</voice><staff>1</staff>")
            + &backup(4)
            + &notes("C3:4", "<voice>1</voice><staff>2</staff>")),
    ));
    let reading = check(&text, "0-4:48L 0-2:72R 2-4:74R", &[]);
    assert_eq!(chords(&reading, 0).iter().map(|c| (c.staff, c.voice)).collect::<Vec<_>>(), [(0, 0), (1, 1), (0, 0)]);
}

#[test]
fn chords_are_sorted_from_below_and_voices_told_apart() {
    let chord = note("G4", 2, "<voice>1</voice>") + &note("E4", 2, "<chord/><voice>1</voice>");
    let text = score(&measure(
        "1",
        &(EIGHTHS.to_owned()
            + &chord
            + &note("F4", 2, "<voice>1</voice><stem>up</stem>")
            + &backup(4)
            + &note("C4", 4, "<voice>2</voice><stem>down</stem>")),
    ));
    let reading = check(&text, "0-4:60R 0-2:64R 0-2:67R 2-4:65R", &[]);
    let chords = chords(&reading, 0);
    assert_eq!(chords[0].heads.iter().map(|h| h.pitch.to_string()).collect::<Vec<_>>(), ["E4", "G4"]);
    assert_eq!(
        chords.iter().map(|c| (c.voice, c.stem_up)).collect::<Vec<_>>(),
        [(0, None), (1, Some(false)), (0, Some(true))]
    );
}

#[test]
fn ties_are_one_note_and_two_heads() {
    let (start, stop) = ("<tie type=\"start\"/>", "<tie type=\"stop\"/>");
    let text = score(
        &(measure("1", &(EIGHTHS.to_owned() + &notes("C4:2", "") + &note("E4", 2, start)))
            + &measure("2", &(note("E4", 2, &(stop.to_owned() + start)) + &note("E4", 1, stop) + &note("E4", 1, "")))),
    );
    let reading = check(&text, "0-2:60R 2-7:64R 7-8:64R", &[]);
    let sounds = |m| chords(&reading, m).iter().map(|c| c.heads[0].sounds.is_some()).collect::<Vec<_>>();
    assert_eq!((sounds(0), sounds(1)), (vec![true, true], vec![false, false, true]));
    assert_eq!(chords(&reading, 1).iter().map(|c| c.heads[0].tied).collect::<Vec<_>>(), [true, false, false]);
}

#[test]
fn a_tie_holds_beside_another_voice_on_its_key() {
    let (start, stop) = ("<tie type=\"start\"/><voice>1</voice>", "<tie type=\"stop\"/><voice>1</voice>");
    let other = notes("C4 E4 F4 G4", "<voice>2</voice>");
    let content = EIGHTHS.to_owned() + &note("C4", 2, start) + &note("C4", 2, stop) + &backup(4) + &other;
    check(&score(&measure("1", &content)), "0-4:60R 1-2:64R 2-3:65R 3-4:67R", &[]);
}

#[test]
fn a_tie_into_a_second_ending_is_struck_only_after_the_jump_without_its_end() {
    let (start, stop) = ("<tie type=\"start\"/>", "<tie type=\"stop\"/>");
    let ending = |number, kind, repeat: &str| {
        let location = if kind == "start" { "left" } else { "right" };
        format!("<barline location=\"{location}\"><ending number=\"{number}\" type=\"{kind}\"/>{repeat}</barline>")
    };
    let back = "<repeat direction=\"backward\"/>";
    let with = |second: &str| {
        score(
            &(measure("1", &(EIGHTHS.to_owned() + &note("C4", 4, start)))
                + &measure("2", &(ending(1, "start", "") + &note("C4", 4, stop) + &ending(1, "stop", back)))
                + &measure("3", &(ending(2, "start", "") + &note("C4", 4, second) + &ending(2, "stop", "")))),
        )
    };
    check(&with(stop), "0-8:60R 8-16:60R", &[]);
    check(&with(""), "0-8:60R 8-12:60R 12-16:60R", &[]);
}

#[test]
fn tuplets_fit_the_resolution() {
    let triplet = |name: &str, mark: &str| {
        format!(
            "<note>{}<duration>4</duration><type>eighth</type><time-modification><actual-notes>3</actual-notes>\
             <normal-notes>2</normal-notes></time-modification><notations>{mark}</notations></note>",
            pitch(name)
        )
    };
    let content =
        "<attributes><divisions>12</divisions><time><beats>1</beats><beat-type>4</beat-type></time></attributes>"
            .to_owned()
            + &triplet("C4", "<tuplet type=\"start\" bracket=\"yes\"/>")
            + &triplet("D4", "")
            + &triplet("E4", "<tuplet type=\"stop\"/>");
    let reading = reading(&score(&measure("1", &content)));
    assert_eq!(reading.score.resolution(), 480);
    assert_eq!(reading.score.notes().iter().map(|n| n.onset.0).collect::<Vec<_>>(), [0, 160, 320]);
    let chords = chords(&reading, 0);
    assert_eq!(chords[0].tuplet, TupletMark::Starts { number: Some(3), bracket: Some(true) });
    assert_eq!(chords[2].tuplet, TupletMark::Ends);
    assert_eq!(chords[1].ticks(480), Ticks(160));
}

#[test]
fn articulations_shorten_and_arpeggios_roll() {
    let marked = |mark: &str| format!("<notations><articulations><{mark}/></articulations></notations>");
    let roll = "<notations><arpeggiate/></notations>";
    let content = EIGHTHS.to_owned()
        + &note("C4", 1, &marked("staccato"))
        + &note("D4", 1, &marked("accent"))
        + &note("C4", 2, roll)
        + &note("E4", 2, &("<chord/>".to_owned() + roll))
        + &note("G4", 2, &("<chord/>".to_owned() + roll));
    let reading = reading(&score(&measure("1", &content)));
    let all: Vec<(i64, i64)> = reading.score.notes().iter().map(|n| (n.onset.0, n.end.0)).collect();
    assert_eq!(all, [(0, 120), (240, 480), (480, 960), (520, 960), (560, 960)]);
    assert_eq!(reading.score.notes().iter().map(|n| n.velocity).collect::<Vec<_>>(), [72, 86, 72, 72, 72]);
    let chords = chords(&reading, 0);
    assert_eq!(chords[0].articulations, [Articulation::Staccato]);
    assert_eq!(chords[2].ornaments, [Ornament::Arpeggio]);
}

#[test]
fn dynamics_and_hairpins_are_velocities() {
    let dynamic =
        |name: &str| format!("<direction><direction-type><dynamics><{name}/></dynamics></direction-type></direction>");
    let wedge =
        |kind: &str| format!("<direction><direction-type><wedge type=\"{kind}\"/></direction-type></direction>");
    let first = EIGHTHS.to_owned() + &dynamic("p") + &wedge("crescendo") + &notes("C4 C4 C4 C4", "");
    let second = wedge("stop") + &dynamic("f") + &notes("C4 C4", "") + &dynamic("sfz") + &notes("C4 C4", "");
    let third = "<direction><sound dynamics=\"50\"/></direction>".to_owned() + &notes("C4:4", "");
    let text = score(&(measure("1", &first) + &measure("2", &second) + &measure("3", &third)));
    let reading = reading(&text);
    let velocities: Vec<u8> = reading.score.notes().iter().map(|n| n.velocity).collect();
    assert_eq!(velocities, [52, 61, 70, 79, 88, 88, 104, 88, 45]);
    let page = reading.score.notation().expect("a page");
    assert_eq!(page.measures[1].directions[0].kind, DirectionKind::Dynamic(Dynamic::F));
    let span = &page.spans[0];
    assert_eq!((span.kind, span.from, span.to), (SpanKind::Crescendo, (0, Ticks(0)), (1, Ticks(0))));
}

#[test]
fn tempo_pedal_and_key_follow_the_order_played() {
    let tempo = |n: u32| {
        format!("<direction><direction-type><words>Andante</words></direction-type><sound tempo=\"{n}\"/></direction>")
    };
    let metronome = "<direction><direction-type><metronome><beat-unit>half</beat-unit><per-minute>c. 60</per-minute>\
                     </metronome></direction-type></direction>";
    let pedal =
        |kind: &str| format!("<direction><direction-type><pedal type=\"{kind}\"/></direction-type></direction>");
    let key = "<attributes><key><fifths>-3</fifths><mode>minor</mode></key></attributes>";
    let back = "<barline location=\"right\"><repeat direction=\"backward\"/></barline>";
    let text = score(
        &(measure("1", &(EIGHTHS.to_owned() + key + &tempo(60) + &pedal("start") + &notes("C4:4", "")))
            + &measure("2", &(pedal("stop") + metronome + &notes("Eb4:4", "") + back))),
    );
    let reading = check(&text, "0-4:60R 4-8:63R 8-12:60R 12-16:63R", &[]);
    let score = &reading.score;
    let changes: Vec<(i64, u32)> = score.tempo().changes().map(|t| (t.tick.0, t.micros_per_quarter)).collect();
    assert_eq!(changes, [(0, 1_000_000), (960, 500_000), (1920, 1_000_000), (2880, 500_000)]);
    assert_eq!(
        score.pedals().iter().map(|p| (p.tick.0, p.value)).collect::<Vec<_>>(),
        [(0, 127), (960, 0), (1920, 127), (2880, 0)]
    );
    assert_eq!(score.keys().iter().map(|k| (k.tick.0, k.fifths, k.minor)).collect::<Vec<_>>(), [(0, -3, true)]);
    let page = score.notation().expect("a page");
    assert_eq!((page.measures[0].fifths, page.measures[0].repeat_start), (Some(-3), false));
    assert_eq!(page.measures[1].repeat_end, Some(2));
}

#[test]
fn a_tempo_word_at_the_beginning_counts_until_there_is_a_number() {
    let words = "<direction><direction-type><words>Presto</words></direction-type></direction>";
    let text = score(&measure("1", &(EIGHTHS.to_owned() + words + &notes("C4:4", ""))));
    let tempo = |text: &str| reading(text).score.tempo().quarters_per_minute(Ticks(0)).round();
    assert_eq!(tempo(&text), 184.0);
    assert_eq!(tempo(&text.replace(words, &("<sound tempo=\"90\"/>".to_owned() + words))), 90.0);
    assert_eq!(tempo(&text.replace("Presto", "leggiero")), 120.0);
}

#[test]
fn dal_segno_al_coda_is_played_as_written() {
    let words = |words: &str| format!("<direction><direction-type><words>{words}</words></direction-type></direction>");
    let sign = |name: &str| format!("<direction><direction-type><{name}/></direction-type></direction>");
    let m =
        |n: &str, before: &str, name: &str, after: &str| measure(n, &(before.to_owned() + &note(name, 4, "") + after));
    let text = score(
        &(m("1", EIGHTHS, "C4", "")
            + &m("2", &sign("segno"), "D4", "")
            + &m("3", "", "E4", &words("To Coda"))
            + &m("4", "", "F4", &words("D.S. al Coda"))
            + &m("5", &sign("coda"), "G4", "")),
    );
    let reading = check(&text, "0-4:60R 4-8:62R 8-12:64R 12-16:65R 16-20:62R 20-24:64R 24-28:67R", &[]);
    let page = reading.score.notation().expect("a page");
    let jumps: Vec<Jump> = page.measures.iter().flat_map(|m| m.jumps.clone()).collect();
    assert_eq!(jumps, [Jump::Segno, Jump::ToCoda, Jump::DalSegnoAlCoda, Jump::Coda]);
    assert_eq!(page.passages.iter().map(|p| p.measure).collect::<Vec<_>>(), [0, 1, 2, 3, 1, 2, 4]);
    let numbers: Vec<u32> = (0..7).map(|i| reading.score.bars().number(i).count).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 2, 3, 5], "what is played again has one number");
}

#[test]
fn a_repeat_sign_within_a_measure_divides_it() {
    let sign = |way: &str| format!("<barline location=\"middle\"><repeat direction=\"{way}\"/></barline>");
    let lower = |text: &str| backup(4) + &notes(text, "<staff>2</staff><voice>5</voice>");
    let slur = |kind: &str| format!("<notations><slur type=\"{kind}\" number=\"1\"/></notations>");
    let last = note("G4", 2, "<voice>1</voice>") + &sign("backward") + &note("A4", 2, &slur("stop"));
    let text = score(
        &(measure(
            "1",
            &(TWO_STAVES.to_owned() + &note("C4", 3, &slur("start")) + &sign("forward") + &note("D4", 1, "")),
        ) + &measure("2", &(notes("E4:2", "") + &sign("forward") + &notes("F4:2", "") + &lower("r:4")))
            + &measure("3", &(last + &lower("C3:2 D3:2")))),
    );
    // The sign in the second measure begins a repeat of its own.
    let expected =
        "0-3:60R 3-4:62R 4-6:64R 6-8:65R 8-10:48L 8-10:67R 10-12:65R 12-14:48L 12-14:67R 14-16:50L 14-16:69R";
    let reading = check(&text, expected, &[]);
    let page = reading.score.notation().expect("a page");
    assert_eq!(page.passages.iter().map(|p| p.measure).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 3, 4, 5]);
    let numbers: Vec<&str> = page.measures.iter().map(|m| m.number.as_str()).collect();
    assert_eq!(numbers, ["1", "", "2", "", "3", ""]);
    assert_eq!(page.measures[2].chords.iter().filter(|c| c.staff == 1).count(), 1, "the rest is divided, too");
    let span = &page.spans[0];
    assert_eq!((span.from, span.to), ((0, Ticks(0)), (5, Ticks(0))));
    let held = score(&measure(
        "1",
        &(EIGHTHS.to_owned()
            + &notes("C4:2", "")
            + &sign("forward")
            + &notes("D4:2", "")
            + &backup(4)
            + &note("E3", 4, "<voice>2</voice>")),
    ));
    let line = "measure 1 (line 5): a repeat sign within it, where a note is held, is not played";
    check(&held, "0-4:52R 0-2:60R 2-4:62R", &[line]);
}

#[test]
fn of_two_coda_signs_the_first_leads_to_the_second() {
    let sign = |name: &str| format!("<direction><direction-type><{name}/></direction-type></direction>");
    let back = "<direction><direction-type><words>D.S. al Coda</words></direction-type></direction>";
    let m =
        |n: &str, before: &str, name: &str, after: &str| measure(n, &(before.to_owned() + &note(name, 4, "") + after));
    let text = score(
        &(m("1", &(EIGHTHS.to_owned() + &sign("segno")), "C4", &sign("coda"))
            + &m("2", "", "D4", back)
            + &m("3", &sign("coda"), "E4", "")),
    );
    check(&text, "0-4:60R 4-8:62R 8-12:60R 12-16:64R", &[]);
}

#[test]
fn a_coda_before_to_coda_is_told_and_not_played_again() {
    let words = |text: &str| format!("<direction><direction-type><words>{text}</words></direction-type></direction>");
    let sign = "<direction><direction-type><coda/></direction-type></direction>";
    let m =
        |n: &str, before: &str, name: &str, after: &str| measure(n, &(before.to_owned() + &note(name, 4, "") + after));
    let text = score(
        &(m("1", &(EIGHTHS.to_owned() + sign), "C4", "")
            + &m("2", "", "D4", &words("To Coda"))
            + &m("3", "", "E4", &words("D.C. al Coda"))),
    );
    let told = "measure 2 says To Coda, but no coda comes after it: the music goes on there";
    check(&text, "0-4:60R 4-8:62R 8-12:64R 12-16:60R 16-20:62R 20-24:64R", &[told]);
}

#[test]
fn da_capo_comes_from_sound_elements_too() {
    let fine = "<direction><direction-type><words>Fine</words></direction-type><sound fine=\"yes\"/></direction>";
    let text = score(
        &(measure("1", &(EIGHTHS.to_owned() + &notes("C4:4", "") + fine))
            + &measure("2", &(notes("D4:4", "") + "<sound dacapo=\"yes\"/>"))),
    );
    check(&text, "0-4:60R 4-8:62R 8-12:60R", &[]);
}

#[test]
fn a_pick_up_is_bar_0_and_as_long_as_it_is() {
    let counted = score(&(measure("1", &(EIGHTHS.to_owned() + &notes("G4", ""))) + &measure("2", &notes("C5:4", ""))));
    assert_eq!(check(&counted, "0-1:67R 1-5:72R", &[]).score.bars().number(0), 0);
    let text = score(
        &("<measure number=\"0\" implicit=\"yes\">".to_owned()
            + EIGHTHS
            + &notes("G4", "")
            + "</measure>"
            + &measure("1", &notes("C5:4", ""))),
    );
    let reading = check(&text, "0-1:67R 1-5:72R", &[]);
    let bars = reading.score.bars();
    assert_eq!((bars.number(0).count, bars.get(0).end, bars.number(1).count), (0, Ticks(240), 1));
}

#[test]
fn octavas_and_transpositions_sound_right() {
    let shift = |kind: &str| {
        format!("<direction><direction-type><octave-shift type=\"{kind}\" size=\"8\"/></direction-type></direction>")
    };
    let text = score(&measure(
        "1",
        &(EIGHTHS.to_owned() + &shift("down") + &notes("C6:2", "") + &shift("stop") + &notes("C5:2", "")),
    ));
    let reading = check(&text, "0-2:84R 2-4:72R", &[]);
    let written: Vec<String> = chords(&reading, 0).iter().map(|c| c.heads[0].pitch.to_string()).collect();
    assert_eq!(written, ["C5", "C5"]);
    // A clarinet in B flat: D is C.
    let transpose = "<attributes><key><fifths>2</fifths></key><transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose></attributes>";
    let order = "<attributes><transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose><key><fifths>2</fifths></key></attributes>";
    for attributes in [transpose, order] {
        let text = score(&measure("1", &(EIGHTHS.to_owned() + attributes + &notes("D4:2 F#4:2", ""))));
        let reading = check(&text, "0-2:60R 2-4:64R", &[]);
        let page = reading.score.notation().expect("a page");
        assert_eq!(page.measures[0].fifths, Some(0));
        assert_eq!(chords(&reading, 0)[1].heads[0].pitch.to_string(), "E4");
    }
}

#[test]
fn rests_beams_slurs_and_fingers_are_on_the_page() {
    let beam = |kind: &str| format!("<type>eighth</type><beam number=\"1\">{kind}</beam>");
    let slur = |kind: &str| {
        format!(
            "<notations><slur type=\"{kind}\" number=\"1\"/><technical><fingering>3</fingering></technical></notations>"
        )
    };
    let first = EIGHTHS.to_owned()
        + &note("C4", 1, &(beam("begin") + &slur("start")))
        + &note("D4", 1, &beam("end"))
        + &note("E4", 1, "<type>eighth</type>")
        + &note("r", 1, "<type>eighth</type>");
    let second = "<note><rest measure=\"yes\"/><duration>8</duration></note>";
    let third = note("C4", 4, &slur("stop"));
    let text = score(&(measure("1", &first) + &measure("2", second) + &measure("3", &third)));
    let reading = check(&text, "0-1:60R 1-2:62R 2-3:64R 8-12:60R", &[]);
    let chords = |m| chords(&reading, m);
    assert_eq!(
        chords(0).iter().map(|c| c.beam).collect::<Vec<_>>(),
        [BeamHint::Joined, BeamHint::Ends, BeamHint::Ends, BeamHint::Ends]
    );
    assert_eq!(chords(0)[0].heads[0].finger, Some(3));
    assert_eq!((chords(0)[3].rest, chords(1)[0].rest), (Rest::Printed, Rest::WholeMeasure));
    let span = &reading.score.notation().expect("a page").spans[0];
    assert_eq!((span.kind, span.from, span.to), (SpanKind::Slur, (0, Ticks(0)), (2, Ticks(0))));
}

#[test]
fn courtesy_accidentals_are_those_the_bar_does_not_need() {
    let sharp = "<accidental>sharp</accidental>";
    let text = score(&measure("1", &(EIGHTHS.to_owned() + &notes("F#4 F#4", sharp) + &notes("F#4:2", ""))));
    let reading = check(&text, "0-1:66R 1-2:66R 2-4:66R", &[]);
    assert_eq!(chords(&reading, 0).iter().map(|c| c.heads[0].courtesy).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn of_several_parts_the_keyboard_is_for_the_hands_and_the_others_are_heard() {
    let song = part_list(&(entry("P1", "Voice") + &entry("P2", "Piano")), &(part("P1", "C5:4") + &part("P2", "C4:4")));
    check(&song, "0-4:60R 0-4:72-", &["for the hands: Piano; played by the program: Voice"]);
    let hands = part_list(
        &(entry("P1", "Flute") + &entry("P2", "Piano right") + &entry("P3", "Piano left")),
        &(part("P1", "C6:4") + &part("P2", "C5:4") + &part("P3", "C3:4")),
    );
    check(&hands, "0-4:48L 0-4:72R 0-4:84-", &["for the hands: Piano right, Piano left; played by the program: Flute"]);
    let choir = part_list(
        &["Soprano", "Alto", "Tenor", "Bass"].map(|name| entry(name, name)).concat(),
        &(part("Soprano", "C5:4") + &part("Alto", "G4:4") + &part("Tenor", "E4:4") + &part("Bass", "C3:4")),
    );
    let reading = check(&choir, "0-4:48L 0-4:64L 0-4:67R 0-4:72R", &[]);
    assert_eq!(
        chords(&reading, 0).iter().map(|c| (c.staff, c.voice)).collect::<Vec<_>>(),
        [(0, 0), (0, 1), (1, 2), (1, 3)]
    );
    let drum = "<note><unpitched/><duration>4</duration></note>";
    let band = part_list(
        &(entry("P1", "Drums") + &entry("P2", "Oboe")),
        &(format!("<part id=\"P1\">{}</part>", measure("1", &(EIGHTHS.to_owned() + drum))) + &part("P2", "C5:4")),
    );
    check(&band, "0-4:72R", &["percussion is left out: Drums"]);
    check_error(
        score(&measure("1", &(EIGHTHS.to_owned() + drum))).as_bytes(),
        "the file has no notes but those of drums",
    );
}

fn entry(id: &str, name: &str) -> String {
    format!("<score-part id=\"{id}\"><part-name>{name}</part-name></score-part>")
}

/// A part of one measure.
fn part(id: &str, eighths: &str) -> String {
    part_of(id, &measure("1", &(EIGHTHS.to_owned() + &notes(eighths, ""))))
}

fn part_of(id: &str, measures: &str) -> String {
    format!("<part id=\"{id}\">{measures}</part>")
}

/// A chorale with a horn in F, which is written a fifth higher than it sounds.
fn chorale() -> String {
    let moved = "</time><transpose><diatonic>-4</diatonic><chromatic>-7</chromatic></transpose>";
    let horn = EIGHTHS.replace("</time>", moved);
    part_list(
        &["Horn 2", "Soprano", "Alto", "Tenor", "Bass"].map(|name| entry(name, name)).concat(),
        &(part_of("Horn 2", &measure("1", &(horn + &notes("G4:2 G4:2", ""))))
            + &part_of("Soprano", &measure("1", &(EIGHTHS.to_owned() + &notes("C5:4", "<stem>down</stem>"))))
            + &part("Alto", "C4:4")
            + &part("Tenor", "E4:4")
            + &part("Bass", "C3:4")),
    )
}

#[test]
fn of_an_ensemble_the_choir_is_on_the_page_and_every_part_can_be_given_to_a_hand() {
    let told = "for the hands: Soprano, Tenor, Alto, Bass; played by the program: Horn 2";
    let reading = check(&chorale(), "0-4:48L 0-4:60L 0-2:60- 0-4:64R 0-4:72R 2-4:60-", &[told]);
    let score = &reading.score;
    assert_eq!(score.parts(), ["Soprano", "Tenor", "Alto", "Bass", "Horn 2"]);
    let parts: Vec<u16> = score.iter().map(|(id, _)| score.part_of(id)).collect();
    assert_eq!(parts, [3, 2, 4, 1, 0, 4]);
    assert_eq!(
        score.notation().expect("a page").staves.iter().map(|s| s.clef).collect::<Vec<_>>(),
        [Clef::Treble, Clef::Bass]
    );

    assert!(chords(&reading, 0).iter().all(|c| c.stem_up.is_none()), "stems go by voice, not as in the single part");

    let give = |part, hand| HandEdit::Part { part, bars: None, hand };
    let same = hands::edited(score, &HandEdits::new([give(3, Hand::Neither)]));
    assert_eq!(same.notation(), score.notation(), "what is taken from a hand stays on the page");
    let horn = hands::edited(score, &HandEdits::new([give(4, Hand::Right), give(0, Hand::Neither)]));
    assert!(horn.page_is_made());
    let page = horn.notation().expect("a page");
    let heads = page.measures.iter().flat_map(|m| &m.chords).filter(|c| c.hand == Hand::Right).flat_map(|c| &c.heads);
    let mut keys: Vec<u8> = heads.filter_map(|head| head.sounds).map(|(_, pitch)| pitch.key()).collect();
    keys.sort_unstable();
    assert_eq!(keys, [60, 60, 64], "the horn stands on the page, the soprano does not");
}

#[test]
fn parts_that_are_heard_follow_the_repeats_and_say_the_tempo() {
    let tempo = "<direction><direction-type><words>Allegro</words></direction-type><sound tempo=\"90\"/></direction>";
    let repeat = "<barline location=\"right\"><repeat direction=\"backward\"/></barline>";
    let two = |id: &str, first: &str, second: &str, sign: &str| {
        let first =
            measure("1", &(EIGHTHS.to_owned() + sign + &notes(first, "") + if sign.is_empty() { "" } else { repeat }));
        part_of(id, &(first + &measure("2", &notes(second, ""))))
    };
    let song = part_list(
        &(entry("P1", "Voice") + &entry("P2", "Piano") + &entry("P3", "Viola")),
        &(two("P1", "C5:4", "D5:4", tempo) + &two("P2", "C4:4", "D4:4", "") + &part("P3", "C5:4")),
    );
    let told = "for the hands: Piano; played by the program: Voice, Viola";
    let expected = "0-4:60R 0-4:72- 0-4:72- 4-8:60R 4-8:72- 4-8:72- 8-12:62R 8-12:74-";
    let reading = check(&song, expected, &[told]);
    assert!((reading.score.tempo().quarters_per_minute(Ticks(0)) - 90.0).abs() < 1e-3);
    let words = |d: &music_trainer::music::notation::Direction| matches!(d.kind, DirectionKind::Tempo(_));
    assert!(reading.score.notation().expect("a page").measures[0].directions.iter().any(words));
}

#[test]
fn of_many_parts_without_a_choir_the_outer_ones_are_on_the_page() {
    let names = ["Bassoon", "Flute", "Horn", "Oboe", "Clarinet"];
    let wind = part_list(
        &names.map(|name| entry(name, name)).concat(),
        &(names
            .iter()
            .zip(["C3:4", "C6:4", "C4:4", "C5:4", "E4:4"])
            .map(|(name, word)| part(name, word))
            .collect::<String>()),
    );
    let told = "for the hands: Flute, Oboe, Horn, Bassoon; played by the program: Clarinet";
    check(&wind, "0-4:48L 0-4:60L 0-4:64- 0-4:72R 0-4:84R", &[told]);
}

#[test]
fn words_of_a_choir_stand_once() {
    let lyric = |text: &str| format!("<lyric><text>{text}</text></lyric>");
    let voice = |id: &str, pitch: &str, words: [&str; 2]| {
        part_of(id, &measure("1", &(EIGHTHS.to_owned() + &words.map(|word| note(pitch, 2, &lyric(word))).concat())))
    };
    let choir = part_list(
        &["S", "A", "B"].map(|name| entry(name, name)).concat(),
        &(voice("S", "C5", ["Lobe", "den"]) + &voice("A", "G4", ["Lobe,", "nun"]) + &voice("B", "C3", ["Lobe", "den"])),
    );
    let found: Vec<(u8, String)> = (chords(&reading(&choir), 0).into_iter())
        .flat_map(|c| c.lyrics.into_iter().map(|l| (l.verse, l.text)))
        .collect();
    assert_eq!(found, [(0, "Lobe".to_owned()), (0, "den".to_owned()), (1, "nun".to_owned())]);
}

#[test]
fn keys_are_called_what_the_page_calls_them_or_the_signature() {
    let key = EIGHTHS.replace("</divisions>", "</divisions><key><fifths>-2</fifths></key>");
    let measures = measure("1", &(key + &notes("Bb4 F#4 Cb4 B#4", ""))) + &measure("2", &notes("G4:4", ""));
    let score = reading(&score(&measures)).score;
    let name = |key: u8, bar| score.spelled(Pitch::from_data_byte(key), bar).to_string();
    assert_eq!([70, 66, 59, 72, 54].map(|key| name(key, 0)), ["B♭4", "F♯4", "C♭4", "B♯4", "F♯3"]);
    assert_eq!([70, 66, 59].map(|key| name(key, 1)), ["B♭4", "G♭4", "B3"], "by the signature");
}

#[test]
fn a_timewise_score_reads_the_same() {
    let text = format!(
        "<score-timewise><part-list><score-part id=\"P1\"><part-name>Piano</part-name></score-part></part-list>\
         <measure number=\"1\"><part id=\"P1\">{EIGHTHS}{}</part></measure>\
         <measure number=\"2\"><part id=\"P1\">{}</part></measure></score-timewise>",
        notes("C4:4", ""),
        notes("D4:4", "")
    );
    check(&text, "0-4:60R 4-8:62R", &[]);
}

#[test]
fn titles_and_composer_are_found() {
    let head = "<work><work-title>Sonata</work-title></work><movement-title>Rondo</movement-title><identification>\
                <creator type=\"composer\">Clara &amp; Robert</creator></identification><part-list>";
    let text = score(&measure("1", &(EIGHTHS.to_owned() + &notes("C4:4", "")))).replace("<part-list>", head);
    let score = reading(&text).score;
    assert_eq!((score.title(), score.composer()), ("Sonata: Rondo", "Clara & Robert"));
    let plain = text.replace("Sonata", "").replace("Rondo", "");
    assert_eq!(read("Waltz.musicxml", plain.as_bytes()).expect("a score").score.title(), "Waltz");
}

#[test]
fn damaged_measures_are_mended_and_named() {
    let whole = measure("3", &notes("C4:4", ""));
    let check_middle = |content: &str, expected: &str, warning: &str| {
        let text = score(&(measure("1", &(EIGHTHS.to_owned() + &notes("C4:4", ""))) + &measure("2", content) + &whole));
        check(&text, expected, &[warning]);
    };
    check_middle(
        &notes("D4:5", ""),
        "0-4:60R 4-9:62R 9-13:60R",
        "measure 2 (line 6): it has 2.50 quarters instead of 2.00",
    );
    check_middle(
        &notes("D4:3", ""),
        "0-4:60R 4-7:62R 7-11:60R",
        "measure 2 (line 6): it has 1.50 quarters instead of 2.00",
    );
    check_middle(
        &(backup(9) + &notes("D4:4", "")),
        "0-4:60R 4-8:62R 8-12:60R",
        "measure 2 (line 6): a <backup> goes before its beginning",
    );
    let voice = |n: u8| format!("<voice>{n}</voice>");
    check_middle(
        &(notes("D4:2 D4:2", &voice(1)) + &notes("C4:4", &voice(2))),
        "0-4:60R 4-8:60R 4-6:62R 6-8:62R 8-12:60R",
        "measure 2 (line 6): a voice without <backup> is put at its beginning",
    );
    check_middle(
        &("<note><pitch><step>H</step><octave>4</octave></pitch><duration>2</duration></note>".to_owned()
            + &notes("D4:2", "")),
        "0-4:60R 6-8:62R 8-12:60R",
        "measure 2 (line 6): a note without a readable pitch is taken for a rest",
    );
    check_middle(
        "<note><pitch><step>D</step><octave>4</octave></pitch><type>half</type></note>",
        "0-4:60R 4-8:62R 8-12:60R",
        "measure 2 (line 6): a note without duration lasts as long as its value",
    );
}
