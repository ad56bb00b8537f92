//! Connections, each within bounds: how many, how long a request may take to arrive, how long an answer after a stop.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet, time::sleep};
use tower_http::timeout::RequestBodyTimeoutLayer;
use tracing::{debug, warn};

/// Connections at once. Whoever comes when all are taken waits in the system's queue.
const CONNECTIONS_MAX: usize = 1_024;
/// Until the head of a request is complete, also when a connection is used again.
const HEAD_TIME_MAX: Duration = Duration::from_secs(60);
/// Between two pieces of a request's body.
const BODY_PIECE_TIME_MAX: Duration = Duration::from_secs(30);
/// How long answers that were begun may take once it was asked to stop: whoever watches a feed's progress would hold the
/// door open for ever.
const ANSWERS_TIME_MAX: Duration = Duration::from_secs(2);
/// After a connection could not be taken (too many files are open, most likely).
const REST: Duration = Duration::from_millis(200);

/// Answers at `listener` until `stopped`. Fails never: a connection that breaks is its own matter.
pub async fn listening(listener: TcpListener, doors: Router, stopped: impl Future<Output = ()>) {
    let doors = TowerToHyperService::new(doors.layer(RequestBodyTimeoutLayer::new(BODY_PIECE_TIME_MAX)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX);
    let (graceful, places) = (GracefulShutdown::new(), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
    let mut open = JoinSet::new();
    tokio::pin!(stopped);
    loop {
        let accepted = tokio::select! {
            accepted = accepted(&listener, &places) => accepted,
            Some(_) = open.join_next() => continue,
            () = &mut stopped => break,
        };
        match accepted {
            Ok((stream, place)) => {
                let connection = http.serve_connection(TokioIo::new(stream), doors.clone());
                let connection = graceful.watch(connection);
                open.spawn(async move {
                    if let Err(broken) = connection.await {
                        debug!("A connection broke: {broken}");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                warn!("A connection could not be taken: {error}");
                sleep(REST).await;
            }
        }
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = sleep(ANSWERS_TIME_MAX) => {}
    }
    open.shutdown().await;
}

async fn accepted(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // Answers are small and wanted at once. Without it they are only slower.
    let _ = stream.set_nodelay(true);
    Ok((stream, place))
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        sync::oneshot,
    };

    use super::*;

    #[tokio::test]
    async fn what_was_begun_is_answered_after_a_stop_and_what_never_ends_is_cut_off() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let slow = get(async || {
            sleep(Duration::from_millis(300)).await;
            "done"
        });
        let doors = Router::new()
            .route("/slow", slow)
            .route("/never", get(std::future::pending::<String>));
        let (stop, told) = oneshot::channel::<()>();
        let serving = tokio::spawn(listening(listener, doors, async {
            let _ = told.await;
        }));
        let ask = async |path: &str| {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream
                .write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
                .await
                .unwrap();
            stream
        };
        let (mut slow, mut never) = (ask("/slow").await, ask("/never").await);
        sleep(Duration::from_millis(100)).await;
        stop.send(()).unwrap();
        let mut answer = String::new();
        slow.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("done"), "{answer}");
        serving.await.unwrap();
        let mut nothing = Vec::new();
        // Cut off: an end or an error, and no answer.
        let _ = never.read_to_end(&mut nothing).await;
        assert!(nothing.is_empty());
    }
}
