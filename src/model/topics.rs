//! The topic registry: for every kind of event its durability class, conflict strategy, schema and version.

use crate::bus::{Durability, Strategy, Topic};

use super::Event;

macro_rules! topics {
    ($($kind:ident = $name:literal, $durability:ident, $strategy:ident;)*) => {
        #[derive(Clone, Copy)]
        enum Kind {
            $($kind),*
        }

        pub(super) static ALL: &[Topic] = &[$(Topic {
            name: $name,
            durability: Durability::$durability,
            strategy: Strategy::$strategy,
            schema: $name,
            schema_version: 1,
        }),*];
    };
}

topics! {
    SettingChanged = "setting.changed", Edit, LastWriter;
    PieceOpened = "piece.opened", Edit, LastWriter;
    PieceForgotten = "piece.forgotten", Edit, LastWriter;
    PracticeChosen = "practice.chosen", Edit, LastWriter;
    PieceTagged = "piece.tagged", Edit, Set;
    PieceUntagged = "piece.untagged", Edit, Set;
    PractiseCounted = "practise.counted", Stream, Counter;
    ScoreStored = "score.stored", Edit, AppendOnly;
    RecorderPointed = "recorder.pointed", Edit, Reject;
    TakeStarted = "take.started", Edit, AppendOnly;
    NotePlayed = "note.played", Stream, AppendOnly;
    NotesLost = "notes.lost", Stream, AppendOnly;
    TransportMoved = "transport.moved", Stream, AppendOnly;
    VerdictGiven = "verdict.given", Stream, AppendOnly;
    TakeEnded = "take.ended", Edit, Max;
    TakeNamed = "take.named", Edit, KeepBoth;
    TakeDiscarded = "take.discarded", Edit, LastWriter;
    ResultRecorded = "result.recorded", Edit, LastWriter;
    DeviceConnected = "device.connected", Edit, LastWriter;
    DeviceLost = "device.lost", Edit, LastWriter;
    DeviceChosen = "device.chosen", Edit, LastWriter;
    Erased = "entity.erased", Edit, Reject;
    EditsMet = "edits.met", Edit, Reject;
}

pub(super) fn of(event: &Event) -> &'static Topic {
    let kind = match event {
        Event::SettingChanged(_) => Kind::SettingChanged,
        Event::PieceOpened(_) => Kind::PieceOpened,
        Event::PieceForgotten => Kind::PieceForgotten,
        Event::PracticeChosen(_) => Kind::PracticeChosen,
        Event::PieceTagged(_) => Kind::PieceTagged,
        Event::PieceUntagged(_) => Kind::PieceUntagged,
        Event::PractiseCounted(_) => Kind::PractiseCounted,
        Event::ScoreStored(_) => Kind::ScoreStored,
        Event::RecorderPointed(_) => Kind::RecorderPointed,
        Event::TakeStarted(_) => Kind::TakeStarted,
        Event::NotePlayed(_) => Kind::NotePlayed,
        Event::NotesLost(_) => Kind::NotesLost,
        Event::TransportMoved(_) => Kind::TransportMoved,
        Event::VerdictGiven(_) => Kind::VerdictGiven,
        Event::TakeEnded(_) => Kind::TakeEnded,
        Event::TakeNamed { .. } => Kind::TakeNamed,
        Event::TakeDiscarded(_) => Kind::TakeDiscarded,
        Event::ResultRecorded(_) => Kind::ResultRecorded,
        Event::DeviceConnected(_) => Kind::DeviceConnected,
        Event::DeviceLost => Kind::DeviceLost,
        Event::DeviceChosen { .. } => Kind::DeviceChosen,
        Event::Erased => Kind::Erased,
        Event::EditsMet(_) => Kind::EditsMet,
    };
    &ALL[kind as usize]
}
