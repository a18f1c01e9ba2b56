//! What the library is asked for, as a row of chips; and what is done to several pieces at a time.

use std::collections::BTreeSet;
use std::path::PathBuf;

use egui::{Popup, PopupCloseBehavior, Response, Role, Ui};

use super::super::query::{Folder, GRADES, Practised, Query, Selection, Sort};
use super::super::state::State;
use super::super::text::{self, tr};
use super::super::theme::{self, space};
use super::super::widgets::{Button, Line};
use super::super::{Command, Cx, icons};
use super::Dialog;
use super::choices::{Choice, Choices};

/// The width of a menu.
const MENU_WIDTH: f32 = 280.0;

/// The row; it takes a second line where there is no room.
pub(super) fn ui(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut State, list: &Selection) {
    let frame = egui::Frame::new().inner_margin(egui::Margin { left: 20, right: 20, top: 10, bottom: 0 });
    frame.show(ui, |ui| {
        ui.spacing_mut().item_spacing = egui::vec2(8.0, 6.0);
        ui.horizontal_wrapped(|ui| match state.library.chosen.take() {
            Some(chosen) => state.library.chosen = chosen_ui(cx, ui, &mut state.library.dialog, chosen),
            None => {
                filters_ui(ui, state, list);
                if Button::new(tr().choose_several).icon(icons::CHECKLIST).chip().show(ui).clicked() {
                    state.library.chosen = Some(BTreeSet::new());
                }
            }
        });
    });
}

/// What can be done with those that are chosen; they stay chosen until it is done.
fn chosen_ui(
    cx: &mut Cx<'_>,
    ui: &mut Ui,
    dialog: &mut Option<Dialog>,
    chosen: BTreeSet<String>,
) -> Option<BTreeSet<String>> {
    let words = text::chosen_pieces(chosen.len());
    let line = Line::new(&words).size(13.0);
    let (_, rect) = ui.allocate_space(egui::vec2(line.width(ui).ceil() + 8.0, space::CHIP));
    line.show_at(ui, rect);
    let any = !chosen.is_empty();
    if Button::new(tr().tags).icon(icons::TAG).chip().enabled(any).show(ui).clicked() {
        *dialog = Some(Dialog::Pieces(chosen.iter().cloned().collect()));
    }
    if Button::new(tr().favour).icon(icons::STAR).chip().enabled(any).show(ui).clicked() {
        let (pieces, tag) = (chosen.iter().cloned().collect(), crate::model::FAVOURITE.to_owned());
        cx.send.push(Command::Tag { pieces, tag, on: true });
    }
    (!Button::new(tr().done).chip().show(ui).clicked()).then_some(chosen)
}

fn filters_ui(ui: &mut Ui, state: &mut State, list: &Selection) {
    let query = &mut state.query;
    let favourites = Button::new(tr().favourites).icon(icons::STAR).chip().selected(query.favourites);
    if favourites.show(ui).clicked() {
        query.favourites = !query.favourites;
    }
    let button = menu_button(ui, text::practised_choice(query.practised), query.practised != Practised::Any);
    menu(&button, PopupCloseBehavior::CloseOnClick, |ui| {
        for choice in [Practised::Any, Practised::Yes, Practised::No] {
            if item_ui(ui, text::practised_choice(choice), query.practised == choice) {
                query.practised = choice;
            }
        }
    });
    let button = menu_button(ui, &text::grades(query.grades), query.grades != GRADES);
    menu(&button, PopupCloseBehavior::CloseOnClickOutside, |ui| grades_ui(ui, &mut query.grades));
    let (choices, sought) = (&list.choices, &mut state.library.sought);
    if !Popup::is_any_open(ui.ctx()) {
        sought.clear();
    }
    folders_ui(ui, sought, &choices.folders, &mut query.folder);
    named_ui(ui, sought, (tr().any_composer, &choices.composers), &mut query.composer);
    if let Some(tag) = named_ui(ui, sought, (tr().any_tag, &choices.tags), &mut query.tag) {
        state.library.tag.clone_from(&tag);
        state.library.dialog = Some(Dialog::RenameTag(tag));
    }
    let query = &mut state.query;
    let button = menu_button(ui, text::sort(query.sort), query.sort != Sort::Shelf);
    menu(&button, PopupCloseBehavior::CloseOnClick, |ui| {
        for sort in Sort::ALL {
            if item_ui(ui, text::sort(sort), query.sort == sort) {
                query.sort = sort;
            }
        }
    });
    // Where nothing fits, that is said larger.
    if query.filters() && !list.is_empty() && Button::new(tr().clear_filters).link().show(ui).clicked() {
        *query = Query { sort: query.sort, ..Query::default() };
    }
}

fn menu_button(ui: &mut Ui, words: &str, on: bool) -> Response {
    Button::new(words).icon(icons::CARET_DOWN).chip().selected(on).role(Role::Button).show(ui)
}

