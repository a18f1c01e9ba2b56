//! How wide words are: the advances of the window's font, which is drawn elsewhere.

/// Thousandths of an em that the characters from the space to the tilde take in Inter SemiBold, the wider of the two faces
/// that music is lettered in (table `hmtx` of the font).
const ADVANCES: [u16; 95] = [
    248, 309, 396, 643, 649, 844, 663, 213, 393, 393, 543, 673, 295, 466, 290, 379, 670, 670, 670, 670, 669, 670, 670,
    670, 670, 670, 290, 295, 673, 673, 673, 544, 999, 724, 657, 744, 724, 608, 586, 755, 744, 275, 561, 677, 566, 906,
    741, 775, 643, 776, 651, 649, 660, 734, 724, 1007, 690, 705, 653, 393, 379, 393, 481, 468, 497, 575, 630, 577, 630,
    593, 377, 625, 613, 261, 261, 569, 261, 898, 610, 608, 625, 625, 397, 549, 380, 608, 576, 837, 562, 576, 562, 393,
    358, 393, 673,
];
/// And what others take: the mean of letters with accents.
const OTHER: u16 = 600;
/// A text's size is from ascender to descender: so much of it is its em.
const EM: f32 = 0.72;

/// How wide a text of a size is, in spaces; of the lighter face up to a twentieth less.
pub(super) fn text_width(text: &str, size: f32) -> f32 {
    let advance = |c: char| ADVANCES.get((c as usize).wrapping_sub(0x20)).copied().unwrap_or(OTHER);
    text.chars().map(|c| f32::from(advance(c))).sum::<f32>() / 1_000.0 * EM * size
}

#[cfg(test)]
mod tests {
    use super::text_width;

    #[test]
    fn words_are_as_wide_as_their_letters() {
        let check = |text: &str, ems: f32| assert!((text_width(text, 1.0) - ems * 0.72).abs() < 1e-4, "{text}");
        check("", 0.0);
        check(" ~", 0.248 + 0.673);
        check("Ab", 0.724 + 0.630);
        check("é", 0.6);
        assert_eq!(text_width("D.C.", 4.0), 2.0 * text_width("D.C.", 2.0));
    }
}
