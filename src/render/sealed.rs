//! Secrets as template values that notice when they are printed.
//!
//! A manifest has to say whether it holds secret material, also one that comes from a user's own
//! template. A [`Sealed`] value marks the [`Seal`] of the rendering whenever its text is taken.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind};
use secrecy::{ExposeSecret, SecretString};

use crate::input::secret::Secret;

/// What secret material a manifest holds; the later, the graver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secrecy {
    /// None.
    Public,
    /// A secret that the values file holds in the clear itself.
    InValues,
    /// A secret that came from a file, the environment or standard input.
    Elsewhere,
}

/// Notes the gravest secret that was printed since it was last cleared.
#[derive(Clone, Debug, Default)]
pub struct Seal(Arc<Broken>);

#[derive(Debug, Default)]
struct Broken {
    gravity: AtomicU8,
    /// Whether a secret's text went elsewhere than straight into a scalar.
    is_loose: AtomicBool,
}

impl Seal {
    /// Starts anew.
    pub fn clear(&self) {
        self.0.gravity.store(0, Ordering::Relaxed);
        self.0.is_loose.store(false, Ordering::Relaxed);
    }

    /// The gravest secret that was printed.
    pub fn secrecy(&self) -> Secrecy {
        match self.0.gravity.load(Ordering::Relaxed) {
            0 => Secrecy::Public,
            1 => Secrecy::InValues,
            _ => Secrecy::Elsewhere,
        }
    }

    /// Whether the text of a secret was taken by a filter, an operator or the like, so that any value
    /// that was printed may hold it.
    pub fn is_loose(&self) -> bool {
        self.0.is_loose.load(Ordering::Relaxed)
    }

    fn broken_by(&self, secret_in_values: bool) {
        let gravity = if secret_in_values { 1 } else { 2 };
        self.0.gravity.fetch_max(gravity, Ordering::Relaxed);
    }
}

/// A secret among a template's values. Its `Debug` form is redacted.
#[derive(Debug)]
pub struct Sealed {
    text: SecretString,
    in_values: bool,
    seal: Seal,
}

impl Sealed {
    /// Makes a template value of a secret.
    pub fn value(secret: &Secret, seal: &Seal) -> Value {
        Value::from_object(Self {
            text: secret.expose().into(),
            in_values: secret.in_values,
            seal: seal.clone(),
        })
    }

    /// The text, which breaks the seal. The caller knows where it goes.
    pub fn open(&self) -> &str {
        self.seal.broken_by(self.in_values);
        self.text.expose_secret()
    }
}

impl Object for Sealed {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.seal.0.is_loose.store(true, Ordering::Relaxed);
        f.write_str(self.open())
    }
}

/// The filter `b64encode`: standard base64 of a string or secret, as a Secret's `data` takes it.
pub fn b64encode(value: &Value) -> Result<Value, Error> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    if let Some(sealed) = value.downcast_object_ref::<Sealed>() {
        return Ok(Value::from_object(Sealed {
            text: STANDARD.encode(sealed.text.expose_secret()).into(),
            in_values: sealed.in_values,
            seal: sealed.seal.clone(),
        }));
    }
    match value.as_str() {
        Some(text) => Ok(Value::from(STANDARD.encode(text))),
        None => Err(Error::new(
            ErrorKind::InvalidOperation,
            "b64encode takes a string",
        )),
    }
}
