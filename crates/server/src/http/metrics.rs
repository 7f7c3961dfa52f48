//! Numbers for Prometheus: of the cable, and the basics of the server.

use std::time::Duration;

use ::cable::Cable;
use axum::{
    Router, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing::get,
};
use metrics::counter;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::platform::events::{Event, Events, Verdict};

/// Upper bounds of the buckets of all that is measured in seconds.
const SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// How often what was measured is gathered, so that it does not pile up between two visits.
const GATHER: Duration = Duration::from_secs(5);

/// Counts from now on, and serves what was counted at `/metrics`.
///
/// # Errors
/// When this process counts already.
pub fn start(events: &Events, cable: Cable) -> Result<Router, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()?;
    events.listen(count);
    tokio::spawn({
        let handle = handle.clone();
        async move {
            loop {
                tokio::time::sleep(GATHER).await;
                handle.run_upkeep();
            }
        }
    });
    Ok(Router::new()
        .route("/metrics", get(render))
        .with_state((handle, cable)))
}

fn count(event: &Event) {
    match event {
        Event::Asked { .. } => counter!("axiam_sign_ons_asked_total").increment(1),
        Event::Decided { verdict, .. } => {
            let verdict = match verdict {
                Verdict::Verified { .. } => "verified",
                Verdict::Failed(_) => "failed",
                Verdict::Denied => "denied",
                Verdict::Expired => "expired",
            };
            counter!("axiam_sign_ons_total", "verdict" => verdict).increment(1);
        }
        Event::Retry { .. } => counter!("axiam_sign_on_retries_total").increment(1),
        _ => {}
    }
}

async fn render(State((handle, cable)): State<(PrometheusHandle, Cable)>) -> impl IntoResponse {
    let text = handle.render() + &cable.stats().prometheus("axiam_cable");
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
