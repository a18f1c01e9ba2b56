//! Colours, sizes and fonts of the window: the only place that makes a colour or names a font file.

use std::sync::Arc;

use egui::epaint::{CornerRadius, Shadow};
use egui::{
    Color32, Context, FontData, FontDefinitions, FontFamily, FontId, Stroke, Style, TextStyle, Theme, ThemePreference,
    Ui, Vec2,
};

use super::view::ThemeChoice;
use crate::music::Hand;

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// One set of colours. Those ending in `_text` are dark or light enough to be read as text on every surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tokens {
    /// Whether text is light on dark.
    pub dark: bool,
    /// Behind everything.
    pub background: Color32,
    /// Rail, cards, transport.
    pub surface: Color32,
    /// Selected and raised things on a surface.
    pub raised: Color32,
    /// Hairlines.
    pub line: Color32,
    /// Body text; 7:1 on every surface.
    pub text: Color32,
    /// Secondary text; 4.5:1 on every surface.
    pub muted: Color32,
    /// Decoration only, never text that one must read.
    pub faint: Color32,
    /// Behind the staff.
    pub paper: Color32,
    /// Notation on it.
    pub ink: Color32,
    /// What is now: playhead, primary button, selection.
    pub accent: Color32,
    /// The accent as text.
    pub accent_text: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// The right hand.
    pub right: Color32,
    /// The right hand as text.
    pub right_text: Color32,
    /// Text on a note of the right hand.
    pub on_right: Color32,
    /// The left hand.
    pub left: Color32,
    /// The left hand as text.
    pub left_text: Color32,
    /// Text on a note of the left hand.
    pub on_left: Color32,
    /// On time, all well.
    pub good: Color32,
    /// Too early.
    pub early: Color32,
    /// Too late.
    pub late: Color32,
    /// Worth a look.
    pub warn: Color32,
    /// Wrong, missed, failed.
    pub bad: Color32,
    /// A white key.
    pub key_white: Color32,
    /// A white key under the pointer or held by the accompaniment.
    pub key_white_dim: Color32,
    /// A black key.
    pub key_black: Color32,
    /// A black key under the pointer.
    pub key_black_dim: Color32,
    /// The lines between white keys.
    pub key_line: Color32,
    /// Names on white keys.
    pub key_text: Color32,
}

/// Light on dark.
pub static DARK: Tokens = Tokens {
    dark: true,
    background: rgb(0x111318),
    surface: rgb(0x181B22),
    raised: rgb(0x21252E),
    line: rgb(0x2C313C),
    text: rgb(0xE9EBF0),
    muted: rgb(0x99A1B0),
    faint: rgb(0x5F6775),
    paper: rgb(0x1B1F27),
    ink: rgb(0xE3E6EC),
    accent: rgb(0xB79CFF),
    accent_text: rgb(0xB79CFF),
    on_accent: rgb(0x14161C),
    right: rgb(0x4CA3FF),
    right_text: rgb(0x4CA3FF),
    on_right: rgb(0x0D1117),
    left: rgb(0xFF9F43),
    left_text: rgb(0xFF9F43),
    on_left: rgb(0x14110D),
    good: rgb(0x4FD1A5),
    early: rgb(0x5FD3E8),
    late: rgb(0xFFD43B),
    warn: rgb(0xFFB454),
    bad: rgb(0xFF5D73),
    key_white: rgb(0xF4F3EF),
    key_white_dim: rgb(0xD9D7D0),
    key_black: rgb(0x1A1C22),
    key_black_dim: rgb(0x343843),
    key_line: rgb(0x111318),
    key_text: rgb(0x63676F),
};

/// Dark on light.
pub static LIGHT: Tokens = Tokens {
    dark: false,
    background: rgb(0xF4F2EE),
    surface: rgb(0xFBFAF8),
    raised: rgb(0xFFFFFF),
    line: rgb(0xE2DFD8),
    text: rgb(0x1D2026),
    muted: rgb(0x5F6672),
    faint: rgb(0x8B919D),
    paper: rgb(0xFFFEFB),
    ink: rgb(0x22252C),
    accent: rgb(0x6741D9),
    accent_text: rgb(0x6741D9),
    on_accent: rgb(0xFFFFFF),
    right: rgb(0x1769D1),
    right_text: rgb(0x1560C0),
    on_right: rgb(0xFFFFFF),
    left: rgb(0xC96A00),
    left_text: rgb(0x9A5000),
    on_left: rgb(0x0F0B06),
    good: rgb(0x0B7A58),
    early: rgb(0x0B7285),
    late: rgb(0x806000),
    warn: rgb(0x8F5200),
    bad: rgb(0xC72238),
    key_white: rgb(0xFFFFFF),
    key_white_dim: rgb(0xE4E1DA),
    key_black: rgb(0x1D2026),
    key_black_dim: rgb(0x454B57),
    key_line: rgb(0xCFCBC2),
    key_text: rgb(0x666D7A),
};

