//! Work on many things at once, with the results in order.

use std::sync::LazyLock;

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

/// Does the same with each thing, by way of something that each thread makes for itself.
pub fn in_parallel_with<T: Send, W, R: Send>(
    things: Vec<T>,
    make: impl Fn() -> W + Sync + Send,
    work: impl Fn(&mut W, T) -> R + Sync + Send,
) -> Vec<R> {
    let threads = match things.len() {
        MANY.. => THREADS.as_ref(),
        _ => None,
    };
    match threads {
        Some(threads) => threads.install(|| things.into_par_iter().map_init(make, work).collect()),
        None => {
            let mut with = make();
            let work = |thing| work(&mut with, thing);
            things.into_iter().map(work).collect()
        }
    }
}
