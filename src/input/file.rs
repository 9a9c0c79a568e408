//! Bytes from a path or from standard input, within a limit, and text from bytes.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::secret::may_be_secret;
use crate::text::{shown, shown_path};

/// The most that is read from one input, in bytes. A kubeconfig, a values file and a CA bundle
/// are all far below it; what is above it is some other file.
pub const LIMIT: u64 = 8 * 1024 * 1024;

/// Where bytes come from: a file's path, or standard input.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A file, a named pipe or a device.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

impl Source {
    /// What a flag's value names: `-` is standard input, everything else a path.
    pub fn from_flag(value: &OsStr) -> Self {
        if value == "-" {
            Self::Stdin
        } else {
            Self::Path(PathBuf::from(value))
        }
    }

    /// The folder that paths inside the input are relative to; standard input has none.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path.parent().unwrap_or_else(|| Path::new(""))),
            Self::Stdin => None,
        }
    }

    /// Resolves a path that stands in this input.
    ///
    /// # Errors
    /// Where the path is relative and the input is standard input, which has no folder.
    pub fn resolve(&self, path: &str) -> Result<PathBuf> {
        match self.folder() {
            Some(folder) => Ok(folder.join(path)),
            None if Path::new(path).is_absolute() => Ok(PathBuf::from(path)),
            None => {
                let what = match may_be_secret(Path::new(path)) {
                    true => "the path".to_owned(),
                    false => format!("the path {}", shown(path)),
                };
                bail!(
                    "{what} is relative, and standard input has no folder that it could be relative to: write an absolute path"
                )
            }
        }
    }

    /// Whether it can be read again by its name: not standard input, a pipe or a device.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Path(path) => path.is_file(),
            Self::Stdin => false,
        }
    }

    /// Reads everything.
    ///
    /// # Errors
    /// Where the input can't be read or holds more than [`LIMIT`] bytes.
    pub fn read(&self) -> Result<Vec<u8>> {
        match self {
            Self::Path(path) => {
                if path.as_os_str().is_empty() {
                    bail!("the path is empty");
                }
                if path.as_os_str().as_encoded_bytes().contains(&b'\n') {
                    bail!(
                        "a path is expected here, and this is several lines: perhaps a file's content"
                    );
                }
                let file = File::open(path)?;
                if file.metadata()?.is_dir() {
                    bail!("it is a folder, not a file");
                }
                read_limited(file)
            }
            Self::Stdin => read_limited(std::io::stdin().lock()),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", shown_path(path)),
            Self::Stdin => f.write_str("standard input"),
        }
    }
}

fn read_limited(reader: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        bail!("it holds more than {} MiB", LIMIT >> 20);
    }
    Ok(bytes)
}

/// Text from bytes: UTF-8 with or without a byte order mark, or UTF-16 with one, which is what
/// PowerShell's `>` writes.
///
/// # Errors
/// Where the bytes are neither; the message holds none of them.
pub fn decode(bytes: Vec<u8>) -> Result<String> {
    if let Some(rest) = bytes.strip_prefix(&[0xff, 0xfe]) {
        return decode_utf16(rest, u16::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xfe, 0xff]) {
        return decode_utf16(rest, u16::from_be_bytes);
    }
    let text = String::from_utf8(bytes)
        .map_err(|error| error.utf8_error())
        .context("it is not UTF-8 text")?;
    match text.strip_prefix('\u{feff}') {
        Some(rest) => Ok(rest.to_owned()),
        None => Ok(text),
    }
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        bail!("it begins as UTF-16 text but has an odd number of bytes: it was cut off or mixed");
    }
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .collect::<Result<String, _>>()
        .ok()
        .context("it begins as UTF-16 text but is not: save it as UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_and_utf16_are_decoded() {
        let utf16 =
            |unit: fn(u16) -> [u8; 2]| "\u{feff}a: é".encode_utf16().flat_map(unit).collect();
        assert_eq!(decode(b"a: \xc3\xa9".to_vec()).unwrap(), "a: é");
        assert_eq!(decode(b"\xef\xbb\xbfa: \xc3\xa9".to_vec()).unwrap(), "a: é");
        assert_eq!(decode(utf16(u16::to_le_bytes)).unwrap(), "a: é");
        assert_eq!(decode(utf16(u16::to_be_bytes)).unwrap(), "a: é");
    }

    #[test]
    fn odd_utf16_and_other_bytes_are_refused() {
        for bytes in [&b"\xff\xfea"[..], b"\xff\xfe\x00\xd8", b"a\xff"] {
            assert!(decode(bytes.to_vec()).is_err(), "{bytes:?}");
        }
    }
}
