//! The command table: what can be done from the keyboard, with its name, what it does, and its shortcut. Tips and the
//! help overlay read it; letters without modifiers belong to the piano.

use egui::{Context, Key, KeyboardShortcut, Modifiers};

use crate::music::Percent;
use crate::practice::ladder::LadderPlan;
use crate::practice::{BarRange, Mode};
use crate::time::Ticks;

use super::command::Command;
use super::play;
use super::state::{FilePurpose, Screen, State};
use super::view::View;

/// One press makes the music larger by this factor.
const ZOOM_STEP: f32 = 1.15;

/// What a shortcut does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start, or stop for a while.
    PlayPause,
    /// Back to the start.
    Restart,
    /// One bar back.
    BarBack,
    /// One bar on.
    BarForward,
    /// One percent faster.
    Faster,
    /// One percent slower.
    Slower,
    /// Larger music.
    ZoomIn,
    /// Smaller music.
    ZoomOut,
    /// Music in its usual size.
    ZoomUsual,
    /// The loop begins with the bar at hand.
    LoopFrom,
    /// The loop ends with the bar at hand.
    LoopTo,
    /// No loop.
    LoopOff,
    /// The tempo ladder on or off.
    Ladder,
    /// One of the five modes.
    Mode(Mode),
    /// The file dialog.
    OpenFile,
    /// Take back.
    Undo,
    /// Do again.
    Redo,
    /// All sound off.
    Panic,
    /// What was just played becomes a take of its own.
    KeepLast,
    /// The table of shortcuts.
    Help,
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What it does.
    pub action: Action,
    /// Its name.
    pub name: &'static str,
    /// What it does, in one line.
    pub description: &'static str,
    /// Its shortcuts; the first one is shown.
    pub shortcuts: &'static [KeyboardShortcut],
}

const fn plain(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

const fn command(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

const fn shifted(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), key)
}

macro_rules! entry {
    ($action:expr, $name:literal, $description:literal, $($shortcut:expr),+) => {
        Entry { action: $action, name: $name, description: $description, shortcuts: &[$($shortcut),+] }
    };
}

/// All of them, longest modifiers first, so that none hides another.
pub static TABLE: &[Entry] = &[
    entry!(Action::PlayPause, "Play or pause", "Start the music, or stop it and keep the place", plain(Key::Space)),
    entry!(Action::Restart, "Back to the start", "To the start of the piece or of the loop", plain(Key::Home)),
    entry!(Action::BarBack, "Bar back", "To the bar before", plain(Key::ArrowLeft)),
    entry!(Action::BarForward, "Bar forward", "To the next bar", plain(Key::ArrowRight)),
    entry!(
        Action::ZoomIn,
        "Larger",
        "Larger notes; Ctrl and the wheel do it over the music",
        command(Key::Plus),
        command(Key::Equals)
    ),
    entry!(Action::ZoomOut, "Smaller", "Smaller notes, and more of them", command(Key::Minus)),
    entry!(Action::ZoomUsual, "Usual size", "Notes in their usual size", command(Key::Num0)),
    entry!(Action::Faster, "Faster", "One percent faster", plain(Key::Plus), plain(Key::Equals)),
    entry!(Action::Slower, "Slower", "One percent slower", plain(Key::Minus)),
    entry!(Action::LoopFrom, "Loop from here", "The loop begins with this bar", plain(Key::OpenBracket)),
    entry!(Action::LoopTo, "Loop to here", "The loop ends with this bar", plain(Key::CloseBracket)),
    entry!(Action::LoopOff, "No loop", "The whole piece again", plain(Key::Backslash)),
    entry!(Action::Ladder, "Tempo ladder", "Faster by itself after clean passes, on or off", plain(Key::Num6)),
    entry!(Action::Mode(Mode::Listen), "Listen", "The program plays", plain(Key::Num1)),
    entry!(Action::Mode(Mode::Wait), "Wait for me", "The music waits for the right keys", plain(Key::Num2)),
    entry!(Action::Mode(Mode::Follow), "Follow me", "The music follows your tempo", plain(Key::Num3)),
    entry!(Action::Mode(Mode::Tempo), "Keep tempo", "The music keeps its tempo", plain(Key::Num4)),
    entry!(Action::Mode(Mode::Rhythm), "Rhythm only", "Any key will do, in time", plain(Key::Num5)),
    entry!(Action::OpenFile, "Open file", "Choose a MIDI or MusicXML file from the disk", command(Key::O)),
    entry!(
        Action::KeepLast,
        "Keep the last 5 minutes",
        "What was just played becomes a take of its own",
        command(Key::K)
    ),
    entry!(Action::Redo, "Redo", "Do again what was taken back", shifted(Key::Z), command(Key::Y)),
    entry!(Action::Undo, "Undo", "Take back the last change", command(Key::Z)),
    entry!(Action::Panic, "Panic", "All sound off, at once", plain(Key::Escape), plain(Key::F12)),
    entry!(Action::Help, "Shortcuts", "Show this table", plain(Key::F1), plain(Key::Questionmark)),
];

