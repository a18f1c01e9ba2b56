//! Words about sound devices: delays, buffers, and what came of a measurement.

use super::{DOT, count, note_octave, tr};
use crate::model::OutputKeys;
use crate::music::{ClickRoute, ClickSound, Division, Pitch};
use crate::time::Micros;
use crate::ui::view::{AudioState, AudioView, JoinedPort, NoteNames};

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

/// How long keys waited for the callback that saw them; those of the driver come with the callback.
pub fn key_wait(input: Option<(u32, f32, f32)>, of_driver: bool) -> String {
    match input {
        Some((_, mean, max)) => format!("{} for a callback{DOT}at most {}", delay(mean), delay(max)),
        None if of_driver => "not at all: they come with the sound's own block".to_owned(),
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

/// The name of a switch for a MIDI output.
pub fn use_output(name: &str) -> String {
    format!("Play on {name}")
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

/// A SoundFont on its way into memory.
pub fn loading_font(share: f32) -> String {
    format!("Loading: {:.0} %", share * 100.0)
}

/// The sound device in the top bar: its name, then its delay.
pub fn audio_chip(audio: &AudioView) -> (String, String) {
    match audio.state {
        AudioState::Running => {
            (audio.device.clone(), audio.latency.map(|l| format!("{:.1} ms", l.as_millis_f64())).unwrap_or_default())
        }
        AudioState::Silent => (tr().no_device.to_owned(), String::new()),
        AudioState::Retrying => (tr().retrying.to_owned(), String::new()),
    }
}

/// What a delay feels like.
pub fn latency(latency: Option<Micros>) -> String {
    let Some(latency) = latency else { return "not measured yet".to_owned() };
    let ms = latency.as_millis_f64();
    let word = if ms <= 10.0 {
        "cannot be told from none"
    } else if ms <= 20.0 {
        "hardly felt"
    } else if ms <= 40.0 {
        "can be felt"
    } else {
        "in the way of playing"
    };
    format!("{ms:.1} ms: {word}")
}

/// The period that would bring a delay under 10 ms, when it is above.
pub fn latency_advice(audio: &AudioView) -> Option<String> {
    let latency = audio.latency?.as_millis_f64();
    if latency <= 10.0 || audio.rate == 0 || audio.period == 0 {
        return None;
    }
    let period_ms = f64::from(audio.period) * 1000.0 / f64::from(audio.rate);
    let mut period = audio.period;
    while period > 16 {
        period /= 2;
        let share = f64::from(period) / f64::from(audio.period);
        if latency - 2.0 * period_ms * (1.0 - share) < 10.0 {
            return Some(format!("A period of {period} frames would bring it under 10 ms."));
        }
    }
    None
}

/// `48 000 Hz`.
pub fn rate(rate: u32) -> String {
    format!("{} Hz", count(u64::from(rate)))
}

/// `128 frames · 2.7 ms`.
pub fn period(period: u32, rate: u32) -> String {
    let millis = f64::from(period) * 1000.0 / f64::from(rate.max(1));
    format!("{period} frames{DOT}{millis:.1} ms")
}

/// The part of a block's time that its computation takes.
pub fn load(load: f32) -> String {
    format!("{:.0} % of each block", load * 100.0)
}

/// `4 821 messages`.
pub fn messages(n: u64) -> String {
    if n == 1 { "1 message".to_owned() } else { format!("{} messages", count(n)) }
}

/// Who is joined to the general MIDI input, who is waited for, and what came in.
pub fn joined(port: &JoinedPort) -> String {
    let JoinedPort { sources, awaited, messages: n } = port;
    let from = if sources.is_empty() { "nothing is joined to it".to_owned() } else { sources.join(", ") };
    let waits = (!awaited.is_empty()).then(|| format!("waits for {}", awaited.join(", ")));
    [Some(from), waits, Some(messages(*n))].into_iter().flatten().collect::<Vec<_>>().join(DOT)
}

/// A SoundFont that the system brings, on a button.
pub fn use_system(file: &str) -> String {
    format!("Use the system's {file}")
}

/// The name of a chip that chooses a backend.
pub fn use_backend(name: &str) -> String {
    format!("Use {name}")
}

/// The name of a switch for a MIDI port.
pub fn use_port(name: &str) -> String {
    format!("Use {name}")
}

/// What a click sounds like.
pub fn click_sound(sound: ClickSound) -> &'static str {
    match sound {
        ClickSound::Tone => tr().click_tone,
        ClickSound::Wood => tr().click_wood,
        ClickSound::Tick => tr().click_tick,
        ClickSound::Bell => tr().click_bell,
    }
}

/// What the metronome marks between the beats.
pub fn click_division(division: Division) -> &'static str {
    match division.parts() {
        1 => tr().division_none,
        2 => tr().division_two,
        3 => tr().division_three,
        _ => tr().division_four,
    }
}

/// Where the metronome is heard.
pub fn click_route(route: ClickRoute) -> &'static str {
    match route {
        ClickRoute::Both => tr().route_both,
        ClickRoute::Left => tr().route_left,
        ClickRoute::Right => tr().route_right,
        ClickRoute::Own => tr().route_own,
    }
}

/// Tenths of a hertz as `442.5 Hz`.
pub fn tuning(a4: u16) -> String {
    format!("{:.1} Hz", f64::from(a4) / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_delay_comes_with_the_period_that_mends_it() {
        let audio = AudioView { rate: 48_000, period: 512, latency: Some(Micros(23_000)), ..AudioView::default() };
        assert_eq!(latency_advice(&audio).as_deref(), Some("A period of 128 frames would bring it under 10 ms."));
        let near = AudioView { latency: Some(Micros(9_000)), ..audio };
        assert_eq!(latency_advice(&near), None);
    }
}
