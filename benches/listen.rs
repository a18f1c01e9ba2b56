//! lab
#[path = "../tests/listen_support/mod.rs"]
mod listen_support;
use listen_support::*;
use music_trainer::listen::*;
use music_trainer::time::*;

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn main() {
    let mut all = recordings();
    println!("{} recordings", all.len());
    all.extend(piano_notes(Rate(48_000)));
    let mut by: std::collections::BTreeMap<String, [usize; 5]> = Default::default();
    let verbose = std::env::var("V").is_ok();
    let mut frames = 0;
    let t0 = now();
    let hp: f64 = std::env::var("HP").map_or(0.0, |k| k.parse().unwrap());
    for r in &all {
        let mut r = r.clone();
        if hp > 0.0 {
            let w = (std::f64::consts::PI * hp / f64::from(r.rate.0)).tan();
            let q = std::f64::consts::SQRT_2;
            let n = 1.0 / (1.0 + q * w + w * w);
            let (b0, b1, a1, a2) = (n, -2.0 * n, 2.0 * (w * w - 1.0) * n, (1.0 - q * w + w * w) * n);
            let (mut z1, mut z2) = (0.0, 0.0);
            for s in &mut r.samples {
                let x = f64::from(*s);
                let y = b0 * x + z1;
                z1 = b1 * x - a1 * y + z2;
                z2 = b0 * x - a2 * y;
                *s = y as f32;
            }
        }
        let r = &r;
        let mut finder = PitchFinder::new(r.rate);
        let w = finder.window();
        let mut cents = Vec::new();
        let mut n = [0usize; 5];
        let mut end = r.begins + (0.05 * f64::from(r.rate.0)) as usize;
        let last = (r.begins + (0.8 * f64::from(r.rate.0)) as usize).min(r.samples.len());
        while end < last {
            let s = &r.samples[end.saturating_sub(w)..end];
            let found = finder.find(s).filter(|h| h.clarity > 0.6);
            frames += 1;
            match found.and_then(|h| {
                let c = 1200.0 * (h.hertz / 440.0).log2() - 100.0 * (f64::from(r.key) - 69.0);
                Some(c)
            }) {
                None => n[2] += 1,
                Some(c) if c.abs() < 50.0 => {
                    n[0] += 1;
                    cents.push(c)
                }
                Some(c) if (c.abs() % 1200.0) < 50.0 || (c.abs() % 1200.0) > 1150.0 => {
                    n[1] += 1;
                    n[4] = c as i64 as usize;
                }
                Some(c) => {
                    n[3] += 1;
                    n[4] = c as i64 as usize;
                }
            }
            end += HOP;
        }
        cents.sort_by(f64::total_cmp);
        let med = cents.get(cents.len() / 2).copied().unwrap_or(f64::NAN);
        if verbose {
            println!(
                "{:24} key {:3} begins {:5} len {:6} right {:3} octave {:3} none {:3} other {:3} ({}) median {:.1} c",
                r.name,
                r.key,
                r.begins,
                r.samples.len(),
                n[0],
                n[1],
                n[2],
                n[3],
                n[4] as i64,
                med
            );
        }
        for k in [
            r.family.to_string(),
            format!("~{} oct {}", if r.family == "piano" { "own" } else { "rec" }, r.key / 12 - 1),
        ] {
            let e = by.entry(k).or_default();
            for i in 0..4 {
                e[i] += n[i]
            }
        }
    }
    println!("{frames} frames {:?} each", t0.elapsed() / frames);
    for (k, n) in by {
        let t = (n[0] + n[1] + n[2] + n[3]) as f64 / 100.0;
        println!(
            "{k:14} right {:5.1} octave {:5.1} none {:5.1} other {:5.1}  n {}",
            n[0] as f64 / t,
            n[1] as f64 / t,
            n[2] as f64 / t,
            n[3] as f64 / t,
            t * 100.0
        );
    }
    // onsets
    let mut by: std::collections::BTreeMap<String, (usize, usize, usize, Vec<f64>, Vec<f64>)> = Default::default();
    for r in &all {
        let mut f = OnsetFinder::new();
        let pad = 8192 - r.begins.min(8192);
        let mut s = vec![0.0; pad];
        s.extend(&r.samples);
        let begins = pad + r.begins;
        let mut found = Vec::new();
        for (i, hop) in s.as_chunks::<HOP>().0.iter().enumerate() {
            if let Some(o) = f.push(hop, Frames((i * HOP) as i64)) {
                found.push((o, (i + 1) * HOP));
            }
        }
        let ms = |x: f64| x * 1000.0 / f64::from(r.rate.0);
        let e = by.entry(r.family.to_string()).or_default();
        let near: Vec<_> = found.iter().filter(|(o, _)| ms((o.at.0 - begins as i64) as f64).abs() < 60.0).collect();
        e.0 += 1;
        if let Some((o, told)) = near.first() {
            e.1 += 1;
            e.3.push(ms((o.at.0 - begins as i64) as f64));
            e.4.push(ms(*told as f64 - begins as f64));
        }
        e.2 += found.len() - near.len().min(1);
        if verbose {
            println!(
                "{:24} {:?}",
                r.name,
                found.iter().map(|(o, _)| (ms((o.at.0 - begins as i64) as f64) as i64, o.strength)).collect::<Vec<_>>()
            );
        }
    }
    for (k, (n, hit, extra, mut err, mut lat)) in by {
        err.sort_by(f64::total_cmp);
        lat.sort_by(f64::total_cmp);
        let q = |v: &Vec<f64>, p: f64| v.get(((v.len().max(1) - 1) as f64 * p) as usize).copied().unwrap_or(f64::NAN);
        println!(
            "{k:14} n {n} hit {hit} extra {extra} err p5 {:.1} p50 {:.1} p95 {:.1} ms, told p50 {:.1} p95 {:.1}",
            q(&err, 0.05),
            q(&err, 0.5),
            q(&err, 0.95),
            q(&lat, 0.5),
            q(&lat, 0.95)
        );
    }

    // verification
    let pianos: Vec<_> = all
        .iter()
        .filter(|r| ["steinwayb", "kawai", "nylon", "harpsi"].contains(&r.family) && r.rate.0 == 44100)
        .collect();
    let mut v = Verifier::new(Rate(44_100), 440.0);
    let w = v.window();
    let p = |k: i32| music_trainer::music::Pitch::new(k as u8).unwrap();
    let cut = |r: &Recording| {
        let b = r.begins.saturating_sub(200);
        let mut s = vec![0.0f32; w];
        s.extend(&r.samples[b..]);
        s.resize(w * 3, 0.0);
        s
    };
    let mut table: std::collections::BTreeMap<String, [usize; 3]> = Default::default();
    let mut note = |k: &str, a: Answer| {
        table.entry(k.to_string()).or_default()[match a {
            Answer::Heard => 0,
            Answer::Unsure => 1,
            Answer::NotHeard => 2,
        }] += 1;
    };
    for r in &pianos {
        let s = cut(r);
        for (name, d) in [
            ("1 single present", 0),
            ("1 single absent +1", 1),
            ("1 single absent -1", -1),
            ("1 single absent +12", 12),
            ("1 single absent -12", -12),
            ("1 single absent +7", 7),
            ("1 single absent -7", -7),
            ("1 single absent +19", 19),
        ] {
            let k = i32::from(r.key) + d;
            if !(28..=96).contains(&k) {
                continue;
            }
            let got = v.verify(&s[..w], &s[w..], &[p(k)], &[]);
            if verbose && d == 0 && got[0].answer != Answer::Heard {
                println!("{} {:?}", r.name, got[0]);
            }
            if verbose && d != 0 && got[0].answer == Answer::Heard {
                println!("FALSE {} {name} {:.2}", r.name, got[0].evidence);
            }
            note(name, got[0].answer);
        }
    }
    // chords of three from one family
    for (i, a) in pianos.iter().enumerate() {
        for (j, b) in pianos.iter().enumerate().skip(i + 1) {
            for c in pianos.iter().skip(j + 1).step_by(5) {
                if a.family != b.family || b.family != c.family || a.key == b.key || b.key == c.key || a.key == c.key {
                    continue;
                }
                if (i * 31 + j * 17 + usize::from(c.key)) % 11 != 0 {
                    continue;
                }
                let (x, y, z) = (cut(a), cut(b), cut(c));
                let s: Vec<f32> = (0..w * 3).map(|i| (x[i] + y[i] + z[i]) / 3.0).collect();
                let e: Vec<_> = [a.key, b.key, c.key].iter().map(|k| p(i32::from(*k))).collect();
                let oct = |x: u8, y: u8| (i32::from(x) - i32::from(y)) % 12 == 0;
                let keys = [a.key, b.key, c.key];
                let got: Vec<_> = v.verify(&s[..w], &s[w..], &e, &[]).to_vec();
                for (n, g) in got.iter().enumerate() {
                    let o = keys.iter().enumerate().any(|(m, k)| m != n && oct(*k, keys[n]));
                    note(if o { "2 chord present, octaves" } else { "2 chord present" }, g.answer);
                }
                // one of the three missing
                let s: Vec<f32> = (0..w * 3).map(|i| (x[i] + y[i]) / 2.0).collect();
                let got: Vec<_> = v.verify(&s[..w], &s[w..], &e, &[]).to_vec();
                let o = oct(keys[2], keys[0]) || oct(keys[2], keys[1]);
                note(if o { "3 chord one missing, octave" } else { "3 chord one missing" }, got[2].answer);
                // wrong semitone played instead
                for (nm, d) in [("4 chord semitone instead", 1), ("4 chord semitone instead", -1)] {
                    let k = i32::from(c.key) + d;
                    let s: Vec<f32> = (0..w * 3).map(|i| (x[i] + y[i] + z[i]) / 3.0).collect();
                    let e = [e[0], e[1], p(k)];
                    if e[0] == e[2] || e[1] == e[2] {
                        continue;
                    }
                    let g = v.verify(&s[..w], &s[w..], &e, &[])[2];
                    note(nm, g.answer);
                }
            }
        }
    }
    for (k, [h, u, n]) in &table {
        let t = (h + u + n) as f64 / 100.0;
        println!(
            "{k:30} heard {:5.1} unsure {:5.1} not {:5.1}  n {}",
            *h as f64 / t,
            *u as f64 / t,
            *n as f64 / t,
            h + u + n
        );
    }
    // tracker
    let mut by: std::collections::BTreeMap<String, (usize, usize, usize, usize, Vec<f64>)> = Default::default();
    for r in &all {
        let mut l = Listener::new(r.rate, 440.0, Frames(0));
        let pad = 8192 - r.begins.min(8192);
        let mut s = vec![0.0; pad];
        s.extend(&r.samples);
        let mut ons = Vec::new();
        l.push(&s, &mut |e| {
            if let NoteEvent::On { pitch, at, .. } = e {
                ons.push((pitch.key(), at))
            }
        });
        let e = by.entry(r.family.to_string()).or_default();
        e.0 += 1;
        e.1 += usize::from(ons.iter().any(|o| o.0 == r.key));
        e.2 += usize::from(ons.first().is_some_and(|o| o.0 == r.key));
        e.3 += ons.len();
        if let Some(o) = ons.iter().find(|o| o.0 == r.key) {
            e.4.push((o.1.0 - (pad + r.begins) as i64) as f64 * 1000.0 / f64::from(r.rate.0));
        }
        if verbose {
            println!("TRACK {} {} {:?}", r.name, r.key, ons);
        }
    }
    for (k, (n, any, first, total, mut err)) in by {
        err.sort_by(f64::total_cmp);
        println!(
            "{k:12} notes {n} right {any} first right {first} events {total} onset err p10 {:.1} p50 {:.1} p90 {:.1}",
            err[err.len() / 10],
            err[err.len() / 2],
            err[err.len() * 9 / 10]
        );
    }
}
