//! A measure before it has a place: its chords shaped, its columns with the room they want, its beams and tuplets found.

use super::accidentals::{self, TieEnd};
use super::beams::{self, Metre};
use super::chords::{self, ChordShape, GRACE, HeadShape};
use super::font;
use super::shape::Bounds;
use super::spacing::{self, Column};
use super::{stems, voices};
use crate::music::notation::{Base, Chord, Clef, Measure, Ornament, Rest, TupletMark};
use crate::time::Ticks;

/// Between the notes of a grace group, and to the main note.
const GRACE_GAP: f32 = 0.35;

/// What holds when a measure begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Context {
    /// The clef of each staff.
    pub(super) clefs: Vec<Clef>,
    /// Sharps, or flats if negative.
    pub(super) fifths: i8,
    /// Beats and unit.
    pub(super) meter: (u8, u8),
}

/// A beam.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Beam {
    /// Its chords, as indices into the shapes.
    pub(super) chords: Vec<usize>,
    /// Its levels.
    pub(super) levels: Vec<beams::Level>,
}

/// A tuplet's number, as it stands over its notes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tuplet {
    /// Its chords and rests, as indices into the shapes.
    pub(super) chords: Vec<usize>,
    /// The number, where it is printed.
    pub(super) number: Option<u8>,
    /// Whether it has a bracket, where the page says it.
    pub(super) bracket: Option<bool>,
}

/// A shaped measure.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MeasureShape {
    /// The chords that are printed, those of one tick together, grace notes with their main note.
    pub(super) chords: Vec<ChordShape>,
    /// For each chord its column; `None` for a rest in the middle of the measure.
    pub(super) column_of: Vec<Option<usize>>,
    /// The columns.
    pub(super) columns: Vec<Column>,
    /// Clefs within the measure: staff, column, clef, place from the column.
    pub(super) clefs: Vec<(u8, usize, Clef, f32)>,
    /// Clefs after its last note.
    pub(super) clefs_at_end: Vec<(u8, Clef)>,
    /// Beams.
    pub(super) beams: Vec<Beam>,
    /// Tuplets.
    pub(super) tuplets: Vec<Tuplet>,
    /// For each staff the top and bottom of what stands there.
    pub(super) reach: Vec<(f32, f32)>,
    /// Room wanted before the line at the end.
    pub(super) trailing: f32,
    /// The ties over the end.
    pub(super) ties: Vec<TieEnd>,
    /// The metre.
    pub(super) metre: Metre,
}

/// What shaping needs to know at hand.
struct Shaper<'a> {
    measure: &'a Measure,
    context: &'a Context,
    metre: Metre,
    printed: Vec<Vec<Option<i8>>>,
    voices: Vec<Vec<u8>>,
}

/// Shapes a measure. `tied` is what is tied over its beginning.
pub(super) fn shape(
    measure: &Measure,
    context: &Context,
    resolution: u16,
    tied: &[TieEnd],
    first: bool,
) -> MeasureShape {
    let staves = context.clefs.len();
    let unit = i64::from(resolution) * 4 / i64::from(context.meter.1.max(1));
    let full = Ticks(unit * i64::from(context.meter.0));
    let pickup = first && measure.length < full;
    let offset = if pickup { full - measure.length } else { Ticks::ZERO };
    let metre = Metre { signature: context.meter, resolution, offset };
    let (printed, ties) = accidentals::accidentals(measure, context.fifths, resolution, tied);
    let shaper = Shaper { measure, context, metre, printed, voices: voices::voices(measure, staves) };
    let mut shapes: Vec<ChordShape> = (0..measure.chords.len()).filter_map(|i| shaper.chord(i)).collect();
    let beams = shaper.beams(&mut shapes);
    let tuplets = tuplets(measure, &shapes);
    let mut found = MeasureShape {
        column_of: vec![None; shapes.len()],
        chords: shapes,
        columns: Vec::new(),
        clefs: Vec::new(),
        clefs_at_end: Vec::new(),
        beams,
        tuplets,
        reach: vec![(0.0, 4.0); staves],
        trailing: 0.0,
        ties,
        metre,
    };
    shaper.columns(&mut found);
    voices::move_full_rests(&mut found.chords, &found.column_of);
    spacing::prepare(&mut found.columns, measure.length, resolution);
    for shape in &found.chords {
        for (staff, reach) in found.reach.iter_mut().enumerate() {
            if let Some((top, bottom)) = voices::reach(shape, staff as u8) {
                *reach = (reach.0.min(top), reach.1.max(bottom));
            }
        }
    }
    found
}

