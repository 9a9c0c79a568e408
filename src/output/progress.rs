//! How far a long run has got, on standard error.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A run that takes longer than this is a long one.
const PATIENCE: Duration = Duration::from_millis(700);

/// A bar that appears once the run takes long, and is gone before anything else is said.
pub struct Progress {
    bar: ProgressBar,
    begin: Instant,
    is_wanted: bool,
}

impl Progress {
    /// Progress of a run that begins now. Only where it `is_wanted` it ever appears.
    pub fn new(is_wanted: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}") {
            bar.set_style(style);
        }
        Self {
            bar,
            begin: Instant::now(),
            is_wanted,
        }
    }

    /// Begins to count up to `total` things that are done.
    pub fn start(&self, what: &'static str, total: usize) {
        self.bar.reset();
        self.bar.set_length(total as u64);
        self.bar.set_message(what);
    }

    /// One more is done.
    pub fn step(&self) {
        if self.is_wanted && self.bar.is_hidden() && self.begin.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(1);
    }

    /// All are done, or something is to be said.
    pub fn stop(&self) {
        self.bar.finish_and_clear();
    }
}
