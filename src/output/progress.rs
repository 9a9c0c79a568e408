//! How far a long run has got, on standard error.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A run that takes longer than this is a long one.
const PATIENCE: Duration = Duration::from_millis(700);

/// A bar that appears once the run takes long, and is gone when it is dropped.
pub struct Progress {
    bar: ProgressBar,
    begin: Instant,
    is_shown: bool,
}

impl Progress {
    /// Counts up to `total` things that are done. Only where `is_shown` it ever appears.
    pub fn new(what: &'static str, total: usize, is_shown: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self {
            bar,
            begin: Instant::now(),
            is_shown,
        }
    }

    /// One more is done.
    pub fn step(&self) {
        if self.is_shown && self.bar.is_hidden() && self.begin.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
