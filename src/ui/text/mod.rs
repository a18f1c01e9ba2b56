//! Every text of the window, in one table, ready for other languages. Nothing else in `ui` holds words to be read.

use crate::music::{Hand, Hands, KeySignature, Pitch, Spelling};
use crate::practice::result::{BarResult, Counts, Timing, Trouble};
use crate::practice::{BarRange, Heard, Mode, Preset, VerdictKind};
use crate::time::Micros;

use super::view::{
    LastResult, LocalTime, MidiView, NoteNames, Offer, PlayView, Rescue, TakeRow, ThemeChoice, Tuner, Way,
};

mod devices;
mod inspector;

pub use devices::*;
pub use inspector::*;

macro_rules! texts {
    ($($name:ident = $text:literal;)*) => {
        /// The fixed texts in one language.
        #[derive(Debug)]
        pub struct Texts {
            $(#[doc = $text] pub $name: &'static str,)*
        }
        static ENGLISH: Texts = Texts { $($name: $text,)* };
    };
}

texts! {
    library = "Library";
    play = "Play";
    takes = "Takes";
    devices = "Devices";
    inspector = "Inspector";
    settings = "Settings";
    results = "Results";
    listen = "Listen";
    wait = "Wait for me";
    follow = "Follow me";
    tempo_mode = "Keep tempo";
    rhythm = "Rhythm only";
    listen_tip = "The program plays the piece for you";
    wait_tip = "The music waits until you press the right keys";
    follow_tip = "Not built yet: the music will follow your tempo";
    tempo_tip = "The music keeps its tempo and your timing is measured";
    rhythm_tip = "Not built yet: any key will do, only the rhythm will count";
    free_play = "Free play";
    free_play_line = "Play anything: it is heard, and recorded as a take.";
    choose_piece = "Choose a piece";
    restart = "Back to the start";
    pause = "Pause";
    start = "Start";
    loop_off = "Loop";
    loop_tip = "Repeat some bars: drag over the bar numbers, or press here";
    tempo = "Tempo";
    right = "Right";
    left = "Left";
    right_practise = "Practise the right hand";
    left_practise = "Practise the left hand";
    right_hear = "Hear the right hand";
    left_hear = "Hear the left hand";
    hear = "hear";
    metronome = "Metronome";
    count_in = "Count-in";
    count_in_tip = "Count a bar before the first note";
    staff = "Staff";
    staff_tip = "The staff alone";
    notes = "Notes";
    notes_tip = "Falling notes alone";
    both = "Both";
    both_tip = "The staff above the falling notes";
    staff_bars = "Staff: click a bar to go there, drag over bars to loop them";
    zoom_tip = "Ctrl and the wheel change how much music is in view";
    keyboard = "Keyboard";
    falling_notes = "Falling notes";
    bar_ruler = "Bars of the piece";
    search = "Search";
    search_hint = "Title, composer or key";
    open_file = "Open file…";
    built_in = "Pieces to begin with";
    recent = "Recent files";
    grade = "Grade";
    title = "Title";
    composer = "Composer";
    key = "Key";
    metre = "Metre";
    bars = "Bars";
    length = "Length";
    last_result = "Last result";
    not_played = "not played yet";
    nothing_found = "Nothing is called that.";
    clear_search = "Clear the search";
    library_empty = "No pieces yet: open a MIDI or MusicXML file, or drop one onto the window.";
    drop_here = "Drop a MIDI or MusicXML file to open it";
    date = "When";
    piece = "Piece";
    mode = "Mode";
    duration = "Length";
    state = "State";
    result = "Correct";
    takes_empty = "Nothing was played yet: whatever you play is kept here.";
    go_play = "Go and play";
    recording = "recording";
    complete = "complete";
    stopped = "stopped";
    interrupted = "interrupted";
    open_results = "Results";
    delete = "Delete";
    name_take = "Name this take";
    favourite = "favourite";
    favour = "Make it a favourite";
    disfavour = "No longer a favourite";
    save = "Save";
    delete_for_ever = "Delete for ever";
    delete_remark = "Undo brings a deleted take back, unless it is for ever.";
    delete_question = "Delete this take?";
    cancel = "Cancel";
    rescue = "Some of your data cannot be read";
    rescue_remark = "Nothing is deleted: the damaged folder is kept beside the one that takes its place, until you delete it.";
    rescue_unsaved = "What you play until you have chosen is not saved.";
    not_now = "Not now";
    rescue_again = "What can be done…";
    recovering = "Bringing your data back…";
    results_empty = "No result yet: play a piece in Wait for me or Keep tempo.";
    of_notes_right = "of the notes right";
    not_enough = "not enough data";
    on_average = "on time on average";
    little_early = "a little early";
    little_late = "a little late";
    early_word = "early";
    late_word = "late";
    spread = "spread";
    spread_even = "spread: even";
    spread_usual = "spread: as people play";
    spread_wide = "spread: uneven";
    tempo_held = "tempo held";
    of_written_tempo = "of the written tempo";
    no_timing = "time was not judged";
    bars_card = "Bars";
    when_notes_came = "When the notes came";
    early_late_ms = "early ◀ ▶ late, ms";
    five_bars = "Five bars to look at";
    practise = "Practise";
    again_80 = "Again at 80 %";
    nothing_to_practise = "Every bar was right.";
    incomplete_take = "Notes of this take were lost on the way, so it is not graded.";
    sound = "Sound";
    device = "Device";
    backend = "Backend";
    rate = "Rate";
    period = "Period";
    latency = "Latency";
    load = "Load";
    export_take = "As a sound file";
    key_to_ear = "From the key to the ear";
    trainer = "Music Trainer";
    computer_keyboard = "Computer keyboard";
    no_midi_short = "no MIDI keyboard yet";
    silent_line = "everything else works";
    bluetooth_badge = "Bluetooth: some 200 ms late, which no setting mends. Take a cable for playing.";
    punctuality = "Callbacks";
    key_wait = "Keys wait";
    play_through = "Device";
    driver = "Driver";
    hear_it = "Hear it";
    sounds = "Sound";
    looking = "Looking…";
    look_again = "Look again";
    buffer = "Buffer, in frames";
    buffer_of_jack = "The JACK server sets the buffer, for all programs: change it there.";
    calibration = "Timing of your devices";
    by_tapping = "By tapping";
    by_loopback = "By loop-back";
    by_driver = "Says the driver";
    not_measured = "not measured";
    tap_help = "Your playing is judged after the delay of your devices is taken off. The driver tells only its own \
                part: tap along with a metronome once, and the whole of it is known.";
    tap_scattered = "The taps were too uneven to tell. Try once more, with one finger on one key.";
    tap_nobody = "No key was pressed, so nothing was measured.";
    start_tapping = "Tap along";
    stop_tapping = "Stop";
    start_loopback = "Send chirps";
    stop_loopback = "Stop the chirps";
    loopback_help = "A microphone near the speaker, or a cable from output to input: twelve chirps, eight seconds.";
    forget_calibration = "Forget it";
    xruns = "Late blocks";
    test_tone = "Test tone";
    panic = "All sound off";
    midi_inputs = "MIDI inputs";
    midi_outputs = "MIDI outputs";
    no_midi_out = "No MIDI output yet: a piano with a MIDI or USB connection can play the accompaniment and light its keys.";
    out_accompaniment = "Accompaniment";
    out_accompaniment_tip = "What the program plays sounds there too";
    out_alone = "Only there";
    out_alone_tip = "And no longer in the program";
    out_clicks = "Metronome";
    out_clicks_tip = "As percussion on channel 10";
    out_through = "Pass on what I play";
    out_through_tip = "What is played on other keyboards is sent there, never back to the same one";
    out_lights_tip = "The keys that come next light up, on pianos that can: choose the channel your piano listens to";
    lights_lower = "A lower channel for lights";
    lights_higher = "A higher channel for lights";
    out_keys = "Its own keys";
    left_out = "Left out";
    open_left_out = "Try again";
    sent = "out";
    received = "in";
    connected = "connected";
    away = "not connected";
    use_port = "Use";
    no_midi = "No MIDI keyboard yet: plug one in and it appears here. The computer keyboard plays too.";
    microphone = "Microphone";
    microphone_on = "Listen to the microphone";
    microphone_off = "Stop listening";
    microphone_line = "A tuner for what you sing or play: the note, and how far it is from true.";
    microphone_echo = "Use headphones: through a speaker the program hears itself.";
    microphone_plays = "What I play here counts";
    microphone_plays_tip = "In Wait for me chords are heard too; otherwise one note at a time";
    no_microphone = "Looking for a microphone";
    missed_frames = "Missed samples";
    level = "Level";
    tuner_waits = "play or sing one note";
    not_sure = "not sure";
    in_tune = "in tune";
    monitor = "Last messages";
    monitor_empty = "Press a key on your MIDI keyboard and it shows here.";
    time = "Time";
    port = "Port";
    message = "Message";
    messages = "Messages";
    name = "Name";
    silent = "no sound device";
    retrying = "looking for the sound device";
    no_device = "No sound device";
    appearance = "Appearance";
    theme = "Colours";
    theme_system = "As the desktop";
    theme_dark = "Dark";
    theme_light = "Light";
    theme_high = "High contrast";
    text_size = "Text size";
    note_names = "Note names";
    names_english = "C D E … B";
    names_german = "C D E … H";
    names_fixed_do = "do re mi";
    note_labels = "Names on falling notes";
    reduced_motion = "Less motion";
    practice = "Practice";
    strictness = "Timing";
    relaxed = "Relaxed";
    standard = "Standard";
    strict = "Strict";
    volumes = "Volume";
    volume_piano = "Your piano";
    volume_accompaniment = "Accompaniment";
    volume_metronome = "Metronome";
    click_sound = "Sound";
    click_tone = "Tone";
    click_wood = "Wood block";
    click_tick = "Clockwork";
    click_bell = "Cowbell";
    click_division = "Between the beats";
    division_none = "Nothing";
    division_two = "Halves";
    division_three = "Thirds";
    division_four = "Quarters";
    click_route = "Heard";
    route_both = "With the music";
    route_left = "On the left";
    route_right = "On the right";
    route_own = "On its own output";
    tuning = "A4";
    tuning_usual = "440 Hz";
    instrument = "Instrument";
    soundfont = "SoundFont";
    builtin_piano = "Built-in piano";
    choose_file = "Choose file…";
    use_builtin = "Use the built-in piano";
    on = "On";
    off = "Off";
    open_title = "Open a piece";
    soundfont_title = "Choose a SoundFont";
    path = "Path";
    up = "One folder up";
    home = "Home";
    open = "Open";
    no_files = "No fitting files here.";
    help = "Shortcuts";
    help_remark = "Press Esc to close";
    help_piano = "Piano";
    help_white = "White keys from C";
    help_white_keys = "A S D F G H J K L";
    help_black = "Black keys above them";
    help_black_keys = "W E T Y U O P";
    help_octave = "An octave down, an octave up";
    help_octave_keys = "Z X";
    close = "Close";
    dismiss = "Dismiss";
    undo = "Undo";
    redo = "Redo";
    flow = "Flow";
    entities = "Entities";
    subscribers = "Subscribers";
    events = "Events";
    events_empty = "No event has passed yet.";
    events_none = "No event fits the filter.";
    searching = "searching the log …";
    newest = "Live";
    newest_tip = "Follow the newest events";
    place_in_log = "Place in the log";
    older = "Older";
    newer = "Newer";
    way = "Way through the program";
    way_unknown = "Moments are known of this run's last events only.";
    hop_played = "played";
    hop_taken = "taken by the bus";
    hop_applied = "applied";
    hop_stored = "visible to all";
    hop_painted = "drawn";
    hop_durable = "on disk";
    envelope = "Envelope";
    envelope_id = "Id";
    envelope_base = "Base";
    envelope_hlc = "Hybrid clock";
    envelope_played = "Played";
    envelope_driver = "Driver's clock";
    envelope_frame = "Frame";
    envelope_cause = "Cause";
    envelope_schema = "Schema";
    changed = "What it changed";
    changed_nothing = "Nothing of its entity's value.";
    reading = "reading the log …";
    field = "Field";
    before = "Before";
    after = "After";
    causes = "What led to it";
    causes_none = "Nothing: it begins here.";
    causes_further = "The chain goes on beyond what is shown.";
    effects = "What it led to";
    erased = "The payload was erased or is not known.";
    filter = "Filter";
    filter_hint = "take/8f2c note.* or any text";
    seq = "Seq";
    topic = "Topic";
    entity = "Entity";
    version = "Version";
    what = "What";
    delay = "Delay, ms";
    lag = "Lag";
    pending = "Pending";
    value = "Value";
    commit_time = "Commit time";
    bus = "Bus";
    persister = "Persister";
    snapshots = "Snapshots";
    components = "Components";
    commands = "Command queue";
    bus_empty = "The bus is not running.";
    payload = "Payload";
    healthy = "Ok";
    store = "LMDB";
    store_tab = "Store";
    on_disk = "on disk";
    map = "map";
    of_map_used = "of the map in use";
    events_kept = "events in the log";
    bytes_an_event = "an event in the log";
    tables = "Tables";
    tables_none = "This store has no tables: it is kept in memory only.";
    entries = "Rows";
    bytes = "Size";
    share = "Of the map";
    commits = "Commits since the start";
    batches = "Batches";
    failures = "Failures";
    written = "Handed over";
    undurable = "Not yet on disk";
    erased_events = "Erased for ever";
    real_time = "Real time";
    callback_time = "Callback time";
    callback_none = "No block was measured yet: no stream runs, or nobody measures it.";
    too_late = "too late";
    stream = "Stream";
    late_notes = "Late notes";
    faults = "Faults";
    lanes = "Lanes";
    lanes_remark = "pushed = delivered + lost + waiting";
    most = "Most";
    pushed = "Pushed";
    delivered = "Delivered";
    gaps = "Gaps";
    lane_closed = "closed";
    lane_filling = "filling up";
    lane_lost = "has lost events";
    lane_panicked = "its reader has panicked";
    lane_well = "nothing lost";
    round_time = "Rounds of the bus";
    held = "Held";
    redelivered = "Again";
    next_due = "Next try";
    laboratory = "Laboratory";
    laboratory_remark = "Break something and watch it heal. All of it is off again when the program ends.";
    panic_component = "Panic in a component";
    panic_component_what = "Whoever handles the next event panics; it is restarted and the event comes again.";
    fill_lane = "Fill a lane";
    fill_lane_what = "A lane gets twice what it holds: thousands of events in the take that is recorded. A gap record tells what was lost, and the take is not graded.";
    once = "Once";
    heal = "Heal";
    conflicts = "Conflicts";
    conflicts_empty = "No edits have met yet.";
    conflicts_remark = "Edits whose authors had not seen each other's, newest first.";
    stays = "stays";
    stays_too = "stays too";
    gives_way = "gives way";
    bring_back = "Bring back";
    time_machine = "Time machine";
    now = "Now";
    history = "History";
    history_hint = "Click an entity to see how it came to be what it is.";
    actor = "Actor";
    said = "Said";
    clear = "Clear";
    acked = "Acked";
    dead = "Dead";
    dead_letters = "Dead letters";
    event = "Event";
    tries = "Tries";
    error = "Error";
    replay = "Replay";
    drop = "Drop";
    live = "Live subscribers";
    waiting = "Waiting";
    lost = "Lost";
}

/// The texts in force.
pub fn tr() -> &'static Texts {
    &ENGLISH
}

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

