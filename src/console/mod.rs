//! The HTTP port: liveness, readiness, metrics.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::telemetry::Meters;

/// Whether traffic should come: set by start-up, shutdown and the store, read by probes.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    ready: AtomicBool,
    /// For how many seconds the store has been away, and one more; 0 while it is there.
    away_s: AtomicU64,
}

impl Readiness {
    /// Sets it.
    pub fn set(&self, ready: bool) {
        self.0.ready.store(ready, Ordering::Relaxed);
    }

    /// Says for how long the store has been away.
    pub fn set_away(&self, away: Option<Duration>) {
        self.0.away_s.store(away.map_or(0, |away| away.as_secs() + 1), Ordering::Relaxed);
    }

    /// The status, and the line for people.
    fn answer(&self) -> (StatusCode, String) {
        let (status, word) = match self.0.ready.load(Ordering::Relaxed) {
            true => (StatusCode::OK, "ready"),
            false => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
        };
        let line = match self.0.away_s.load(Ordering::Relaxed) {
            0 => format!("{word}\n"),
            seconds => format!("{word}, without the store for {} s: selections from memory, no registrations\n", seconds - 1),
        };
        (status, line)
    }
}

/// Serves until `shutdown`.
///
/// # Errors
/// The listener broke.
pub async fn serve(
    listener: TcpListener,
    readiness: Readiness,
    meters: Arc<Meters>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new()
        // Alive as long as it answers: a router that waits for its disk must not be restarted for it.
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(readyz).with_state(readiness))
        .route("/metrics", get(metrics).with_state(meters));
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

async fn readyz(State(readiness): State<Readiness>) -> impl IntoResponse {
    readiness.answer()
}

/// In the format that the scraper asks for: exemplars have room in OpenMetrics only.
async fn metrics(State(meters): State<Arc<Meters>>, headers: HeaderMap) -> impl IntoResponse {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepted.contains("application/openmetrics-text") {
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        return ([(header::CONTENT_TYPE, kind)], meters.render_openmetrics());
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], meters.render())
}
