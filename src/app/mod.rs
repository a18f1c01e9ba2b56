//! Wiring: what is started and stopped in which order, the control thread, and the window. Nothing else uses it but the
//! command line.

pub mod boot;
pub mod caretaker;
#[cfg(feature = "window")]
pub mod catalogue;
#[cfg(feature = "window")]
pub mod changes;
pub mod clock;
pub mod control;
pub mod door;
#[cfg(feature = "window")]
mod exporting;
#[cfg(feature = "window")]
mod files;
pub mod history;
#[cfg(feature = "window")]
pub mod inspector;
#[cfg(feature = "window")]
mod keeping;
#[cfg(feature = "window")]
mod looking_back;
#[cfg(feature = "window")]
pub mod lookup;
#[cfg(feature = "window")]
pub mod pages;
#[cfg(feature = "window")]
pub mod rescue;
#[cfg(feature = "window")]
pub mod rows;
#[cfg(feature = "window")]
mod take_view;
#[cfg(feature = "window")]
pub mod window;

use crate::cli::{CliError, WindowArgs};

/// Opens the window and runs the program until it is closed.
///
/// # Errors
/// Another program has the data folder, or there is no display.
#[cfg(feature = "window")]
pub fn run(args: &WindowArgs) -> Result<(), CliError> {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, OnceLock};

    let context: Arc<OnceLock<egui::Context>> = Arc::new(OnceLock::new());
    let shown = context.clone();
    let repaint = Arc::new(move || {
        if let Some(context) = shown.get() {
            context.request_repaint();
        }
    });
    let again = args.clone();
    let boot = Arc::new(move || boot::boot(&again, repaint.clone()));
    let program = match boot() {
        Err(in_use @ boot::BootError::InUse(_)) => return beside_another(args, &in_use),
        booted => booted.map_err(CliError::of)?,
    };
    if let Some(file) = &args.file {
        program.control.wish(control::Wish::OpenFile(file.clone()));
    }
    let viewport = egui::ViewportBuilder::default()
        .with_title("Music Trainer")
        .with_app_id("music-trainer")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([800.0, 560.0])
        .with_drag_and_drop(true);
    let saved = Arc::new(AtomicBool::new(true));
    let told = saved.clone();
    let options = eframe::NativeOptions { viewport, ..Default::default() };
    let opened = eframe::run_native(
        "Music Trainer",
        options,
        Box::new(move |cc| {
            crate::ui::install(&cc.egui_ctx);
            // Set once: this closure runs once.
            let _ = context.set(cc.egui_ctx.clone());
            Ok(Box::new(window::Window::new(program, boot, told)))
        }),
    );
    opened.map_err(|error| CliError::new(format!("no window can be opened: {}", reason(&error))))?;
    match saved.load(Ordering::Acquire) {
        true => Ok(()),
        false => Err(CliError::new("the disk did not take everything that was played last")),
    }
}

/// Another program has the data folder: it is asked to open the file. Where that cannot be, one line says so, in a window
/// if there is no terminal to read it in.
#[cfg(feature = "window")]
fn beside_another(args: &WindowArgs, in_use: &boot::BootError) -> Result<(), CliError> {
    use std::io::{IsTerminal as _, Write as _};
    let dir = args.data_dir.clone().unwrap_or_else(boot::default_dir);
    let line = match args.file.as_ref().map(|file| (file, door::hand_over(&dir, file))) {
        Some((file, Ok(()))) => {
            writeln!(std::io::stdout(), "{} is opened in the window that is open already", file.display())?;
            return Ok(());
        }
        Some((file, Err(error))) => format!("{} was not opened: {in_use}; {error}", file.display()),
        None => in_use.to_string(),
    };
    if has_display() && !std::io::stderr().is_terminal() {
        say_in_a_window(line.clone());
    }
    Err(CliError::new(line))
}

/// A small window with one line and a button that closes it. Without a window the line is on standard error alone.
#[cfg(feature = "window")]
fn say_in_a_window(line: String) {
    let viewport = egui::ViewportBuilder::default().with_title("Music Trainer").with_app_id("music-trainer");
    let viewport = viewport.with_inner_size([520.0, 200.0]).with_resizable(false);
    let options = eframe::NativeOptions { viewport, ..Default::default() };
    let mut installed = false;
    let _ = eframe::run_ui_native("Music Trainer", options, move |ui, _| {
        if !std::mem::replace(&mut installed, true) {
            crate::ui::install(ui.ctx());
        }
        if crate::ui::message_ui(ui, &line) {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
        }
    });
}

#[cfg(feature = "window")]
fn has_display() -> bool {
    let named = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    named || !cfg!(target_os = "linux")
}

#[cfg(feature = "window")]
fn reason(error: &eframe::Error) -> String {
    let text = error.to_string();
    if !has_display() {
        return "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)".to_owned();
    }
    text
}

/// This build has no window.
///
/// # Errors
/// Always.
#[cfg(not(feature = "window"))]
pub fn run(_: &WindowArgs) -> Result<(), CliError> {
    Err(CliError::new("this build has no window; see music-trainer --help for the commands"))
}
