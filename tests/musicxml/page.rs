//! What stands on the page: voices, grace notes, signs that parts share, tuplets, titles.

use super::*;

/// The voices of the first measure's notes, upper staff first: name and place among the voices.
fn voices(reading: &Reading) -> String {
    let of = |c: &Chord| format!("{}@{}", c.heads[0].pitch, c.voice);
    let mut chords = chords(reading, 0);
    chords.sort_by_key(|c| (c.staff, c.at, c.voice));
    chords.iter().filter(|c| !c.heads.is_empty()).map(of).collect::<Vec<_>>().join(" ")
}

#[test]
fn voices_are_numbered_from_above_unless_the_file_turns_their_stems() {
    let of = |first: &str, second: &str| {
        let voice = |number: u8, more: &str| format!("<voice>{number}</voice>{more}");
        let lower = notes("C4:2 B3:2", &voice(1, first));
        let upper = notes("r E4:3", &voice(2, second));
        let other = measure("2", &(notes("C4:4", &voice(1, first)) + &backup(4) + &notes("B3:4", &voice(2, second))));
        voices(&reading(&score(&(measure("1", &(EIGHTHS.to_owned() + &lower + &backup(4) + &upper)) + &other))))
    };
    assert_eq!(of("", ""), "C4@1 E4@0 B3@1", "the crossing in measure 2 weighs less");
    assert_eq!(of("<stem>up</stem>", "<stem>down</stem>"), "C4@0 E4@1 B3@0");
    assert_eq!(of("<stem>down</stem>", "<stem>up</stem>"), "C4@1 E4@0 B3@1");
}

#[test]
fn crossed_grace_notes_come_before_the_beat_but_at_the_beginning() {
    let grace =
        |name: &str, slash: &str| format!("<note><grace slash=\"{slash}\"/>{}<type>eighth</type></note>", pitch(name));
    let content = EIGHTHS.to_owned()
        + &grace("B3", "yes")
        + &note("C4", 2, "")
        + &grace("D4", "yes")
        + &grace("E4", "yes")
        + &note("F4", 2, "");
    // An eighth of a quarter each; the note before gives way.
    let text = score(&measure("1", &content));
    let reading = check(&text, "0-0.25:59R 0.25-1.5:60R 1.5-1.75:62R 1.75-2:64R 2-4:65R", &[]);
    let graces: Vec<bool> = chords(&reading, 0).iter().map(|c| c.grace.is_some()).collect();
    assert_eq!(graces, [true, false, true, true, false]);
    let content = EIGHTHS.to_owned() + &note("C4", 4, "") + &grace("D4", "no");
    check(&score(&(measure("1", &content) + &measure("2", &note("E4", 4, "")))), "0-3.5:60R 3.5-4:62R 4-8:64R", &[]);
}

#[test]
fn other_grace_notes_begin_on_the_beat_and_what_the_file_says_counts() {
    let grace = |name: &str, more: &str, value: &str| {
        format!("<note><grace {more}/>{}<type>{value}</type></note>", pitch(name))
    };
    let check = |graces: &str, expected: &str| {
        let content = EIGHTHS.to_owned() + &note("C4", 2, "") + graces + &note("F4", 2, "");
        let reading = check(&score(&measure("1", &content)), expected, &[]);
        let marked: Vec<u8> =
            reading.score.iter().filter(|(id, _)| reading.score.is_grace(*id)).map(|(_, n)| n.pitch.key()).collect();
        assert!(!marked.is_empty() && marked.iter().all(|key| [62, 64].contains(key)), "{marked:?}");
    };
    // A single one has its value, but leaves half to its main note; several are short.
    check(&grace("D4", "", "eighth"), "0-2:60R 2-3:62R 3-4:65R");
    check(&grace("D4", "", "half"), "0-2:60R 2-3:62R 3-4:65R");
    check(&grace("D4", "slash=\"no\"", "16th"), "0-2:60R 2-2.5:62R 2.5-4:65R");
    check(&(grace("D4", "", "eighth") + &grace("E4", "", "eighth")), "0-2:60R 2-2.5:62R 2.5-3:64R 3-4:65R");
    // By what the file says.
    check(&grace("D4", "slash=\"yes\" steal-time-following=\"10\"", "eighth"), "0-2:60R 2-2.2:62R 2.2-4:65R");
    check(&grace("D4", "steal-time-previous=\"25\"", "eighth"), "0-1.5:60R 1.5-2:62R 2-4:65R");
    check(&grace("D4", "steal-time-previous=\"much\"", "16th"), "0-1.5:60R 1.5-2:62R 2-4:65R");
    check(&grace("D4", "steal-time-following=\"100\"", "eighth"), "0-2:60R 2-3.8:62R 3.8-4:65R");
}

