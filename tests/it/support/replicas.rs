//! Routers in this process that share one PostgreSQL.

use std::time::{Duration, Instant};

use tool_router::config::{Config, Postgres};

use super::postgres::Server;
use super::{TestRouter, left_out};

/// How soon a replica has to know what another acknowledged.
pub(crate) const AGREED: Duration = Duration::from_secs(1);

/// A server for a test, or a line among those that were left out.
pub(crate) async fn server(test: &str) -> Option<Server> {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    if server.is_none() {
        left_out(test, "needs PostgreSQL: apt-get install postgresql");
    }
    server
}

/// Makes a configuration that of a replica.
pub(crate) fn shared(config: &mut Config, url: &str) {
    config.store.postgres = Some(Postgres { url: Some(url.to_owned()), timeout_ms: 1_000, ..Postgres::default() });
}

pub(crate) async fn replica(url: &str) -> TestRouter {
    TestRouter::start_with(|config| shared(config, url)).await
}

pub(crate) async fn replicas(url: &str, count: usize) -> Vec<TestRouter> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(replica(url).await);
    }
    all
}

/// Waits until a replica is at `version`; gives how long that took.
pub(crate) async fn reaches(replica: &mut TestRouter, version: &str, limit: Duration) -> Duration {
    let begun = Instant::now();
    while replica.version().await != version {
        assert!(begun.elapsed() < limit, "at {} and not at {version} after {limit:?}", replica.version().await);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    begun.elapsed()
}
