//! What only the window knows: the screen shown, open dialogs, text being typed, zoom. Lost on exit, and no harm done.

use crate::practice::BarRange;

use super::browser::Browser;
use super::computer_keyboard::ComputerKeyboard;
use super::library::LibraryState;
use super::play::{NoteIndex, StaffPage, StaffSheet};
use super::query::Query;
use super::take::RollState;
use super::theme::Look;
use crate::music::{NoteId, Pitch};

/// The screens that exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Screen {
    /// Pieces to choose from.
    #[default]
    Library,
    /// The music.
    Play,
    /// What was played.
    Takes,
    /// Sound and MIDI.
    Devices,
    /// The bus from within.
    Inspector,
    /// Choices.
    Settings,
    /// A take in full; reached from Takes and Results.
    Take,
    /// A practice in numbers; reached from Play and Takes.
    Results,
}

/// What a file from the dialog is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilePurpose {
    /// Open as a piece.
    Piece,
    /// Use as a SoundFont.
    SoundFont,
    /// Look through it for pieces, from now on.
    Folder,
}

/// The state of the window between frames.
#[derive(Debug, Default)]
pub struct State {
    /// Whether the question what to do for a damaged data folder was put off.
    pub rescue_put_off: bool,
    /// Whether it is asked.
    pub(super) rescue: bool,
    /// The screen shown.
    pub screen: Screen,
    /// The file dialog, when open.
    pub browser: Option<Browser>,
    /// Whether the table of shortcuts is shown.
    pub help: bool,
    /// What the library is asked for.
    pub query: Query,
    /// What is done to pieces of the library.
    pub library: LibraryState,
    /// The bar of the result whose notes are shown, by index, and the take that it belongs to.
    pub bar: Option<(String, usize)>,
    /// The pass of the result that is looked at, from 0, and the take that it belongs to; all of them without one.
    pub pass: Option<(String, u32)>,
    /// The take that is about to be deleted, until confirmed.
    pub confirm_delete: Option<String>,
    /// Whether that is to be for ever.
    pub(super) erasing: bool,
    /// The take that is being named, and its name so far.
    pub naming: Option<(String, String)>,
    /// The inspector's part of it.
    pub inspector: InspectorState,
    /// What is chosen while the hands of a piece are edited.
    pub hands: Option<HandsState>,
    /// The keyboard that is being learnt.
    pub learning: Option<Learning>,
    pub(super) folder: Option<std::path::PathBuf>,
    pub(super) keyboard: ComputerKeyboard,
    pub(super) mouse_key: Option<crate::music::Pitch>,
    pub(super) loop_drag: Option<(usize, BarRange)>,
    pub(super) zoom: f32,
    pub(super) index: NoteIndex,
    pub(super) staff: StaffPage,
    pub(super) sheet: StaffSheet,
    pub(super) staff_zoom: f32,
    /// How the piano roll of a take is looked at.
    pub(super) roll: RollState,
    /// Whether a take is shown as notes on a page.
    pub take_notes: bool,
    /// The page of the take, and the tick under its playhead while nothing plays, with the take that it belongs to.
    pub(super) take_page: StaffPage,
    pub(super) take_place: (String, f64),
    pub(super) look: Option<Look>,
    pub(super) piece: Option<String>,
    /// The screen of the frame before.
    pub(super) was_at: Screen,
}

/// What is chosen while the hands of a piece are edited.
#[derive(Clone, Debug, PartialEq)]
pub struct HandsState {
    /// Whether the bars of the loop are meant, rather than the whole piece.
    pub in_loop: bool,
    /// The lowest key of the right hand, for a split.
    pub split: Pitch,
    /// Notes that were chosen, ascending.
    pub notes: Vec<NoteId>,
    /// Where the mouse began to choose notes.
    pub(super) from: Option<egui::Pos2>,
}

impl Default for HandsState {
    fn default() -> Self {
        Self { in_loop: false, split: Pitch::MIDDLE_C, notes: Vec::new(), from: None }
    }
}

/// A keyboard that is being learnt by its lowest and its highest key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Learning {
    /// The lowest key, once it was pressed.
    pub low: Option<Pitch>,
    /// Whether the keys pressed last were too near to each other.
    pub too_near: bool,
    /// Keys that are down and were looked at.
    pub(super) seen: u128,
}

/// The inspector's tabs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InspectorTab {
    /// Lanes, bus, persister, store, and the events as they pass.
    #[default]
    Flow,
    /// Values with their versions.
    Entities,
    /// Who listens, and how far behind.
    Subscribers,
    /// Edits that met.
    Conflicts,
    /// What is on disk.
    Store,
    /// The audio callback and the lanes.
    RealTime,
    /// What can be made to go wrong.
    Laboratory,
}

impl InspectorTab {
    /// All of them, in the order in which they stand.
    pub const ALL: [Self; 7] =
        [Self::Flow, Self::Entities, Self::Subscribers, Self::Conflicts, Self::Store, Self::RealTime, Self::Laboratory];
}

/// What is chosen in the inspector.
#[derive(Debug, Default)]
pub struct InspectorState {
    /// The tab shown.
    pub tab: InspectorTab,
    /// The filter of events and entities.
    pub filter: String,
    /// The event that is shown in full.
    pub selected: Option<u64>,
    /// The first event of the list; `None` follows the newest.
    pub top: Option<u64>,
    /// What the wheel turned that is no whole row yet, in points.
    pub(super) turned: f32,
}

impl State {
    /// The screen of the library, nothing open.
    pub fn new() -> Self {
        Self { zoom: 1.0, staff_zoom: 1.0, ..Self::default() }
    }

    /// Whether something lies over the window and has the keys.
    pub(super) fn dialog_is_open(&self) -> bool {
        let asks = self.confirm_delete.is_some() || self.naming.is_some() || self.library.dialog.is_some();
        self.help || self.rescue || self.browser.is_some() || asks
    }

    /// Puts the look into force again with the next frame, as on another context.
    pub fn forget_look(&mut self) {
        self.look = None;
    }
}
