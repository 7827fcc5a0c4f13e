//! The timer of a connection's heads: one for all of its requests. hyper lets go of its own after each
//! head and makes the next anew, which takes the lock of the runtime's timers twice a request; one that is
//! put off takes none.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// Of one connection: it has one head at a time, so it waits for one moment at a time.
#[derive(Clone)]
pub(crate) struct HeadTimer(Arc<Mutex<Pin<Box<tokio::time::Sleep>>>>);

impl HeadTimer {
    /// Within the runtime that the connection runs on.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Box::pin(tokio::time::sleep(Duration::ZERO)))))
    }

    fn with<T>(&self, go: impl FnOnce(Pin<&mut tokio::time::Sleep>) -> T) -> T {
        go(self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut())
    }
}

impl fmt::Debug for HeadTimer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("HeadTimer").finish_non_exhaustive()
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.with(|sleep| sleep.reset(deadline.into()));
        Box::pin(self.clone())
    }
}

impl Future for HeadTimer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.with(|sleep| sleep.poll(context))
    }
}

impl Sleep for HeadTimer {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_last_deadline_holds() {
        let timer = HeadTimer::new();
        let began = tokio::time::Instant::now();
        let deadline = |seconds| began.into_std() + Duration::from_secs(seconds);
        let first = timer.sleep_until(deadline(1));
        let early = tokio::time::timeout(Duration::from_millis(500), first).await;
        assert!(early.is_err());
        timer.sleep_until(deadline(3)).await;
        assert_eq!(began.elapsed().as_secs(), 3, "put off");
        timer.sleep_until(deadline(5)).await;
        assert_eq!(began.elapsed().as_secs(), 5, "set again when it has rung");
    }
}
