//! Every text of the window, in one table, ready for other languages. Nothing else in `ui` holds words to be read.

use crate::practice::{Mode, Preset};
use crate::time::Micros;

use super::command::TakeFile;
use super::view::{LocalTime, MidiView, NoteNames, Offer, PlayView, Rescue, TakeRow, TakeState, ThemeChoice, Way};

mod devices;
mod fold;
mod inspector;
mod library;
mod music;
mod playing;
mod results;
mod table;
mod takes;

pub use devices::*;
pub use fold::*;
pub use inspector::*;
pub use library::*;
pub use music::*;
pub use playing::*;
pub use results::*;
pub use table::*;
pub use takes::*;

/// Stands where there is no value.
pub const NONE: &str = "—";

/// Between parts of a line.
pub const DOT: &str = " · ";

/// The name of a mode.
pub fn mode(mode: Mode) -> &'static str {
    let t = tr();
    match mode {
        Mode::Listen => t.listen,
        Mode::Wait => t.wait,
        Mode::Follow => t.follow,
        Mode::Tempo => t.tempo_mode,
        Mode::Rhythm => t.rhythm,
    }
}

/// What a mode does, or why it cannot be chosen yet.
pub fn mode_tip(mode: Mode) -> &'static str {
    let t = tr();
    match mode {
        Mode::Listen => t.listen_tip,
        Mode::Wait => t.wait_tip,
        Mode::Follow => t.follow_tip,
        Mode::Tempo => t.tempo_tip,
        Mode::Rhythm => t.rhythm_tip,
    }
}

/// The name of a strictness.
pub fn preset(preset: Preset) -> &'static str {
    match preset {
        Preset::Relaxed => tr().relaxed,
        Preset::Standard => tr().standard,
        Preset::Strict => tr().strict,
    }
}

/// The name of a set of colours.
pub fn theme(theme: ThemeChoice) -> &'static str {
    match theme {
        ThemeChoice::System => tr().theme_system,
        ThemeChoice::Dark => tr().theme_dark,
        ThemeChoice::Light => tr().theme_light,
        ThemeChoice::HighContrast => tr().theme_high,
    }
}

/// What the play screen shows: the name and what it means.
pub fn play_view(view: PlayView) -> (&'static str, &'static str) {
    match view {
        PlayView::Staff => (tr().staff, tr().staff_tip),
        PlayView::Notes => (tr().notes, tr().notes_tip),
        PlayView::Both => (tr().both, tr().both_tip),
    }
}

/// The name of a way to call notes.
pub fn note_names(names: NoteNames) -> &'static str {
    match names {
        NoteNames::English => tr().names_english,
        NoteNames::German => tr().names_german,
        NoteNames::FixedDo => tr().names_fixed_do,
    }
}

/// A moment: `today 12:04`.
pub fn moment(at: LocalTime) -> String {
    let clock = format!("{:02}:{:02}", at.hour, at.minute);
    match at.days_ago {
        0 => format!("today {clock}"),
        1 => format!("yesterday {clock}"),
        _ => format!("{}-{:02}-{:02} {clock}", at.year, at.month, at.day),
    }
}

/// What is wrong with a data folder.
pub fn damage(rescue: &Rescue) -> String {
    let more = match rescue.damages {
        0 | 1 => String::new(),
        n => format!(", and {} more places", n - 1),
    };
    let what = match rescue.damage.as_str() {
        "" => String::new(),
        damage => format!(": {damage}{more}"),
    };
    format!("{}{what}.", rescue.folder)
}

/// A way out of damage, and what it means.
pub fn offer(offer: &Offer) -> (String, String) {
    let keeps = count(offer.keeps);
    let lost = match offer.loses {
        None if offer.keeps == 0 => "Nothing can be read of what was there.".to_owned(),
        None => format!("{keeps} events are kept; what came later is lost."),
        Some(0) => "Nothing is lost.".to_owned(),
        Some(1) => format!("{keeps} events are kept, 1 is lost."),
        Some(loses) => format!("{keeps} events are kept, {} are lost.", count(loses)),
    };
    match offer.way {
        Way::Rebuild => ("Make it anew".to_owned(), format!("Every event can be read. {lost}")),
        Way::Bridge => ("Leave out what is damaged".to_owned(), lost),
        Way::Cut => (format!("Keep everything up to {}", moment(offer.until)), lost),
        Way::Backup => (format!("Go back to the backup of {}", moment(offer.until)), lost),
        Way::Afresh => ("Begin anew".to_owned(), lost),
    }
}