impl Shaper<'_> {
    /// The clef at a tick.
    fn clef(&self, staff: u8, at: Ticks) -> Clef {
        let changes = self.measure.clefs.iter().filter(|(s, tick, _)| *s == staff && *tick <= at);
        let last = changes.max_by_key(|(_, tick, _)| *tick).map(|(.., clef)| *clef);
        last.or(self.context.clefs.get(usize::from(staff)).copied()).unwrap_or_default()
    }

    /// A chord by itself; `None` if it is not printed.
    fn chord(&self, index: usize) -> Option<ChordShape> {
        let chord = &self.measure.chords[index];
        let hidden = chord.heads.is_empty() && chord.rest == Rest::Hidden;
        if hidden || usize::from(chord.staff) >= self.context.clefs.len() {
            return None;
        }
        let head = |(index_of_head, head): (usize, &crate::music::notation::Head)| {
            let staff = head.staff.filter(|s| usize::from(*s) < self.context.clefs.len()).unwrap_or(chord.staff);
            HeadShape {
                staff,
                step: head.pitch.diatonic() - self.clef(staff, chord.at).bottom_line(),
                x: 0.0,
                index: index_of_head,
                accidental: self.printed[index][index_of_head],
                accidental_x: 0.0,
                dot: None,
            }
        };
        let mut heads: Vec<HeadShape> = chord.heads.iter().enumerate().map(head).collect();
        heads.sort_by_key(|h| (std::cmp::Reverse(h.staff), h.step));
        let voice = voices::is_upper(chord, &self.voices);
        let up = match (chord.grace, chord.stem_up, voice) {
            (_, Some(up), _) => up,
            (Some(_), None, voice) => voice.unwrap_or(true),
            (None, None, Some(upper)) => upper,
            (None, None, None) => stems::goes_up(heads.iter().map(|h| h.step)),
        };
        let full = chord.heads.is_empty() && chord.rest == Rest::WholeMeasure;
        let mut shape = ChordShape {
            chord: index,
            staff: chord.staff,
            up,
            voice,
            base: if full { Base::Whole } else { chord.value.base },
            dots: if full { 0 } else { chord.value.dots.min(3) },
            scale: if chord.grace.is_some() { GRACE } else { 1.0 },
            x: 0.0,
            rest: None,
            heads,
            beamed: false,
            tip: 0.0,
        };
        shape.rest = shape.heads.is_empty().then(|| voices::rest_y(&shape));
        chords::place_heads(&mut shape);
        Some(shape)
    }

    /// Finds the beams, and turns the stems of each one way.
    fn beams(&self, shapes: &mut [ChordShape]) -> Vec<Beam> {
        let mut found = Vec::new();
        let mut keys: Vec<(u8, u8)> = self.measure.chords.iter().map(|c| (c.voice, c.staff)).collect();
        keys.sort_unstable();
        keys.dedup_by_key(|(voice, _)| *voice);
        for (voice, _) in keys {
            let of_voice = |grace: bool| -> Vec<usize> {
                let fits = |s: &ChordShape| {
                    let chord = &self.measure.chords[s.chord];
                    chord.voice == voice && chord.grace.is_some() == grace
                };
                (0..shapes.len()).filter(|i| fits(&shapes[*i])).collect()
            };
            let (notes, graces) = (of_voice(false), of_voice(true));
            let chords: Vec<&Chord> = notes.iter().map(|i| &self.measure.chords[shapes[*i].chord]).collect();
            let groups = beams::groups(&chords, self.metre);
            let groups = groups.into_iter().map(|group| group.into_iter().map(|i| notes[i]).collect::<Vec<_>>());
            let groups: Vec<Vec<usize>> = groups.chain(self.grace_groups(shapes, &graces)).collect();
            found.extend(groups.into_iter().map(|group| self.beam(shapes, group)));
        }
        found
    }

    /// Grace notes with flags that follow each other.
    fn grace_groups(&self, shapes: &[ChordShape], graces: &[usize]) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for &index in graces.iter().filter(|i| shapes[**i].base.flags() > 0) {
            let follows = |last: usize| {
                shapes[index].chord == shapes[last].chord + 1
                    && self.measure.chords[shapes[index].chord].at == self.measure.chords[shapes[last].chord].at
            };
            match groups.last_mut() {
                Some(group) if group.last().is_some_and(|last| follows(*last)) => group.push(index),
                _ => groups.push(vec![index]),
            }
        }
        groups.retain(|group| group.len() > 1);
        groups
    }

    fn beam(&self, shapes: &mut [ChordShape], group: Vec<usize>) -> Beam {
        let chord = |i: usize| &self.measure.chords[shapes[i].chord];
        let forced = group.iter().find_map(|i| chord(*i).stem_up).or(shapes[group[0]].voice);
        let grace = shapes[group[0]].scale < 1.0;
        let steps = || group.iter().flat_map(|i| shapes[*i].heads.iter().map(|h| h.step));
        let up = match forced {
            Some(up) => up,
            None if grace => true,
            None => group_goes_up(steps()),
        };
        let flags: Vec<u8> = group.iter().map(|i| shapes[*i].base.flags()).collect();
        let starts: Vec<i64> = group.iter().map(|i| chord(*i).at.0 + self.metre.offset.0).collect();
        let levels = beams::levels(&flags, &starts, i64::from(self.metre.resolution));
        // Under a beam between two staves the stems of the upper one go down and those of the lower one up (Gould,
        // pp. 315-317).
        let outer = |i: &usize| shapes[*i].heads.first().map_or(shapes[*i].staff, |head| head.staff);
        let (highest, lowest) = (group.iter().map(outer).min(), group.iter().map(outer).max());
        let on_one = |i: &usize| shapes[*i].heads.iter().all(|head| head.staff == outer(i));
        let between = highest != lowest && !grace && group.iter().all(on_one);
        let turned = |i: &usize| chord(*i).stem_up.unwrap_or(Some(outer(i)) != highest);
        let ups: Vec<bool> = group.iter().map(|i| if between { turned(i) } else { up }).collect();
        for (index, up) in group.iter().zip(ups) {
            shapes[*index].up = up;
            shapes[*index].beamed = true;
            chords::place_heads(&mut shapes[*index]);
        }
        Beam { chords: group, levels }
    }

    /// Makes the columns: what begins on one tick, set apart, with accidentals, dots, grace notes and clefs.
    fn columns(&self, found: &mut MeasureShape) {
        let staves = self.context.clefs.len();
        let is_column = |s: &ChordShape| {
            let chord = &self.measure.chords[s.chord];
            !(chord.heads.is_empty() && chord.rest == Rest::WholeMeasure)
        };
        let at = |s: &ChordShape| self.measure.chords[s.chord].at;
        let mut order: Vec<usize> = (0..found.chords.len()).filter(|i| is_column(&found.chords[*i])).collect();
        order.sort_by_key(|i| at(&found.chords[*i]));
        let groups: Vec<Vec<usize>> =
            order.chunk_by(|a, b| at(&found.chords[*a]) == at(&found.chords[*b])).map(<[usize]>::to_vec).collect();
        let ticks: Vec<Ticks> = groups.iter().map(|members| at(&found.chords[members[0]])).collect();
        for (column, (tick, members)) in ticks.iter().zip(groups).enumerate() {
            for index in &members {
                found.column_of[*index] = Some(column);
            }
            let mut boxes = vec![Vec::new(); staves];
            for staff in 0..staves as u8 {
                self.set_apart(found, &members, staff);
            }
            for (staff, boxes) in boxes.iter_mut().enumerate() {
                let staff = staff as u8;
                for index in members.iter().filter(|i| found.chords[**i].scale == 1.0) {
                    found.chords[*index].boxes(staff, boxes);
                    let chord = &self.measure.chords[found.chords[*index].chord];
                    if chord.ornaments.contains(&Ornament::Arpeggio) {
                        boxes.extend(found.chords[*index].arpeggio_box(staff));
                    }
                }
                self.place_graces(found, &members, staff, boxes);
                self.place_clef(found, staff, &ticks, column, boxes);
                self.lanes(&members, found, staff, boxes);
            }
            found.columns.push(Column::new(*tick, boxes));
        }
        let last = ticks.last().copied().unwrap_or(Ticks::ZERO);
        let at_end = self.measure.clefs.iter().filter(|(_, at, _)| *at > last);
        found.clefs_at_end = at_end.map(|(staff, _, clef)| (*staff, *clef)).collect();
        if !found.clefs_at_end.is_empty() {
            found.trailing = super::signs::CLEF_ROOM;
        }
    }

    /// Chords of one column on one staff, moved apart, with accidentals and dots.
    fn set_apart(&self, found: &mut MeasureShape, members: &[usize], staff: u8) {
        let of_staff: Vec<usize> = members
            .iter()
            .copied()
            .filter(|i| found.chords[*i].staff == staff && found.chords[*i].scale == 1.0)
            .collect();
        let with = |found: &mut MeasureShape, indices: &[usize], act: &dyn Fn(&mut [ChordShape])| {
            let mut chords: Vec<ChordShape> = indices.iter().map(|i| found.chords[*i].clone()).collect();
            act(&mut chords);
            for (index, chord) in indices.iter().zip(chords) {
                found.chords[*index] = chord;
            }
        };
        with(found, &of_staff, &voices::separate);
        // Heads of other voices may be printed here, too.
        let printed: Vec<usize> = (members.iter().copied())
            .filter(|i| found.chords[*i].scale == 1.0)
            .filter(|i| found.chords[*i].heads.iter().any(|h| h.staff == staff))
            .collect();
        with(found, &printed, &|chords| chords::place_accidentals(chords, staff));
        with(found, &printed, &|chords| chords::place_dots(chords, staff));
        with(found, &of_staff, &|chords| voices::move_rests(chords, staff));
    }

    /// Grace notes stand before what stands on their staff.
    fn place_graces(&self, found: &mut MeasureShape, members: &[usize], staff: u8, boxes: &mut Vec<Bounds>) {
        let of_staff = |i: &&usize| found.chords[**i].scale < 1.0 && found.chords[**i].staff == staff;
        let graces: Vec<usize> = members.iter().filter(of_staff).copied().collect();
        let mut right = boxes.iter().map(|b| b.left).fold(0.0, f32::min) - GRACE_GAP;
        for index in graces.into_iter().rev() {
            let mut chord = found.chords[index].clone();
            chords::place_accidentals(std::slice::from_mut(&mut chord), staff);
            let mut own = Vec::new();
            chord.boxes(staff, &mut own);
            let Some(all) = own.iter().copied().reduce(Bounds::join) else { continue };
            chord.x = right - all.right;
            right = chord.x + all.left - GRACE_GAP;
            chord.boxes(staff, boxes);
            found.chords[index] = chord;
        }
    }

    /// A clef that changes here, before everything else.
    fn place_clef(&self, found: &mut MeasureShape, staff: u8, ticks: &[Ticks], column: usize, boxes: &mut Vec<Bounds>) {
        let after = column.checked_sub(1).map_or(Ticks::ZERO, |c| ticks[c]);
        let here = |at: Ticks| at > after && at <= ticks[column];
        let change = self.measure.clefs.iter().rev().find(|(s, at, _)| *s == staff && here(*at));
        let Some((_, _, clef)) = change else { return };
        let (glyph, line) = font::clef(*clef);
        let scale = super::signs::SMALL_CLEF;
        let left = boxes.iter().map(|b| b.left).fold(0.0, f32::min) - 0.5 - glyph.right * scale;
        boxes.push(glyph.bounds(left, 4.0 - f32::from(line), scale));
        found.clefs.push((staff, column, *clef, left));
    }

    /// Syllables want room beside each other, far below the staff in the reckoning.
    fn lanes(&self, members: &[usize], found: &MeasureShape, staff: u8, boxes: &mut Vec<Bounds>) {
        for index in members {
            let shape = &found.chords[*index];
            for lyric in self.measure.chords[shape.chord].lyrics.iter().filter(|_| shape.staff == staff) {
                let half = super::marks::text_width(&lyric.text, super::marks::LYRIC_SIZE) / 2.0;
                let y = 1_000.0 + 10.0 * f32::from(lyric.verse);
                let hyphen = if lyric.hyphen { 0.8 } else { 0.3 };
                boxes.push(Bounds { left: 0.65 - half, right: 0.65 + half + hyphen, top: y, bottom: y + 1.0 });
            }
        }
    }
}

