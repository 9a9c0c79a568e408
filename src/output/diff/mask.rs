//! What each line of a file is shown as.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::line::{self, Line};
use super::suspicion::{Suspicion, names_key};
use super::words::{KEYS, PUBLIC_SECTIONS, is_public_line};
use super::{New, Old};
use crate::text::holds_credential;

/// Stands for a masked text in what is shown: a code point that is no character.
pub const MASK: char = '\u{fdd1}';

/// A secret that is shorter is found in ordinary words as well.
const LEAST_KNOWN: usize = 8;

/// A line of a file.
pub struct MaskedLine<'a> {
    /// The line as it is, with its newline.
    pub raw: &'a [u8],
    /// What it is shown as, without its newline and with [`MASK`] for each masked text.
    pub shown: String,
}

/// The lines of both sides; none where there is no such side.
pub fn lines<'a>(
    old: Option<&Old<'a>>,
    new: Option<&New<'a>>,
) -> (Vec<MaskedLine<'a>>, Vec<MaskedLine<'a>>) {
    let mut keys = HashSet::new();
    let mut known = Vec::new();
    let new = match new {
        Some(new) => {
            known = known_secrets(new);
            new_lines(new, &known, &mut keys)
        }
        None => Vec::new(),
    };
    let old = match old {
        Some(old) => old_lines(old, &known, &keys, &new),
        None => Vec::new(),
    };
    (old, new)
}

fn new_lines<'a>(
    new: &New<'a>,
    known: &[String],
    keys: &mut HashSet<String>,
) -> Vec<MaskedLine<'a>> {
    let located = located(new).unwrap_or_default();
    let shown = if located.is_empty() {
        Vec::new()
    } else {
        Reader::of(new.text, &located).read(&located, keys)
    };
    let mut shown = shown.into_iter();
    raw_lines(new.text.as_bytes())
        .map(|raw| {
            let line = decode(raw);
            let shown = shown.next().flatten();
            MaskedLine {
                raw,
                shown: without_known(
                    shown.unwrap_or_else(|| closed(&line, keys)),
                    &line,
                    known,
                    keys,
                ),
            }
        })
        .collect()
}

/// The text with its secrets masked; `None` where it isn't known where they are.
fn located(new: &New<'_>) -> Option<String> {
    if new.holds_secrets && new.secrets.is_empty() {
        return None;
    }
    let mut secrets: Vec<&Range<usize>> = new.secrets.iter().collect();
    secrets.sort_by_key(|secret| (secret.start, secret.end));
    let mut located = String::with_capacity(new.text.len());
    let mut end = 0;
    for secret in secrets {
        located.push_str(&without_mask(new.text.get(end..secret.start)?));
        if new.text.get(secret.clone())?.contains('\n') {
            return None;
        }
        located.push('"');
        located.push(MASK);
        located.push('"');
        end = secret.end;
    }
    located.push_str(&without_mask(new.text.get(end..)?));
    Some(located)
}

/// Reads a new text line by line, as far as the lines say what they mean.
struct Reader {
    has_secret_object: bool,
    has_credential: bool,
    /// Whether a storage key's name is a value, so that the key may be the value of `value`.
    has_name_as_value: bool,
    is_in_section: bool,
    is_section_public: bool,
    /// Whether the lines to come may be part of a secret.
    is_closed: bool,
}

impl Reader {
    fn of(text: &str, located: &str) -> Self {
        let whole = Suspicion::of(text);
        let suspicion = Suspicion::of(located);
        let is_credential_visible = located
            .lines()
            .any(|line| names_key(line) || holds_credential(line));
        Self {
            has_secret_object: whole.has_secret_object || suspicion.has_secret_object,
            has_credential: suspicion.has_credential,
            has_name_as_value: located.lines().any(|line| match line::read(line) {
                Some(Line::Entry { value, .. } | Line::Item { value, .. }) => names_key(value),
                _ => false,
            }),
            is_in_section: false,
            is_section_public: false,
            is_closed: whole.is_unreadable
                || suspicion.is_unreadable
                || (suspicion.has_credential && !is_credential_visible),
        }
    }

    /// What each line is shown as; `None` where nothing can be said about it.
    fn read(mut self, located: &str, keys: &mut HashSet<String>) -> Vec<Option<String>> {
        located
            .split_inclusive('\n')
            .map(|line| {
                if self.is_closed {
                    return None;
                }
                self.read_line(line.strip_suffix('\n').unwrap_or(line), keys)
            })
            .collect()
    }

