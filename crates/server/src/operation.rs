//! What those who run Circuit ask: does it live, can it serve, how does it fare. And what every request is given:
//! a line in the log, a count, a bound, and an answer even when its handler panics.

use std::{
    any::Any,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    middleware::{Next, from_fn},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use http::{Method, StatusCode, header::CONTENT_TYPE};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tower_http::{
    catch_panic::CatchPanicLayer,
    trace::{OnResponse, TraceLayer},
};
use tracing::{Span, error, info, info_span, warn};

use crate::{
    Door,
    api::problem::{Failed, UNAVAILABLE},
};

/// The largest body that any address reads.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Seconds: from an answer out of memory to one that waited for Atlassian.
const DURATION_BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];
/// The recorder keeps every duration until it is asked to sort them in; when nobody reads the metrics, this is done
/// after so many requests.
const UPKEEP_REQUESTS: u64 = 1_000;

/// `/healthz`, `/readyz` and `/metrics`. They ask for no key and tell nothing of what Circuit holds.
pub fn routes() -> Router<Door> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(measures))
}

/// Gives all of a router's requests their bound, their count and their line in the log.
pub fn attended(router: Router<Door>) -> Router<Door> {
    // The path only: queries hold what people look for, and OAuth codes.
    let span = |request: &Request| info_span!("request", method = %request.method(), path = %request.uri().path());
    let trace = TraceLayer::new_for_http()
        .make_span_with(span)
        .on_request(())
        .on_body_chunk(())
        .on_eos(())
        // An error is logged where it is handled.
        .on_failure(())
        .on_response(Answered);
    router
        .layer(CatchPanicLayer::custom(panicked))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(measured))
        .layer(trace)
}

#[derive(Clone)]
struct Answered;

impl<B> OnResponse<B> for Answered {
    fn on_response(self, response: &Response<B>, latency: Duration, _: &Span) {
        info!(
            status = response.status().as_u16(),
            milliseconds = latency.as_millis() as u64,
            "Answered"
        );
    }
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    // What it panicked with may hold anything; the panic hook has written it already.
    error!("A request panicked");
    let page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Internal error</title>\
                <h1>Internal error</h1><p>Circuit met a defect; its log says more. <a href=\"/\">Back to Circuit</a></p></html>";
    (StatusCode::INTERNAL_SERVER_ERROR, Html(page)).into_response()
}

async fn ready(State(door): State<Door>) -> Response {
    match door.app.ready().await {
        // Searches are answered from what was indexed before: the rest is said, and no reason to send people away.
        Ok(()) => match door.app.search_trouble() {
            None => "ready\n".into_response(),
            Some(why) => format!("ready, but a search index does not follow the store: {why}\n").into_response(),
        },
        // The app has logged it, once.
        Err(failed) => Failed::new(&UNAVAILABLE, failed.message).into_response(),
    }
}

async fn measures(State(door): State<Door>) -> Response {
    gauge!("circuit_build_info", "version" => door.options.version).set(1.0);
    let recorder = recorder();
    measure_calls(&door).await;
    if let Ok((queued, dead)) = door.app.jobs_queued_and_dead().await {
        gauge!("circuit_jobs_queued").set(queued as f64);
        gauge!("circuit_jobs_dead").set(dead as f64);
    }
    recorder.run_upkeep();
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        recorder.render(),
    )
        .into_response()
}

/// How calls to Atlassian stand. When the store does not answer, the last figures stay: `/readyz` tells of that.
async fn measure_calls(door: &Door) {
    gauge!("circuit_atlassian_calls_at_once").set(f64::from(door.app.pace().at_once));
    match door.app.budget_picture().await {
        Ok(budget) => {
            gauge!("circuit_points_budget").set(budget.budget as f64);
            gauge!("circuit_points_spent").set(budget.spent as f64);
            gauge!("circuit_points_left").set(budget.left_for_people as f64);
            counter!("circuit_atlassian_calls_total").absolute(budget.since_start.calls);
            counter!("circuit_atlassian_points_total").absolute(budget.since_start.points);
        }
        Err(error) => warn!(error = ?error, "The budget of points could not be measured"),
    }
}

/// Counts a request by its route's pattern: never by ids, which have no end.
async fn measured(request: Request<Body>, next: Next) -> Response {
    recorder();
    let method = known_word(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let route = route.unwrap_or_else(|| "none".to_owned());
    let began = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    counter!("circuit_http_requests_total", "method" => method, "route" => route.clone(), "status" => status)
        .increment(1);
    histogram!("circuit_http_request_duration_seconds", "method" => method, "route" => route)
        .record(began.elapsed().as_secs_f64());
    keep_up();
    response
}

/// Strangers may send any word as a method; they must not make new series.
fn known_word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn keep_up() {
    static REQUESTS: AtomicU64 = AtomicU64::new(0);
    if (REQUESTS.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(UPKEEP_REQUESTS) {
        recorder().run_upkeep();
    }
}

/// The process's one recorder, installed at its first use.
fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new();
        let recorder = match builder.set_buckets(DURATION_BUCKETS) {
            Ok(builder) => builder.build_recorder(),
            // Only an empty list of buckets is refused.
            Err(_) => PrometheusBuilder::new().build_recorder(),
        };
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            warn!("Another recorder of metrics is installed; /metrics stays empty");
        }
        describe_counter!(
            "circuit_http_requests_total",
            "Requests answered, by method, route and status"
        );
        describe_gauge!("circuit_jobs_queued", "Jobs that wait or run");
        describe_gauge!("circuit_jobs_dead", "Jobs that failed too often and wait for a person");
        describe_histogram!(
            "circuit_http_request_duration_seconds",
            "Seconds until an answer began, by method and route"
        );
        describe_counter!("circuit_atlassian_calls_total", "Calls to Confluence since the start");
        describe_counter!(
            "circuit_atlassian_points_total",
            "Points spent at Confluence since the start"
        );
        describe_gauge!(
            "circuit_atlassian_calls_at_once",
            "The most calls to Confluence at once, as it answers now"
        );
        describe_gauge!("circuit_points_budget", "Points that may be spent in this hour");
        describe_gauge!(
            "circuit_points_spent",
            "Points spent in this hour, or promised to calls on their way"
        );
        describe_gauge!("circuit_points_left", "Points of this hour that people may still spend");
        handle
    })
}
