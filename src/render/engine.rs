//! The template engine: minijinja, set up so that every value is quoted and nothing is guessed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::mem;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};

use super::document::{self, Fault, MARK};
use super::scalar::Scalar;
use super::sealed::{self, Seal, Sealed, Secrecy};
use super::structure::{Head, Structure};
use super::template_set::{self, Template, TemplateSet};
use crate::text::shown;

/// The instructions that one rendering may take; the built-in templates take a few hundred.
const FUEL: u64 = 10_000_000;

/// The structures that are kept; the built-in templates have a few dozen.
const MOST_STRUCTURES: usize = 256;

/// One rendered document.
pub struct Rendered {
    /// Its text.
    pub text: String,
    /// What the object says about itself.
    pub head: Head,
    /// What secret material it holds.
    pub secrecy: Secrecy,
    /// Where in the text the scalars stand that may hold it.
    pub secrets: Vec<Range<usize>>,
}

/// Renders templates.
pub struct Engine<'a> {
    environment: Environment<'a>,
    printed: SharedPrinted,
    seal: Seal,
    /// Those of the latest texts with placeholders; none for those without a document.
    structures: RefCell<HashMap<String, Option<Arc<Structure>>>>,
}

/// The values that the current rendering has printed.
#[derive(Default)]
struct Printed {
    scalars: Vec<Scalar>,
    /// Positions of those that are a secret.
    secrets: Vec<usize>,
}

type SharedPrinted = Arc<Mutex<Printed>>;

impl<'a> Engine<'a> {
    /// An engine that knows the templates of a set.
    ///
    /// # Errors
    /// Where a template isn't valid; the message names its file and line.
    pub fn new(templates: &'a TemplateSet) -> Result<Self> {
        let printed = SharedPrinted::default();
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(syntax()?);
        environment.set_fuel(Some(FUEL));
        // No template may turn quoting off, nor show what it was given.
        for filter in ["safe", "escape", "e", "pprint"] {
            environment.remove_filter(filter);
        }
        environment.remove_global("debug");
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.add_filter("b64encode", |value: Value| sealed::b64encode(&value));
        let for_formatter = Arc::clone(&printed);
        environment.set_formatter(move |out, _: &mut State<'_, '_>, value| {
            print(out, value, &mut lock(&for_formatter))
        });
        for template in templates.all() {
            template_set::check(template).with_context(|| failed(template))?;
            environment
                .add_template(&template.id, &template.text)
                .map_err(|error| explain(template, &error))?;
        }
        Ok(Self {
            environment,
            printed,
            seal: Seal::default(),
            structures: RefCell::default(),
        })
    }

    /// What secrets among the values report to.
    pub fn seal(&self) -> &Seal {
        &self.seal
    }

    /// Renders one template; `None` where it yields no document.
    ///
    /// # Errors
    /// Where the template fails or doesn't yield one document. The message names the template and
    /// the line and holds no value.
    pub fn render(&self, template: &Template, values: &Value) -> Result<Option<Rendered>> {
        self.seal.clear();
        *lock(&self.printed) = Printed::default();
        let with_placeholders = self
            .environment
            .get_template(&template.id)
            .and_then(|compiled| compiled.render(values))
            .map_err(|error| explain(template, &error))?;
        let Printed { scalars, secrets } = mem::take(&mut *lock(&self.printed));
        let fault = |fault: Fault| self.explain_fault(template, values, &with_placeholders, &fault);
        let structure = self
            .structure(&with_placeholders, scalars.len())
            .map_err(fault)?;
        let Some(structure) = structure else {
            return Ok(None);
        };
        structure.check_keys(&scalars).map_err(fault)?;
        let (text, spans) = document::finish(&with_placeholders, &scalars)
            .map_err(|error| error.context(failed(template)))?;
        // The proof that every value has arrived as it was meant.
        if !structure.is_said_by(&text, &scalars) {
            anyhow::bail!(
                "{}: a value would not come back from YAML as it went in",
                failed(template)
            );
        }
        Ok(Some(Rendered {
            text,
            head: structure.head(&scalars),
            secrecy: self.seal.secrecy(),
            secrets: if self.seal.is_loose() {
                spans
            } else {
                let span = |number: usize| spans.get(number).cloned();
                secrets.into_iter().filter_map(span).collect()
            },
        }))
    }