/// How the first shortcut of an action is written on this system.
pub fn shown(ctx: &Context, action: Action) -> String {
    let entry = TABLE.iter().find(|e| e.action == action);
    entry.and_then(|e| e.shortcuts.first()).map(|s| written(ctx, s)).unwrap_or_default()
}

/// How a shortcut is written: signs by themselves rather than by their names.
pub fn written(ctx: &Context, shortcut: &KeyboardShortcut) -> String {
    let sign = match shortcut.logical_key {
        Key::Plus => "+",
        Key::Minus => "−",
        Key::Equals => "=",
        Key::Questionmark => "?",
        Key::OpenBracket => "[",
        Key::CloseBracket => "]",
        Key::Backslash => "\\",
        Key::ArrowLeft => "←",
        Key::ArrowRight => "→",
        _ => return ctx.format_shortcut(shortcut),
    };
    sign.to_owned()
}

/// Takes the shortcuts out of this frame's input, before any control sees them.
pub fn handle(ctx: &Context, view: &View<'_>, state: &mut State, send: &mut Vec<Command>) {
    if dialog_keys(ctx, state) {
        return;
    }
    let typing = ctx.text_edit_focused();
    let focused = ctx.memory(|m| m.focused().is_some());
    // Escape closes the panel that is open.
    let panel = egui::Popup::is_any_open(ctx);
    for entry in TABLE {
        let moves_focus = matches!(entry.action, Action::BarBack | Action::BarForward | Action::Restart);
        if focused && moves_focus || state.screen != Screen::Play && !is_everywhere(entry.action, view, state) {
            continue;
        }
        let pressed = entry.shortcuts.iter().any(|s| {
            if panel && s.logical_key == Key::Escape {
                return false;
            }
            let letter = s.modifiers.is_none() && s.logical_key != Key::F1 && s.logical_key != Key::F12;
            !(typing && (letter || s.conflicts_with_text_editing())) && ctx.input_mut(|i| i.consume_shortcut(s))
        });
        if pressed {
            act(entry.action, view, state, send);
        }
    }
}

/// Whether an action is for every screen. The others change the music, and only where it is seen.
fn is_everywhere(action: Action, view: &View<'_>, state: &State) -> bool {
    match action {
        Action::BarBack | Action::BarForward => looks_back(view, state),
        Action::Restart
        | Action::ZoomIn
        | Action::ZoomOut
        | Action::ZoomUsual
        | Action::Faster
        | Action::Slower
        | Action::LoopFrom
        | Action::LoopTo
        | Action::LoopOff
        | Action::Ladder
        | Action::Mode(_) => false,
        Action::PlayPause
        | Action::OpenFile
        | Action::Undo
        | Action::Redo
        | Action::Panic
        | Action::KeepLast
        | Action::Help => true,
    }
}

/// Whether the arrows go through the past of a take.
fn looks_back(view: &View<'_>, state: &State) -> bool {
    state.screen == Screen::Take && view.take.is_some_and(|take| take.past.is_some())
}

