//! The template engine: minijinja, set up so that every value is quoted and nothing is guessed.

use anyhow::{Context as _, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};

use super::scalar::{MARK, placeholder};
use super::templates::Templates;
use super::verify::Structures;
use crate::diagnostic::Diagnostic;
use crate::show::shown;

/// Stops a runaway template. The built-in ones take a few hundred instructions.
const FUEL: u64 = 10_000_000;

pub struct Engine<'a> {
    environment: Environment<'a>,
    pub templates: &'a Templates,
    pub structures: Structures,
}

impl<'a> Engine<'a> {
    /// Parses the templates of a run. Fails if a template isn't valid.
    pub fn new(templates: &'a Templates) -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_syntax(syntax()?);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        // Without it, errors of release builds don't have the text of the line.
        environment.set_debug(true);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_formatter(print);
        environment.add_filter("b64encode", b64encode);
        let mut engine = Self { environment, templates, structures: Structures::default() };
        for (path, template) in templates.all() {
            let added = engine.environment.add_template(path, &template.text);
            added.map_err(|error| engine.explain(path, &error))?;
        }
        Ok(engine)
    }

    /// Renders a template, as YAML with a [`placeholder`] for each value, and the values in the order of their numbers.
    pub fn run(&self, path: &str, values: &Value) -> Result<(String, Vec<serde_yaml::Value>)> {
        let template = self.environment.get_template(path);
        let template = template.map_err(|error| self.explain(path, &error))?;
        let mut captured =
            template.render_captured(values.clone()).map_err(|error| self.explain(path, &error))?;
        let values = captured.with_state_mut(|state| {
            std::mem::take(state.get_or_insert_extension_with(Vec::<serde_yaml::Value>::new))
        });
        Ok((captured.into_output(), values))
    }

    /// Returns the template and line that printed a placeholder's value. Renders again, so only for errors.
    pub fn place_of(&self, path: &str, values: &Value, number: usize) -> Option<(String, usize)> {
        let template = self.environment.get_template(path).ok()?;
        let (text, spans) = template.render_with_spans(values.clone()).ok()?;
        let offset = text.find(&placeholder(number).to_string())?;
        let span = spans.iter().find(|span| span.output_range().contains(&offset))?;
        Some((span.name().to_owned(), span.line()))
    }

    /// Converts an engine error. Its own text may show values, so only the parts about the template are used.
    fn explain(&self, path: &str, error: &Error) -> anyhow::Error {
        let source = std::error::Error::source(error);
        // If an included template failed, its error is the source.
        if let Some(source) = source.and_then(|source| source.downcast_ref()) {
            return self.explain(path, source);
        }
        let path = error.name().unwrap_or(path);
        let is_about_template = matches!(
            error.kind(),
            ErrorKind::SyntaxError
                | ErrorKind::UnknownFilter
                | ErrorKind::UnknownTest
                | ErrorKind::UnknownFunction
        );
        let own = source.and_then(|source| source.downcast_ref::<Diagnostic>());
        let mut message = match (own, error.detail()) {
            (Some(own), _) => own.message.clone(),
            (None, Some(detail)) if is_about_template => detail.to_owned(),
            (None, _) => error.kind().to_string(),
        };
        let source = error.template_source().zip(error.line());
        let line = source.and_then(|(source, line)| source.lines().nth(line.checked_sub(1)?));
        if let Some(line) = line {
            message = format!("{message}: {}", shown(line.trim()));
        }
        let place = Diagnostic::error(message).in_file(self.templates.file(path));
        let explained = place.on_line(error.line().map(|line| line.to_string()));
        let help = "`metadata.yaml.j2` of `ma-register templates DIR` lists the variables";
        match error.kind() {
            ErrorKind::UndefinedError => explained.help(help).into(),
            _ => explained.into(),
        }
    }
}

/// Returns the syntax of all templates. A tag alone on a line leaves no line, so a template looks like its output.
/// Fails if minijinja refuses its own settings.
pub fn syntax() -> Result<SyntaxConfig> {
    let syntax = SyntaxConfig::builder()
        .keep_trailing_newline(true)
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    syntax.context("minijinja refused its settings")
}

/// Prints a value: scalars as placeholders, lists and mappings in YAML's flow style.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let scalar: serde_yaml::Value = match value.kind() {
        ValueKind::String => value.as_str().unwrap_or_default().into(),
        ValueKind::Bool => value.is_true().into(),
        ValueKind::Number if value.is_integer() => i64::try_from(value.clone())?.into(),
        ValueKind::Seq | ValueKind::Iterable => {
            out.write_str("[")?;
            for (index, item) in value.try_iter()?.enumerate() {
                out.write_str(if index > 0 { ", " } else { "" })?;
                print(out, state, &item)?;
            }
            return Ok(out.write_str("]")?);
        }
        ValueKind::Map => {
            out.write_str("{")?;
            for (index, key) in value.try_iter()?.enumerate() {
                out.write_str(if index > 0 { ", " } else { "" })?;
                print(out, state, &key)?;
                out.write_str(": ")?;
                print(out, state, &value.get_item(&key)?)?;
            }
            return Ok(out.write_str("}")?);
        }
        ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::None => return Err(refuse("the value is none; guard it with `{% if %}`")),
        _ => {
            let message = "only text, booleans, whole numbers, lists and mappings can be printed";
            return Err(refuse(message));
        }
    };
    if scalar.as_str().is_some_and(|text| text.contains(MARK)) {
        return Err(refuse("the captured output of a block, or U+FDD0, can't be printed"));
    }
    let printed = state.get_or_insert_extension_with(Vec::<serde_yaml::Value>::new);
    let number = printed.len();
    printed.push(scalar);
    Ok(write!(out, "{}", placeholder(number))?)
}

fn refuse(message: &str) -> Error {
    Error::from(ErrorKind::InvalidOperation).with_source(Diagnostic::error(message))
}

fn b64encode(value: &Value) -> Result<String, Error> {
    use base64::Engine as _;
    let text = value.as_str().ok_or_else(|| refuse("b64encode takes text"))?;
    Ok(base64::engine::general_purpose::STANDARD.encode(text))
}
