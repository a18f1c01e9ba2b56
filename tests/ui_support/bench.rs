//! A window over a sample, and what it sent.

use std::cell::RefCell;
use std::rc::Rc;

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use music_trainer::ui::{self, Command, State};

use super::ui_support::Sample;

pub(crate) struct Bench {
    pub(crate) harness: Harness<'static, (Sample, State)>,
    sent: Rc<RefCell<Vec<Command>>>,
}

impl Bench {
    /// A window of this size; `prepare` chooses what it shows.
    pub(crate) fn open(sample: Sample, size: [f32; 2], prepare: impl FnOnce(&Sample, &mut State)) -> Self {
        let sent: Rc<RefCell<Vec<Command>>> = Rc::default();
        let sink = Rc::clone(&sent);
        let builder = Harness::builder().with_size(size).with_max_steps(16).with_context_setup(ui::install);
        let mut harness = builder.build_ui_state(
            move |ui, (sample, state): &mut (Sample, State)| {
                let mut send = Vec::new();
                sample.look_up(&state.query);
                ui::frame(ui, &sample.view(), state, &mut send);
                sink.borrow_mut().extend(send);
            },
            (sample, State::new()),
        );
        let (sample, state) = harness.state_mut();
        prepare(sample, state);
        harness.run();
        sent.borrow_mut().clear();
        Self { harness, sent }
    }

    /// Clicks the one control of that name and answers what it sent.
    pub(crate) fn click(&mut self, name: &str) -> Vec<Command> {
        self.harness.get_by_label(name).click();
        self.harness.run();
        self.sent()
    }

    /// What it sent since that was last asked.
    pub(crate) fn sent(&self) -> Vec<Command> {
        self.sent.borrow_mut().drain(..).collect()
    }
}