/// Escape closes what is open; while anything is, no other shortcut works. True when something is open.
fn dialog_keys(ctx: &Context, state: &mut State) -> bool {
    if !state.dialog_is_open() {
        return false;
    }
    let pressed = |key| ctx.input_mut(|i| i.consume_key(Modifiers::NONE, key));
    if state.help {
        state.help = !(pressed(Key::Escape) || pressed(Key::F1));
    } else if pressed(Key::Escape) {
        state.confirm_delete = None;
        state.naming = None;
        // The file dialog lies over that of the folders.
        if state.browser.take().is_none() {
            state.library.dialog = None;
        }
        state.rescue_put_off |= state.rescue;
    }
    true
}

fn act(action: Action, view: &View<'_>, state: &mut State, send: &mut Vec<Command>) {
    let transport = view.play.transport;
    let chosen = transport.chosen;
    let tempo = |by: i32| {
        let percent = (i32::from(chosen.tempo.get()) + by).max(0);
        Command::SetTempo(Percent::new(u16::try_from(percent).unwrap_or(u16::MAX)))
    };
    let looks_back = looks_back(view, state);
    match action {
        Action::BarBack if looks_back => send.push(Command::LookBackBy(-1)),
        Action::BarForward if looks_back => send.push(Command::LookBackBy(1)),
        Action::KeepLast => send.push(Command::KeepLast),
        Action::PlayPause if view.play.piece.is_none() => {}
        Action::PlayPause => {
            if !transport.playing {
                state.screen = Screen::Play;
            }
            send.push(if transport.playing { Command::Pause } else { Command::Play });
        }
        Action::Restart => send.push(Command::Restart),
        Action::BarBack | Action::BarForward => {
            if let Some(piece) = view.play.piece {
                let bars = piece.score.bars();
                let tick = Ticks(transport.position.max(0.0) as i64);
                let now = bars.index_at(tick);
                let forward = action == Action::BarForward;
                let inside =
                    transport.position > bars.get(now).start.0 as f64 + f64::from(piece.score.resolution()) / 4.0;
                let back = if inside { now } else { now.saturating_sub(1) };
                send.push(Command::SeekBar(if forward { (now + 1).min(bars.len() - 1) } else { back }));
            }
        }
        Action::ZoomIn => play::zoom(state, ZOOM_STEP),
        Action::ZoomOut => play::zoom(state, ZOOM_STEP.recip()),
        Action::ZoomUsual => (state.zoom, state.staff_zoom) = (1.0, 1.0),
        Action::Faster => send.push(tempo(1)),
        Action::Slower => send.push(tempo(-1)),
        Action::LoopFrom | Action::LoopTo => send.extend(loop_at(action == Action::LoopFrom, view)),
        Action::LoopOff => send.push(Command::SetLoop(None)),
        Action::Ladder => {
            let on = !chosen.ladder.on;
            send.push(Command::SetLadder(LadderPlan { on, ..chosen.ladder }));
        }
        Action::Mode(mode) => send.push(Command::SetMode(mode)),
        Action::OpenFile => state.open_browser(FilePurpose::Piece),
        Action::Undo => send.extend(view.undo.map(|_| Command::Undo)),
        Action::Redo => send.extend(view.redo.map(|_| Command::Redo)),
        Action::Panic => send.push(Command::Panic),
        Action::Help => state.help = !state.help,
    }
}

/// The loop with its first or its last bar where the music is. Of what would lie the wrong way round one bar is left.
fn loop_at(first: bool, view: &View<'_>) -> Option<Command> {
    let bars = view.play.piece?.score.bars();
    let transport = view.play.transport;
    let here = bars.index_at(Ticks(transport.position.max(0.0) as i64));
    let range = transport
        .chosen
        .range
        .unwrap_or(BarRange::new(if first { here } else { 0 }, if first { bars.len() - 1 } else { here }));
    let range = match first {
        true => BarRange::new(here, range.last().max(here)),
        false => BarRange::new(range.first().min(here), here),
    };
    Some(Command::SetLoop(Some(range)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_entries_share_a_shortcut_and_none_takes_a_piano_key() {
        let all: Vec<&KeyboardShortcut> = TABLE.iter().flat_map(|e| e.shortcuts).collect();
        for (i, one) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|other| other != one), "{one:?} is there twice");
            let letter = one.logical_key.name().len() == 1 && one.logical_key.name() >= "A";
            assert!(!(letter && one.modifiers.is_none()), "{one:?} is a piano key");
        }
    }
}
