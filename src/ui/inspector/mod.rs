//! Later.
use egui::Ui;
use super::{Cx, State};
pub fn ui(_cx: &mut Cx<'_>, _ui: &mut Ui, _state: &mut State) {}
