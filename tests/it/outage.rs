//! The database stops, freezes, crawls, moves, or cannot be reached: selections go on, registrations say why they cannot, and what was
//! missed is caught up with by itself.

use std::time::{Duration, Instant};

use tonic::Code;
use tool_router::config::Postgres;
use tool_router::rpc::proto::*;

use crate::support::proxy::{Proxy, Weather};
use crate::support::replicas::{AGREED, reaches, replica, server, shared};
use crate::support::{TestRouter, http_get, names, query_request, tool};

/// How soon a replica is whole again after its database is back.
const BACK: Duration = Duration::from_secs(2);

async fn registered(router: &mut TestRouter, name: &str) -> Result<String, tonic::Status> {
    let request = RegisterToolsRequest { source: "s".into(), tools: vec![tool(name, "Made.")], ..Default::default() };
    Ok(router.catalog.register_tools(request).await?.into_inner().catalog_version)
}

/// Registers through a router as soon as its store takes it.
async fn registered_again(router: &mut TestRouter, name: &str, limit: Duration) -> String {
    let begun = Instant::now();
    loop {
        match registered(router, name).await {
            Ok(version) => return version,
            Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status}"),
        }
        assert!(begun.elapsed() < limit, "the router does not find its database again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the router has noticed.
async fn until_away(router: &TestRouter, away: bool) {
    let begun = Instant::now();
    loop {
        let said = http_get(router.http, "/readyz").await.1;
        if said.contains("without the store") == away {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{said:?} while it is {away} that the store is away");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn status_metric_and_probes_say_that_the_store_is_away() {
    let Some(mut server) = server("outage::status_metric_and_probes_say_that_the_store_is_away").await else { return };
    let url = server.database();
    let mut patient = replica(&url).await;
    let strict = TestRouter::start_with(|config| {
        shared(config, &url);
        config.store.postgres.as_mut().unwrap().unready_after_ms = Some(500);
    })
    .await;
    registered(&mut patient, "before").await.unwrap();
    assert_eq!(http_get(patient.http, "/readyz").await, (200, "ready\n".into()));
    let metrics = http_get(patient.http, "/metrics").await.1;
    assert!(metrics.contains("toolrouter_store_up 1"), "{metrics}");
    server.kill();
    until_away(&patient, true).await;
    let (status, said) = http_get(patient.http, "/readyz").await;
    assert!(status == 200 && said.contains("selections from memory, no registrations"), "{status} {said}");
    assert!(http_get(patient.http, "/metrics").await.1.contains("toolrouter_store_up 0"));
    assert_eq!(http_get(patient.http, "/livez").await.0, 200, "a restart would help nobody");
    let refused = registered(&mut patient, "during").await.unwrap_err();
    assert!(refused.code() == Code::Unavailable && refused.message().contains("postgres at 127.0.0.1"), "{refused}");
    let begun = Instant::now();
    while http_get(strict.http, "/readyz").await.0 != 503 {
        assert!(begun.elapsed() < Duration::from_secs(10), "its operator wanted it out of traffic");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.restart();
    until_away(&patient, false).await;
    assert!(http_get(patient.http, "/metrics").await.1.contains("toolrouter_store_up 1"));
    let begun = Instant::now();
    while http_get(strict.http, "/readyz").await.0 != 200 {
        assert!(begun.elapsed() < Duration::from_secs(10), "it comes back by itself");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_frozen_database_holds_up_no_selection() {
    let Some(mut server) = server("outage::a_frozen_database_holds_up_no_selection").await else { return };
    let mut all = crate::support::replicas::replicas(&server.database(), 2).await;
    let version = registered(&mut all[0], "before").await.unwrap();
    reaches(&mut all[1], &version, AGREED).await;
    server.freeze();
    for router in &mut all {
        let begun = Instant::now();
        assert_eq!(names(&router.select("before").await), ["s/before"]);
        assert!(begun.elapsed() < Duration::from_millis(900), "a selection waited for the store: {:?}", begun.elapsed());
        let refused = registered(router, "during").await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable, "{refused}");
        assert!(refused.message().contains("within 1000 ms"), "{refused}");
    }
    until_away(&all[1], true).await;
    server.thaw();
    // What was under way when it froze may have been done or not; either is told the same everywhere.
    let version = registered_again(&mut all[0], "after", Duration::from_secs(10)).await;
    reaches(&mut all[1], &version, BACK).await;
    assert_eq!(names(&all[1].select("after").await)[0], "s/after");
}

#[tokio::test]
async fn a_router_whose_database_is_frozen_stops_all_the_same() {
    let Some(mut server) = server("outage::a_router_whose_database_is_frozen_stops_all_the_same").await else { return };
    let mut router = replica(&server.database()).await;
    registered(&mut router, "before").await.unwrap();
    server.freeze();
    until_away(&router, true).await;
    let begun = Instant::now();
    router.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(8), "it waited {:?} for a database that says nothing", begun.elapsed());
    server.thaw();
}

#[tokio::test]
async fn silence_at_the_same_address_takes_no_connection_for_good() {
    let Some(mut server) = server("outage::silence_at_the_same_address_takes_no_connection_for_good").await else { return };
    let url = server.database();
    let proxy = Proxy::before(server.address()).await;
    let mut router = TestRouter::start_with(|config| {
        shared(config, &proxy.url(&url));
        config.store.postgres.as_mut().unwrap().max_connections = 2;
    })
    .await;
    registered(&mut router, "before").await.unwrap();
    for round in 0..4 {
        // Whoever is connected now hears nothing any more, ever; who connects anew finds a server.
        proxy.set(Weather::Silent);
        until_away(&router, true).await;
        proxy.strand();
        registered_again(&mut router, &format!("after_{round}"), Duration::from_secs(15)).await;
        until_away(&router, false).await;
    }
}

#[tokio::test]
async fn a_slow_database_is_slow_and_nothing_else() {
    let Some(mut server) = server("outage::a_slow_database_is_slow_and_nothing_else").await else { return };
    let url = server.database();
    let proxy = Proxy::before(server.address()).await;
    let (mut far, mut near) = (replica(&proxy.url(&url)).await, replica(&url).await);
    proxy.set(Weather::Slow(Duration::from_millis(15)));
    for i in 0..5 {
        let name = format!("fresh_{i}");
        let version = registered(if i % 2 == 0 { &mut far } else { &mut near }, &name).await.unwrap();
        let begun = Instant::now();
        assert!(far.router.select_tools(query_request("before")).await.is_ok());
        assert!(begun.elapsed() < Duration::from_millis(500), "a selection waited for the store");
        reaches(&mut far, &version, BACK).await;
        reaches(&mut near, &version, BACK).await;
    }
}

/// Seconds that a router is cut off; `make accept` sets CUT_SECONDS to 60.
fn cut_for() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "the tests' own switch")]
    let seconds = std::env::var("CUT_SECONDS").ok().and_then(|n| n.parse().ok());
    Duration::from_secs(seconds.unwrap_or(3))
}

#[tokio::test]
async fn a_router_that_is_cut_off_serves_what_it_knows_and_catches_up() {
    let test = "outage::a_router_that_is_cut_off_serves_what_it_knows_and_catches_up";
    let Some(mut server) = server(test).await else { return };
    let url = server.database();
    let proxy = Proxy::before(server.address()).await;
    let (mut cut, mut other) = (replica(&proxy.url(&url)).await, replica(&url).await);
    let known = registered(&mut other, "known").await.unwrap();
    reaches(&mut cut, &known, AGREED).await;
    for weather in [Weather::Cut, Weather::Silent] {
        proxy.set(weather);
        let (begun, mut last, mut made) = (Instant::now(), String::new(), 0);
        while begun.elapsed() < cut_for() {
            last = registered(&mut other, &format!("made_{weather:?}_{}", made % 50)).await.unwrap();
            made += 1;
            assert!(names(&cut.select("known").await).contains(&"s/known".to_owned()));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut asked =
            tonic::Request::new(SelectToolsRequest { min_catalog_version: Some(last.clone()), ..query_request("made") });
        asked.metadata_mut().insert("grpc-timeout", "200m".parse().unwrap());
        let behind = cut.router.select_tools(asked).await.unwrap_err();
        assert!(
            matches!(behind.code(), Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled),
            "it does not pretend: {behind}"
        );
        proxy.set(Weather::Fair);
        reaches(&mut cut, &last, BACK + Duration::from_secs(1)).await;
    }
    let own = registered_again(&mut cut, "own", BACK).await;
    reaches(&mut other, &own, AGREED).await;
}

#[tokio::test]
async fn a_database_that_moved_is_found_at_its_new_address() {
    let Some(mut server) = server("outage::a_database_that_moved_is_found_at_its_new_address").await else { return };
    let url = server.database();
    let (old, new) = (Proxy::before(server.address()).await, Proxy::before(server.address()).await);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("postgres.url");
    std::fs::write(&file, old.url(&url)).unwrap();
    let mut router = TestRouter::start_with(|config| {
        let postgres = Postgres { url_file: Some(file.clone()), timeout_ms: 1_000, ..Postgres::default() };
        config.store.postgres = Some(postgres);
    })
    .await;
    registered(&mut router, "before").await.unwrap();
    // The old server says nothing any more, which is worse than a closed port.
    old.set(Weather::Silent);
    std::fs::write(&file, new.url(&url) + "\n").unwrap();
    let version = registered_again(&mut router, "after", Duration::from_secs(10)).await;
    let mut other = replica(&url).await;
    reaches(&mut other, &version, AGREED).await;
    // Led to a database without a store it makes none, and says so.
    let empty = server.database();
    new.set(Weather::Cut);
    std::fs::write(&file, &empty).unwrap();
    let begun = Instant::now();
    while !registered(&mut router, "nowhere").await.is_err_and(|status| status.message().contains("there is no store in it")) {
        assert!(begun.elapsed() < Duration::from_secs(10), "it says nothing of it");
    }
    let made = "SELECT count(*) FROM pg_namespace WHERE nspname = 'tool_router'";
    assert_eq!(server.sql("test_2", made).unwrap(), "0");
    new.set(Weather::Fair);
    std::fs::write(&file, new.url(&url)).unwrap();
    registered_again(&mut router, "back", Duration::from_secs(10)).await;
    // And it listens there.
    let version = registered(&mut other, "heard").await.unwrap();
    reaches(&mut router, &version, AGREED).await;
}

#[tokio::test]
async fn lost_notifications_lose_nothing() {
    let Some(mut server) = server("outage::lost_notifications_lose_nothing").await else { return };
    let mut all = crate::support::replicas::replicas(&server.database(), 2).await;
    for i in 0..10 {
        // Whoever listens is cut off just before there is something to hear.
        let listening = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
        server.sql("test_1", listening).unwrap();
        let version = registered(&mut all[i % 2], &format!("fresh_{i}")).await.unwrap();
        reaches(&mut all[(i + 1) % 2], &version, AGREED).await;
    }
}

#[tokio::test]
async fn a_start_without_its_database_is_refused_in_time_or_serves_the_last_snapshot() {
    let test = "outage::a_start_without_its_database_is_refused_in_time_or_serves_the_last_snapshot";
    let Some(mut server) = server(test).await else { return };
    let url = server.database();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalogue.jsonl");
    let with_snapshot = |config: &mut tool_router::config::Config| {
        shared(config, &url);
        let postgres = config.store.postgres.as_mut().unwrap();
        (postgres.snapshot_file, postgres.start_timeout_ms) = (Some(file.clone()), 1_500);
    };
    let mut router = TestRouter::start_with(with_snapshot).await;
    router.register("s", vec![tool("before", "Was there before.")]).await;
    router.stop().await;
    assert!(file.exists(), "the last word is written when it stops");
    let mut other = replica(&url).await;
    registered(&mut other, "meanwhile").await.unwrap();
    server.kill();

    let begun = Instant::now();
    let refused = TestRouter::try_start_with(|config| {
        shared(config, &url);
        config.store.postgres.as_mut().unwrap().start_timeout_ms = 1_500;
    });
    let refused = refused.await.err().expect("there is nothing to serve").to_string();
    assert!(begun.elapsed() < Duration::from_secs(10), "it waited {:?}", begun.elapsed());
    for words in ["postgres at 127.0.0.1", "waited 1 s", "set store.postgres.snapshot_file"] {
        assert!(refused.contains(words), "{refused}");
    }

    let mut router = TestRouter::start_with(with_snapshot).await;
    let answer = router.select("before").await;
    assert_eq!(names(&answer), ["s/before"], "what was last known serves");
    assert!(answer.degraded_reason.is_empty(), "with its vectors: {}", answer.degraded_reason);
    assert!(http_get(router.http, "/readyz").await.1.contains("without the store"));
    assert_eq!(registered(&mut router, "during").await.unwrap_err().code(), Code::Unavailable);
    server.restart();
    let version = registered_again(&mut other, "after", Duration::from_secs(10)).await;
    reaches(&mut router, &version, BACK).await;
    assert_eq!(names(&router.select("meanwhile").await)[0], "s/meanwhile");

    // A snapshot that is no use is said to be none, and nothing of it is served.
    let cut = std::fs::read_to_string(&file).unwrap();
    router.stop().await;
    server.kill();
    std::fs::write(&file, &cut[..cut.len() / 2]).unwrap();
    let refused = TestRouter::try_start_with(with_snapshot).await.err().expect("half a snapshot is none").to_string();
    assert!(refused.contains("snapshot_file does not help"), "{refused}");
}

#[tokio::test]
async fn a_newer_schema_stops_no_router_that_runs_and_starts_none_that_does_not_know_it() {
    let test = "outage::a_newer_schema_stops_no_router_that_runs_and_starts_none_that_does_not_know_it";
    let Some(mut server) = server(test).await else { return };
    let url = server.database();
    let mut router = replica(&url).await;
    registered(&mut router, "before").await.unwrap();
    // As a newer build leaves it: its steps only add.
    server
        .sql("test_1", "ALTER TABLE tool_router.tools ADD COLUMN fresh INT; UPDATE tool_router.schema_version SET version = 3")
        .unwrap();
    registered(&mut router, "after").await.unwrap();
    assert_eq!(names(&router.select("after").await)[0], "s/after");
    let refused = TestRouter::try_start_with(|config| shared(config, &url)).await.err().expect("it is newer").to_string();
    assert!(refused.contains("has schema version 3, this build knows up to 2"), "{refused}");
}
