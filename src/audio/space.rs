//! What sounds after the strings: a network of eight delay lines with feedback, for the wood of the piano and for the
//! room behind a SoundFont.

/// Delay lines.
const LINES: usize = 8;
/// Anything below is set to zero, long before it could become a denormal number: -200 dBFS.
const NOTHING: f32 = 1e-10;

/// A stereo feedback delay network. Its memory is taken once.
#[derive(Debug)]
pub(super) struct Space {
    lines: [Box<[f32]>; LINES],
    at: [usize; LINES],
    damped: [f32; LINES],
    feedback: [f32; LINES],
    /// One-pole lowpass in each loop.
    dark: f32,
    delays: [f64; LINES],
    rate: f64,
    /// Frames since anything but zero went in or came out; past the longest line the network is empty.
    idle: usize,
    longest: usize,
}

impl Space {
    /// `delays` in seconds, `t60` in seconds, `corner` of the loop's lowpass in hertz.
    pub(super) fn new(rate: f64, delays: [f64; LINES], t60: f64, corner: f64) -> Self {
        let lines = delays.map(|delay| vec![0.0; ((delay * rate) as usize).max(1)].into_boxed_slice());
        let longest = lines.iter().map(|line| line.len()).max().unwrap_or(1);
        let mut space = Self {
            lines,
            at: [0; LINES],
            damped: [0.0; LINES],
            feedback: [0.0; LINES],
            dark: (-std::f64::consts::TAU * corner / rate).exp() as f32,
            delays,
            rate,
            idle: longest,
            longest,
        };
        space.set_t60(t60);
        space
    }

    /// How long it takes to fall by 60 dB, in seconds.
    pub(super) fn set_t60(&mut self, t60: f64) {
        // The mixing of the lines below has norm √8.
        let mixing = (LINES as f64).sqrt().recip();
        for (feedback, delay) in self.feedback.iter_mut().zip(self.delays) {
            let frames = (delay * self.rate).floor().max(1.0);
            *feedback = (mixing * 10f64.powf(-3.0 * frames / (self.rate * t60))) as f32;
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        for line in &mut self.lines {
            line.fill(0.0);
        }
        self.damped = [0.0; LINES];
        self.idle = self.longest;
    }

    /// Whether nothing sounds in it, so that silence in gives silence out.
    pub(super) fn is_empty(&self) -> bool {
        self.idle >= self.longest
    }

    /// One frame in, one frame out.
    #[inline]
    pub(super) fn frame(&mut self, left: f32, right: f32) -> (f32, f32) {
        let x: [f32; LINES] = std::array::from_fn(|line| self.lines[line][self.at[line]]);
        let (l, r) = (x[0] - x[2] + x[4] - x[6], x[1] - x[3] + x[5] - x[7]);
        for (damped, x) in self.damped.iter_mut().zip(x) {
            *damped = audible(x + self.dark * (*damped - x));
        }
        let mixed = hadamard(self.damped);
        let mut sounding = left != 0.0 || right != 0.0;
        let inputs = [left, right].into_iter().cycle();
        let feedback = mixed.iter().zip(&self.feedback).map(|(mixed, feedback)| mixed * feedback);
        for (((line, at), input), feedback) in self.lines.iter_mut().zip(&mut self.at).zip(inputs).zip(feedback) {
            let y = audible(input + feedback);
            sounding |= y != 0.0;
            line[*at] = y;
            *at = if *at + 1 == line.len() { 0 } else { *at + 1 };
        }
        self.idle = if sounding { 0 } else { self.idle.saturating_add(1) };
        (l, r)
    }
}

fn audible(x: f32) -> f32 {
    if x.abs() < NOTHING { 0.0 } else { x }
}

/// The fast Walsh-Hadamard transform: every line feeds all lines alike.
#[inline]
fn hadamard(mut x: [f32; LINES]) -> [f32; LINES] {
    for half in [1, 2, 4] {
        for at in 0..LINES {
            if at & half == 0 {
                let (a, b) = (x[at], x[at | half]);
                (x[at], x[at | half]) = (a + b, a - b);
            }
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAYS: [f64; LINES] = [0.0031, 0.0043, 0.0058, 0.0071, 0.0089, 0.0107, 0.0131, 0.0157];

    fn energy(space: &mut Space, frames: usize) -> f64 {
        (0..frames)
            .map(|_| {
                let (left, right) = space.frame(0.0, 0.0);
                assert!(!left.is_subnormal() && !right.is_subnormal());
                f64::from(left).powi(2) + f64::from(right).powi(2)
            })
            .sum()
    }

    #[test]
    fn an_impulse_falls_by_60_db_in_its_time_and_ends_in_nothing() {
        let mut space = Space::new(48_000.0, DELAYS, 0.5, 20_000.0);
        assert!(space.is_empty());
        space.frame(1.0, -0.5);
        assert!(!space.is_empty());
        energy(&mut space, 2_400);
        let early = energy(&mut space, 2_400);
        energy(&mut space, 24_000 - 2_400);
        let late = energy(&mut space, 2_400);
        let fall = 10.0 * (early / late).log10();
        assert!((52.0..75.0).contains(&fall), "fell by {fall} dB");
        energy(&mut space, 3 * 48_000);
        assert!(space.is_empty());
        assert!(space.lines.iter().flatten().chain(&space.damped).all(|&x| x == 0.0));
    }
}
