//! Devices.
use super::Cx;
use egui::Ui;
pub(super) fn ui(_cx: &mut Cx<'_>, _ui: &mut Ui) {}
