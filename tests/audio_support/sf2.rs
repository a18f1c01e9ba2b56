//! Writes the smallest valid SoundFonts, so that no test depends on files of the system: one preset, one instrument, one
//! looped sine; and one with two programs. After the SoundFont 2.04 specification, sections 5 to 8.

fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = id.to_vec();
    bytes.extend((body.len() as u32).to_le_bytes());
    bytes.extend(body);
    if body.len() % 2 == 1 {
        bytes.push(0);
    }
    bytes
}

fn list(id: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"LIST", &[id.to_vec(), chunks.concat()].concat())
}

fn name(text: &str) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    bytes
}

fn words(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn preset(text: &str, program: u16, bag: u16) -> Vec<u8> {
    [name(text).to_vec(), words(&[program, 0, bag]), vec![0; 12]].concat()
}

fn instrument(text: &str, bag: u16) -> Vec<u8> {
    [name(text).to_vec(), words(&[bag])].concat()
}

fn sample(text: &str, [start, end, loop_start, loop_end]: [u32; 4], rate: u32) -> Vec<u8> {
    let numbers = [start, end, loop_start, loop_end, rate].iter().flat_map(|v| v.to_le_bytes()).collect();
    [name(text).to_vec(), numbers, vec![60, 0], words(&[0, 1])].concat()
}

/// Frames of the sample's period, and of the whole sample.
const PERIOD: usize = 100;
const LENGTH: usize = PERIOD * 10;

/// The bytes of the font. Its sample is a sine of one period in 100 frames at 48 kHz for key 60.
pub(crate) fn tiny() -> Vec<u8> {
    let sine = |i: usize| ((i as f32 / PERIOD as f32 * std::f32::consts::TAU).sin() * 20_000.0) as i16;
    // At least 46 zeros follow each sample.
    let samples = (0..LENGTH).map(sine).chain(std::iter::repeat_n(0, 64));
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    font(&data, [0, LENGTH as u32, PERIOD as u32, (LENGTH - PERIOD) as u32])
}

/// The same sound as an SF3, whose sample is an Ogg Vorbis stream.
pub(crate) fn compressed() -> Vec<u8> {
    let data = include_bytes!("sine.ogg");
    font(data, [0, data.len() as u32, PERIOD as u32, (LENGTH - PERIOD) as u32])
}

/// Generators by their numbers (section 8.1.2).
mod generator {
    pub(super) const LOOP_START: u16 = 2;
    pub(super) const LFO_TO_PITCH: u16 = 6;
    pub(super) const FILTER_CUTOFF: u16 = 8;
    pub(super) const FILTER_RESONANCE: u16 = 9;
    pub(super) const ENVELOPE_TO_FILTER: u16 = 11;
    pub(super) const PAN: u16 = 17;
    pub(super) const ATTACK: u16 = 34;
    pub(super) const DECAY: u16 = 36;
    pub(super) const SUSTAIN: u16 = 37;
    pub(super) const RELEASE: u16 = 38;
    pub(super) const INSTRUMENT: u16 = 41;
    pub(super) const KEYS: u16 = 43;
    pub(super) const SAMPLE: u16 = 53;
    pub(super) const SAMPLE_MODES: u16 = 54;
    pub(super) const CLASS: u16 = 57;
    pub(super) const ROOT: u16 = 58;
}
use generator::*;

/// A font with this sample data, and the sample's start, end, loop start and loop end.
pub(crate) fn font(data: &[u8], ends: [u32; 4]) -> Vec<u8> {
    assemble(
        data,
        &[preset("Sine", 0, 0), preset("EOP", 0, 1)].concat(),
        &[&[(INSTRUMENT, 0)]],
        &[instrument("Sine", 0), instrument("EOI", 1)].concat(),
        &[&[(SAMPLE_MODES, 1), (SAMPLE, 0)]],
        &[sample("sine", ends, 48_000), sample("EOS", [0; 4], 0)].concat(),
    )
}

/// Two programs, 0 and 5, with two instruments of two samples: keys apart and together, envelopes, a filter, a vibrato.
pub(crate) fn programs() -> Vec<u8> {
    let wave = |i: usize| [i * 40 % 20_000, (i / 20 % 2) * 12_000][i / 400 % 2] as i16;
    let data: Vec<u8> = (0..800).map(wave).chain(std::iter::repeat_n(0, 64)).flat_map(i16::to_le_bytes).collect();
    let keys = |low: u16, high: u16| low | high << 8;
    let below = |cents: i16| cents as u16;
    assemble(
        &data,
        &[preset("Split", 0, 0), preset("Layers", 5, 1), preset("EOP", 0, 3)].concat(),
        &[&[(INSTRUMENT, 0)], &[(ATTACK, below(-4_000)), (INSTRUMENT, 1)], &[(KEYS, keys(50, 90)), (INSTRUMENT, 0)]],
        &[instrument("Split", 0), instrument("Layers", 2), instrument("EOI", 4)].concat(),
        &[
            &[(KEYS, keys(0, 59)), (PAN, below(-200)), (SAMPLE_MODES, 1), (SAMPLE, 0)],
            &[(KEYS, keys(60, 127)), (RELEASE, below(-2_000)), (SAMPLE_MODES, 3), (ROOT, 72), (SAMPLE, 1)],
            &[(FILTER_CUTOFF, 6_000), (FILTER_RESONANCE, 120), (ENVELOPE_TO_FILTER, 2_400), (SAMPLE, 0)],
            &[
                (LFO_TO_PITCH, 50),
                (DECAY, 0),
                (SUSTAIN, 300),
                (CLASS, 1),
                (LOOP_START, 8),
                (SAMPLE_MODES, 1),
                (SAMPLE, 1),
            ],
        ],
        &[
            sample("ramp", [0, 400, 100, 380], 48_000),
            sample("square", [400, 800, 420, 780], 22_050),
            sample("EOS", [0; 4], 0),
        ]
        .concat(),
    )
}

/// Generators and their amounts, zone by zone: the zones, one that ends them, and the generators likewise.
fn zones(zones: &[&[(u16, u16)]]) -> (Vec<u8>, Vec<u8>) {
    let mut starts = vec![0];
    starts.extend(zones.iter().scan(0, |end, zone| {
        *end += zone.len() as u16;
        Some(*end)
    }));
    let bags = starts.iter().flat_map(|start| words(&[*start, 0])).collect();
    let generators = zones.iter().copied().flatten().chain(&[(0, 0)]);
    (bags, generators.flat_map(|(number, amount)| words(&[*number, *amount])).collect())
}

fn assemble(
    data: &[u8],
    presets: &[u8],
    preset_zones: &[&[(u16, u16)]],
    instruments: &[u8],
    instrument_zones: &[&[(u16, u16)]],
    samples: &[u8],
) -> Vec<u8> {
    let info =
        list(b"INFO", &[chunk(b"ifil", &words(&[2, 1])), chunk(b"isng", b"EMU8000\0"), chunk(b"INAM", b"Tiny\0\0")]);
    let wave = list(b"sdta", &[chunk(b"smpl", data)]);
    let (preset_bags, preset_generators) = zones(preset_zones);
    let (bags, generators) = zones(instrument_zones);
    let hydra = list(
        b"pdta",
        &[
            chunk(b"phdr", presets),
            chunk(b"pbag", &preset_bags),
            chunk(b"pmod", &[0; 10]),
            chunk(b"pgen", &preset_generators),
            chunk(b"inst", instruments),
            chunk(b"ibag", &bags),
            chunk(b"imod", &[0; 10]),
            chunk(b"igen", &generators),
            chunk(b"shdr", samples),
        ],
    );
    chunk(b"RIFF", &[b"sfbk".to_vec(), info, wave, hydra].concat())
}