fn menu(button: &Response, close: PopupCloseBehavior, contents: impl FnOnce(&mut Ui)) {
    Popup::menu(button).close_behavior(close).show(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.set_width(MENU_WIDTH * theme::scale(ui));
        contents(ui);
    });
}

fn item_ui(ui: &mut Ui, words: &str, on: bool) -> bool {
    Button::new(words).quiet().selected(on).role(Role::MenuItem).show(ui).clicked()
}

/// From the lowest grade to the highest, each in steps.
fn grades_ui(ui: &mut Ui, grades: &mut (u8, u8)) {
    let (low, high) = *grades;
    for (is_low, word, at) in [(true, tr().from_grade, low), (false, tr().to_grade, high)] {
        ui.horizontal(|ui| {
            let number = format!("{word} {at}");
            let line = Line::new(&number);
            let (_, rect) = ui.allocate_space(egui::vec2(90.0 * theme::scale(ui), space::CHIP));
            line.show_at(ui, rect);
            let (down, up) = (text::of(word, tr().easier), text::of(word, tr().harder));
            let lower = at > if is_low { GRADES.0 } else { low };
            let higher = at < if is_low { high } else { GRADES.1 };
            let by = i16::from(Button::new(&up).shown("+").chip().enabled(higher).show(ui).clicked())
                - i16::from(Button::new(&down).shown("−").chip().enabled(lower).show(ui).clicked());
            let to = (i16::from(at) + by) as u8;
            *(if is_low { &mut grades.0 } else { &mut grades.1 }) = to;
        });
    }
    if item_ui(ui, tr().any_grade, *grades == GRADES) {
        *grades = GRADES;
    }
}

/// A menu of folders, each below the one that it is in.
fn folders_ui(ui: &mut Ui, sought: &mut String, folders: &[Folder], asked: &mut Option<PathBuf>) {
    if folders.is_empty() && asked.is_none() {
        return;
    }
    let chosen = folders.iter().position(|folder| Some(&folder.path) == asked.as_ref());
    let words = asked.as_deref().map(text::folder_name);
    let button = menu_button(ui, words.as_deref().unwrap_or(tr().any_folder), asked.is_some());
    let at = |place: usize| {
        let folder = &folders[place];
        Choice {
            name: text::folder_name(&folder.path),
            alone: Some(text::folder_with_its_own(&folder.path)),
            pieces: folder.pieces,
            depth: folder.depth,
        }
    };
    let choices = Choices { salt: "folders to ask for", n: folders.len(), at: &at, chosen };
    match choose_ui(&button, sought, (tr().any_folder, asked.is_none()), &choices, |_| false) {
        Some(Taken::Any) => *asked = None,
        Some(Taken::One(place)) => *asked = Some(folders[place].path.clone()),
        None => {}
    }
}

/// A menu of names with their numbers; gives the one that is to be renamed, where they are tags.
fn named_ui(
    ui: &mut Ui,
    sought: &mut String,
    (any, names): (&'static str, &[(String, usize)]),
    asked: &mut Option<String>,
) -> Option<String> {
    if names.is_empty() && asked.is_none() {
        return None;
    }
    let button = menu_button(ui, asked.as_deref().unwrap_or(any), asked.is_some());
    let tag = asked.clone().filter(|_| any == tr().any_tag);
    let mut rename = None;
    let chosen = names.iter().position(|(name, _)| Some(name) == asked.as_ref());
    let at = |place: usize| Choice { name: names[place].0.clone(), alone: None, pieces: names[place].1, depth: 0 };
    let choices = Choices { salt: any, n: names.len(), at: &at, chosen };
    let more = |ui: &mut Ui| {
        rename = tag.filter(|tag| item_ui(ui, &text::of(tr().rename_tag, tag), false));
        rename.is_some()
    };
    match choose_ui(&button, sought, (any, asked.is_none()), &choices, more) {
        Some(Taken::Any) => *asked = None,
        Some(Taken::One(place)) => *asked = Some(names[place].0.clone()),
        None => {}
    }
    rename
}

/// What was taken of a menu.
enum Taken {
    Any,
    One(usize),
}

/// The menu under a button: no matter which, what `more` draws, and the names. It closes when something is taken, `more`
/// included, and the button has the focus again.
fn choose_ui(
    button: &Response,
    sought: &mut String,
    (any, is_any): (&str, bool),
    choices: &Choices<'_>,
    more: impl FnOnce(&mut Ui) -> bool,
) -> Option<Taken> {
    let mut taken = None;
    menu(button, PopupCloseBehavior::CloseOnClickOutside, |ui| {
        if item_ui(ui, any, is_any) {
            taken = Some(Taken::Any);
        }
        let other = more(ui);
        let one = choices.ui(ui, button.clicked(), sought).map(Taken::One);
        taken = taken.take().or(one);
        if taken.is_some() || other {
            button.request_focus();
            ui.close();
        }
    });
    taken
}