#[test]
fn titles_and_composers_on_the_first_page_count_where_nothing_else_is_said() {
    let credit = |more: &str, kind: &str, words: &str| {
        let kind = if kind.is_empty() { String::new() } else { format!("<credit-type>{kind}</credit-type>") };
        format!("<credit {more}>{kind}{words}</credit>")
    };
    let words = |text: &str, more: &str| format!("<credit-words {more}>{text}</credit-words>");
    let check = |head: &str, title: &str, composer: &str| {
        let text = score(&measure("1", &(EIGHTHS.to_owned() + &notes("C4:4", ""))));
        let text = text.replace("<part-list>", &format!("{head}<part-list>"));
        let score = read("file name.musicxml", text.as_bytes()).expect("a score").score;
        assert_eq!((score.title(), score.composer()), (title, composer), "{head}");
    };
    let typed = credit("page=\"1\"", "composer", &words("Anna Magdalena", ""))
        + &credit("page=\"1\"", "title", &words("Minuet", "font-size=\"8\""))
        + &credit("page=\"1\"", "rights", &words("Nobody&apos;s", "font-size=\"80\""));
    check(&typed, "Minuet", "Anna Magdalena");
    let placed =
        credit("page=\"1\"", "", &words("In C major", "font-size=\"14\" default-y=\"1700\" justify=\"center\""))
            + &credit("page=\"1\"", "", &words("Prelude I", "font-size=\"24\" default-y=\"1800\" justify=\"center\""))
            + &credit("page=\"1\"", "", &words("J. S. Bach (1685 - 1750)", "default-y=\"1734\" justify=\"right\""))
            + &credit("page=\"1\"", "", &words("BWV 846", "default-y=\"1734\" justify=\"left\""))
            + &credit("page=\"2\"", "", &words("2", "font-size=\"99\" halign=\"right\""));
    check(&placed, "Prelude I", "J. S. Bach");
    let known = "<work><work-title>Sonata</work-title></work><identification><creator type=\"composer\">Clara</creator>\
                 </identification>";
    check(&(known.to_owned() + &placed), "Sonata", "Clara");
    // What is no composer and no title.
    let other =
        credit("page=\"1\"", "", &words("Copyright 2004", "font-size=\"9\" justify=\"right\" default-y=\"1800\""))
            + &credit("page=\"1\"", "", &words("Score", "font-size=\"12\""))
            + &credit("page=\"1\"", "", &words("7", "font-size=\"12\" justify=\"right\""));
    check(&other, "file name", "");
}

#[test]
fn parts_on_one_staff_say_their_loudness_once() {
    let loud =
        |sign: &str| format!("<direction><direction-type><dynamics><{sign}/></dynamics></direction-type></direction>");
    let choir = |signs: [&str; 4]| {
        let names = ["Soprano", "Alto", "Tenor", "Bass"];
        let of = |(name, (sign, key)): (&str, (&str, &str))| {
            part_of(name, &measure("1", &(EIGHTHS.to_owned() + &loud(sign) + &notes(key, ""))))
        };
        let keys = ["C5:4", "G4:4", "E4:4", "C3:4"];
        let parts: String = names.into_iter().zip(signs.into_iter().zip(keys)).map(of).collect();
        let text = part_list(&names.map(|name| entry(name, name)).concat(), &parts);
        let page = reading(&text).score.notation().expect("a page").clone();
        let told = page.measures[0].directions.iter().map(|d| match d.kind {
            DirectionKind::Dynamic(dynamic) => (d.staff, dynamic, d.above == Some(true)),
            _ => panic!("{d:?}"),
        });
        told.collect::<Vec<_>>()
    };
    let (f, p) = (Dynamic::F, Dynamic::P);
    assert_eq!(choir(["f", "f", "f", "f"]), [(0, f, false), (1, f, false)]);
    assert_eq!(choir(["f", "p", "p", "p"]), [(0, f, true), (0, p, false), (1, p, false)]);
}

#[test]
fn tuplets_within_tuplets_have_their_own_numbers() {
    let note = |key: &str, ratio: (u8, u8), duration: u32, marks: &str| {
        format!(
            "<note>{}<duration>{duration}</duration><voice>1</voice><type>eighth</type><time-modification><actual-notes>{}\
             </actual-notes><normal-notes>{}</normal-notes></time-modification><notations>{marks}</notations></note>",
            pitch(key),
            ratio.0,
            ratio.1
        )
    };
    let (outer, inner) = ((3, 2), (9, 4));
    let mark =
        |level: u8, kind: &str, more: &str| format!("<tuplet number=\"{level}\" type=\"{kind}\">{more}</tuplet>");
    let three = "<tuplet-actual><tuplet-number>3</tuplet-number></tuplet-actual>";
    let head =
        "<attributes><divisions>18</divisions><time><beats>2</beats><beat-type>4</beat-type></time></attributes>";
    // The first outer one begins with a note of its own, the second with the first of the inner one.
    let check = |said: &str| {
        let content = [
            note("E4", outer, 6, &mark(1, "start", "")),
            note("D4", inner, 4, &mark(2, "start", said)),
            note("C4", inner, 4, ""),
            note("B3", inner, 4, &(mark(1, "stop", "") + &mark(2, "stop", ""))),
            note("D4", inner, 4, &(mark(1, "start", said) + &mark(2, "start", said))),
            note("C4", inner, 4, ""),
            note("B3", inner, 4, &mark(2, "stop", "")),
            note("A3", outer, 6, &mark(1, "stop", "")),
        ];
        let found = chords(&reading(&score(&measure("1", &(head.to_owned() + &content.concat())))), 0);
        let (starts, none) = (TupletMark::Starts { number: Some(3), bracket: None }, TupletMark::None);
        let marks: Vec<(TupletMark, TupletMark)> = found.iter().map(|c| (c.around, c.tuplet)).collect();
        let ends = TupletMark::Ends;
        assert_eq!(marks[..4], [(starts, none), (none, starts), (none, none), (ends, ends)], "{said}");
        assert_eq!(marks[4..], [(starts, starts), (none, none), (none, ends), (ends, none)], "{said}");
    };
    check(three);
    check("");
}
