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
#[cfg(feature = "window")]
mod exporting;
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
    let program = boot().map_err(CliError::of)?;
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

#[cfg(feature = "window")]
fn reason(error: &eframe::Error) -> String {
    let text = error.to_string();
    let display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if cfg!(target_os = "linux") && !display {
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
