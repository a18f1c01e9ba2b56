//! `render`: a score through the same synthesiser into a WAV file, faster than real time.

use std::io::Write;
use std::path::Path;

use crate::audio::render;
use crate::audio::sound::Sound;
use crate::audio::soundfont::Font;
use crate::components::library::read_file;
use crate::formats;
use crate::time::Rate;

use super::CliError;

/// Renders `score` to `out`, 48 kHz, 16 bits, stereo; the same input gives the same bytes.
///
/// # Errors
/// A score or SoundFont that cannot be read, a file that cannot be written.
pub fn run(score: &Path, to: &Path, soundfont: Option<&Path>, out: &mut dyn Write) -> Result<(), CliError> {
    let bytes = read_file(score).map_err(CliError::of)?;
    let name = score.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let reading = formats::read(&name, &bytes).map_err(|e| CliError::new(format!("{}: {e}", score.display())))?;
    let rate = Rate::DEFAULT;
    let font = soundfont.map(Font::load).transpose().map_err(CliError::of)?;
    let sound = Sound { font: font.as_ref(), ..Sound::default() };
    let instrument = sound.instrument(rate).map_err(CliError::of)?;
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: rate.0,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let failed = |e: hound::Error| CliError::new(format!("{} cannot be written: {e}", to.display()));
    let mut file = hound::WavWriter::create(to, spec).map_err(failed)?;
    let mut frames = 0_u64;
    for [left, right] in render::render(&reading.score, instrument, rate) {
        for (left, right) in left.into_iter().zip(right) {
            for sample in [left, right] {
                file.write_sample(to_i16(sample)).map_err(failed)?;
            }
            frames += 1;
        }
    }
    file.finalize().map_err(failed)?;
    writeln!(out, "{:.1} s in {}", frames as f64 / f64::from(rate.0), to.display())?;
    Ok(())
}

fn to_i16(sample: f32) -> i16 {
    (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16
}