/// What a verdict is called.
pub fn verdict(kind: VerdictKind) -> &'static str {
    match kind {
        VerdictKind::OnTime => "on time",
        VerdictKind::Early => "early",
        VerdictKind::Late => "late",
        VerdictKind::Missed => "missed",
        VerdictKind::Extra => "wrong key",
        VerdictKind::WrongOctave => "wrong octave",
        VerdictKind::Neutral => "",
    }
}

/// When a hand is heard.
pub fn heard(hand: Hand, heard: Heard) -> String {
    let when = match heard {
        Heard::Always => "always",
        Heard::Muted => "never",
        Heard::WhenMissed => "only what I miss",
    };
    let name = match hand {
        Hand::Right => tr().right_hear,
        Hand::Left => tr().left_hear,
    };
    format!("{name}: {when}")
}

/// The name of a key, without its octave.
pub fn note(pitch: Pitch, names: NoteNames, spelling: Spelling) -> &'static str {
    const GERMAN_SHARP: [&str; 12] = ["C", "Cis", "D", "Dis", "E", "F", "Fis", "G", "Gis", "A", "Ais", "H"];
    const GERMAN_FLAT: [&str; 12] = ["C", "Des", "D", "Es", "E", "F", "Ges", "G", "As", "A", "B", "H"];
    const DO_SHARP: [&str; 12] = ["do", "do♯", "re", "re♯", "mi", "fa", "fa♯", "sol", "sol♯", "la", "la♯", "si"];
    const DO_FLAT: [&str; 12] = ["do", "re♭", "re", "mi♭", "mi", "fa", "sol♭", "sol", "la♭", "la", "si♭", "si"];
    let table = match (names, spelling) {
        (NoteNames::English, _) => return pitch.name(spelling),
        (NoteNames::German, Spelling::Sharp) => &GERMAN_SHARP,
        (NoteNames::German, Spelling::Flat) => &GERMAN_FLAT,
        (NoteNames::FixedDo, Spelling::Sharp) => &DO_SHARP,
        (NoteNames::FixedDo, Spelling::Flat) => &DO_FLAT,
    };
    table[usize::from(pitch.class())]
}

