//! The dependency rules of the architecture, read off the sources: who may use whom, who may name which crate, how long
//! a file may be, and how it begins.

use std::path::Path;

/// What each module may use beside itself. `time` is units, which all may use. An entry such as `bus::lane` allows that
/// part only; `*` allows everything.
const MAY_USE: [(&str, &[&str]); 15] = [
    ("time", &[]),
    ("bus", &["time"]),
    ("store", &["bus", "time"]),
    ("music", &["time"]),
    ("formats", &["music", "time"]),
    ("engraving", &["music", "time"]),
    ("practice", &["music", "time"]),
    ("listen", &["music", "time"]),
    ("model", &["bus", "music", "practice", "time"]),
    ("audio", &["bus::lane", "music", "time"]),
    ("midi", &["bus::lane", "music", "time"]),
    ("components", &["audio", "bus", "formats", "listen", "midi", "model", "music", "practice", "time"]),
    ("ui", &["bus::inspect", "engraving", "model", "music", "practice", "time"]),
    ("cli", &["*"]),
    ("app", &["*"]),
];

/// Crates that only some modules may name.
const ONLY_IN: [(&str, &[&str]); 11] = [
    ("heed", &["store"]),
    ("cpal", &["audio"]),
    ("jack", &["audio"]),
    ("rustysynth", &["audio"]),
    ("midir", &["midi"]),
    ("alsa", &["audio", "midi"]),
    ("midly", &["formats"]),
    ("roxmltree", &["formats"]),
    ("miniz_oxide", &["formats"]),
    ("egui", &["ui", "app"]),
    ("eframe", &["ui", "app"]),
];

/// No file is longer.
const LINES_MAX: usize = 1_000;

/// A source file: its path from the package's top, with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The module a file under `src` belongs to; `None` for `main.rs` and `lib.rs`, which hold the house together.
    fn module(&self) -> Option<&str> {
        let first = self.path.strip_prefix("src/")?.split('/').next()?.trim_end_matches(".rs");
        (!matches!(first, "main" | "lib")).then_some(first)
    }

    /// How many modules deep the file is: 1 for `src/bus/mod.rs`, 2 for `src/bus/core.rs`.
    fn depth(&self) -> usize {
        self.path.split('/').filter(|part| !matches!(*part, "src" | "mod.rs")).count()
    }

    /// The text without line comments; line numbers stay.
    fn code(&self) -> String {
        let lines = self.text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Every place where `word` stands as a whole word, and what follows it.
fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    code.match_indices(word)
        .map(|(start, _)| (start, &code[start + word.len()..]))
        .filter(move |(start, rest)| !code[..*start].ends_with(is_word) && !rest.starts_with(is_word))
}

fn line_of(code: &str, place: usize) -> usize {
    code[..place].matches('\n').count() + 1
}

/// The paths that start here: `a::{b, c::d}` is `a::b` and `a::c::d`. Ends at the first thing that is no path.
fn expand(text: &str) -> Vec<String> {
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        return split_group(group).into_iter().flat_map(expand).collect();
    }
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    match rest.strip_prefix("::") {
        _ if name.is_empty() => Vec::new(),
        Some(rest) => {
            let tails = expand(rest);
            let join = |tail: &String| format!("{name}::{tail}");
            if tails.is_empty() { vec![name.to_owned()] } else { tails.iter().map(join).collect() }
        }
        None => vec![name.to_owned()],
    }
}

