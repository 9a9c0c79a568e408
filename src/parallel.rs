//! Work on many things at once, with the results in order.

use std::sync::{LazyLock, Mutex, PoisonError};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// The least number of things for which starting threads pays.
const MANY: usize = 4;

/// The threads; none where the system lets none be started.
static THREADS: LazyLock<Option<ThreadPool>> =
    LazyLock::new(|| ThreadPoolBuilder::new().build().ok());

/// Does the same with each thing.
pub fn in_parallel<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    in_parallel_with(things.iter().collect(), || (), |(), thing| work(thing))
}

/// Does the same with each thing, by way of something that no two threads use at once, and of which
/// there are no more than threads.
pub fn in_parallel_with<T: Send, W: Send, R: Send>(
    things: Vec<T>,
    make: impl Fn() -> W + Sync + Send,
    work: impl Fn(&mut W, T) -> R + Sync + Send,
) -> Vec<R> {
    let threads = match things.len() {
        MANY.. => THREADS.as_ref(),
        _ => None,
    };
    let Some(threads) = threads else {
        let mut with = make();
        let work = |thing| work(&mut with, thing);
        return things.into_iter().map(work).collect();
    };
    // rayon's own `map_init` makes one for every piece into which it cuts the work.
    let idle = Mutex::new(Vec::new());
    let idle = || idle.lock().unwrap_or_else(PoisonError::into_inner);
    let work = |thing| {
        let taken = idle().pop();
        let mut with = taken.unwrap_or_else(&make);
        let result = work(&mut with, thing);
        idle().push(with);
        result
    };
    threads.install(|| things.into_par_iter().map(work).collect())
}