    /// The structure of a text with placeholders. Most clusters share theirs with others.
    fn structure(&self, text: &str, values: usize) -> Result<Option<Arc<Structure>>, Fault> {
        let mut known = self.structures.borrow_mut();
        if let Some(structure) = known.get(text) {
            return Ok(structure.clone());
        }
        let structure = Structure::read(text, values)?.map(Arc::new);
        if known.len() >= MOST_STRUCTURES {
            known.clear();
        }
        known.insert(text.to_owned(), structure.clone());
        Ok(structure)
    }

    /// Says which line of the template is at fault. It is rendered once more for that, with a
    /// record of which line wrote what.
    fn explain_fault(
        &self,
        template: &Template,
        values: &Value,
        text: &str,
        fault: &Fault,
    ) -> anyhow::Error {
        let (offset, reason) = match fault {
            Fault::Syntax { line } => (
                line.and_then(|line| line_offset(text, line)),
                "what it renders is not valid YAML; values come with their quotes, so they are written `key: {{ value }}`, without quotes around them",
            ),
            Fault::PartOfScalar { number } => (
                text.find(&document::placeholder(*number)),
                "a value is only a part of a YAML scalar here; put the text into the expression: `key: {{ \"text-\" ~ value }}`, without quotes around it",
            ),
            Fault::Marker { line } => (
                line_offset(text, *line),
                "a line begins with `%` or `---` and goes on, which kubectl takes for the end of the document",
            ),
            Fault::SeveralDocuments => (
                None,
                "it renders several documents; a template is one object",
            ),
            Fault::KeyTwice { line } => (
                line.and_then(|line| line_offset(text, line)),
                "the mapping that begins here has a key twice",
            ),
            Fault::RepeatedKey => (
                None,
                "a value that is used as a key is a key of that mapping already",
            ),
        };
        let line = offset.and_then(|offset| self.template_line(template, values, offset));
        anyhow::anyhow!("{reason}").context(failed_at(template, line))
    }

    fn template_line(&self, template: &Template, values: &Value, offset: usize) -> Option<usize> {
        *lock(&self.printed) = Printed::default();
        let compiled = self.environment.get_template(&template.id).ok()?;
        let (text, spans) = compiled.render_with_spans(values).ok()?;
        let span = spans
            .iter()
            .find(|span| span.output_range().contains(&offset))?;
        let before = text.get(span.output_range().start..offset)?;
        Some(span.line() + before.matches('\n').count())
    }
}

/// Tags that stand alone on a line leave no line behind, so that a template looks like its manifest.
fn syntax() -> Result<SyntaxConfig> {
    let syntax = SyntaxConfig::builder()
        .keep_trailing_newline(true)
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    syntax.map_err(|_| anyhow::anyhow!("the template engine refuses its settings"))
}

/// A poisoned lock holds a value from a rendering that is over, and is cleared before the next.
fn lock(printed: &SharedPrinted) -> MutexGuard<'_, Printed> {
    printed.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a line begins. A document that ends too early is at fault after its last line; that is
/// counted as its end.
fn line_offset(text: &str, line: usize) -> Option<usize> {
    let lines = text.split_inclusive('\n').take(line.checked_sub(1)?);
    let begin: usize = lines.map(str::len).sum();
    Some(begin.min(text.len().checked_sub(1)?))
}

/// Prints a value: every scalar becomes a placeholder, lists and mappings take YAML's flow style.
fn print(out: &mut Output<'_>, value: &Value, printed: &mut Printed) -> Result<(), Error> {
    if let Some(sealed) = value.downcast_object_ref::<Sealed>() {
        printed.secrets.push(printed.scalars.len());
        return print_scalar(out, Scalar::String(sealed.open().to_owned()), printed);
    }
    match value.kind() {
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default().to_owned();
            print_scalar(out, Scalar::String(text), printed)
        }
        ValueKind::Bool => print_scalar(out, Scalar::Boolean(value.is_true()), printed),
        ValueKind::Number => match i64::try_from(value.clone()) {
            Ok(number) if value.is_integer() => print_scalar(out, Scalar::Integer(number), printed),
            _ => Err(refusal(
                "a number that is not whole can't be printed; make it a string",
            )),
        },
        ValueKind::Seq | ValueKind::Iterable => {
            out.write_str("[").map_err(write_error)?;
            for (position, item) in value.try_iter()?.enumerate() {
                if position > 0 {
                    out.write_str(", ").map_err(write_error)?;
                }
                print(out, &item, printed)?;
            }
            out.write_str("]").map_err(write_error)
        }
        ValueKind::Map => {
            out.write_str("{").map_err(write_error)?;
            for (position, key) in value.try_iter()?.enumerate() {
                if position > 0 {
                    out.write_str(", ").map_err(write_error)?;
                }
                print(out, &key, printed)?;
                out.write_str(": ").map_err(write_error)?;
                print(out, &value.get_item(&key)?, printed)?;
            }
            out.write_str("}").map_err(write_error)
        }
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::None => Err(refusal("nothing can't be printed; test it with `if` first")),
        _ => Err(refusal("this kind of value can't be printed")),
    }
}

