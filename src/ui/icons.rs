//! The icons in use, by their places in the Phosphor font.

macro_rules! icons {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $code;)*
        /// All of them, for a test that the font has each.
        pub const ALL: &[&str] = &[$($name),*];
    };
}

icons! {
    /// The library.
    BOOKS = "\u{e758}";
    /// Playing.
    PIANO = "\u{e9c8}";
    /// Takes.
    RECORD = "\u{e3ee}";
    /// Devices.
    PLUGS = "\u{eb5a}";
    /// The inspector.
    PULSE = "\u{e000}";
    /// Settings.
    GEAR = "\u{e270}";
    /// Listen.
    EAR = "\u{e70c}";
    /// Wait for me.
    HOURGLASS = "\u{e2b2}";
    /// Follow me.
    FOOTPRINTS = "\u{ea88}";
    /// Keep tempo.
    TIMER = "\u{e492}";
    /// Rhythm, metronome.
    METRONOME = "\u{ec8e}";
    /// A favourite.
    STAR = "\u{e46a}";
    /// Give a name.
    PENCIL = "\u{e3b4}";
    /// Start.
    PLAY = "\u{e3d0}";
    /// Stop for a while.
    PAUSE = "\u{e39e}";
    /// Stop for good.
    STOP = "\u{e46c}";
    /// Back to the start.
    SKIP_BACK = "\u{e5a4}";
    /// A loop.
    REPEAT = "\u{e3f6}";
    /// Search.
    SEARCH = "\u{e30c}";
    /// A folder.
    FOLDER = "\u{e24a}";
    /// Open a file.
    FOLDER_OPEN = "\u{e256}";
    /// A file.
    FILE = "\u{e230}";
    /// One folder up.
    ARROW_UP = "\u{e08e}";
    /// Delete.
    TRASH = "\u{e4a6}";
    /// Write as a file.
    EXPORT = "\u{e20c}";
    /// Close.
    CLOSE = "\u{e4f6}";
    /// Worth a look.
    WARNING = "\u{e4e0}";
    /// Something to know.
    INFO = "\u{e2ce}";
    /// Help.
    QUESTION = "\u{e3e8}";
    /// A piece.
    MUSIC_NOTES = "\u{e340}";
    /// Bars of several heights: falling notes.
    CHART_BARS = "\u{e150}";
    /// One above the other.
    ROWS = "\u{e5a2}";
    /// The staff as a page.
    ARTICLE = "\u{e0a8}";
    /// Heard.
    SPEAKER = "\u{e44a}";
    /// Heard sometimes.
    SPEAKER_LOW = "\u{e44c}";
    /// Not heard.
    SPEAKER_OFF = "\u{e45a}";
    /// Counting.
    NUMBERS = "\u{e2f6}";
    /// A keyboard.
    KEYBOARD = "\u{e2d8}";
    /// Back.
    ARROW_LEFT = "\u{e058}";
    /// Back in time.
    LOOK_BACK = "\u{e1a0}";
    /// An event back.
    CARET_LEFT = "\u{e138}";
    /// An event forward.
    CARET_RIGHT = "\u{e13a}";
    /// Undo.
    UNDO = "\u{e08a}";
    /// Redo.
    REDO = "\u{e08c}";
    /// Results.
    CHART = "\u{e150}";
    /// The way of an event.
    FLOW = "\u{e6ec}";
    /// Entities.
    CUBE = "\u{e1da}";
    /// Subscribers.
    USERS = "\u{e4d6}";
    /// Conflicts.
    MERGE = "\u{e280}";
    /// The store.
    DATABASE = "\u{e1de}";
    /// Real time.
    GAUGE = "\u{e628}";
    /// The laboratory.
    FLASK = "\u{e79e}";
    /// A tag.
    TAG = "\u{e478}";
    /// Chosen, of several.
    CHECKED = "\u{e186}";
    /// Not chosen, of several.
    UNCHECKED = "\u{e45e}";
    /// Choose several.
    CHECKLIST = "\u{eadc}";
    /// One more folder.
    FOLDER_PLUS = "\u{e258}";
    /// More to choose from.
    CARET_DOWN = "\u{e136}";
    /// Look again.
    REFRESH = "\u{e094}";
    /// Hands.
    HAND = "\u{e298}";
    /// A climbing line.
    CLIMB = "\u{e4ae}";
    /// Drop here.
    UPLOAD = "\u{e4c0}";
}