/// A whole number in groups of three, with narrow spaces.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(c);
    }
    out
}

/// What starts the music that stands still.
pub fn press_to_start(key: &str) -> String {
    format!("Press {key} to start")
}

/// A MIDI message in words.
pub fn midi(message: &MidiView, names: NoteNames) -> String {
    match message {
        MidiView::On(pitch, velocity) => format!("{} on, velocity {velocity}", note_octave(*pitch, names)),
        MidiView::Off(pitch) => format!("{} off", note_octave(*pitch, names)),
        MidiView::Control(64, value) => format!("sustain pedal {value}"),
        MidiView::Control(66, value) => format!("sostenuto pedal {value}"),
        MidiView::Control(67, value) => format!("soft pedal {value}"),
        MidiView::Control(number, value) => format!("controller {number}: {value}"),
        MidiView::Other(bytes) => bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" "),
    }
}

/// A take for screen readers: what, how, when.
pub fn take_in_words(take: &TakeRow) -> String {
    let piece = take.piece.as_deref().unwrap_or(tr().free_play);
    let mode = take.mode.map(mode).unwrap_or_default();
    let parts = [piece, &take.name, mode, &moment(take.at)];
    parts.iter().filter(|p| !p.is_empty()).copied().collect::<Vec<_>>().join(DOT)
}

/// Everything that the list of takes tells of one, for where it has no room for all of it.
pub fn take_in_full(take: &TakeRow) -> String {
    let right = take.result.map(|(right, of)| format!("{} {}", tr().result, share(right, of)));
    let parts = [take_in_words(take), notes(take.notes as usize), duration(take.duration), right.unwrap_or_default()];
    let parts = parts.into_iter().chain([take_state(take.state)]);
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(DOT)
}

/// How a take ended, or that it goes on.
pub fn take_state(state: TakeState) -> String {
    match state {
        TakeState::Recording => tr().recording.to_owned(),
        TakeState::Complete => tr().complete.to_owned(),
        TakeState::Stopped => tr().stopped.to_owned(),
        TakeState::Interrupted => tr().interrupted.to_owned(),
        TakeState::Incomplete { lost } => incomplete(lost),
    }
}

/// A button that asks for more before anything is done.
pub fn asking_more(words: &str) -> String {
    format!("{words}…")
}

/// A take that is gone for ever.
pub fn erased_for_ever(take: &str) -> String {
    format!("the take is deleted for ever: {take}")
}

/// The name of the button that names a take.
pub fn name_take(take: &TakeRow) -> String {
    format!("{}: {}", tr().name_take, take_in_words(take))
}

/// The name of the button that makes a piece a favourite, or no longer.
pub fn favour(title: &str, favourite: bool) -> String {
    format!("{}: {title}", if favourite { tr().disfavour } else { tr().favour })
}

/// `12 min practised`, from a minute on.
pub fn practised(time: Micros) -> Option<String> {
    minutes(time).map(|minutes| format!("{minutes} practised"))
}

/// `12 min`, from a minute on.
pub fn minutes(time: Micros) -> Option<String> {
    let minutes = time.0 / 60_000_000;
    (minutes > 0).then(|| format!("{minutes} min"))
}

/// A take as a file is called: when it began, to the second, and what it is.
pub fn take_in_a_file_name(take: &TakeRow) -> String {
    let LocalTime { year, month, day, hour, minute, second, .. } = take.at;
    let piece = take.piece.as_deref().unwrap_or(tr().free_play);
    let name = if take.name.is_empty() { String::new() } else { format!(", {}", take.name) };
    format!("{year}-{month:02}-{day:02} {hour:02}.{minute:02}.{second:02} {piece}{name}")
}

