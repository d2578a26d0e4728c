//! A thread with a runtime of its own, so that code that blocks or panics harms nobody else.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::future::LocalBoxFuture;

/// What a future ended with: its value or the payload of its panic.
pub(super) type Outcome<T> = Result<T, Box<dyn Any + Send>>;

/// Runs a future on a new thread; `done` is called there with what it ended with, after its runtime is gone. The
/// error is the system's when it has no thread or no event queue to give; `done` is not called then.
pub(super) fn spawn_runtime<T: 'static>(
    name: String,
    future: impl FnOnce() -> LocalBoxFuture<'static, T> + Send + 'static,
    done: impl FnOnce(Outcome<T>) + Send + 'static,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let body = move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(future())));
        runtime.shutdown_background();
        done(outcome);
    };
    std::thread::Builder::new().name(name).spawn(body).map(drop)
}

/// The message of a panic.
pub(super) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().map(str::to_owned);
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_else(|| "no message".to_owned()))
}
