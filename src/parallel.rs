//! Work on many things at once, with the results in order.

use rayon::prelude::*;

/// The least number of things for which starting threads pays.
const MANY: usize = 4;

/// Does the same with each thing.
pub fn in_parallel<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    if things.len() < MANY {
        return things.iter().map(work).collect();
    }
    things.par_iter().map(work).collect()
}

/// Does the same with each thing, by way of something that each thread makes for itself.
pub fn in_parallel_with<T: Send, W, R: Send>(
    things: Vec<T>,
    make: impl Fn() -> W + Sync + Send,
    work: impl Fn(&mut W, T) -> R + Sync + Send,
) -> Vec<R> {
    if things.len() < MANY {
        let mut with = make();
        return things
            .into_iter()
            .map(|thing| work(&mut with, thing))
            .collect();
    }
    let things = things.into_par_iter();
    things.map_init(make, work).collect()
}