/// What a take is written as.
pub fn take_file(file: TakeFile) -> &'static str {
    match file {
        TakeFile::Sound => tr().export_sound,
        TakeFile::Midi => tr().export_midi,
        TakeFile::Table => tr().export_table,
    }
}

/// The name of the button that exports a take.
pub fn export_take(take: &TakeRow) -> String {
    format!("{}: {}", tr().export_take, take_in_words(take))
}

/// The name of the button that deletes a take.
pub fn delete_take(take: &TakeRow) -> String {
    format!("{}: {}", tr().delete, take_in_words(take))
}

/// Time since the start, to the millisecond: `4:31.218`.
pub fn clock(at: Micros) -> String {
    let millis = at.0.max(0) / 1000;
    format!("{}:{:02}.{:03}", millis / 60_000, millis / 1000 % 60, millis % 1000)
}

/// `Undo: Tempo 75 %`.
pub fn of(what: &str, which: &str) -> String {
    format!("{what}: {which}")
}

/// `Standard ± 100 ms`.
pub fn preset_in_words(p: Preset) -> String {
    format!("{} ± {:.0} ms", preset(p), p.window(crate::music::Percent::FULL).as_millis_f64())
}

/// The on-screen keyboard, for screen readers.
pub fn keyboard_in_words(name: &str, next: &[String]) -> String {
    if next.is_empty() { name.to_owned() } else { format!("{name}, next: {}", next.join(" ")) }
}

/// A tip with its shortcut.
pub fn with_shortcut(text: &str, shortcut: &str) -> String {
    if shortcut.is_empty() { text.to_owned() } else { format!("{text} ({shortcut})") }
}

/// A piece in the list, for screen readers.
pub fn open_piece(title: &str, composer: &str) -> String {
    if composer.is_empty() { format!("Open {title}") } else { format!("Open {title} by {composer}") }
}

/// That a piece takes long to be read.
pub fn opening(name: &str) -> String {
    format!("{name} is being opened…")
}

/// That the program ended while somebody played.
pub fn interrupted_at(notes: u32) -> String {
    let notes = if notes == 1 { "the note is" } else { &format!("all {} notes are", count(u64::from(notes))) };
    format!("The program ended while you played; {notes} under {}.", tr().takes)
}

/// A line of the program's as a sentence: with a capital letter, where it begins with a word and not with a name.
pub fn sentence(words: &str) -> String {
    let first = words.split([' ', ':']).next().unwrap_or_default();
    let is_word = first.chars().all(char::is_lowercase);
    let mut letters = words.chars();
    match letters.next() {
        Some(letter) if is_word => letter.to_uppercase().chain(letters).collect(),
        _ => words.to_owned(),
    }
}

/// A percentage: `75 %`.
pub fn percent(value: u16) -> String {
    format!("{value} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_moments_read_as_people_write_them() {
        assert_eq!(count(1_284_907), "1\u{2009}284\u{2009}907");
        assert_eq!(count(12), "12");
        assert_eq!(signed(-11.6), "−12");
        assert_eq!(signed(-0.2), "0");
        assert_eq!(duration(Micros(125_400_000)), "2:05");
        assert_eq!(bars(5.into(), 8.into()), "Bars 5–8");
        assert_eq!(share(203, 216), "94 %");
        let at = LocalTime { days_ago: 1, hour: 9, minute: 5, ..Default::default() };
        assert_eq!(moment(at), "yesterday 09:05");
    }

    #[test]
    fn lines_begin_like_sentences_and_names_stay() {
        assert_eq!(sentence("the JACK server is gone"), "The JACK server is gone");
        assert_eq!(sentence("jack: no server runs"), "Jack: no server runs");
        assert_eq!(sentence("/tmp/x.mid cannot be read"), "/tmp/x.mid cannot be read");
        assert_eq!(sentence("a4.mid: left out"), "a4.mid: left out");
        assert_eq!(sentence(""), "");
    }
}
