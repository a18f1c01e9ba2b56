//! Later.
use super::{Cx, State};
use egui::Ui;
pub(super) fn ui(_cx: &mut Cx<'_>, _ui: &mut Ui, _state: &mut State) {}
