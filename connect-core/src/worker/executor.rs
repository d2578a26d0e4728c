//! Ground on which connectors and tasks run: threads with runtimes of their own, so that code that blocks or
//! panics harms nobody else, or wherever the worker's owner wants them.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::LocalBoxFuture;

/// End of a future: its value or the payload of its panic.
pub(crate) type Outcome<T> = Result<T, Box<dyn Any + Send>>;

/// The whole life of a connector or task. It never panics: what it ended with has been told by then.
pub type Job = Box<dyn FnOnce() -> LocalBoxFuture<'static, ()> + Send>;

/// Begins to run a named job and returns at once. The error is shown as the reason why it cannot be run.
pub type Launcher = Arc<dyn Fn(&str, Job) -> io::Result<()> + Send + Sync>;

/// Runs connectors and tasks.
#[derive(Clone, Default)]
pub enum Executor {
    /// Each on a thread with a runtime of its own.
    #[default]
    Threads,
    /// Wherever the launcher puts them. A simulation keeps everything in one runtime; what blocks there blocks all.
    Launcher(Launcher),
}

impl std::fmt::Debug for Executor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Threads => "Threads",
            Self::Launcher(_) => "Launcher",
        })
    }
}

impl Executor {
    /// Runs a future; `done` is called with what it ended with. The error is the system's when it has no thread or no
    /// event queue to give; `done` is not called then.
    pub(crate) fn run<T: 'static>(
        &self,
        name: String,
        future: impl FnOnce() -> LocalBoxFuture<'static, T> + Send + 'static,
        done: impl FnOnce(Outcome<T>) + Send + 'static,
    ) -> io::Result<()> {
        match self {
            Self::Threads => spawn_runtime(name, future, done),
            Self::Launcher(launch) => {
                let job: Job = Box::new(move || {
                    Box::pin(async move {
                        // The future is made inside, so that a panic in the making is caught too.
                        let life = async move { future().await };
                        done(AssertUnwindSafe(life).catch_unwind().await);
                    })
                });
                launch(&name, job)
            }
        }
    }
}

/// Runs a future on a new thread; `done` is called there after its runtime is gone.
fn spawn_runtime<T: 'static>(
    name: String,
    future: impl FnOnce() -> LocalBoxFuture<'static, T> + Send + 'static,
    done: impl FnOnce(Outcome<T>) + Send + 'static,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let body = move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(future())));
        runtime.shutdown_background();
        done(outcome);
    };
    std::thread::Builder::new().name(name).spawn(body).map(drop)
}

/// The message of a panic.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().map(str::to_owned);
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_else(|| "no message".to_owned()))
}
