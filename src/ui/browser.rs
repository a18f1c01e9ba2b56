//! The file dialog inside the window: folders and fitting files, a path field, all by keyboard too. The only place of
//! the window that looks at the disk, and it reads names only.

use std::path::{Path, PathBuf};

use egui::{Id, Key, Modal, TextEdit, Ui, vec2};

use super::state::{FilePurpose, State};
use super::text::tr;
use super::theme::{self, tokens};
use super::widgets::{Button, Column, Line, card_frame, table_ui};
use super::{Command, Cx, Setting, icons};
use crate::model::PIECE_ENDINGS;

/// More names than that are not shown; nobody scrolls through them.
const ENTRIES_MAX: usize = 5_000;

/// A name in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    folder: bool,
}

/// The dialog.
#[derive(Debug)]
pub struct Browser {
    purpose: FilePurpose,
    folder: PathBuf,
    entries: Vec<Entry>,
    path: String,
    trouble: Option<String>,
}

impl FilePurpose {
    fn fits(self, path: &Path) -> bool {
        let ends: &[&str] = match self {
            Self::Piece => &PIECE_ENDINGS,
            Self::Folder => &[],
            Self::SoundFont => &["sf2", "sf3"],
        };
        path.extension().and_then(|e| e.to_str()).is_some_and(|e| ends.iter().any(|f| e.eq_ignore_ascii_case(f)))
    }
}

/// Folders first, then files that fit, by name; hidden ones left out.
fn list(folder: &Path, purpose: FilePurpose) -> std::io::Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = std::fs::read_dir(folder)?
        .filter_map(Result::ok)
        .take(ENTRIES_MAX * 4)
        .filter_map(|e| {
            let name = e.file_name().to_string_lossy().into_owned();
            let folder = e.path().is_dir();
            let fits = !name.starts_with('.') && (folder || purpose.fits(&e.path()));
            fits.then_some(Entry { name, folder })
        })
        .collect();
    entries.sort_by_key(|e| (!e.folder, e.name.to_lowercase()));
    entries.truncate(ENTRIES_MAX);
    Ok(entries)
}

fn home() -> PathBuf {
    std::env::var_os("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from)
}

impl Browser {
    fn new(purpose: FilePurpose, folder: PathBuf) -> Self {
        let mut browser =
            Self { purpose, folder: PathBuf::new(), entries: Vec::new(), path: String::new(), trouble: None };
        browser.go(folder);
        browser
    }

    /// The folder shown.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn go(&mut self, folder: PathBuf) {
        match list(&folder, self.purpose) {
            Ok(entries) => {
                self.entries = entries;
                self.trouble = None;
            }
            Err(error) => {
                self.entries.clear();
                self.trouble = Some(error.to_string());
            }
        }
        self.path = folder.to_string_lossy().into_owned();
        self.folder = folder;
    }

    /// Enters a folder, or answers the file.
    fn choose(&mut self, path: PathBuf) -> Option<PathBuf> {
        if path.is_dir() {
            self.go(path);
            None
        } else {
            Some(path)
        }
    }
}

impl State {
    /// Opens the file dialog where it was last, or at home.
    pub fn open_browser(&mut self, purpose: FilePurpose) {
        let folder = self.folder.clone().unwrap_or_else(home);
        self.browser = Some(Browser::new(purpose, folder));
    }

    /// Opens the file dialog in a folder.
    pub fn open_browser_at(&mut self, purpose: FilePurpose, folder: &Path) {
        self.browser = Some(Browser::new(purpose, folder.to_owned()));
    }
}

/// The dialog, when it is open.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State) {
    let Some(browser) = state.browser.as_mut() else { return };
    let room = ui.ctx().content_rect().size() - vec2(64.0, 64.0);
    let (mut chosen, mut close) = (None, false);
    let modal = Modal::new(Id::unique("files")).frame(card_frame(ui)).show(ui.ctx(), |ui| {
        ui.set_width((680.0 * theme::scale(ui)).min(room.x));
        let title = match browser.purpose {
            FilePurpose::Piece => tr().open_title,
            FilePurpose::SoundFont => tr().soundfont_title,
            FilePurpose::Folder => tr().folder_title,
        };
        Line::new(title).size(theme::size::TITLE).bold().show(ui);
        chosen = path_ui(ui, browser).or(list_ui(ui, browser, (room.y - 220.0).clamp(120.0, 420.0)));
        ui.add_space(8.0);
        ui.horizontal(|ui| {
            let is_folder = browser.purpose == FilePurpose::Folder && browser.trouble.is_none();
            if is_folder && Button::new(tr().watch_folder).primary().show(ui).clicked() {
                chosen = Some(browser.folder.clone());
            }
            close = Button::new(tr().cancel).show(ui).clicked();
        });
    });
    if let Some(path) = chosen {
        state.folder = if path.is_dir() { Some(path.clone()) } else { path.parent().map(Path::to_owned) };
        cx.send.push(match browser.purpose {
            FilePurpose::Piece => Command::OpenFile(path),
            FilePurpose::Folder => Command::WatchFolder(path, true),
            FilePurpose::SoundFont => Command::Set(Setting::SoundFont(Some(path))),
        });
        close = true;
    }
    if close || modal.should_close() {
        state.browser = None;
    }
}

