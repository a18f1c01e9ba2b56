//! What comes packed, in other encodings, damaged or hostile, and what is said of it.

use music_trainer::formats::{FormatError, read};
use music_trainer::music::Hand;

use super::{EIGHTHS, entry, measure, note, notes, part_list, part_of, played, reading, score};

#[track_caller]
fn check_error(bytes: &[u8], message: &str) {
    assert_eq!(read("a.musicxml", bytes).expect_err("an error").to_string(), message);
}

#[test]
fn what_is_no_score_is_told_with_its_place() {
    check_error(b"<html>\n<body/></html>", "line 1, column 1: the file holds <html>, not a score");
    check_error(b"<score-partwise>\n<part>", "line 2, column 7: the text ends within an element");
    check_error(b"<score-partwise/>", "line 1, column 1: the score has no measures");
    check_error(score(&measure("1", &notes("r", ""))).as_bytes(), "the file has no notes");
    let laughs = b"<!DOCTYPE a [<!ENTITY b \"ha\"><!ENTITY c \"&b;&b;&b;\">]>\n<score-partwise>&c;</score-partwise>";
    check_error(laughs, "line 1, column 14: entities are declared, which no score needs");
    let deep = format!("<score-partwise>{}", "<a>".repeat(100_000));
    check_error(deep.as_bytes(), "line 1, column 206: more than 64 elements within one another");
}

/// An archive of members, each stored or deflated.
fn zip(members: &[(&str, &[u8], bool)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes, deflate) in members {
        let packed = if *deflate { miniz_oxide::deflate::compress_to_vec(bytes, 6) } else { bytes.to_vec() };
        let at = file.len() as u32;
        let mut fields = Vec::new();
        fields.extend([20u16, 0, if *deflate { 8 } else { 0 }, 0, 0].map(u16::to_le_bytes).concat());
        fields.extend([crc(bytes), packed.len() as u32, bytes.len() as u32].map(u32::to_le_bytes).concat());
        fields.extend([name.len() as u16, 0].map(u16::to_le_bytes).concat());
        file.extend([b"PK\x03\x04", &fields[..], name.as_bytes(), &packed].concat());
        directory
            .extend([b"PK\x01\x02", &[20, 0][..], &fields[..], &[0; 10], &at.to_le_bytes(), name.as_bytes()].concat());
    }
    let (start, count) = (file.len() as u32, members.len() as u16);
    file.extend(&directory);
    file.extend([b"PK\x05\x06".as_slice(), &[0; 4], &count.to_le_bytes(), &count.to_le_bytes()].concat());
    file.extend([&(directory.len() as u32).to_le_bytes()[..], &start.to_le_bytes(), &[0; 2]].concat());
    file
}

fn crc(bytes: &[u8]) -> u32 {
    let bit = |sum: u32| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| bit(sum)))
}

const CONTAINER: &[u8] = b"<container><rootfiles><rootfile full-path=\"a/score.xml\"/></rootfiles></container>";

#[test]
fn compressed_scores_are_unpacked() {
    let text = score(&measure("1", &(EIGHTHS.to_owned() + &notes("C4:4", ""))));
    let other = text.replace("<step>C", "<step>D");
    let members = |deflate| {
        zip(&[
            ("META-INF/container.xml", CONTAINER, deflate),
            ("other.xml", other.as_bytes(), deflate),
            ("a/score.xml", text.as_bytes(), deflate),
        ])
    };
    for deflate in [false, true] {
        let reading = read("a.mxl", &members(deflate)).expect("a readable archive");
        assert_eq!(played(&reading), "0-4:60R");
    }
    let bare = read("a.mxl", &zip(&[("other.xml", other.as_bytes(), true)])).expect("without a container");
    assert_eq!(played(&bare), "0-4:62R");
}

#[test]
fn damaged_archives_and_bombs_are_refused() {
    let text = score(&measure("1", &(EIGHTHS.to_owned() + &notes("C4:4", ""))));
    let whole = zip(&[("a.xml", text.as_bytes(), true)]);
    let cut = &whole[..whole.len() - 30];
    check_error(cut, &format!("the compressed file is cut off: its directory is missing, at byte {}", cut.len()));
    let mut damaged = zip(&[("a.xml", text.as_bytes(), false)]);
    damaged[100] ^= 1;
    check_error(&damaged, "the compressed file is damaged: its check sum is wrong (its member a.xml), at byte 0");
    check_error(&zip(&[("a.txt", b"x", false)]), "the compressed file holds no MusicXML score, at byte 0");
    let bomb = vec![b' '; 15 * 1024 * 1024];
    let message = "the compressed file would unpack to more than a score has (its member a.xml), at byte 0";
    let bomb = zip(&[("a.xml", &bomb, true)]);
    assert!(bomb.len() < 20_000, "{}", bomb.len());
    check_error(&bomb, message);
    // One that lies about its length.
    let mut lying = bomb.clone();
    let directory = lying.windows(4).rposition(|w| w == b"PK\x01\x02").expect("a directory");
    lying[directory + 24..directory + 28].copy_from_slice(&100u32.to_le_bytes());
    check_error(&lying, message);
}