/// White and strong colours on black, with lines that can be seen.
pub static HIGH: Tokens = Tokens {
    dark: true,
    background: rgb(0x000000),
    surface: rgb(0x060606),
    raised: rgb(0x141414),
    line: rgb(0x9A9A9A),
    text: rgb(0xFFFFFF),
    muted: rgb(0xD6D6D6),
    faint: rgb(0xA0A0A0),
    paper: rgb(0x000000),
    ink: rgb(0xFFFFFF),
    accent: rgb(0xFFE45C),
    accent_text: rgb(0xFFE45C),
    on_accent: rgb(0x000000),
    right: rgb(0x6FC3FF),
    right_text: rgb(0x6FC3FF),
    on_right: rgb(0x000000),
    left: rgb(0xFFB066),
    left_text: rgb(0xFFB066),
    on_left: rgb(0x000000),
    good: rgb(0x5CF2BE),
    early: rgb(0x7DE8FF),
    late: rgb(0xFFE45C),
    warn: rgb(0xFFC46B),
    bad: rgb(0xFF8A98),
    key_white: rgb(0xFFFFFF),
    key_white_dim: rgb(0xD0D0D0),
    key_black: rgb(0x000000),
    key_black_dim: rgb(0x3A3A3A),
    key_line: rgb(0x000000),
    key_text: rgb(0x404040),
};

impl Tokens {
    /// The fill of a hand.
    pub fn hand(&self, hand: Hand) -> Color32 {
        match hand {
            Hand::Right => self.right,
            Hand::Left => self.left,
            Hand::Neither => self.muted,
        }
    }

    /// Text on the fill of a hand.
    pub fn on_hand(&self, hand: Hand) -> Color32 {
        match hand {
            Hand::Right => self.on_right,
            Hand::Left => self.on_left,
            Hand::Neither => self.background,
        }
    }

    /// The hairline of one pixel.
    pub fn hairline(&self) -> Stroke {
        Stroke::new(1.0, self.line)
    }
}

/// `color` with `share` (0 to 1) of its opacity.
pub fn fade(color: Color32, share: f32) -> Color32 {
    color.gamma_multiply(share)
}

/// `from` moved towards `to` by `share` (0 to 1).
pub fn mix(from: Color32, to: Color32, share: f32) -> Color32 {
    let part = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * share).round() as u8;
    Color32::from_rgb(part(from.r(), to.r()), part(from.g(), to.g()), part(from.b(), to.b()))
}

/// Nothing at all.
pub const CLEAR: Color32 = Color32::TRANSPARENT;

/// The colours in force.
pub fn tokens(ui: &Ui) -> &'static Tokens {
    let visuals = ui.visuals();
    if !visuals.dark_mode {
        &LIGHT
    } else if visuals.panel_fill == HIGH.background {
        &HIGH
    } else {
        &DARK
    }
}

/// Sizes of text in points at 100 %.
pub mod size {
    /// Notes and column heads.
    pub const SMALL: f32 = 12.0;
    /// Body.
    pub const BODY: f32 = 14.0;
    /// Titles.
    pub const TITLE: f32 = 17.0;
    /// The number on a card.
    pub const NUMBER: f32 = 28.0;
    /// Icons beside body text.
    pub const ICON: f32 = 18.0;
}

/// Distances in points, multiples of 4.
pub mod space {
    /// Inside a card.
    pub const CARD: f32 = 16.0;
    /// Between cards.
    pub const GAP: f32 = 14.0;
    /// From the edge of the window to the contents.
    pub const PAGE: f32 = 20.0;
    /// A button's height.
    pub const CONTROL: f32 = 36.0;
    /// A chip's height.
    pub const CHIP: f32 = 30.0;
    /// A table row's height.
    pub const ROW: f32 = 30.0;
    /// The rail's width.
    pub const RAIL: f32 = 76.0;
    /// The top bar's and the transport's height.
    pub const BAR: f32 = 64.0;
    /// The bar ruler's height.
    pub const RULER: f32 = 34.0;
    /// The staff's height, and what is left of it in a low window.
    pub const STAFF: f32 = 176.0;
    /// See [`STAFF`].
    pub const STAFF_LOW: f32 = 140.0;
    /// The on-screen keyboard's height.
    pub const KEYBOARD: f32 = 118.0;
}