/// The stems of a beam go away from the farthest note; of two equally far ones with the majority; else down (Gould, p. 24).
fn group_goes_up(steps: impl Iterator<Item = i32> + Clone) -> bool {
    let from_middle = |s: i32| s - stems::MIDDLE;
    let above = steps.clone().map(from_middle).max().unwrap_or(0);
    let below = steps.clone().map(|s| -from_middle(s)).max().unwrap_or(0);
    match above.cmp(&below) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Greater => false,
        std::cmp::Ordering::Equal => steps.map(|s| from_middle(s).signum()).sum::<i32>() < 0,
    }
}

/// The tuplets of a measure, inner ones before those around them. One that does not end within it ends with it.
fn tuplets(measure: &Measure, shapes: &[ChordShape]) -> Vec<Tuplet> {
    let mut voices: Vec<u8> = measure.chords.iter().map(|c| c.voice).collect();
    voices.sort_unstable();
    voices.dedup();
    let marks: [fn(&Chord) -> TupletMark; 2] = [|chord| chord.tuplet, |chord| chord.around];
    let mut found = Vec::new();
    for (mark, voice) in marks.into_iter().flat_map(|mark| voices.iter().map(move |voice| (mark, *voice))) {
        let mut open: Option<Tuplet> = None;
        for (index, shape) in shapes.iter().enumerate() {
            let chord = &measure.chords[shape.chord];
            if chord.voice != voice || chord.grace.is_some() {
                continue;
            }
            if let TupletMark::Starts { number, bracket } = mark(chord) {
                found.extend(open.take());
                open = Some(Tuplet { chords: Vec::new(), number, bracket });
            }
            if let Some(tuplet) = &mut open {
                tuplet.chords.push(index);
            }
            if mark(chord) == TupletMark::Ends {
                found.extend(open.take());
            }
        }
        found.extend(open);
    }
    found
}