/// The name of a key with its octave, in which middle C is C4.
pub fn note_octave(pitch: Pitch, names: NoteNames) -> String {
    format!("{}{}", note(pitch, names, Spelling::Sharp), pitch.octave())
}

/// How far a note is from true: `8 cents low`, or that it is not sure.
pub fn cents(tuner: Tuner) -> String {
    let cents = tuner.cents.round();
    match (tuner.steady, cents as i64) {
        (false, _) => tr().not_sure.to_owned(),
        (true, 0) => tr().in_tune.to_owned(),
        (true, off) => {
            let side = if off < 0 { "low" } else { "high" };
            let unit = if off.abs() == 1 { "cent" } else { "cents" };
            format!("{} {unit} {side}", off.abs())
        }
    }
}

/// A mark of the tuner's scale: `−20`, `0`, `+20`.
pub fn signed_cents(cents: f32) -> String {
    let whole = cents.round() as i32;
    match whole {
        0 => "0".to_owned(),
        1.. => format!("+{whole}"),
        _ => format!("−{}", whole.abs()),
    }
}

/// The tuner for a screen reader.
pub fn tuner_in_words(tuner: Option<Tuner>, names: NoteNames) -> String {
    match tuner {
        Some(tuner) => format!("Tuner: {}, {}", note_octave(tuner.pitch, names), cents(tuner)),
        None => format!("Tuner: {}", tr().tuner_waits),
    }
}