/// Corner radii in points.
pub mod radius {
    /// Cards.
    pub const CARD: u8 = 12;
    /// Buttons and fields.
    pub const BUTTON: u8 = 9;
    /// Chips.
    pub const CHIP: u8 = 15;
    /// Falling notes.
    pub const NOTE: u8 = 5;
}

const SEMIBOLD: &str = "semibold";
const ICONS: &str = "icons";
const MUSIC: &str = "music";

/// How much larger than designed the text is, 1.0 to 1.5.
pub fn scale(ui: &Ui) -> f32 {
    ui.style().text_styles.get(&TextStyle::Body).map_or(1.0, |f| f.size / size::BODY)
}

/// Regular text of a size at 100 %.
pub fn regular(ui: &Ui, points: f32) -> FontId {
    FontId::new(points * scale(ui), FontFamily::Proportional)
}

/// Semibold text of a size at 100 %.
pub fn semibold(ui: &Ui, points: f32) -> FontId {
    FontId::new(points * scale(ui), FontFamily::Name(SEMIBOLD.into()))
}

/// An icon of a size at 100 %.
pub fn icon_font(ui: &Ui, points: f32) -> FontId {
    FontId::new(points * scale(ui), FontFamily::Name(ICONS.into()))
}

/// Music glyphs (SMuFL) with a staff of `points` in height.
pub fn music_font(points: f32) -> FontId {
    FontId::new(points, FontFamily::Name(MUSIC.into()))
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let fallback = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let files: [(&str, &'static [u8]); 5] = [
        ("inter", include_bytes!("../../assets/fonts/Inter-Regular.otf")),
        (SEMIBOLD, include_bytes!("../../assets/fonts/Inter-SemiBold.otf")),
        ("accidentals", include_bytes!("../../assets/fonts/TrainerAccidentals.otf")),
        (ICONS, include_bytes!("../../assets/fonts/Phosphor.ttf")),
        (MUSIC, include_bytes!("../../assets/fonts/Leland.otf")),
    ];
    for (name, bytes) in files {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let family =
        |first: &[&str]| first.iter().map(|s| (*s).to_owned()).chain(fallback.iter().cloned()).collect::<Vec<String>>();
    fonts.families.insert(FontFamily::Proportional, family(&["inter", "accidentals"]));
    fonts.families.insert(FontFamily::Name(SEMIBOLD.into()), family(&[SEMIBOLD, "accidentals"]));
    fonts.families.insert(FontFamily::Name(ICONS.into()), family(&[ICONS]));
    fonts.families.insert(FontFamily::Name(MUSIC.into()), family(&[MUSIC]));
    fonts
}

/// Gives a context the fonts and the default appearance. Call it once, before the first pass.
pub fn install(ctx: &Context) {
    ctx.set_fonts(fonts());
    // The text has its size in the settings, and the music its own.
    ctx.options_mut(|options| options.zoom_with_keyboard = false);
    apply(ctx, Look::default());
}

/// What a person chose about the appearance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Which colours.
    pub theme: ThemeChoice,
    /// Size of the text, 1.0 to 1.5.
    pub text_scale: f32,
    /// Whether things may move on their own.
    pub reduced_motion: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { theme: ThemeChoice::System, text_scale: 1.0, reduced_motion: false }
    }
}

/// Puts a look into force. Cheap, but call it only when the look changed.
pub fn apply(ctx: &Context, look: Look) {
    let dark = if look.theme == ThemeChoice::HighContrast { &HIGH } else { &DARK };
    ctx.style_mut_of(Theme::Dark, |style| restyle(style, dark, look));
    ctx.style_mut_of(Theme::Light, |style| restyle(style, &LIGHT, look));
    ctx.set_theme(match look.theme {
        ThemeChoice::System => ThemePreference::System,
        ThemeChoice::Dark | ThemeChoice::HighContrast => ThemePreference::Dark,
        ThemeChoice::Light => ThemePreference::Light,
    });
}

