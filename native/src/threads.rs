//! How many threads a batch is spread over, and the spreading.

use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Items that one thread takes at a time: an inversion is shared by them, and some tens of kilobytes are in use.
pub const CHUNK: usize = 128;
/// The environment variable that sets the number of threads.
pub const VARIABLE: &str = "TPSI_NATIVE_THREADS";
const MOST: usize = 256;

/// The pool of one process: threads do not survive a fork, so it is remembered whose they are.
struct Owned {
    process: u32,
    threads: usize,
    pool: Arc<ThreadPool>,
}

static CHOSEN: Mutex<Option<usize>> = Mutex::new(None);
static POOL: Mutex<Option<Owned>> = Mutex::new(None);

/// Set the number of threads; false, and nothing changes, if it is not 1 to 256.
pub fn set(threads: usize) -> bool {
    let sound = (1..=MOST).contains(&threads);
    if sound {
        *CHOSEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(threads);
    }
    sound
}

/// The number in use: the one that was set, else the environment's, else one for each processor of this process.
pub fn get() -> usize {
    let mut chosen = CHOSEN.lock().unwrap_or_else(PoisonError::into_inner);
    *chosen.get_or_insert_with(|| {
        let wanted = std::env::var(VARIABLE).ok().and_then(|text| text.parse().ok());
        let here = || std::thread::available_parallelism().map_or(1, usize::from);
        wanted.filter(|n| (1..=MOST).contains(n)).unwrap_or_else(here)
    })
}

/// Run `work(index of the chunk, chunk)` for every CHUNK items of `items`, on several threads if it is worth it.
pub fn each_chunk<T: Send>(items: &mut [T], work: impl Fn(usize, &mut [T]) + Sync) {
    match items.len() > CHUNK && get() > 1 {
        false => items.chunks_mut(CHUNK).enumerate().for_each(|(i, chunk)| work(i, chunk)),
        true => pool().install(|| items.par_chunks_mut(CHUNK).enumerate().for_each(|(i, chunk)| work(i, chunk))),
    }
}

/// Run `work(number of the row, row)` for every row of `width` octets, at least one.
pub fn each_row(octets: &mut [u8], width: usize, work: impl Fn(usize, &mut [u8]) + Sync) {
    let mut rows: Vec<&mut [u8]> = octets.chunks_exact_mut(width).collect();
    each_chunk(&mut rows, |chunk, rows| (chunk * CHUNK..).zip(rows).for_each(|(i, row)| work(i, row)));
}

/// Run `work` for each of a few large items.
pub fn each<T: Send>(items: &mut [T], work: impl Fn(&mut T) + Sync + Send) {
    match items.len() > 1 && get() > 1 {
        false => items.iter_mut().for_each(work),
        true => pool().install(|| items.par_iter_mut().for_each(work)),
    }
}

/// Run several pieces of work and collect their results in order.
pub fn collect<R: Send>(pieces: usize, work: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
    match pieces > 1 && get() > 1 {
        false => (0..pieces).map(work).collect(),
        true => pool().install(|| (0..pieces).into_par_iter().map(work).collect()),
    }
}

fn pool() -> Arc<ThreadPool> {
    let (threads, process) = (get(), std::process::id());
    let mut slot = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(owned) = slot.as_ref().filter(|o| o.process == process && o.threads == threads) {
        return owned.pool.clone();
    }
    let named = ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("tpsi-native-{i}"));
    let pool = Arc::new(named.build().expect("the system gives this process no threads"));
    let old = slot.replace(Owned { process, threads, pool: pool.clone() });
    if let Some(old) = old.filter(|old| old.process != process) {
        std::mem::forget(old); // its threads are the parent's: there is nobody to join
    }
    pool
}
