//! What tests draw by lot, and how they wait.

use std::time::{Duration, Instant};

/// A generator from `FLEET_SEED`, or from a fixed number; a failure is repeated with the same one.
pub(crate) fn lots() -> fastrand::Rng {
    let seed =
        std::env::var("FLEET_SEED").ok().map_or(7, |text| text.parse().expect("FLEET_SEED is a number"));
    eprintln!("FLEET_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

/// Asks `probe` until it has something, and panics with its last excuse when `limit` has passed.
pub(crate) fn until<V>(what: &str, limit: Duration, mut probe: impl FnMut() -> Result<V, String>) -> V {
    let deadline = Instant::now() + limit;
    loop {
        match probe() {
            Ok(found) => return found,
            Err(excuse) if Instant::now() > deadline => panic!("{what}: not within {limit:?}; {excuse}"),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}
