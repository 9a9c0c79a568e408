//! Several clusters as rows, one line each as far as a terminal is wide enough.

use comfy_table::ColumnConstraint;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::table::{
    self, GAP, NOTHING, REFUSED, address, breakable, day, form, kind_of_token, mark, nothing,
    optional,
};
use super::{Cluster, Finding, Giver, Harmless, Server, Token};
use crate::registration::finding::Level;

/// A column of the rows.
struct Column {
    head: &'static str,
    /// The narrowest terminal that has it.
    from_width: u16,
    /// What happens to it where the terminal is too narrow for the whole row.
    narrow: Narrow,
    cell: fn(&Cluster) -> String,
}

/// How a column is made narrower.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Narrow {
    /// It isn't.
    Never,
    /// Its cells are broken into lines.
    Broken,
    /// They are, if they are long.
    BrokenIfLong,
    /// The middle of its cells is left out, so that each is one line, with what it begins and ends with.
    Shortened,
}

static COLUMNS: [Column; 7] = [
    Column {
        head: "NAME",
        from_width: 0,
        narrow: Narrow::BrokenIfLong,
        cell: |cluster| title(cluster).to_string(),
    },
    Column {
        head: "CONTEXT",
        from_width: 140,
        narrow: Narrow::Shortened,
        cell: |cluster| optional(cluster.context.as_ref()),
    },
    Column {
        head: "SERVER",
        from_width: 0,
        narrow: Narrow::Shortened,
        cell: |cluster| cluster.server.as_ref().map_or_else(nothing, short_address),
    },
    Column {
        head: "CA EXPIRES",
        from_width: 70,
        narrow: Narrow::Never,
        cell: |cluster| {
            let authority = cluster.certificate_authority.as_ref();
            authority.map_or_else(nothing, |authority| match &authority.expires {
                Some(expires) => day(expires),
                None => match authority.from {
                    Giver::System => "system".to_owned(),
                    Giver::Kubeconfig | Giver::Values => nothing(),
                },
            })
        },
    },
    Column {
        head: "TOKEN",
        from_width: 70,
        narrow: Narrow::Broken,
        cell: |cluster| cluster.token.as_ref().map_or_else(nothing, short_token),
    },
    Column {
        head: "STORAGE",
        from_width: 140,
        narrow: Narrow::Broken,
        cell: |cluster| {
            let storage = cluster.storage.as_ref();
            storage.map_or_else(nothing, |storage| form(&storage.credentials).to_owned())
        },
    },
    Column {
        head: "FINDINGS",
        from_width: 0,
        narrow: Narrow::Broken,
        cell: summary,
    },
];

/// What is left of a cell that is shortened: enough for a port, and for something of its host.
const LEAST: usize = 20;

/// What is longer is broken where the terminal is narrow.
const LONG: usize = 32;

