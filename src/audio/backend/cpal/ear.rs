//! The microphone through cpal: an input stream of its own beside the output's, counted in its own frames.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, FromSample, Sample, SampleFormat, SizedSample};

use super::super::{BackendError, Device, Kind, StreamInfo};
use super::{CHUNK, Trouble, explain, is_unpaced, unavailable};
use crate::audio::capture::{Input, Tap};
use crate::time::{Clock, Frames, Rate};

/// Opens the input device of this id, or the default one, at the output's rate if it can.
pub(super) fn open(
    id: Option<&str>,
    tap: Tap,
    output: &StreamInfo,
    clock: Arc<dyn Clock>,
    trouble: Arc<Trouble>,
) -> Result<(cpal::Stream, Input), BackendError> {
    let device = find(id)?;
    let name = device.to_string();
    let default = device.default_input_config().map_err(|e| explain(&e, &name))?;
    let mut config = default.config();
    let wanted = output.rate.0;
    let fits = device.supported_input_configs().is_ok_and(|mut ranges| {
        ranges.any(|range| {
            range.channels() == config.channels
                && range.sample_format() == default.sample_format()
                && (range.min_sample_rate()..=range.max_sample_rate()).contains(&wanted)
        })
    });
    if fits {
        config.sample_rate = wanted;
    }
    config.buffer_size = BufferSize::Default;
    let (rate, channels) = (Rate(config.sample_rate), usize::from(config.channels.max(1)));
    let (next, mono, xruns) = (Frames::ZERO, vec![0.0; CHUNK], 0);
    let feed = Feed { tap, clock, rate, channels, next, mono, trouble: trouble.clone(), xruns };
    let stream = build(&device, config, default.sample_format(), feed, trouble).map_err(|e| explain(&e, &name))?;
    stream.play().map_err(|e| explain(&e, &name))?;
    let latency = stream.buffer_size().unwrap_or(output.period);
    Ok((stream, Input { device: name, rate, latency, stream: output.stream, shares_frames: false }))
}

/// The input devices there are now.
pub(super) fn devices() -> Result<Vec<Device>, BackendError> {
    let host = cpal::default_host();
    let default = host.default_input_device().and_then(|d| d.id().ok()).map(|id| id.to_string());
    let device = |device: cpal::Device| {
        let id = device.id().ok()?.to_string();
        // A device that cannot say what it does cannot be opened either.
        let config = device.default_input_config().ok().filter(|_| !is_unpaced(&id))?;
        let (name, default) = (device.to_string(), default.as_ref() == Some(&id));
        let (channels, rate) = (config.channels(), Rate(config.sample_rate()));
        Some(Device { kind: Kind::Cpal, id, name, default, channels, rate })
    };
    Ok(host.input_devices().map_err(unavailable)?.filter_map(device).collect())
}

fn find(id: Option<&str>) -> Result<cpal::Device, BackendError> {
    super::hush();
    let host = cpal::default_host();
    let Some(id) = id else {
        return host.default_input_device().ok_or_else(|| unavailable("no microphone"));
    };
    let missing = || BackendError::NoDevice { kind: Kind::Cpal, device: id.to_owned() };
    let parsed = id.parse().map_err(|_| missing())?;
    host.device_by_id(&parsed).ok_or_else(missing)
}

fn build(
    device: &cpal::Device,
    config: cpal::StreamConfig,
    format: SampleFormat,
    feed: Feed,
    trouble: Arc<Trouble>,
) -> Result<cpal::Stream, cpal::Error> {
    match format {
        SampleFormat::I16 => build_as::<i16>(device, config, feed, trouble),
        SampleFormat::I24 => build_as::<cpal::I24>(device, config, feed, trouble),
        SampleFormat::I32 => build_as::<i32>(device, config, feed, trouble),
        SampleFormat::U16 => build_as::<u16>(device, config, feed, trouble),
        SampleFormat::U8 => build_as::<u8>(device, config, feed, trouble),
        SampleFormat::F64 => build_as::<f64>(device, config, feed, trouble),
        _ => build_as::<f32>(device, config, feed, trouble),
    }
}

fn build_as<T>(
    device: &cpal::Device,
    config: cpal::StreamConfig,
    mut feed: Feed,
    trouble: Arc<Trouble>,
) -> Result<cpal::Stream, cpal::Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    device.build_input_stream::<T, _, _>(
        config,
        move |data, _| feed.take(data),
        // May run on the real-time thread: atomics only.
        move |error| trouble.note(error.kind()),
        None,
    )
}

/// What goes into the data callback.
struct Feed {
    tap: Tap,
    clock: Arc<dyn Clock>,
    rate: Rate,
    channels: usize,
    next: Frames,
    mono: Vec<f32>,
    trouble: Arc<Trouble>,
    /// Xruns that the listener was told of.
    xruns: u32,
}

impl Feed {
    /// The first channel: a microphone on an interface with many is its first, and a mean with an empty one halves it.
    fn take<T: Sample>(&mut self, data: &[T])
    where
        f32: FromSample<T>,
    {
        let began = self.clock.now();
        let xruns = self.trouble.xruns_in_all.load(Ordering::Relaxed);
        if std::mem::replace(&mut self.xruns, xruns) != xruns {
            // How many frames the driver lost it does not say: at least one.
            self.tap.note_gap(1);
        }
        for (index, chunk) in data.chunks(CHUNK * self.channels).enumerate() {
            let frames = chunk.len() / self.channels;
            for (sample, frame) in self.mono.iter_mut().zip(chunk.chunks_exact(self.channels)) {
                *sample = f32::from_sample(frame[0]);
            }
            // As if each piece had come when the one before was over.
            let mono = began + self.rate.micros(Frames((index * CHUNK) as i64));
            self.tap.push(self.next, mono, &self.mono[..frames]);
            self.next += Frames(frames as i64);
        }
    }
}
