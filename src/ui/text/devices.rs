//! Words about sound devices: delays, buffers, and what came of a measurement.

use super::{DOT, note_octave, rate};
use crate::model::OutputKeys;
use crate::music::Pitch;
use crate::time::Micros;
use crate::ui::view::{AudioView, NoteNames};

/// The nominal rate, and what was measured where that is known.
pub fn rate_measured(audio: &AudioView) -> String {
    match audio.measured_rate {
        Some(measured) => {
            let off = (measured / f64::from(audio.rate.max(1)) - 1.0) * 1e6;
            format!("{}{DOT}{off:+.0} ppm by this computer's clock", rate(audio.rate))
        }
        None => rate(audio.rate),
    }
}

/// Microseconds as `2.7 ms`.
pub fn delay(micros: f32) -> String {
    format!("{:.1} ms", micros / 1_000.0)
}

/// An offset with its sign: `+38 ms`.
pub fn offset(micros: Micros) -> String {
    format!("{:+.0} ms", micros.as_millis_f64())
}

/// How punctual the callbacks are: root mean square and the latest, in microseconds.
pub fn jitter((rms, max): (f32, f32)) -> String {
    format!("{} late{DOT}at most {}", delay(rms), delay(max))
}

/// How long keys waited for the callback that saw them.
pub fn key_wait(input: Option<(u32, f32, f32)>) -> String {
    match input {
        Some((_, mean, max)) => format!("{} for a callback{DOT}at most {}", delay(mean), delay(max)),
        None => "no key was pressed yet".to_owned(),
    }
}

/// How many further inputs there are.
pub fn and_more(more: usize) -> String {
    format!("and {more} more")
}

/// What the engine adds, in its box.
pub fn engine_line(audio: &AudioView) -> String {
    if audio.rate == 0 { String::new() } else { format!("{} frames, always the same", audio.period) }
}

/// The rate, in the box of the output.
pub fn output_line(audio: &AudioView) -> String {
    let measured = if audio.calibration.loopback.is_some() { "measured" } else { "as the driver says" };
    [rate(audio.rate).as_str(), measured].join(DOT)
}

/// A remark on a buffer so large that it is felt.
pub fn large_period(audio: &AudioView) -> Option<String> {
    let millis = f64::from(audio.period) * 1000.0 / f64::from(audio.rate.max(1));
    (audio.rate > 0 && millis > 15.0)
        .then(|| format!("A buffer of {} frames is {millis:.0} ms: keys answer late. Try a smaller one.", audio.period))
}

/// The name of a chip that chooses a period.
pub fn period_of(frames: u32) -> String {
    format!("{frames} frames")
}

/// What a period would mean here, going by how the present one does.
pub fn period_consequence(audio: &AudioView, frames: u32) -> String {
    let rate = f64::from(audio.rate.max(1));
    let millis = |frames: u32| f64::from(frames) * 1000.0 / rate;
    let other = (f64::from(audio.parts.output) + f64::from(audio.parts.engine)) / 1000.0 - 2.0 * millis(audio.period);
    let sound = 2.0 * millis(frames) + other.max(0.0);
    // The longest block so far, in the time there would be for one.
    let longest = f64::from(audio.callback.worst) * millis(audio.period);
    let late = f64::from(audio.parts.jitter.1) / 1000.0;
    let safety = match (longest + late) / millis(frames) {
        share if audio.callback.loads.is_empty() || share < 0.5 => "safe on this machine, as far as was seen",
        share if share < 1.0 => "works here, with little to spare",
        _ => "would crackle here now and then, going by the longest block so far",
    };
    format!("{frames} frames: about {sound:.0} ms from key to sound; {safety}.")
}

/// A calibration under way.
pub fn tapping(done: usize, of: usize) -> String {
    format!("Tap any key with each click, as evenly as you can: {done} of {of}.")
}

/// What came of it.
pub fn tapped(offset: Micros) -> String {
    let millis = offset.as_millis_f64();
    let word = if millis < 0.0 { "before" } else { "after" };
    format!("Measured: your keys come {:.0} ms {word} the clicks. From now on that is taken off.", millis.abs())
}

/// Chirps on their way, in hundredths.
pub fn listening(done: u8) -> String {
    format!("Listening for the chirps: {done} %. Keep the room quiet.")
}

/// How late sound is heard.
pub fn heard_after(heard: Micros) -> String {
    format!("Measured: sound is heard {:.1} ms after its frame. From now on that is taken off.", heard.as_millis_f64())
}

/// Why chirps told nothing.
pub fn loopback_failed(reason: &str) -> String {
    format!("Nothing was measured: {reason}.")
}

/// Whether an output lights keys, and on which channel.
pub fn lights(channel: Option<u8>) -> String {
    match channel {
        Some(channel) => format!("Light keys, channel {channel}"),
        None => "Light keys".to_owned(),
    }
}

/// Who sounds the keys of an instrument, and what that is good for.
pub fn output_keys(keys: OutputKeys) -> (&'static str, &'static str) {
    match keys {
        OutputKeys::Both => ("Both sound", "The instrument and the program, as it comes"),
        OutputKeys::Instrument => ("The instrument", "The program leaves its keys to the instrument's own sound"),
        OutputKeys::Program => ("The program", "The instrument's own sound is switched off while it is connected"),
    }
}

/// What was not opened, and why.
pub fn left_out(names: &[String]) -> String {
    let names = names.join(", ");
    format!(
        "The program once ended while it opened {names}. Since then that is left alone, so that everything else works."
    )
}

/// Awaited keys that were heard too unclearly to count.
pub fn unsure(keys: &[Pitch], names: NoteNames) -> String {
    let keys: Vec<String> = keys.iter().map(|key| note_octave(*key, names)).collect();
    format!("Not sure about {}: once more, please.", keys.join(", "))
}

/// The name of a chip that chooses an input.
pub fn listen_to(input: &str) -> String {
    format!("Listen to {input}")
}
