//! The topic registry: for every kind of event its durability class, conflict strategy, how long its payload
//! is kept, schema and version.

use crate::bus::{Durability, Retention, Strategy, Topic};

use super::Event;

macro_rules! topics {
    ($($kind:ident = $name:literal, $durability:ident, $strategy:ident, $retention:ident;)*) => {
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
            retention: Retention::$retention,
        }),*];
    };
}

topics! {
    SettingChanged = "setting.changed", Edit, LastWriter, Snapshot;
    PieceOpened = "piece.opened", Edit, LastWriter, Forever;
    PieceForgotten = "piece.forgotten", Edit, LastWriter, Forever;
    PracticeChosen = "practice.chosen", Edit, LastWriter, Snapshot;
    HandsChosen = "hands.chosen", Edit, LastWriter, Snapshot;
    PieceTagged = "piece.tagged", Edit, Set, Forever;
    PieceUntagged = "piece.untagged", Edit, Set, Forever;
    PractiseCounted = "practise.counted", Stream, Counter, Snapshot;
    PieceFound = "piece.found", Edit, LastWriter, Snapshot;
    FolderChosen = "folder.chosen", Edit, LastWriter, Snapshot;
    ScoreStored = "score.stored", Edit, AppendOnly, Forever;
    RecorderPointed = "recorder.pointed", Edit, Reject, Snapshot;
    TakeStarted = "take.started", Edit, AppendOnly, Forever;
    NotePlayed = "note.played", Stream, AppendOnly, Forever;
    NotesLost = "notes.lost", Stream, AppendOnly, Forever;
    SoundInterrupted = "sound.interrupted", Stream, AppendOnly, Forever;
    LatencyChanged = "latency.changed", Stream, AppendOnly, Forever;
    TransportMoved = "transport.moved", Stream, AppendOnly, Forever;
    VerdictGiven = "verdict.given", Stream, AppendOnly, Forever;
    TakeEnded = "take.ended", Edit, Max, Forever;
    TakeNamed = "take.named", Edit, KeepBoth, Forever;
    TakeDiscarded = "take.discarded", Edit, LastWriter, Forever;
    ResultRecorded = "result.recorded", Edit, LastWriter, Forever;
    DeviceConnected = "device.connected", Edit, LastWriter, Snapshot;
    DeviceLost = "device.lost", Edit, LastWriter, Snapshot;
    DeviceChosen = "device.chosen", Edit, LastWriter, Snapshot;
    DeviceCalibrated = "device.calibrated", Edit, LastWriter, Snapshot;
    OutputChosen = "output.chosen", Edit, LastWriter, Snapshot;
    ConnectionChosen = "connection.chosen", Edit, LastWriter, Snapshot;
    Erased = "entity.erased", Edit, Reject, Forever;
    EditsMet = "edits.met", Edit, Reject, Snapshot;
    Leasing = "edit.leased", Edit, Reject, Snapshot;
}

pub(super) fn of(event: &Event) -> &'static Topic {
    let kind = match event {
        Event::SettingChanged(_) => Kind::SettingChanged,
        Event::PieceOpened(_) => Kind::PieceOpened,
        Event::PieceForgotten => Kind::PieceForgotten,
        Event::PracticeChosen(_) => Kind::PracticeChosen,
        Event::HandsChosen(_) => Kind::HandsChosen,
        Event::PieceTagged(_) => Kind::PieceTagged,
        Event::PieceUntagged(_) => Kind::PieceUntagged,
        Event::PractiseCounted(_) => Kind::PractiseCounted,
        Event::PieceFound(_) => Kind::PieceFound,
        Event::FolderChosen(_) => Kind::FolderChosen,
        Event::ScoreStored(_) => Kind::ScoreStored,
        Event::RecorderPointed(_) => Kind::RecorderPointed,
        Event::TakeStarted(_) => Kind::TakeStarted,
        Event::NotePlayed(_) => Kind::NotePlayed,
        Event::NotesLost(_) => Kind::NotesLost,
        Event::SoundInterrupted(_) => Kind::SoundInterrupted,
        Event::LatencyChanged(_) => Kind::LatencyChanged,
        Event::TransportMoved(_) => Kind::TransportMoved,
        Event::VerdictGiven(_) => Kind::VerdictGiven,
        Event::TakeEnded(_) => Kind::TakeEnded,
        Event::TakeNamed { .. } => Kind::TakeNamed,
        Event::TakeDiscarded(_) => Kind::TakeDiscarded,
        Event::ResultRecorded(_) => Kind::ResultRecorded,
        Event::DeviceConnected(_) => Kind::DeviceConnected,
        Event::DeviceLost => Kind::DeviceLost,
        Event::DeviceChosen { .. } => Kind::DeviceChosen,
        Event::DeviceCalibrated(_) => Kind::DeviceCalibrated,
        Event::OutputChosen { .. } => Kind::OutputChosen,
        Event::ConnectionChosen(_) => Kind::ConnectionChosen,
        Event::Erased => Kind::Erased,
        Event::EditsMet(_) => Kind::EditsMet,
        Event::Leasing(_) => Kind::Leasing,
    };
    &ALL[kind as usize]
}
