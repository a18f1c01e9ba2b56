//! `devices`: sound devices and MIDI ports, and what they can do.

use std::io::Write;
use std::sync::Arc;

use serde_json::json;

use crate::app::clock::SystemClock;
use crate::audio::backend::{Choice, select};
use crate::time::Clock;

use super::CliError;

/// Lists the devices; a system that has none of a kind is no error, the reason is said.
///
/// # Errors
/// An output that is closed.
pub fn run(json: bool, out: &mut dyn Write) -> Result<(), CliError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let (mut backends, missing) = select(Choice::Auto, &clock);
    let mut problems: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let mut audio = Vec::new();
    for backend in &mut backends {
        match backend.devices() {
            Ok(devices) => audio.extend(devices),
            Err(error) => problems.push(error.to_string()),
        }
    }
    let mut midi = match midi_ports(&clock) {
        Ok(ports) => ports,
        Err(reason) => {
            problems.push(format!("midi: {reason}"));
            Vec::new()
        }
    };
    // Why a driver cannot be asked has been said above.
    midi.extend(backends.iter_mut().filter_map(|backend| backend.midi_sources().ok()).flatten());
    if json {
        let audio: Vec<_> = audio
            .iter()
            .map(|d| {
                json!({
                    "backend": d.kind.name(), "id": d.id, "name": d.name,
                    "default": d.default, "channels": d.channels, "rate": d.rate.0,
                })
            })
            .collect();
        writeln!(out, "{:#}", json!({ "audio": audio, "midi": midi, "problems": problems }))?;
        return Ok(());
    }
    writeln!(out, "sound")?;
    for device in &audio {
        let default = if device.default { ", default" } else { "" };
        let (kind, name, channels, rate) = (device.kind, &device.name, device.channels, device.rate.0);
        writeln!(out, "  {kind:<5} {name}: {channels} channels at {rate} Hz{default}")?;
    }
    writeln!(out, "midi inputs")?;
    for port in &midi {
        writeln!(out, "  {port}")?;
    }
    for problem in &problems {
        writeln!(out, "not available: {problem}")?;
    }
    Ok(())
}

#[cfg(feature = "sound")]
fn midi_ports(clock: &Arc<dyn Clock>) -> Result<Vec<String>, String> {
    use crate::midi::PortSource;
    let ports = crate::midi::SystemPorts::new(clock.clone()).list()?;
    Ok(ports.into_iter().map(|p| p.name).collect())
}

#[cfg(not(feature = "sound"))]
fn midi_ports(_: &Arc<dyn Clock>) -> Result<Vec<String>, String> {
    Err("not part of this build".to_owned())
}