#[test]
fn other_encodings_are_read() {
    let text = score(&measure("1", &(EIGHTHS.to_owned() + &notes("C4:4", ""))))
        .replace("<part-list>", "<movement-title>F\u{fc}r</movement-title><part-list>");
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    let latin: Vec<u8> = text.replace("UTF-8", "ISO-8859-1").chars().map(|c| c as u8).collect();
    for bytes in [text.as_bytes(), &utf16, &latin] {
        assert_eq!(read("a.xml", bytes).expect("a readable score").score.title(), "F\u{fc}r");
    }
}

#[test]
fn hostile_repeats_are_cut() {
    let forward = "<barline location=\"left\"><repeat direction=\"forward\"/></barline>";
    let back = "<barline location=\"right\"><repeat direction=\"backward\" times=\"60\"/></barline>";
    let begin = measure("1", &(EIGHTHS.to_owned() + forward + &notes("C4:4", "")));
    let text = score(&(begin.repeat(40) + &measure("2", &(notes("D4:4", "") + back)).repeat(40)));
    let reading = reading(&text);
    assert_eq!(reading.warnings, ["the repeats are cut after 50000 measures"]);
    let chord = (0..20).map(|i| note(["C4", "D4", "E4", "F4"][i % 4], 4, "")).collect::<String>();
    let many = score(&(begin.repeat(40) + &measure("2", &(chord + back)).repeat(40)));
    let error = read("a.xml", many.as_bytes()).expect_err("too many notes");
    assert!(
        matches!(&error, FormatError::Notation { problem, .. } if problem.contains("more than 500000 notes")),
        "{error}"
    );
}

#[test]
fn parts_that_are_heard_are_left_out_where_there_are_too_many_notes() {
    let forward = "<barline location=\"left\"><repeat direction=\"forward\"/></barline>";
    let back = "<barline location=\"right\"><repeat direction=\"backward\" times=\"60\"/></barline>";
    let begin = measure("1", &(EIGHTHS.to_owned() + forward + &notes("C4:4", "")));
    let piano = begin.repeat(40) + &measure("2", &(notes("D4:4", "") + back)).repeat(40);
    let many = (0..20).map(|i| note(["C4", "D4", "E4", "F4"][i % 4], 4, "")).collect::<String>();
    let harp = begin.repeat(40) + &measure("2", &many).repeat(40);
    let list: String = ["Piano", "Harp", "Lute"].map(|name| entry(name, name)).concat();
    let parts = part_of("Piano", &piano) + &part_of("Harp", &harp) + &part_of("Lute", &harp);
    let reading = reading(&part_list(&list, &parts));
    let told = "Harp, Lute: left out, there are more than 500000 notes";
    assert!(reading.warnings.iter().any(|line| line == told), "{:?}", reading.warnings);
    assert!(reading.score.notes().iter().all(|note| note.hand == Hand::Right));
}

#[test]
fn what_costs_more_than_its_length_is_bounded() {
    let parts: String = (0..3_000).map(|i| format!("<part id=\"{i}\"><measure/></part>")).collect();
    let error = read("a.xml", format!("<score-partwise>{parts}</score-partwise>").as_bytes()).expect_err("many parts");
    assert!(error.to_string().ends_with("the score has more parts than are read"), "{error}");
    let measures = "<measure><part id=\"P\"/></measure>".repeat(4_000);
    let parts: String = (0..900).map(|i| format!("<part id=\"{i}\"/>")).collect();
    let timewise = format!("<score-timewise>{measures}<measure>{parts}</measure></score-timewise>");
    let error = read("a.xml", timewise.as_bytes()).expect_err("many measures");
    assert!(error.to_string().ends_with("the score has more parts and measures than are read"), "{error}");
    // A hundred thousand mistakes, signs and tempo words in one measure: a few lines and one page.
    let mistakes = "<note><pitch/><duration>0</duration></note>".repeat(30_000);
    let signs =
        "<notations><articulations><accent/><staccato/></articulations><arpeggiate/></notations>".repeat(20_000);
    let words = "<direction><direction-type><words>Presto</words><coda/></direction-type></direction>".repeat(20_000);
    let content = EIGHTHS.to_owned() + &words + &note("C4", 4, &signs) + &words + &mistakes;
    let reading = reading(&score(&measure("1", &content)));
    assert_eq!(played(&reading), "0-2:60R", "staccato");
    assert_eq!(reading.warnings.len(), 1, "{:?}", reading.warnings);
}
