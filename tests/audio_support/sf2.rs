//! Writes the smallest valid SoundFont: one preset, one instrument, one looped sine, so that no test depends on files
//! of the system. After the SoundFont 2.04 specification, sections 5 to 8.

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

fn preset(text: &str, bag: u16) -> Vec<u8> {
    [name(text).to_vec(), words(&[0, 0, bag]), vec![0; 12]].concat()
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

/// A font with this sample data, and the sample's start, end, loop start and loop end.
pub(crate) fn font(data: &[u8], ends: [u32; 4]) -> Vec<u8> {
    let info =
        list(b"INFO", &[chunk(b"ifil", &words(&[2, 1])), chunk(b"isng", b"EMU8000\0"), chunk(b"INAM", b"Tiny\0\0")]);
    let wave = list(b"sdta", &[chunk(b"smpl", data)]);
    const INSTRUMENT: u16 = 41;
    const SAMPLE_MODES: u16 = 54;
    const SAMPLE_ID: u16 = 53;
    let hydra = list(
        b"pdta",
        &[
            chunk(b"phdr", &[preset("Sine", 0), preset("EOP", 1)].concat()),
            chunk(b"pbag", &words(&[0, 0, 1, 0])),
            chunk(b"pmod", &[0; 10]),
            chunk(b"pgen", &words(&[INSTRUMENT, 0, 0, 0])),
            chunk(b"inst", &[instrument("Sine", 0), instrument("EOI", 1)].concat()),
            chunk(b"ibag", &words(&[0, 0, 2, 0])),
            chunk(b"imod", &[0; 10]),
            chunk(b"igen", &words(&[SAMPLE_MODES, 1, SAMPLE_ID, 0, 0, 0])),
            chunk(b"shdr", &[sample("sine", ends, 48_000), sample("EOS", [0; 4], 0)].concat()),
        ],
    );
    chunk(b"RIFF", &[b"sfbk".to_vec(), info, wave, hydra].concat())
}
