//! Facts as tables without lines or colours, as kubectl prints them.

use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table, presets};

use super::{Authority, Cluster, Credentials, Finding, Harmless, Origin, Server, Storage, Token};

/// What stands where nothing is known.
const NOTHING: &str = "-";

/// What stands where something can't be used.
const REFUSED: &str = "refused";

/// Marks where a text may be broken. It takes no column, isn't shown, and stands in no text that is:
/// there it is escaped.
const BREAK: char = '\u{200b}';

/// Longer than the words of prose.
const LONG_WORD: usize = 20;

/// One cluster: a line for each fact.
pub fn one(cluster: &Cluster, width: Option<u16>) -> String {
    let mut table = table(width);
    let mut add = |key: &str, value: String| {
        table.add_row([Cell::new(key), breakable(&value)]);
    };
    add("name", optional(cluster.name.as_ref()));
    add("values", values(cluster));
    add("kubeconfig", optional(cluster.kubeconfig.as_ref()));
    add("context", optional(cluster.context.as_ref()));
    match &cluster.server {
        None => add("server", NOTHING.to_owned()),
        Some(server) => {
            let refused = || format!("{REFUSED}: {}", server.given);
            add("server", address(server).unwrap_or_else(refused));
            if let Some(reason) = reason(server) {
                add("", reason);
            }
        }
    }
    authority(cluster.certificate_authority.as_ref(), &mut add);
    token(cluster.token.as_ref(), &mut add);
    storage(cluster.storage.as_ref(), &mut add);
    let mut findings: Vec<String> = cluster
        .findings
        .iter()
        .map(|finding| format!("{}: {}", mark(finding), finding.text))
        .collect();
    if !cluster.errors.is_empty() {
        findings.push("not everything could be checked: see the errors".to_owned());
    }
    if findings.is_empty() {
        findings.push("none".to_owned());
    }
    for (position, finding) in findings.into_iter().enumerate() {
        let key = if position == 0 { "findings" } else { "" };
        add(key, finding);
    }
    text(table)
}

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

const COLUMNS: [Column; 7] = [
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
                None => authority.from.to_owned(),
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

/// Between two columns.
const GAP: u16 = 2;

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
    let mut table = table(width);
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
    let mut text = text(table);
    for cluster in clusters {
        for finding in &cluster.findings {
            let mut below = self::table(width);
            let (name, mark) = (title(cluster), mark(finding));
            below.add_row([breakable(&format!("{name}: {mark}: {}", finding.text))]);
            text.push('\n');
            text.push_str(&self::text(below));
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
        let longest = cells.iter().map(|cell| cell.chars().count()).max();
        Self {
            column,
            width: longest.unwrap_or_default().max(column.head.len()),
            cells,
        }
    }
}

/// Shortens as much of the cells as a row has too many characters, the longest first.
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

/// A text in so many characters.
fn without_middle(text: &str, width: usize) -> String {
    let count = text.chars().count();
    if count <= width {
        return text.to_owned();
    }
    let head = width.saturating_sub(1) / 2;
    let tail = width.saturating_sub(1) - head;
    let begin: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(count - tail).collect();
    format!("{begin}…{end}")
}

/// A table that is wrapped to the terminal's width; elsewhere each row is one line.
fn table(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    match width {
        Some(width) => table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table
}

fn text(mut table: Table) -> String {
    let last = table.column_count().saturating_sub(1);
    for (position, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if position == last { 0 } else { GAP }));
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.replace(BREAK, "").trim_end());
        text.push('\n');
    }
    text
}

/// A text that is broken between its words, where it has to be, and a long word, as a host is, between
/// its parts.
fn breakable(text: &str) -> Cell {
    let mut marked = String::with_capacity(text.len());
    for word in text.split_inclusive(' ') {
        let is_long = word.len() > LONG_WORD;
        for character in word.chars() {
            marked.push(character);
            let ends_part = matches!(character, '.' | '-' | ':' | '/' | '_');
            if character == ' ' || (is_long && ends_part) {
                marked.push(BREAK);
            }
        }
    }
    Cell::new(marked).set_delimiter(BREAK)
}

fn nothing() -> String {
    NOTHING.to_owned()
}

fn optional(text: Option<&Harmless>) -> String {
    text.map_or_else(nothing, Harmless::to_string)
}

/// The name, or where there is none the file.
fn title(cluster: &Cluster) -> &Harmless {
    cluster.name.as_ref().unwrap_or(&cluster.values_file)
}

fn values(cluster: &Cluster) -> String {
    match cluster.document {
        Some(document) => format!("{}, document {document}", cluster.values_file),
        None => cluster.values_file.to_string(),
    }
}

