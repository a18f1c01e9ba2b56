//! Calibration by loop-back: chirps through the whole callback, back into the input, in simulated time.

mod audio_support;

use audio_support::Recorder;
use music_trainer::audio::backend::Backend;
use music_trainer::audio::backend::StreamConfig;
use music_trainer::audio::backend::stepped::{Driver, stepped};
use music_trainer::audio::{Engine, Supervisor, engine};
use music_trainer::components::devices::{Loopback, LoopbackStand};
use music_trainer::time::{Frames, Micros, Rate};

const PERIOD: usize = 256;

struct Rig {
    engine: Engine,
    supervisor: Supervisor,
    driver: Driver,
    now: Micros,
}

fn rig() -> Rig {
    let (recorder, _log) = Recorder::new();
    let (engine, processor, _reports) = engine(Box::new(recorder), Rate::DEFAULT);
    let (backend, driver) = stepped();
    let backends: Vec<Box<dyn Backend>> = vec![Box::new(backend)];
    let config = StreamConfig { period: PERIOD as u32, ..StreamConfig::default() };
    let mut supervisor = Supervisor::new(backends, processor, config);
    supervisor.start(Micros(0));
    Rig { engine, supervisor, driver, now: Micros(0) }
}

impl Rig {
    /// Runs until the calibration ends; `way` says what comes in for what went out in a block.
    fn calibrate(&mut self, mut way: impl FnMut(&[f32]) -> Vec<f32>) -> LoopbackStand {
        let mut loopback =
            Loopback::begin(self.now, &mut self.engine, &mut self.supervisor, None).expect("there is an input");
        let mut last = 0;
        // Eight seconds of chirps are 1 500 blocks; the search takes as long as it takes.
        for _ in 0..10_000_000 {
            let stand = loopback.poll(self.now, &mut self.engine);
            match stand {
                LoopbackStand::Listening(100) => std::thread::yield_now(),
                LoopbackStand::Listening(done) => {
                    assert!(done >= last, "it goes forward");
                    last = done;
                    let (left, _) = self.driver.run(PERIOD, PERIOD);
                    self.driver.feed(&way(&left));
                    self.engine.poll();
                    self.now += Rate::DEFAULT.micros(Frames(PERIOD as i64));
                }
                ended => {
                    loopback.end(&mut self.engine, &mut self.supervisor);
                    assert!(!self.driver.is_tapped(), "the input is closed");
                    return ended;
                }
            }
        }
        panic!("it never ends");
    }
}

/// A cable: what went out comes in after so many blocks.
fn cable(blocks: usize, gain: f32) -> impl FnMut(&[f32]) -> Vec<f32> {
    let mut under_way = std::collections::VecDeque::from(vec![vec![0.0; PERIOD]; blocks]);
    let mut state = 1_u32;
    move |out| {
        under_way.push_back(out.iter().map(|sample| sample * gain).collect());
        let mut block = under_way.pop_front().unwrap_or_default();
        for sample in &mut block {
            // A little noise, the same each time.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample += (state as f32 / u32::MAX as f32 - 0.5) * 0.01;
        }
        block
    }
}

#[test]
fn chirps_tell_how_late_sound_is_heard() {
    // What is fed comes in with the next block, so that a cable of n blocks takes n + 1; the input's own delay is one
    // block of them.
    for blocks in [1, 3, 20] {
        let heard = rig().calibrate(cable(blocks, 0.3));
        let expected = Rate::DEFAULT.micros(Frames((blocks * PERIOD) as i64));
        let LoopbackStand::Heard(heard) = heard else { panic!("{heard:?}") };
        assert!((heard - expected).0.abs() <= 20, "{blocks} blocks: {heard} µs instead of {expected}");
    }
}

#[test]
fn silence_and_a_delay_that_wanders_tell_nothing() {
    let stand = rig().calibrate(cable(3, 0.0));
    assert!(matches!(&stand, LoopbackStand::Failed(reason) if reason.contains("chirps")), "{stand:?}");
    let mut block = 0;
    let mut under_way = std::collections::VecDeque::new();
    let stand = rig().calibrate(move |out| {
        block += 1;
        under_way.extend(out.iter().map(|sample| sample * 0.3));
        // Every second or so the way becomes ten milliseconds longer.
        if block % 190 == 0 {
            for _ in 0..480 {
                under_way.push_front(0.0);
            }
        }
        (0..PERIOD).map(|_| under_way.pop_front().unwrap_or(0.0)).collect()
    });
    assert!(matches!(&stand, LoopbackStand::Failed(reason) if reason.contains("steady")), "{stand:?}");
}

#[test]
fn without_an_input_and_with_one_that_dies_it_says_so() {
    let mut rig = rig();
    rig.driver.set_no_input(true);
    let refused = Loopback::begin(rig.now, &mut rig.engine, &mut rig.supervisor, None).err();
    assert!(refused.is_some_and(|reason| reason.contains("input")));
    rig.driver.set_no_input(false);
    let mut loopback =
        Loopback::begin(rig.now, &mut rig.engine, &mut rig.supervisor, None).expect("there is one again");
    let mut now = rig.now;
    let stand = loop {
        now += Micros::from_millis(10);
        match loopback.poll(now, &mut rig.engine) {
            LoopbackStand::Listening(_) => {}
            ended => break ended,
        }
    };
    assert_eq!(stand, LoopbackStand::Failed("nothing comes in".to_owned()));
    assert!((2_900_000..3_200_000).contains(&now.0), "{now}");
}
