//! A disk that stands still for half a minute, is full, or answers with errors, while 2 000 notes a second and edits
//! arrive: what is at risk is said, nothing is called durable that is not, and all heals without a restart.

use std::collections::HashMap;

use music_trainer::bus::core::Input;
use music_trainer::bus::health::{BUFFER_BYTES_MAX, BUFFER_EVENTS_MAX, Health};
use music_trainer::bus::storage::{Storage, StorageError};
use music_trainer::bus::testing::{Event, Random, Test};
use music_trainer::bus::{Envelope, Filter, Outcome, Publish, PublishError, Start};
use music_trainer::time::{Micros, Stamp};

use super::rig::{Disk, Rig};

/// Notes in a poll: 2 000 a second.
const NOTES: u64 = 2;
/// Polls from one edit to the next.
const EDIT_POLLS: u64 = 250;
/// Takes that are recorded at the same time.
const TAKES: u64 = 3;
/// A commit that takes longer is shown.
const SLOW: Micros = Micros(1_000_000);
const BOUNDS: (usize, usize) = (BUFFER_EVENTS_MAX, BUFFER_BYTES_MAX);
const SECOND: u64 = 1_000;

/// Somebody plays and edits; a subscriber looks on.
struct Playing {
    rig: Rig,
    bounds: (usize, usize),
    polls: u64,
    next_ticket: u64,
    /// Edits applied and not called durable: ticket and event.
    waiting: HashMap<u64, u64>,
    edits_durable: u64,
    /// Why edits were refused.
    refused: Vec<String>,
    notes: u64,
    heard: u64,
    health: Health,
    /// Since when the disk gives no answer, or a bad one.
    trouble: Option<Micros>,
}

impl Playing {
    fn new(bounds: (usize, usize)) -> Self {
        let mut rig = Rig::new(bounds, 1);
        let filter = Filter::topics(["book.gap", "counter.add"]);
        rig.step(Input::Subscribe { name: "onlooker".into(), filter, start: Start::Beginning });
        Self {
            rig,
            bounds,
            polls: 0,
            next_ticket: 0,
            waiting: HashMap::new(),
            edits_durable: 0,
            refused: Vec::new(),
            notes: 0,
            heard: 0,
            health: Health::Ok,
            trouble: None,
        }
    }

    fn turn(&mut self, disk: Disk) {
        self.trouble = match disk {
            Disk::Works => None,
            Disk::Stands | Disk::Fails(_) => self.trouble.or(Some(self.rig.now.mono)),
        };
        self.rig.disk = disk;
    }

    fn play(&mut self, polls: u64) {
        for _ in 0..polls {
            self.polls += 1;
            for _ in 0..NOTES {
                let (key, pitch) = (format!("book/{}", self.notes % TAKES), (self.notes % 128) as u32);
                let note = Publish::new(key, Event::Note { pitch }).stamp(Stamp::at(self.rig.now.mono));
                self.rig.step(Input::Publish(note, None));
                self.notes += 1;
            }
            if self.polls.is_multiple_of(EDIT_POLLS) {
                self.next_ticket += 1;
                let edit = Publish::new("counter/a", Event::Add(1));
                self.rig.step(Input::Publish(edit, Some(self.next_ticket)));
            }
            self.poll();
        }
    }

    fn poll(&mut self) {
        let fx = self.rig.poll();
        for (ticket, answer) in fx.answers {
            match answer {
                Ok(applied) => drop(self.waiting.insert(ticket, applied.seq)),
                Err(PublishError::ReadOnly(why)) => self.refused.push(why),
                Err(error) => panic!("{error}"),
            }
        }
        for (ticket, seq) in fx.durable {
            assert!(seq <= self.rig.on_disk, "called durable when it is");
            assert_eq!(self.waiting.remove(&ticket), Some(seq));
            self.edits_durable += 1;
        }
        for (index, delivery) in fx.deliveries {
            let (seq, number) = (delivery.envelope.seq, delivery.number);
            assert!(seq <= self.rig.on_disk, "only durable events leave");
            self.heard += 1;
            self.rig.step(Input::Taken { index, number });
            let (name, outcome) = ("onlooker".into(), Outcome::done());
            self.rig.step(Input::Settle { name, seq, number, outcome, reply: None });
        }
        self.look();
    }