/// Host and port; nothing where the server was refused.
fn address(server: &Server) -> Option<String> {
    let (host, port) = (server.host.as_ref()?, server.port.as_ref()?);
    Some(format!("{host}:{port}"))
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

/// Why the server isn't what the kubeconfig says, letter by letter.
fn reason(server: &Server) -> Option<String> {
    let given = &server.given;
    // One that was refused is shown as it was given.
    let is_as_given = address(server).is_none_or(|address| given.as_str() == address);
    if server.from == "values" {
        let normalised = match is_as_given {
            true => String::new(),
            false => format!(", normalised from {given}"),
        };
        let instead = match &server.instead_of {
            Some(url) => format!(", in place of the kubeconfig's {url}"),
            None => String::new(),
        };
        return Some(format!(
            "by `kubeconfig.server` of the values file{normalised}{instead}"
        ));
    }
    (!is_as_given).then(|| format!("normalised from the kubeconfig's {given}"))
}

fn authority(authority: Option<&Authority>, add: &mut impl FnMut(&str, String)) {
    let Some(authority) = authority else {
        return add("CA", NOTHING.to_owned());
    };
    let Some(first) = authority.expires.as_deref() else {
        return add("CA", "the roots of the controller's own system".to_owned());
    };
    let from = match (&authority.at, authority.from) {
        (None, _) => "the kubeconfig".to_owned(),
        (Some(file), "values") => {
            format!("the file {file}, by `kubeconfig.certificateAuthority` of the values file")
        }
        (Some(file), _) => format!("the kubeconfig's file {file}"),
    };
    let count = match authority.certificates.len() {
        1 => "1 certificate".to_owned(),
        several => format!(
            "{several} certificates, of which the first expires {}",
            day(first)
        ),
    };
    add("CA", format!("{count}, from {from}"));
    for certificate in &authority.certificates {
        add("  subject", certificate.subject.to_string());
        add("  SHA-256", certificate.sha256.clone());
        add("  expires", day(&certificate.expires));
    }
}

fn token(token: Option<&Token>, add: &mut impl FnMut(&str, String)) {
    let Some(token) = token else {
        return add("token", NOTHING.to_owned());
    };
    let from = match token.origin.from {
        "none" => "none: someone else makes the Secret".to_owned(),
        "externalSecret" => format!("through a store{}", at_key(&token.origin)),
        "notGiven" => "not given, which the control-plane side needs".to_owned(),
        _ => match token.kind {
            Some(_) => format!("{}, from {}", kind_of_token(token), origin(&token.origin)),
            None => format!("{NOTHING}, from {}", origin(&token.origin)),
        },
    };
    add("token", from);
    if token.kind.is_none() {
        return;
    }
    add("  subject", optional(token.subject.as_ref()));
    if token.secret.is_some() {
        add("  Secret", optional(token.secret.as_ref()));
    }
    let expires = match (&token.expires, token.kind) {
        (Some(expires), _) => expires.clone(),
        (None, Some("opaque")) => NOTHING.to_owned(),
        (None, _) => "never".to_owned(),
    };
    add("  expires", expires);
}

fn short_token(token: &Token) -> String {
    let kind = kind_of_token(token);
    match &token.expires {
        Some(expires) => format!("{kind} until {}", day(expires)),
        None => kind.to_owned(),
    }
}

fn kind_of_token(token: &Token) -> &'static str {
    match (token.kind, token.origin.from) {
        (Some("longLived"), _) => "long-lived",
        (Some(kind), _) => kind,
        (None, "externalSecret") => "store",
        (None, "none") => "none",
        (None, "notGiven") => "not given",
        (None, _) => NOTHING,
    }
}

fn storage(storage: Option<&Storage>, add: &mut impl FnMut(&str, String)) {
    let Some(storage) = storage else {
        return add("storage", NOTHING.to_owned());
    };
    add("storage", storage.file_system.to_string());
    let endpoint = match &storage.endpoint {
        Some(endpoint) => endpoint.to_string(),
        None if storage.file_system.as_str().starts_with("s3") => {
            format!("AWS itself, by {}", storage.scheme)
        }
        None => NOTHING.to_owned(),
    };
    add("  endpoint", endpoint);
    let Credentials {
        form: _,
        access_key_id,
        secret_access_key,
    } = &storage.credentials;
    let halves = match (access_key_id, secret_access_key) {
        (Some(public), Some(_)) if public.from == "externalSecret" => at_key(public),
        (Some(public), Some(secret)) => {
            let (public, secret) = (origin(public), origin(secret));
            match public == secret {
                true => format!(", from {public}"),
                false => format!(", its id from {public}, its secret from {secret}"),
            }
        }
        _ => String::new(),
    };
    add(
        "  credentials",
        format!("{}{halves}", form(&storage.credentials)),
    );
}

fn form(credentials: &Credentials) -> &'static str {
    match credentials.form {
        "keys" => "S3 key",
        "workloadIdentity" => "workload identity",
        "existingSecret" => "existing Secret",
        _ => "S3 key of a store",
    }
}

fn origin(origin: &Origin) -> String {
    let what = match origin.from {
        "values" => "the values file",
        "env" => "the variable",
        "file" => "the file",
        "stdin" => "standard input",
        other => other,
    };
    format!("{what}{}", at(origin))
}

fn at(origin: &Origin) -> String {
    match &origin.at {
        Some(at) => format!(" {at}"),
        None => String::new(),
    }
}

fn at_key(origin: &Origin) -> String {
    match &origin.at {
        Some(key) => format!(", at the key {key}"),
        None => String::new(),
    }
}

/// As findings are marked in messages.
fn mark(finding: &Finding) -> String {
    let kind = match (finding.accepted, finding.level) {
        (true, _) => "accepted",
        (false, "deny") => "error",
        (false, _) => "warning",
    };
    format!("{kind}[{}]", finding.code)
}

/// How much of what there is, and whether there may be more; what it is stands elsewhere.
fn summary(cluster: &Cluster) -> String {
    let count = |is: fn(&Finding) -> bool| cluster.findings.iter().filter(|it| is(it)).count();
    let denied = count(|finding| !finding.accepted && finding.level == "deny");
    let warnings = count(|finding| !finding.accepted && finding.level != "deny");
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

/// The day of a point in time.
fn day(at: &str) -> String {
    at.split('T').next().unwrap_or_default().to_owned()
}