/// A level: `−21 dB`, or that there is none.
pub fn decibels(level: f32) -> String {
    if level <= -100.0 { NONE.to_owned() } else { format!("−{:.0} dB", level.abs()) }
}

/// A key signature in words: `G major`.
pub fn key(key: KeySignature, names: NoteNames) -> String {
    let fifths = i32::from(key.fifths);
    let class = (fifths * 7 + if key.minor { 9 } else { 0 }).rem_euclid(12) as u8;
    let spelling = if fifths < 0 { Spelling::Flat } else { Spelling::Sharp };
    let pitch = Pitch::from_data_byte(60 + class);
    // C♭ major and F♯/G♭ have names of their own.
    let name = match (key.fifths, key.minor, names) {
        (-7, false, NoteNames::English) => "C♭",
        (7, false, NoteNames::English) => "C♯",
        _ => note(pitch, names, spelling),
    };
    format!("{name} {}", if key.minor { "minor" } else { "major" })
}

/// A time signature: `3/4`.
pub fn meter((beats, unit): (u8, u8)) -> String {
    format!("{beats}/{unit}")
}

/// A length: `2:05`.
pub fn duration(length: Micros) -> String {
    let seconds = (length.0.max(0) + 500_000) / 1_000_000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
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

/// A share as a percentage, `94 %`.
pub fn share(right: u32, of: u32) -> String {
    if of == 0 { NONE.to_owned() } else { format!("{:.0} %", f64::from(right) * 100.0 / f64::from(of)) }
}

/// `92 % · today 12:04`; of a part of the piece `92 % of 4 bars · today 12:04`.
pub fn last_result(last: &LastResult, part: Option<u32>) -> String {
    let of = part.map(|bars| format!(" of {}", bar_count(bars))).unwrap_or_default();
    format!("{}{of}{DOT}{}", share(last.right, last.of), moment(last.at))
}

/// What starts the music that stands still.
pub fn press_to_start(key: &str) -> String {
    format!("Press {key} to start")
}

/// A signed number with a true minus sign.
pub fn signed(value: f64) -> String {
    let rounded = value.round();
    if rounded < 0.0 { format!("−{:.0}", -rounded) } else { format!("{:.0}", rounded.abs()) }
}

/// `Bars 5–8`, by the numbers of musicians.
pub fn bars(first: u32, last: u32) -> String {
    if first == last { format!("Bar {first}") } else { format!("Bars {first}–{last}") }
}

/// `Practise bars 11–12`.
pub fn practise_bars(first: u32, last: u32) -> String {
    if first == last { format!("Practise bar {first}") } else { format!("Practise bars {first}–{last}") }
}

/// The loop chip.
pub fn loop_label(range: Option<BarRange>, number: impl Fn(usize) -> u32) -> String {
    range.map_or_else(|| tr().loop_off.to_owned(), |r| bars(number(r.first()), number(r.last())))
}

/// The tempo beside its slider, the number that is heard first: `72`, then ` of 96 bpm · 75 %`.
pub fn tempo_line(bpm: f64, written: f64, percent: u16) -> (String, String) {
    (format!("{bpm:.0}"), format!(" of {written:.0} bpm · {percent} %"))
}

/// Which hands: `both hands`.
pub fn hands(hands: Hands) -> &'static str {
    match (hands.right, hands.left) {
        (true, true) => "both hands",
        (true, false) => "right hand",
        (false, true) => "left hand",
        (false, false) => "no hand",
    }
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

/// A bar for screen readers and tips.
pub fn bar_in_words(bar: &BarResult) -> String {
    match bar.counts.accuracy() {
        None => format!("Bar {}: nothing to play", bar.number),
        Some(share) => format!("Bar {}: {:.0} % right, {}", bar.number, share * 100.0, remarks(&bar.counts)),
    }
}

/// What there is to say about some notes.
pub fn remarks(counts: &Counts) -> String {
    let parts: Vec<String> = [
        (counts.missed, VerdictKind::Missed),
        (counts.extra, VerdictKind::Extra),
        (counts.wrong_octave, VerdictKind::WrongOctave),
        (counts.early, VerdictKind::Early),
        (counts.late, VerdictKind::Late),
    ]
    .iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, kind)| format!("{n} {}", verdict(*kind)))
    .collect();
    if parts.is_empty() { "nothing to mend".to_owned() } else { parts.join(DOT) }
}