    /// What the window is shown is true.
    fn look(&mut self) {
        let snapshot = self.rig.core.snapshot(self.rig.now);
        assert_eq!(snapshot.durable, self.rig.on_disk);
        let at_risk = (snapshot.applied - snapshot.durable) as usize;
        assert!(at_risk <= self.bounds.0, "no more at risk than the bound");
        let troubled = self.trouble.is_some_and(|since| self.rig.now.mono - since > SLOW + Micros(300_000));
        match &snapshot.health {
            Health::Ok => assert!(!troubled && at_risk < self.bounds.0, "trouble shows after a second"),
            Health::Buffering { events, bytes, why } => {
                assert!(*events == at_risk && *events < self.bounds.0 && *bytes < self.bounds.1 && !why.is_empty());
                assert!(*bytes >= 320 * events, "each costs at least its envelope");
            }
            Health::ReadOnly(why) => {
                let full = at_risk >= self.bounds.0 || self.bounds.0 == usize::MAX;
                assert!(full && !why.is_empty(), "edits are refused at the bound only");
            }
            Health::Degraded(_) => panic!("the store lasts"),
        }
        let counts = self.rig.core.counts();
        assert_eq!(counts.published, counts.applied + counts.refused + counts.lost, "nothing disappears silently");
        self.health = snapshot.health;
    }

    /// The music ends; everything becomes durable, and everything has had its fate.
    fn finish(mut self) -> Self {
        self.turn(Disk::Works);
        let mut polls = 0;
        while !(self.rig.core.is_clean() && self.health == Health::Ok) || polls <= 500 {
            polls += 1;
            if polls == 500 {
                // What rides along, such as cursors, goes too.
                self.rig.step(Input::Flush);
            }
            assert!(polls < 20 * SECOND, "it heals: {:?}", self.health);
            self.poll();
        }
        let counts = *self.rig.core.counts();
        let snapshot = self.rig.core.snapshot(self.rig.now);
        assert_eq!(snapshot.durable, snapshot.applied);
        assert_eq!(snapshot.applied, counts.applied + counts.gap_records);
        assert_eq!(counts.published, self.notes + self.next_ticket);
        assert_eq!(counts.refused, self.refused.len() as u64, "only edits are refused");
        assert!(self.waiting.is_empty(), "every applied edit was called durable");
        assert_eq!(self.edits_durable, self.next_ticket - counts.refused);
        let (mut notes, mut gaps, mut lost) = (0, 0, 0);
        for stored in self.rig.storage.reader().events(1, usize::MAX).expect("readable") {
            match Envelope::<Test>::from_stored(stored).event() {
                Some(Event::Note { .. }) => notes += 1,
                Some(Event::Gap { lost: count }) => (gaps, lost) = (gaps + 1, lost + count),
                _ => {}
            }
        }
        assert_eq!((notes + lost, gaps), (self.notes, counts.gap_records), "each note is in the log, or in a gap");
        assert_eq!(lost, counts.lost);
        assert_eq!(self.heard, self.edits_durable + gaps, "the onlooker got each edit and each gap once");
        self.rig.check();
        self
    }

    fn full() -> Disk {
        Disk::Fails(StorageError::Full("no space left".to_owned()))
    }
}

#[test]
fn thirty_seconds_of_a_disk_that_stands_still_are_bridged_in_memory() {
    let mut playing = Playing::new(BOUNDS);
    playing.play(SECOND);
    assert_eq!(playing.health, Health::Ok);
    playing.turn(Disk::Stands);
    let before = playing.rig.on_disk;
    playing.play(30 * SECOND);
    assert_eq!(playing.rig.core.durable(), before, "nothing became durable");
    let Health::Buffering { events, why, .. } = &playing.health else { panic!("{:?}", playing.health) };
    assert!(*events as u64 >= 30 * SECOND * NOTES && why == "the disk is slow", "{events} {why}");
    let playing = playing.finish();
    let counts = playing.rig.core.counts();
    assert_eq!((counts.refused, counts.lost, counts.commit_failures), (0, 0, 0));
}