fn restyle(style: &mut Style, t: &Tokens, look: Look) {
    let scale = look.text_scale.clamp(1.0, 1.5);
    let font = |points: f32| FontId::new(points * scale, FontFamily::Proportional);
    style.text_styles = [
        (TextStyle::Small, font(size::SMALL)),
        (TextStyle::Body, font(size::BODY)),
        (TextStyle::Button, font(size::BODY)),
        (TextStyle::Monospace, font(size::SMALL)),
        (TextStyle::Heading, FontId::new(size::TITLE * scale, FontFamily::Name(SEMIBOLD.into()))),
    ]
    .into();
    style.animation_time = if look.reduced_motion { 0.0 } else { 0.08 };
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::new(8.0, 8.0);
    spacing.button_padding = Vec2::new(12.0, 8.0);
    spacing.interact_size.y = space::ROW;
    spacing.scroll = egui::style::ScrollStyle::floating();
    let v = &mut style.visuals;
    v.dark_mode = t.dark;
    v.override_text_color = Some(t.text);
    v.weak_text_color = Some(t.muted);
    v.panel_fill = t.background;
    v.window_fill = t.surface;
    v.window_stroke = t.hairline();
    v.window_corner_radius = CornerRadius::same(radius::CARD);
    v.menu_corner_radius = CornerRadius::same(radius::BUTTON);
    v.window_shadow = Shadow { offset: [0, 8], blur: 24, spread: 0, color: Color32::from_black_alpha(96) };
    v.popup_shadow = Shadow { offset: [0, 4], blur: 12, spread: 0, color: Color32::from_black_alpha(64) };
    v.extreme_bg_color = t.background;
    v.faint_bg_color = t.raised;
    v.code_bg_color = t.raised;
    v.text_edit_bg_color = Some(t.background);
    v.hyperlink_color = t.accent_text;
    v.warn_fg_color = t.warn;
    v.error_fg_color = t.bad;
    v.selection.bg_fill = fade(t.accent, 0.35);
    v.selection.stroke = Stroke::new(1.0, t.accent);
    v.text_cursor.blink = false;
    v.text_cursor.stroke = Stroke::new(1.5, t.accent);
    for (state, fill, line) in [
        (&mut v.widgets.noninteractive, t.surface, t.line),
        (&mut v.widgets.inactive, t.surface, t.line),
        (&mut v.widgets.hovered, t.raised, t.faint),
        (&mut v.widgets.active, t.raised, t.accent),
        (&mut v.widgets.open, t.raised, t.faint),
    ] {
        state.bg_fill = fill;
        state.weak_bg_fill = fill;
        state.bg_stroke = Stroke::new(1.0, line);
        state.fg_stroke = Stroke::new(1.0, t.text);
        state.corner_radius = CornerRadius::same(radius::BUTTON);
        state.expansion = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance after WCAG 2.1.
    fn luminance(c: Color32) -> f64 {
        let channel = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.03928 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(c.r()) + 0.7152 * channel(c.g()) + 0.0722 * channel(c.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[track_caller]
    fn check(set: &str, what: &str, text: Color32, fill: Color32, least: f64) {
        let found = contrast(text, fill);
        assert!(found >= least, "{set}: {what} has a contrast of {found:.2}, wants {least}");
    }

    #[test]
    fn text_can_be_read_in_every_set() {
        for (set, t) in [("dark", &DARK), ("light", &LIGHT), ("high", &HIGH)] {
            for fill in [t.background, t.surface, t.raised] {
                check(set, "text", t.text, fill, 7.0);
                for (what, color) in [
                    ("muted", t.muted),
                    ("accent", t.accent_text),
                    ("right", t.right_text),
                    ("left", t.left_text),
                    ("good", t.good),
                    ("early", t.early),
                    ("late", t.late),
                    ("warn", t.warn),
                    ("bad", t.bad),
                ] {
                    check(set, what, color, fill, 4.5);
                }
            }
            check(set, "notation", t.ink, t.paper, 7.0);
            check(set, "on accent", t.on_accent, t.accent, 4.5);
            check(set, "on right", t.on_right, t.right, 4.5);
            check(set, "on left", t.on_left, t.left, 4.5);
            check(set, "key names", t.key_text, t.key_white, 4.5);
        }
    }

    #[test]
    fn high_contrast_reaches_seven_for_everything() {
        for color in [HIGH.muted, HIGH.accent_text, HIGH.good, HIGH.early, HIGH.late, HIGH.warn, HIGH.bad] {
            check("high", "coloured text", color, HIGH.raised, 7.0);
        }
    }
}