/// A histogram for screen readers.
pub fn histogram_in_words(name: &str, counts: &[u32]) -> String {
    format!("{name}: {} values", counts.iter().sum::<u32>())
}

/// The plain word for a mean deviation.
pub fn bias_word(timing: &Timing) -> &'static str {
    let t = tr();
    if timing.bias_millis.abs() <= timing.bias_interval_millis.max(3.0) {
        t.on_average
    } else if timing.bias_millis < -40.0 {
        t.early_word
    } else if timing.bias_millis < 0.0 {
        t.little_early
    } else if timing.bias_millis <= 40.0 {
        t.little_late
    } else {
        t.late_word
    }
}

/// What a number of milliseconds rests on: `± 3 ms, n = 203`.
pub fn basis(half_width: f64, n: usize) -> String {
    format!("± {half_width:.0} ms, n = {n}")
}

/// `−12 ms`.
pub fn millis(value: f64) -> String {
    format!("{} ms", signed(value))
}

/// `74 bpm`.
pub fn bpm(value: f64) -> String {
    format!("{value:.0} bpm")
}

/// `goal 72 · 75 %`.
pub fn tempo_goal(goal: f64, percent: u16) -> String {
    format!("goal {goal:.0}{DOT}{percent} % of written")
}

/// What a share of notes rests on.
pub fn right_basis(right: u32, of: u32, extra: u32) -> String {
    match extra {
        0 => format!("{right} of {of}{DOT}professionals reach 98–99"),
        1 => format!("{right} of {of}{DOT}1 wrong key"),
        _ => format!("{right} of {of}{DOT}{extra} wrong keys"),
    }
}