#[test]
fn a_disk_that_stands_still_for_longer_has_edits_refused_and_notes_told_as_gaps() {
    let mut playing = Playing::new(BOUNDS);
    playing.play(SECOND);
    playing.turn(Disk::Stands);
    let mut filled = 0;
    while playing.refused.is_empty() {
        playing.play(1);
        filled += 1;
    }
    assert_eq!(playing.health, Health::ReadOnly("the disk does not answer".to_owned()));
    let at_bound = playing.rig.core.applied() - playing.rig.core.durable();
    assert_eq!(at_bound as usize, BUFFER_EVENTS_MAX, "exactly to the bound, after {filled} polls");
    playing.play(10 * SECOND);
    assert_eq!(playing.refused.len() as u64, 1 + 10 * SECOND / EDIT_POLLS);
    assert!(playing.refused.iter().all(|why| why == "the disk does not answer"));
    assert_eq!(playing.rig.core.applied() - playing.rig.core.durable(), at_bound, "the bound holds");
    assert_eq!(playing.rig.core.counts().gap_records, 0, "there is no room for them yet");

    playing.turn(Disk::Works);
    playing.play(5 * SECOND);
    let counts = *playing.rig.core.counts();
    assert_eq!((counts.gap_records, counts.refused), (TAKES, playing.refused.len() as u64), "a gap for each take");
    assert!(counts.lost >= 10 * SECOND * NOTES);
    let refused = playing.refused.len();
    let playing = playing.finish();
    assert_eq!((playing.rig.core.counts().lost, playing.refused.len()), (counts.lost, refused), "all is taken again");
}

#[test]
fn the_bound_of_bytes_holds_as_that_of_events_does() {
    let mut playing = Playing::new((usize::MAX, BUFFER_BYTES_MAX));
    playing.play(SECOND);
    playing.turn(Disk::Stands);
    playing.play(30 * SECOND);
    let Health::Buffering { events, bytes, .. } = playing.health else { panic!("{:?}", playing.health) };
    let each = bytes / events;
    assert_eq!(bytes % events, 0, "every event here costs the same");
    while playing.refused.is_empty() {
        playing.play(1);
    }
    let at_bound = (playing.rig.core.applied() - playing.rig.core.durable()) as usize;
    assert_eq!(at_bound, BUFFER_BYTES_MAX.div_ceil(each), "the event that fills it is the last");
    playing.finish();
}

#[test]
fn a_full_disk_is_tried_again_ever_more_rarely_and_edits_carry_its_error_at_the_bound() {
    let mut playing = Playing::new(BOUNDS);
    playing.play(SECOND);
    playing.turn(Playing::full());
    playing.play(30 * SECOND);
    // After 50, 100, 200, 400, 800, 1 600, 3 200 ms and then every 5 s.
    assert_eq!(playing.rig.core.counts().commit_failures, 1 + 7 + 4);
    let Health::Buffering { events, why, .. } = &playing.health else { panic!("{:?}", playing.health) };
    assert_eq!(*events as u64, playing.rig.core.applied() - playing.rig.on_disk);
    assert_eq!(why, "the disk is full (no space left)");
    playing.play(5 * SECOND);
    assert_eq!(playing.health, Health::ReadOnly("the disk is full (no space left)".to_owned()));
    assert!(!playing.refused.is_empty());
    assert!(playing.refused.iter().all(|why| why == "the disk is full (no space left)"));
    playing.finish();
}

#[test]
fn errors_of_any_kind_in_any_order_lose_nothing_but_what_gaps_tell() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (first, seeds) = (number("BUS_SEED", 0), number("BUS_SEEDS", 20));
    let (mut failures, mut lost, mut refused) = (0, 0, 0);
    for seed in first..first + seeds {
        println!("BUS_SEED={seed} BUS_SEEDS=1");
        let mut random = Random(seed);
        // A small buffer, so that the bound is met often.
        let mut playing = Playing::new((500 + random.below(20_000) as usize, BUFFER_BYTES_MAX));
        for _ in 0..12 {
            let disk = match random.below(4) {
                0 => Disk::Stands,
                1 => Playing::full(),
                2 => Disk::Fails(StorageError::Io("a bad sector".to_owned())),
                _ => Disk::Works,
            };
            playing.turn(disk);
            playing.play(random.below(6 * SECOND));
        }
        let playing = playing.finish();
        let counts = playing.rig.core.counts();
        (failures, lost, refused) = (failures + counts.commit_failures, lost + counts.lost, refused + counts.refused);
    }
    println!("{failures} failed commits, {lost} notes lost and told, {refused} edits refused");
    assert!(seeds < 10 || (failures > 0 && lost > 0 && refused > 0), "the seeds went through it");
}