fn path_ui(ui: &mut Ui, browser: &mut Browser) -> Option<PathBuf> {
    let mut chosen = None;
    ui.horizontal(|ui| {
        let up = Button::icon_only(tr().up, icons::ARROW_UP).show(ui).clicked();
        if let (true, Some(parent)) = (up, browser.folder.parent().map(Path::to_owned)) {
            browser.go(parent);
        }
        if Button::new(tr().home).show(ui).clicked() {
            browser.go(home());
        }
        let open = Button::new(tr().open).primary();
        let width = ui.available_width() - open.width(ui) - 8.0;
        let edit = TextEdit::singleline(&mut browser.path)
            .desired_width(width - 16.0)
            .min_size(vec2(width - 16.0, theme::space::CONTROL - 4.0))
            .align(egui::Align2::LEFT_CENTER);
        let response = ui.add(edit).accessible_name(tr().path);
        let entered = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        if open.show(ui).clicked() || entered {
            chosen = browser.choose(PathBuf::from(browser.path.trim()));
        }
    });
    chosen
}

fn list_ui(ui: &mut Ui, browser: &mut Browser, height: f32) -> Option<PathBuf> {
    let t = tokens(ui);
    let mut pressed = None;
    ui.allocate_ui(vec2(ui.available_width(), height), |ui| {
        ui.set_min_height(height);
        if let Some(trouble) = &browser.trouble {
            Line::new(trouble).color(t.warn).show(ui);
        } else if browser.entries.is_empty() {
            Line::new(tr().no_files).color(t.muted).show(ui);
        }
        if browser.entries.is_empty() {
            return;
        }
        let columns = [Column::new("", 22.0), Column::new(tr().name, 200.0).grow(1.0)];
        let entries = &browser.entries;
        let name = |i: usize| Some(entries[i].name.clone());
        table_ui(ui, "files", &columns, entries.len(), name, |ui, i, row| {
            let entry = &entries[i];
            if let Some(cell) = row.cell(0) {
                let icon = if entry.folder { icons::FOLDER } else { icons::MUSIC_NOTES };
                let font = theme::icon_font(ui, 16.0);
                ui.painter().text(cell.center(), egui::Align2::CENTER_CENTER, icon, font, t.muted);
            }
            if let Some(cell) = row.cell(1) {
                Line::new(&entry.name).paint(ui, cell);
            }
            if row.response.clicked() {
                pressed = Some(i);
            }
        });
    });
    let path = browser.folder.join(&browser.entries[pressed?].name);
    browser.choose(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_first_and_only_fitting_files_are_shown() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for name in ["b.mid", "A.MIDI", "notes.txt", ".hidden.mid"] {
            std::fs::write(dir.path().join(name), b"").expect("a file");
        }
        std::fs::create_dir(dir.path().join("zebra")).expect("a folder");
        let names = |purpose| {
            let entries = list(dir.path(), purpose).expect("a listing");
            entries.into_iter().map(|e| e.name).collect::<Vec<_>>()
        };
        assert_eq!(names(FilePurpose::Piece), ["zebra", "A.MIDI", "b.mid"]);
        assert_eq!(names(FilePurpose::SoundFont), ["zebra"]);
        let mut browser = Browser::new(FilePurpose::Piece, dir.path().join("nowhere"));
        assert!(browser.trouble.is_some());
        assert_eq!(browser.choose(dir.path().to_owned()), None);
        assert_eq!(browser.entries.len(), 3);
        assert_eq!(browser.choose(dir.path().join("b.mid")), Some(dir.path().join("b.mid")));
    }
}
