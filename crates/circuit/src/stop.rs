//! Being asked to stop: SIGTERM, Ctrl-C.

use std::time::Duration;

use domain::{Error, Result};
use tokio::sync::watch;

/// What runs may end its present step in this time.
pub const STOP_TIME_MAX: Duration = Duration::from_secs(8);
/// And what is left after that gets this.
pub const LAST_MOMENT: Duration = Duration::from_secs(1);

/// Runs `work`, which is told to stop by the channel, until it ends or the process is asked to stop. After a request it
/// has [`STOP_TIME_MAX`] to end by itself.
pub async fn until_asked<T>(
    work: impl Future<Output = Result<T>>,
    tell: watch::Sender<bool>,
    mut requests: Requests,
) -> Result<Option<T>> {
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done.map(Some),
        () = requests.next() => {}
    }
    tracing::info!("Stopping");
    tell.send_replace(true);
    match tokio::time::timeout(STOP_TIME_MAX, work).await {
        Ok(done) => done.map(Some),
        Err(_) => {
            tracing::warn!(
                "Something did not end in {} s and is cut off; it goes on at the next start",
                STOP_TIME_MAX.as_secs()
            );
            Ok(None)
        }
    }
}

/// The system's requests to stop, heard from the moment this is made: a process that is asked before it listens would
/// die at once.
pub struct Requests {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Requests {
    pub fn heard() -> Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let unheard = |error: std::io::Error| Error::internal("signals cannot be heard").because(error);
            Ok(Self {
                terminate: signal(SignalKind::terminate()).map_err(unheard)?,
                interrupt: signal(SignalKind::interrupt()).map_err(unheard)?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Ends at the next request.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
