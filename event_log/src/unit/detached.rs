//! Work that its caller waits for, and that goes on when the caller goes away.

#[cfg(test)]
mod tests;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::FutureExt;
use futures::future::{BoxFuture, CatchUnwind};
use tokio::runtime::Handle;

/// Runs within the caller's task, and in one of its own from the moment the caller drops it unfinished. With a
/// task of its own from the start each command would have to be handed from task to task twice more.
///
/// Gives an error when the work panicked.
pub(super) struct Detached<T: 'static>(Option<CatchUnwind<AssertUnwindSafe<BoxFuture<'static, T>>>>);

impl<T> Detached<T> {
    pub(super) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(AssertUnwindSafe(work.boxed()).catch_unwind()))
    }
}

impl<T> Future for Detached<T> {
    type Output = Result<T, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.0 else { unreachable!("polled after its end") };
        let output = ready!(work.poll_unpin(context));
        self.0 = None;
        Poll::Ready(output)
    }
}

impl<T: 'static> Drop for Detached<T> {
    fn drop(&mut self) {
        // Commands run on a runtime; where it is gone, the process is about to end, and the command with it.
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move { drop(work.await) });
        }
    }
}