/// Several clusters: a row for each, and their findings below.
pub fn rows(clusters: &[Cluster], width: Option<u16>) -> String {
    let is_shown = |column: &&Column| width.is_none_or(|width| width >= column.from_width);
    let mut columns: Vec<Shown> = COLUMNS
        .iter()
        .filter(is_shown)
        .map(|column| Shown::of(column, clusters))
        .collect();
    if let Some(width) = width {
        shorten(&mut columns, usize::from(width));
    }
    let mut table = table::table(width);
    if !clusters.is_empty() {
        table.add_row(columns.iter().map(|shown| shown.column.head));
    }
    for position in 0..clusters.len() {
        let cells = columns.iter().filter_map(|shown| shown.cells.get(position));
        table.add_row(cells.map(|cell| breakable(cell)));
    }
    for (shown, column) in columns.iter().zip(table.column_iter_mut()) {
        let keeps_width = match shown.column.narrow {
            Narrow::Never | Narrow::Shortened => true,
            Narrow::BrokenIfLong => shown.width <= LONG,
            Narrow::Broken => false,
        };
        if keeps_width {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let mut text = table::text(table);
    for cluster in clusters {
        for finding in &cluster.findings {
            let mut below = table::table(width);
            let (name, mark) = (title(cluster), mark(finding));
            below.add_row([breakable(&format!("{name}: {mark}: {}", finding.text))]);
            text.push('\n');
            text.push_str(&table::text(below));
        }
    }
    text
}

/// A column's cells, as they are shown.
struct Shown {
    column: &'static Column,
    cells: Vec<String>,
    width: usize,
}

impl Shown {
    fn of(column: &'static Column, clusters: &[Cluster]) -> Self {
        let cells: Vec<String> = clusters.iter().map(column.cell).collect();
        let longest = cells.iter().map(|cell| cell.width()).max();
        Self {
            column,
            width: longest.unwrap_or_default().max(column.head.len()),
            cells,
        }
    }
}

/// Shortens as much of the cells as a row has too many columns, the longest first.
fn shorten(columns: &mut [Shown], width: usize) {
    let gaps = usize::from(GAP) * columns.len().saturating_sub(1);
    let whole: usize = columns.iter().map(|shown| shown.width).sum();
    let can_be =
        |shown: &&mut Shown| shown.column.narrow == Narrow::Shortened && shown.width > LEAST;
    for _ in width..whole + gaps {
        let longest = columns.iter_mut().filter(can_be);
        let Some(longest) = longest.max_by_key(|shown| shown.width) else {
            break;
        };
        longest.width -= 1;
    }
    for Shown { cells, width, .. } in columns {
        for cell in cells {
            *cell = without_middle(cell, *width);
        }
    }
}

/// A text in so many columns of a terminal, of which a character may take two.
fn without_middle(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let head = width.saturating_sub(1) / 2;
    let tail = width.saturating_sub(1) - head;
    let begin: String = fitting(text.chars(), head).collect();
    let mut end: Vec<char> = fitting(text.chars().rev(), tail).collect();
    end.reverse();
    format!("{begin}…{}", String::from_iter(end))
}

/// As many of the characters as fit into so many columns.
fn fitting(characters: impl Iterator<Item = char>, columns: usize) -> impl Iterator<Item = char> {
    characters
        .scan(0, |taken, character| {
            *taken += character.width().unwrap_or_default();
            Some((*taken, character))
        })
        .take_while(move |(taken, _)| *taken <= columns)
        .map(|(_, character)| character)
}

/// The name, or where there is none the file.
fn title(cluster: &Cluster) -> &Harmless {
    cluster.name.as_ref().unwrap_or(&cluster.values_file)
}

/// Without the scheme, which is the same for all.
fn short_address(server: &Server) -> String {
    match address(server) {
        Some(address) => match address.strip_prefix("https://") {
            Some(short) => short.to_owned(),
            None => address,
        },
        None => REFUSED.to_owned(),
    }
}

fn short_token(token: &Token) -> String {
    let kind = kind_of_token(token);
    match &token.expires {
        Some(expires) => format!("{kind} until {}", day(expires)),
        None => kind.to_owned(),
    }
}

/// How much of what there is, and whether there may be more; what it is stands elsewhere.
fn summary(cluster: &Cluster) -> String {
    let count = |is: fn(&Finding) -> bool| cluster.findings.iter().filter(|it| is(it)).count();
    let denied = count(|finding| !finding.accepted && finding.level == Level::Deny);
    let warnings = count(|finding| !finding.accepted && finding.level == Level::Warn);
    let accepted = count(|finding| finding.accepted);
    let counts = [
        (cluster.errors.len() + denied, "error", "errors"),
        (warnings, "warning", "warnings"),
        (accepted, "accepted", "accepted"),
    ];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, more)| format!("{count} {}", if count == 1 { one } else { more }))
        .collect();
    match (cluster.errors.is_empty(), counts.is_empty()) {
        (true, true) => NOTHING.to_owned(),
        (true, false) => counts.join(", "),
        (false, _) => format!("incomplete: {}", counts.join(", ")),
    }
}