    fn read_line(&mut self, line: &str, keys: &mut HashSet<String>) -> Option<String> {
        let as_it_is = Some(line.to_owned());
        let has_credential = self.has_credential && holds_credential(line);
        let Some(read) = line::read(line) else {
            let names_key = self.has_credential && names_key(line);
            self.is_closed = self.has_secret_object || has_credential || names_key;
            return as_it_is.filter(|_| !self.is_closed);
        };
        let is_hidden = has_credential
            || (self.has_secret_object && self.is_in_section && !self.is_section_public);
        match read {
            Line::Blank => as_it_is,
            Line::Separator => {
                self.is_in_section = false;
                as_it_is
            }
            Line::Comment => as_it_is.filter(|_| !is_hidden && !names_key(line)),
            Line::Entry { before, key, value } => {
                let key_text = line::unquoted(key);
                if before.is_empty() {
                    self.is_section_public = PUBLIC_SECTIONS.contains(&key_text);
                }
                // What stands before the first of them is none, however it looks.
                let is_public = self.is_section_public && (self.is_in_section || before.is_empty());
                self.is_in_section |= before.is_empty();
                let holds_key = self.has_credential
                    && (names_key(key) || (key_text == "value" && self.has_name_as_value));
                self.is_closed = holds_key && !value.starts_with('"');
                if has_credential && holds_credential(key) {
                    return None;
                }
                if !key.contains(MASK) {
                    keys.insert(key_text.to_owned());
                }
                let is_hidden =
                    holds_key || has_credential || (self.has_secret_object && !is_public);
                if is_hidden && !value.is_empty() {
                    return Some(format!("{before}{key}: \"{MASK}\""));
                }
                as_it_is
            }
            Line::Item { before, .. }
                if is_hidden || self.has_secret_object && !self.is_in_section =>
            {
                Some(format!("{before}\"{MASK}\""))
            }
            Line::Item { .. } => as_it_is,
        }
    }
}

fn old_lines<'a>(
    old: &Old<'a>,
    known: &[String],
    keys: &HashSet<String>,
    new: &[MaskedLine<'_>],
) -> Vec<MaskedLine<'a>> {
    let text = str::from_utf8(old.bytes).ok();
    let is_open = !old.holds_secrets && text.is_some_and(|text| Suspicion::of(text).is_none());
    // What the new text holds too is masked there as far as it has to be.
    let of_new: HashMap<&[u8], &str> = new
        .iter()
        .map(|line| (content(line.raw), line.shown.as_str()))
        .collect();
    raw_lines(old.bytes)
        .map(|raw| {
            let line = decode(raw);
            let shown = match of_new.get(content(raw)) {
                Some(shown) => (*shown).to_owned(),
                None if is_open => without_comment(&line),
                None => closed(&line, keys),
            };
            MaskedLine {
                raw,
                shown: without_known(shown, &line, known, keys),
            }
        })
        .collect()
}

/// A line that may hold a secret: its key, where that is known to be none, and a mask.
fn closed(line: &str, keys: &HashSet<String>) -> String {
    let text = line.trim_start_matches(' ');
    if text.is_empty() || is_public_line(text) {
        return line.to_owned();
    }
    let indentation = line.strip_suffix(text).unwrap_or_default();
    if text.starts_with('#') {
        return format!("{indentation}# {MASK}");
    }
    let entry_text = text.strip_prefix("- ").unwrap_or(text);
    let before = line.strip_suffix(entry_text).unwrap_or_default();
    match line::entry(entry_text) {
        Some((key, value)) if is_known_key(line::unquoted(key), keys) => {
            if value.is_empty() {
                format!("{before}{key}:")
            } else {
                format!("{before}{key}: \"{MASK}\"")
            }
        }
        _ => format!("{indentation}{MASK}"),
    }
}

fn is_known_key(key: &str, keys: &HashSet<String>) -> bool {
    KEYS.contains(&key) || keys.contains(key)
}

/// A line of an old file that holds no secret as far as Kubernetes is concerned. People's notes may,
/// so comments are masked, and what may be one.
fn without_comment(line: &str) -> String {
    let is_whole = matches!(line::read(line), Some(read) if read != Line::Comment);
    match line.split_once('#') {
        Some((before, _)) if !is_whole && !is_public_line(line) => format!("{before}# {MASK}"),
        _ => line.to_owned(),
    }
}

/// A line's text to show, or less of it where that would show a secret of the new text after all.
fn without_known(shown: String, line: &str, known: &[String], keys: &HashSet<String>) -> String {
    let shows_known = |shown: &str| known.iter().any(|secret| shown.contains(secret.as_str()));
    if !shows_known(&shown) || is_public_line(line.trim_start_matches(' ')) {
        return shown;
    }
    let shown = closed(line, keys);
    if shows_known(&shown) {
        MASK.to_string()
    } else {
        shown
    }
}

/// The texts by which the secrets of a new text are recognised elsewhere: as they are written, as
/// they are, and out of and in base64.
fn known_secrets(new: &New<'_>) -> Vec<String> {
    let mut known = Vec::new();
    for secret in new.secrets {
        let Some(scalar) = new.text.get(secret.clone()) else {
            continue;
        };
        let written = line::unquoted(scalar);
        let value = serde_yaml::from_str(scalar).unwrap_or_else(|_| written.to_owned());
        let decoded = STANDARD.decode(&value).ok();
        let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        for text in [Some(value), decoded].into_iter().flatten() {
            // Base64 looks different by where in a group of three bytes the text begins.
            for skipped in 0..3 {
                let bytes = text.as_bytes().get(skipped..).unwrap_or_default();
                let whole = bytes.len() - bytes.len() % 3;
                known.push(STANDARD.encode(bytes.get(..whole).unwrap_or_default()));
            }
            known.extend(text.lines().map(str::to_owned));
        }
        known.push(written.to_owned());
    }
    known.retain(|text| text.len() >= LEAST_KNOWN);
    known.sort();
    known.dedup();
    known
}

fn raw_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

/// A line without its newline.
pub fn content(raw: &[u8]) -> &[u8] {
    raw.strip_suffix(b"\n").unwrap_or(raw)
}

fn decode(raw: &[u8]) -> String {
    without_mask(&String::from_utf8_lossy(content(raw)))
}

fn without_mask(text: &str) -> String {
    text.replace(MASK, "\u{fffd}")
}