/// Below the number of notes that says anything.
pub fn too_few(n: usize, enough: usize) -> String {
    format!("{n} notes, {enough} are needed")
}

/// The plain word for a spread. Professionals keep within 60 ms of their own tempo.
pub fn spread_word(timing: &Timing) -> &'static str {
    if timing.spread_millis < 30.0 {
        tr().spread_even
    } else if timing.spread_millis <= 60.0 {
        tr().spread_usual
    } else {
        tr().spread_wide
    }
}

/// What a spread rests on.
pub fn spread_basis(timing: &Timing, preset: &str, window: Micros) -> String {
    let interval = basis(timing.spread_interval_millis, timing.n);
    format!("{interval}{DOT}{} ± {:.0}", preset.to_lowercase(), window.as_millis_f64())
}

/// `begun 3 times`: each loop, and each going back.
pub fn passes(passes: u32) -> String {
    if passes <= 1 { "begun once".to_owned() } else { format!("begun {passes} times") }
}

/// Why a bar is among the worst.
pub fn trouble(trouble: Trouble) -> String {
    let notes = |n: u32, what: &str| if n == 1 { format!("one note {what}") } else { format!("{n} notes {what}") };
    match trouble {
        Trouble::Missed(n) => notes(n, "missed"),
        Trouble::Extra(1) => "one wrong key".to_owned(),
        Trouble::Extra(n) => format!("{n} wrong keys"),
        Trouble::WrongOctave(n) => notes(n, "in another octave"),
        Trouble::Early(n) => notes(n, "early"),
        Trouble::Late(n) => notes(n, "late"),
    }
}

