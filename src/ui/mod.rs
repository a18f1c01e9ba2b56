//! The window: screens, panels and controls. It draws a borrowed [`View`] and answers with [`Command`]s; it reads no
//! clock, channel or device, and no file except the names in the file dialog (`browser.rs`).
//!
//! [`frame`] is all of it for one frame. A panel is a function of the [`Cx`] and ends in `ui`; what a person wants is
//! pushed to `send`, and the program applies it. What only the window knows is in [`State`]. Colours come from
//! `theme`, words from `text`, shortcuts from `shortcuts`.

mod banner;
mod browser;
pub mod command;
mod computer_keyboard;
mod devices;
mod drop;
mod help;
pub mod icons;
mod inspector;
mod library;
mod play;
pub mod query;
mod rail;
mod rescue;
mod results;
mod settings;
pub mod shortcuts;
mod state;
mod take;
mod takes;
pub mod text;
pub mod theme;
mod topbar;
mod tuner;
pub mod view;
pub mod widgets;

pub use command::{Command, Setting, TakeFile};
pub use library::{Dialog, LibraryState};
pub use rescue::{message_ui, waiting_ui};
pub use state::{FilePurpose, InspectorState, InspectorTab, Screen, State};
pub use theme::install;
pub use view::View;

use egui::{CentralPanel, Ui};

use view::CalibrationStand;

/// What a panel gets: what to draw, and where to send wishes.
pub struct Cx<'a> {
    /// What to draw.
    pub view: &'a View<'a>,
    /// Wishes, applied after the frame.
    pub send: &'a mut Vec<Command>,
}

/// Draws a frame. Call [`install`] on the context once before. Commands are to be applied in order after the frame.
pub fn frame(ui: &mut Ui, view: &View<'_>, state: &mut State, send: &mut Vec<Command>) {
    appearance(ui, view, state);
    state.rescue = view.rescue.is_some() && !state.rescue_put_off;
    shortcuts::handle(ui.ctx(), view, state, send);
    let blocked = state.dialog_is_open();
    // Letters are music where keys are shown or learnt, and words everywhere else.
    let plays = matches!(state.screen, Screen::Play | Screen::Devices);
    let blocked = blocked || !(plays || state.learning.is_some());
    state.keyboard.handle(ui.ctx(), (blocked, plays), send);
    follow_piece(view, state);
    if state.screen != Screen::Play {
        // The keyboard is gone from under the mouse.
        send.extend(state.mouse_key.take().map(Command::KeyUp));
    }
    let mut cx = Cx { view, send };
    rail::ui(ui, state);
    let page = CentralPanel::no_frame().show(ui, |ui| {
        ui.painter().rect_filled(ui.max_rect(), 0, theme::tokens(ui).background);
        ui.spacing_mut().item_spacing.y = 0.0;
        let page = ui.max_rect();
        screen_ui(&mut cx, ui, state);
        page
    });
    banner::ui(&mut cx, ui, page.inner);
    library::dialogs_ui(&mut cx, ui, state);
    browser::ui(&mut cx, ui, state);
    takes::confirm_ui(&mut cx, ui, state);
    takes::name_ui(&mut cx, ui, state);
    help::ui(ui, state);
    rescue::ui(&mut cx, ui, state);
    drop::ui(&mut cx, ui, state);
    pause_unseen(view, state, send);
    if view.moving {
        ui.ctx().request_repaint();
    }
}

/// Whoever leaves the music leaves it where it was: nothing is judged, and nothing sounds on, that one does not see.
fn pause_unseen(view: &View<'_>, state: &mut State, send: &mut Vec<Command>) {
    let left = std::mem::replace(&mut state.was_at, state.screen) == Screen::Play && state.screen != Screen::Play;
    if left && (view.play.transport.playing || view.play.transport.armed) {
        send.push(Command::Pause);
    }
}

fn screen_ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    match state.screen {
        Screen::Library => library::ui(cx, ui, state),
        Screen::Play => play::ui(cx, ui, state),
        Screen::Takes => takes::ui(cx, ui, state),
        Screen::Devices => devices::ui(cx, ui),
        Screen::Inspector => inspector::ui(cx, ui, state),
        Screen::Settings => settings::ui(cx, ui, state),
        Screen::Results => results::ui(cx, ui, state),
        Screen::Take => take::ui(cx, ui, state),
    }
}

/// Puts the chosen look into force when it changed.
fn appearance(ui: &mut Ui, view: &View<'_>, state: &mut State) {
    let look = theme::Look {
        theme: view.settings.theme,
        text_scale: f32::from(view.settings.text_percent) / 100.0,
        reduced_motion: view.settings.reduced_motion,
    };
    if state.look != Some(look) {
        state.look = Some(look);
        theme::apply(ui.ctx(), look);
        ui.reset_style();
        ui.ctx().request_repaint();
    }
}

/// A piece that was just opened is shown.
fn follow_piece(view: &View<'_>, state: &mut State) {
    // A calibration puts the piece aside, and back where it was.
    let stand = &view.devices.audio.calibration.stand;
    if matches!(stand, CalibrationStand::Tapping { .. } | CalibrationStand::Listening(_)) {
        return;
    }
    let id = view.play.piece.map(|p| p.id);
    if state.piece.as_deref() != id {
        state.piece = id.map(str::to_owned);
        if id.is_some() {
            state.screen = Screen::Play;
        }
    }
}