fn print_scalar(out: &mut Output<'_>, scalar: Scalar, printed: &mut Printed) -> Result<(), Error> {
    if let Scalar::String(text) = &scalar
        && text.contains(MARK)
    {
        return Err(refusal(
            "the text holds the code point U+FDD0, or is the captured output of a block, which can't be printed",
        ));
    }
    write!(out, "\"{MARK}{}{MARK}\"", printed.scalars.len()).map_err(write_error)?;
    printed.scalars.push(scalar);
    Ok(())
}

fn write_error(_: std::fmt::Error) -> Error {
    Error::from(ErrorKind::WriteFailure)
}

fn refusal(reason: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason)
}

fn failed(template: &Template) -> String {
    failed_at(template, None)
}

fn failed_at(template: &Template, line: Option<usize>) -> String {
    match line {
        Some(line) => format!(
            "failed to render the template {}, line {line}",
            shown(&template.origin)
        ),
        None => format!("failed to render the template {}", shown(&template.origin)),
    }
}

/// An error of the engine, without its debug form, which prints values. The details of an error
/// while rendering may hold values as well, and are shown only where they are this module's own.
fn explain(template: &Template, error: &Error) -> anyhow::Error {
    let own = [
        "a number that is not whole",
        "nothing can't be printed",
        "this kind of value",
        "the text holds the code point",
        "b64encode takes",
    ];
    let is_about_the_template = matches!(
        error.kind(),
        ErrorKind::SyntaxError
            | ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownFunction
    );
    let detail = error
        .detail()
        .filter(|detail| is_about_the_template || own.iter().any(|own| detail.starts_with(own)));
    let mut reason = detail.map_or_else(|| error.kind().to_string(), str::to_owned);
    let line = error.line();
    if let Some(source) = line.and_then(|line| template.text.lines().nth(line.checked_sub(1)?)) {
        for (_, tag) in template_set::tags(source).take(3) {
            reason = format!("{reason}: {}", shown(tag));
        }
    }
    anyhow::Error::msg(reason).context(failed_at(template, line))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use minijinja::context;

    use super::*;
    use crate::input::secret::Secret;
    use crate::input::templates::TemplateFile;
    use crate::side::Side;

    /// What a template prints as secret.
    fn secrets(template: &str) -> Vec<String> {
        let set = TemplateSet::with(vec![TemplateFile {
            side: Side::Compute,
            stem: "70-own".to_owned(),
            path: PathBuf::from("70-own.yaml.j2"),
            text: template.to_owned(),
        }]);
        let engine = Engine::new(&set).unwrap();
        let key = Sealed::value(&Secret::from_elsewhere("hunter2".to_owned()), engine.seal());
        let values = context! {
            name => "c0",
            key => key.clone(),
            keys => vec![Value::from(1), key],
        };
        let template = set.built_in_named(Side::Compute, "70-own").unwrap();
        let rendered = engine.render(template, &values).unwrap().unwrap();
        let stands = |span: &Range<usize>| rendered.text.get(span.clone()).unwrap().to_owned();
        rendered.secrets.iter().map(stands).collect()
    }

    #[test]
    fn secrets_that_are_printed_are_located() {
        assert_eq!(secrets("a: {{ name }}\n"), [""; 0]);
        assert_eq!(
            secrets("a: {{ name }}\nb: {{ key }}\n{{ key | b64encode }}: {{ keys }}\n"),
            ["\"hunter2\"", "\"aHVudGVyMg==\"", "\"hunter2\""]
        );
    }

    #[test]
    fn a_secret_that_was_processed_may_be_in_any_value() {
        for expression in [
            "key ~ 1",
            "key | upper",
            "keys | join",
            "keys | string",
            "key | string | b64encode",
        ] {
            let template = format!("a: {{{{ name }}}}\nb: {{{{ {expression} }}}}\n");
            assert_eq!(secrets(&template).len(), 2, "{expression}");
        }
        assert_eq!(
            secrets("{% set text = key ~ 1 %}\na: {{ name }}\nb: {{ 1 }}\n"),
            ["\"c0\"", "1"]
        );
    }
}