/// A take for screen readers: what, how, when.
pub fn take_in_words(take: &TakeRow) -> String {
    let piece = take.piece.as_deref().unwrap_or(tr().free_play);
    let mode = take.mode.map(mode).unwrap_or_default();
    let parts = [piece, &take.name, mode, &moment(take.at)];
    parts.iter().filter(|p| !p.is_empty()).copied().collect::<Vec<_>>().join(DOT)
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
    let minutes = time.0 / 60_000_000;
    (minutes > 0).then(|| format!("{minutes} min practised"))
}

/// A take as a file is called: when it began, to the second, and what it is.
pub fn take_in_a_file_name(take: &TakeRow) -> String {
    let LocalTime { year, month, day, hour, minute, second, .. } = take.at;
    let piece = take.piece.as_deref().unwrap_or(tr().free_play);
    let name = if take.name.is_empty() { String::new() } else { format!(", {}", take.name) };
    format!("{year}-{month:02}-{day:02} {hour:02}.{minute:02}.{second:02} {piece}{name}")
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

/// The place in the piece, for screen readers.
pub fn place(title: &str, bar: u32, bars: u32, next: &str) -> String {
    if next.is_empty() {
        format!("{title}, bar {bar} of {bars}")
    } else {
        format!("{title}, bar {bar} of {bars}, next: {next}")
    }
}

/// The on-screen keyboard, for screen readers.
pub fn keyboard_in_words(name: &str, next: &[String]) -> String {
    if next.is_empty() { name.to_owned() } else { format!("{name}, next: {}", next.join(" ")) }
}

/// The bar ruler, for screen readers.
pub fn bar_ruler(name: &str, bar: u32, bars: u32) -> String {
    format!("{name}, at bar {bar} of {bars}")
}

/// A tip with its shortcut.
pub fn with_shortcut(text: &str, shortcut: &str) -> String {
    if shortcut.is_empty() { text.to_owned() } else { format!("{text} ({shortcut})") }
}

/// A piece in the list, for screen readers.
pub fn open_piece(title: &str, composer: &str) -> String {
    if composer.is_empty() { format!("Open {title}") } else { format!("Open {title} by {composer}") }
}

/// A percentage: `75 %`.
pub fn percent(value: u16) -> String {
    format!("{value} %")
}

/// Lost notes of a take.
pub fn incomplete(lost: u64) -> String {
    format!("incomplete: {lost} lost")
}

/// `32 bars`.
pub fn bar_count(bars: u32) -> String {
    if bars == 1 { "1 bar".to_owned() } else { format!("{bars} bars") }
}

/// `grade 2`.
pub fn grade(grade: u8) -> String {
    format!("grade {grade}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Ticks;

    #[test]
    fn numbers_and_moments_read_as_people_write_them() {
        assert_eq!(count(1_284_907), "1\u{2009}284\u{2009}907");
        assert_eq!(count(12), "12");
        assert_eq!(signed(-11.6), "−12");
        assert_eq!(signed(-0.2), "0");
        assert_eq!(duration(Micros(125_400_000)), "2:05");
        assert_eq!(bars(5, 8), "Bars 5–8");
        assert_eq!(share(203, 216), "94 %");
        let at = LocalTime { days_ago: 1, hour: 9, minute: 5, ..Default::default() };
        assert_eq!(moment(at), "yesterday 09:05");
    }

    #[test]
    fn keys_have_their_usual_names() {
        let check = |fifths, minor, expected: &str| {
            let signature = KeySignature { tick: Ticks(0), fifths, minor };
            assert_eq!(key(signature, NoteNames::English), expected);
        };
        check(0, false, "C major");
        check(1, false, "G major");
        check(-2, false, "B♭ major");
        check(0, true, "A minor");
        check(-3, true, "C minor");
        check(3, true, "F♯ minor");
        check(-7, false, "C♭ major");
        check(7, false, "C♯ major");
    }

    #[test]
    fn german_h_is_b_natural() {
        let b = Pitch::new(71).expect("a MIDI key");
        assert_eq!(note(b, NoteNames::German, Spelling::Sharp), "H");
        assert_eq!(note(b.transposed(-1).expect("a MIDI key"), NoteNames::German, Spelling::Flat), "B");
    }
}
