//! Devices.
use egui::Ui;
use super::Cx;
pub fn ui(_cx: &mut Cx<'_>, _ui: &mut Ui) {}
