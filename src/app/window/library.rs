//! The window and the library: what is shown of it, its tags, and the folders it comes from.

use std::path::{Path, PathBuf};

use super::{Window, wake};
use crate::app::catalogue::{Asked, Catalogue, FolderNews};
use crate::app::control::Wish;
use crate::app::history::{Change, TagEdit};
use crate::app::rows::Wall;
use crate::bus::{Publish, State};
use crate::components::library::shelf::Shelf;
use crate::formats::pieces;
use crate::model::{Entity, Event, FolderChoice, Piece, PieceId, PieceInfo, Trainer};
use crate::ui::Command;

/// Edits of one transaction: each is two events at most.
const EDITS_MAX: usize = 1_000;

impl Window {
    /// Asks for the rows that the person wants to see, and takes what the folders' thread tells.
    pub(super) fn look_into_library(&mut self, wall: Wall, ctx: &egui::Context) {
        let Some(program) = &self.program else { return };
        if let Some(shelf) = &program.shelf {
            self.folders.take_over(shelf.report());
        }
        if self.catalogue.is_none() {
            match Catalogue::start(program.bus.clone(), Box::new(wake(ctx))) {
                Ok(catalogue) => self.catalogue = Some(catalogue),
                Err(error) => return self.fail(format!("the pieces cannot be looked at: {error}")),
            }
        }
        if let Some(catalogue) = &mut self.catalogue {
            catalogue.miss(self.folders.missing());
            catalogue.ask(Asked { query: self.state.query.clone(), wall });
        }
        for FolderNews { instead_of, line } in self.folders.take_news() {
            self.told.retain(|told| Some(&told.banner.text) != instead_of.as_ref());
            match line {
                Some((true, line)) => self.fail(line),
                Some((false, line)) => self.inform(line, Vec::new()),
                None => {}
            }
        }
        let fault = self.folders.fault().map(str::to_owned);
        if fault != self.shelf_fault {
            self.shelf_fault.clone_from(&fault);
            fault.into_iter().for_each(|line| self.fail(line));
        }
    }

    /// A file is opened, a folder is looked through from now on.
    pub(super) fn open_file(&mut self, path: PathBuf) {
        if path.is_dir() {
            self.watch_folder(&path, true);
        } else {
            self.wish(Wish::OpenFile(path));
        }
    }

    /// Files that another start of the program has brought; whoever did wants to see them.
    pub(super) fn open_what_was_brought(&mut self, ctx: &egui::Context) {
        let door = self.program.as_ref().and_then(|program| program.door.as_ref());
        let brought: Vec<PathBuf> = door.map_or_else(Vec::new, |door| door.files.try_iter().collect());
        if !brought.is_empty() {
            ctx.send_viewport_cmd(egui::ViewportCommand::Focus);
        }
        self.send.extend(brought.into_iter().map(Command::OpenFile));
    }

    pub(super) fn with_shelf(&self, act: impl FnOnce(&Shelf)) {
        if let Some(shelf) = self.program.as_ref().and_then(|program| program.shelf.as_ref()) {
            act(shelf);
        }
    }

    /// A folder is looked through for pieces, or no longer.
    pub(super) fn watch_folder(&mut self, path: &Path, watched: bool) {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let Some(path) = whole.to_str().map(str::to_owned) else {
            return self.fail(format!("{} cannot be looked through: its name is no text", whole.display()));
        };
        self.history.push(Change::Folder { path: path.clone(), watched });
        self.choose_folder(path, watched);
    }

    pub(super) fn choose_folder(&mut self, path: String, watched: bool) {
        let entity = FolderChoice::entity(&path);
        self.publish(Publish::new(entity, Event::FolderChosen(FolderChoice { path, watched })));
    }

    pub(super) fn tag_all(&mut self, pieces: Vec<String>, tag: &str, on: bool) {
        let edit = |piece: String| TagEdit { piece: PieceId(piece.into()), tag: tag.to_owned(), on };
        self.tag(pieces.into_iter().map(edit).collect(), true);
    }

    /// Calls a tag otherwise on every piece that has it; an empty name takes it from them.
    pub(super) fn rename_tag(&mut self, from: &str, to: &str) {
        let Some(snapshot) = self.snapshot() else { return };
        if from == to {
            return;
        }
        let mut edits = Vec::new();
        for (key, versioned) in snapshot.state.iter_prefix("piece/") {
            let Some(Entity::Piece(known)) = &versioned.value else { continue };
            if known.tagged_by(from).is_empty() {
                continue;
            }
            let piece = PieceId(key.id().into());
            edits.push(TagEdit { piece: piece.clone(), tag: from.to_owned(), on: false });
            if !to.is_empty() {
                edits.push(TagEdit { piece, tag: to.to_owned(), on: true });
            }
        }
        self.tag(edits, true);
    }

    /// Makes those edits that change anything; undo takes back these and no others.
    pub(super) fn tag(&mut self, mut edits: Vec<TagEdit>, remember: bool) {
        let (Some(snapshot), Some(program)) = (self.snapshot(), &self.program) else { return };
        edits.retain(|edit| {
            let has = known(&snapshot.state, &edit.piece).is_some_and(|piece| !piece.tagged_by(&edit.tag).is_empty());
            has != edit.on
        });
        for edits in edits.chunks(EDITS_MAX) {
            let items: Vec<_> = edits.iter().flat_map(|edit| publish(&snapshot.state, edit, program)).collect();
            if !items.is_empty() {
                self.answers.push(program.bus.transact(items));
            }
        }
        if remember && !edits.is_empty() {
            self.history.push(Change::Tags(edits));
        }
    }
}

fn known<'a>(state: &'a State<Trainer>, id: &PieceId) -> Option<&'a Piece> {
    match state.value(id.entity().as_str()) {
        Some(Entity::Piece(piece)) => Some(piece),
        _ => None,
    }
}

/// The events of an edit.
fn publish(state: &State<Trainer>, edit: &TagEdit, program: &crate::app::boot::Program) -> Vec<Publish<Trainer>> {
    let TagEdit { piece: id, tag, on } = edit;
    let tagged = || Publish::new(id.entity(), Event::PieceTagged(tag.clone()));
    match (known(state, id), on) {
        (Some(_), true) => vec![tagged()],
        (Some(piece), false) => vec![Publish::new(id.entity(), Event::PieceUntagged(piece.tagged_by(tag)))],
        // Only a built-in piece can be in the library without ever having been opened or found.
        (None, true) => id.as_builtin().and_then(pieces::find).map_or_else(Vec::new, |piece| {
            let (title, composer) = (piece.title.clone(), piece.composer.clone());
            let info = PieceInfo { title, composer, path: None, opened: program.clock.wall() };
            vec![Publish::new(id.entity(), Event::PieceOpened(info)), tagged()]
        }),
        (None, false) => Vec::new(),
    }
}
