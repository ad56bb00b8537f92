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
pub async fn until_asked<T>(work: impl Future<Output = Result<T>>, tell: watch::Sender<bool>) -> Result<Option<T>> {
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done.map(Some),
        asked = asked() => asked?,
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

async fn asked() -> Result<()> {
    let unheard = |error: std::io::Error| Error::internal("signals cannot be heard").because(error);
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(unheard)?;
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            interrupted = tokio::signal::ctrl_c() => interrupted.map_err(unheard),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(unheard)
}
