//! Reads the files that the user names.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::show::shown;

/// More than any real input, so that an endless one such as `/dev/zero` is an error.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// Reads a file; `-` is standard input. Fails if it can't be read, or is larger than 8 MiB. A path that a shell would
/// have expanded gets a hint.
pub fn read(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    let mut bytes = Vec::new();
    let result = if path == Path::new("-") {
        io::stdin().take(MOST_BYTES + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
    };
    match result {
        Err(error) => Err(unreadable(path, &error)),
        Ok(length) if length as u64 > MOST_BYTES => {
            Err(Diagnostic::error("the file is larger than 8 MiB").in_file(name(path)))
        }
        Ok(_) => Ok(bytes),
    }
}

/// Returns the paths in a folder, sorted, so that no result depends on the file system. Fails if it can't be read.
pub fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<io::Result<Vec<PathBuf>>>()?;
    paths.sort();
    Ok(paths)
}

/// Returns a file's name for messages, without a token that was passed as a path.
pub fn name(path: &Path) -> String {
    if path == Path::new("-") {
        return "standard input".to_owned();
    }
    let name = path.display().to_string();
    if looks_like_token(&name) { "a token".to_owned() } else { name }
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    if looks_like_token(&path.to_string_lossy()) {
        return Diagnostic::error("that looks like a token or other data, not like a path").help(
            "write it to a file and name that, or pass a token on standard input: `--token-file -`",
        );
    }
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        kind => kind.to_string(),
    };
    let diagnostic = Diagnostic::error(format!("failed to read {}: {reason}", shown(name(path))));
    match unexpanded(&path.to_string_lossy()) {
        _ if error.kind() != io::ErrorKind::NotFound => diagnostic,
        Some(hint) => diagnostic.help(hint),
        None => diagnostic.help("check the path"),
    }
}

/// Whether a path or name is a token in the wrong place, which messages mustn't show.
pub fn looks_like_token(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    // A JSON Web Token, the same in base64, and OpenShift's.
    let has_start = ["eyJ", "ZXlK", "sha256~"].iter().any(|start| last.starts_with(start));
    has_start || last.len() > 255 || name.contains('\n')
}

/// Returns a hint for a path that only a shell, Windows or a browser understands.
pub fn unexpanded(path: &str) -> Option<&'static str> {
    // A path from a values file has that file's folder in front.
    let has = |start: &str| path.starts_with(start) || path.contains(&format!("/{start}"));
    let is_drive = |part: &str| matches!(part.as_bytes(), [b'A'..=b'Z' | b'a'..=b'z', b':', ..]);
    if has("~") || has("$") || has("%") {
        Some("`~` and variables aren't expanded here: write the whole path")
    } else if has("file:") || path.split('/').any(is_drive) {
        Some("write the path as this system knows it, such as `/mnt/c/…`, and no URL")
    } else {
        None
    }
}

/// Returns the folder of a file, where its relative paths start; `None` for standard input, pipes and `<(…)`.
pub fn folder(path: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::FileTypeExt as _;
    let is_pipe = path == Path::new("-")
        || path.starts_with("/dev/fd")
        || path == Path::new("/dev/stdin")
        || path.starts_with("/proc/self/fd")
        || fs::metadata(path).is_ok_and(|data| data.file_type().is_fifo());
    (!is_pipe).then(|| path.parent().unwrap_or(Path::new("")).to_owned())
}

/// Resolves a path in a file against that file's folder. Fails if it is `-`, or if it is relative and the file has no
/// folder.
pub fn relative_to(folder: Option<&Path>, path: &str) -> Result<PathBuf, Diagnostic> {
    match folder {
        _ if path == "-" => Err(Diagnostic::error("a values file can't name standard input")
            .help("pass it with a flag")),
        Some(folder) => Ok(folder.join(path)),
        None if Path::new(path).is_absolute() => Ok(PathBuf::from(path)),
        None if looks_like_token(path) => {
            Err(Diagnostic::error("that looks like a token or other data, not like a path"))
        }
        None => {
            let message = format!("{} is relative, and a pipe has no folder", shown(path));
            Err(Diagnostic::error(message).help("write an absolute path"))
        }
    }
}