/// The members of a group whose opening brace was just read.
fn split_group(text: &str) -> Vec<&str> {
    let (mut members, mut start, mut depth) = (Vec::new(), 0, 0);
    for (place, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                members.push(&text[start..place]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                members.push(&text[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    members
}

/// Every path from the crate's root that the file names, with its line.
fn crate_paths(source: &Source) -> Vec<(usize, String)> {
    let code = source.code();
    let mut paths = Vec::new();
    for (place, rest) in words(&code, "crate") {
        if let Some(rest) = rest.strip_prefix("::") {
            paths.extend(expand(rest).into_iter().map(|path| (line_of(&code, place), path)));
        }
    }
    // `super::super::x` can leave the module too. Inside an inline module, which is indented, one more leads nowhere new.
    let climb = "super::".repeat(source.depth());
    for (number, line) in code.lines().enumerate() {
        let Some((front, rest)) = line.split_once(&climb) else { continue };
        if !front.starts_with(char::is_whitespace) && !front.ends_with(is_word) && !front.ends_with("::") {
            paths.extend(expand(rest).into_iter().map(|path| (number + 1, path)));
        }
    }
    paths
}

fn is_allowed(module: &str, path: &str) -> bool {
    let is_within = |outer: &str| path == outer || path.strip_prefix(outer).is_some_and(|rest| rest.starts_with("::"));
    let allowed = MAY_USE.iter().find(|(name, _)| *name == module).map_or(&[][..], |(_, allowed)| allowed);
    is_within(module) || allowed.iter().any(|entry| *entry == "*" || is_within(entry))
}

/// What breaks a rule, a line each, with file and line.
fn violations(sources: &[Source]) -> Vec<String> {
    sources.iter().flat_map(|source| [arrows(source), crates(source), form(source)].concat()).collect()
}

fn arrows(source: &Source) -> Vec<String> {
    let Some(module) = source.module() else { return Vec::new() };
    if !MAY_USE.iter().any(|(name, _)| *name == module) {
        return vec![format!("{}: module `{module}` has no rule in tests/layers.rs", source.path)];
    }
    let forbidden = crate_paths(source).into_iter().filter(|(_, path)| !is_allowed(module, path));
    forbidden.map(|(line, path)| format!("{}:{line}: `{module}` must not use `{path}`", source.path)).collect()
}

fn crates(source: &Source) -> Vec<String> {
    if !source.path.starts_with("src/") {
        return Vec::new();
    }
    let code = source.code();
    let mut found = Vec::new();
    for (name, modules) in ONLY_IN {
        if source.module().is_some_and(|module| modules.contains(&module)) {
            continue;
        }
        for (place, rest) in words(&code, name) {
            let front = code[..place].trim_end();
            let own_module = front.ends_with("::") && !front.trim_end_matches("::").ends_with(|c| !is_word(c));
            let is_named = rest.starts_with("::") || ["use", "extern crate"].iter().any(|word| front.ends_with(word));
            if is_named && !own_module {
                let line = line_of(&code, place);
                found.push(format!("{}:{line}: only {} may name the crate `{name}`", source.path, modules.join(", ")));
            }
        }
    }
    found
}

fn form(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    if !source.text.starts_with("//!") {
        found.push(format!("{}:1: the first line does not say with `//!` what lives here", source.path));
    }
    let lines = source.text.lines().count();
    if lines > LINES_MAX {
        found.push(format!("{}: {lines} lines are more than {LINES_MAX}", source.path));
    }
    found
}

/// All Rust files of the package.
fn package() -> Vec<Source> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for folder in ["src", "tests", "benches"] {
        read_folder(&top.join(folder), folder, &mut sources);
    }
    sources
}

fn read_folder(folder: &Path, name: &str, into: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{name}: {error}")) {
        let path = entry.unwrap().path();
        let name = format!("{name}/{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            read_folder(&path, &name, into);
        } else if name.ends_with(".rs") {
            into.push(Source::new(&name, &std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn the_sources_keep_to_the_rules() {
    let sources = package();
    assert!(sources.len() > 50, "only {} files were found", sources.len());
    let found = violations(&sources);
    assert!(found.is_empty(), "{} rules broken:\n{}", found.len(), found.join("\n"));
}

#[test]
fn every_module_has_a_rule_and_every_rule_a_module() {
    let sources = package();
    let mut modules: Vec<_> = sources.iter().filter_map(Source::module).collect();
    modules.sort_unstable();
    modules.dedup();
    let mut rules: Vec<_> = MAY_USE.iter().map(|(name, _)| *name).collect();
    rules.sort_unstable();
    assert_eq!(modules, rules);
}

/// One file in, its broken rules out.
#[track_caller]
fn check(path: &str, code: &str, expected: &[&str]) {
    assert_eq!(violations(&[Source::new(path, &format!("//! A file.\n{code}"))]), expected, "{code}");
}

#[test]
fn a_forbidden_arrow_is_found_however_it_is_written() {
    check("src/bus/core.rs", "use crate::music::Pitch;", &["src/bus/core.rs:2: `bus` must not use `music::Pitch`"]);
    check(
        "src/audio/engine.rs",
        "use crate::{time::Micros, bus::{lane::essential, Publish}};",
        &["src/audio/engine.rs:2: `audio` must not use `bus::Publish`"],
    );
    check(
        "src/practice/mod.rs",
        "\nfn f() -> Option<crate::formats::Error> {\n    None\n}",
        &["src/practice/mod.rs:3: `practice` must not use `formats::Error`"],
    );
    check("src/time.rs", "use crate::bus;", &["src/time.rs:2: `time` must not use `bus`"]);
    check(
        "src/bus/core.rs",
        "use super::super::music::{\n    Pitch,\n    Score,\n};",
        &["src/bus/core.rs:2: `bus` must not use `music`"],
    );
    check(
        "src/components/a.rs",
        "use crate::app::Clock;",
        &["src/components/a.rs:2: `components` must not use `app::Clock`"],
    );
    check("src/games/mod.rs", "", &["src/games/mod.rs: module `games` has no rule in tests/layers.rs"]);
}

#[test]
fn an_allowed_arrow_and_a_comment_are_left_alone() {
    check("src/bus/core.rs", "use crate::bus::lane;\nuse crate::time::{Micros, Ticks};\nuse super::lane::Item;", &[]);
    check("src/midi/mod.rs", "/// See [`crate::app`].\nuse crate::bus::lane; // not crate::bus::Publish", &[]);
    check("src/app/run.rs", "use crate::{cli, store, ui};", &[]);
    check("src/main.rs", "use music_trainer::app;", &[]);
}

#[test]
fn a_crate_named_in_the_wrong_place_is_found() {
    check("src/store/env.rs", "use heed::Env;", &[]);
    check("src/bus/thread.rs", "use heed::Env;", &["src/bus/thread.rs:2: only store may name the crate `heed`"]);
    check("src/midi/a.rs", "fn f(p: &midir::MidiInput) {}", &[]);
    check("src/cli/a.rs", "fn f(p: &midir::MidiInput) {}", &["src/cli/a.rs:2: only midi may name the crate `midir`"]);
    check("src/app/a.rs", "fn f(b: audio::jack::Jack, egui: u8) {}", &[]);
    check("src/lib.rs", "use cpal;", &["src/lib.rs:2: only audio may name the crate `cpal`"]);
}

#[test]
fn a_file_without_an_introduction_or_without_end_is_found() {
    let bare = Source::new("src/time.rs", "use std::fmt;\n");
    assert_eq!(form(&bare), ["src/time.rs:1: the first line does not say with `//!` what lives here"]);
    let long = Source::new("src/time.rs", &"//! Long.\n".repeat(LINES_MAX + 1));
    assert_eq!(form(&long), ["src/time.rs: 1001 lines are more than 1000"]);
}
