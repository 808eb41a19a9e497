//! On a real PostgreSQL, where there is one: the contract, and what only a server can do to its callers.

use super::server::Server;
use super::*;
use crate::catalog::Version;
use crate::store::contract;

fn options(url: String) -> PostgresOptions {
    PostgresOptions { url, url_file: None, ca_file: None, max_connections: 4, timeout: Duration::from_secs(5) }
}

async fn open(url: &str) -> Result<PostgresStore, StoreError> {
    PostgresStore::open(&options(url.to_owned())).await
}

/// A server, or a line among the tests that were left out.
fn server(test: &str) -> Option<Server> {
    let server = Server::start();
    if server.is_none() {
        crate::store::contract::left_out(&format!("store::postgres::{test}"), "needs PostgreSQL: apt-get install postgresql");
    }
    server
}

#[tokio::test]
async fn keeps_the_contract() {
    let Some(mut server) = server("keeps_the_contract") else { return };
    contract::holds(&open(&server.database()).await.unwrap()).await;
}

#[tokio::test]
async fn of_two_routers_on_one_version_one_is_told() {
    let Some(mut server) = server("of_two_routers_on_one_version_one_is_told") else { return };
    let url = server.database();
    // Both bring up the schema at once.
    let (one, other) = tokio::join!(open(&url), open(&url));
    let (one, other) = (one.unwrap(), other.unwrap());
    for from in 0..20 {
        let (a, b) = (
            contract::change(from, vec![contract::record("a", from)], &[]),
            contract::change(from, vec![contract::record("b", from)], &[]),
        );
        let (a, b) = tokio::join!(one.apply(&a), other.apply(&b));
        let refused = match (a, b) {
            (Ok(()), Err(error)) | (Err(error), Ok(())) => error,
            both => panic!("{both:?}"),
        };
        let moved = StoreError::Moved {
            expected: Version { epoch: if from == 0 { 0 } else { 7 }, number: from },
            current: Version { epoch: 7, number: from + 1 },
        };
        assert_eq!(refused.to_string(), moved.to_string());
    }
    assert_eq!(one.load().await.unwrap()[0].version.number, 20);
}

#[tokio::test]
async fn every_change_leaves_its_trace() {
    let Some(mut server) = server("every_change_leaves_its_trace") else { return };
    let url = server.database();
    let store = open(&url).await.unwrap();
    store.apply(&contract::change(0, vec![contract::record("a", 0), contract::record("b", 1)], &[])).await.unwrap();
    let mut changed = contract::record("a", 0);
    changed.tool.description = "Does something else.".into();
    changed.fingerprint = changed.tool.fingerprint();
    store.apply(&contract::change(1, vec![changed], &["b"])).await.unwrap();
    let trace = server.sql(
        "test_1",
        "SELECT version, name, actor, before IS NULL, after IS NULL, before <> after FROM tool_router.audit ORDER BY 1, 2",
    );
    assert_eq!(trace.unwrap(), "1|a|somebody|t|f|\n1|b|somebody|t|f|\n2|a|somebody|f|f|t\n2|b|somebody|f|t|");
}

#[tokio::test]
async fn a_newer_schema_and_a_foreign_one_are_refused_untouched() {
    let Some(mut server) = server("a_newer_schema_and_a_foreign_one_are_refused_untouched") else { return };
    let url = server.database();
    open(&url).await.unwrap();
    open(&url).await.unwrap();
    server.sql("test_1", "UPDATE tool_router.schema_version SET version = 99").unwrap();
    let newer = open(&url).await.unwrap_err().to_string();
    assert!(newer.contains("has schema version 99, this build knows up to 2"), "{newer}");

    let url = server.database();
    server.sql("test_2", "CREATE SCHEMA tool_router CREATE TABLE precious (x int)").unwrap();
    let foreign = open(&url).await.unwrap_err();
    assert!(matches!(foreign, StoreError::Foreign { .. }), "{foreign}");
    assert_eq!(server.sql("test_2", "SELECT count(*) FROM pg_tables WHERE schemaname = 'tool_router'").unwrap(), "1");
}

#[tokio::test]
async fn a_database_of_version_1_is_brought_up_and_its_routers_go_on() {
    let Some(mut server) = server("a_database_of_version_1_is_brought_up_and_its_routers_go_on") else { return };
    let url = server.database();
    let older = open(&url).await.unwrap();
    older.apply(&contract::change(0, vec![contract::record("a", 0)], &[])).await.unwrap();
    let back =
        "DROP TABLE tool_router.outcome_minutes, tool_router.outcome_flushes; UPDATE tool_router.schema_version SET version = 1";
    server.sql("test_1", back).unwrap();
    let newer = open(&url).await.unwrap();
    assert_eq!(server.sql("test_1", "SELECT version FROM tool_router.schema_version").unwrap(), "2");
    assert!(newer.minutes(&TenantId::default(), 0..9).await.unwrap().is_empty());
    // What an older router does touches nothing of the step.
    older.apply(&contract::change(1, vec![contract::record("b", 1)], &[])).await.unwrap();
    assert_eq!(newer.load().await.unwrap()[0].records.len(), 2);
}

#[tokio::test]
async fn routers_that_add_to_the_same_rows_neither_lose_nor_lock_up() {
    use crate::outcomes::{Outcome, Tally, ToolMinute};
    let Some(mut server) = server("routers_that_add_to_the_same_rows_neither_lose_nor_lock_up") else { return };
    let url = server.database();
    let (one, other) = (open(&url).await.unwrap(), open(&url).await.unwrap());
    let count = |i: u64| {
        let mut tally = Tally::default();
        tally.call(Outcome::Ok, None, None, None);
        let tool = crate::tool::ToolId::new("s", &format!("t{i}")).unwrap();
        ToolMinute { tenant: TenantId::default(), tool, minute: 1, tally }
    };
    let add = async |store: &PostgresStore, router: &str, backwards: bool| {
        for number in 1..=10 {
            let mut counts: Vec<ToolMinute> = (0..300).map(count).collect();
            if backwards {
                counts.reverse();
            }
            store.add_minutes(&Flush { router: router.into(), number, minute: 1, counts }).await.unwrap();
        }
    };
    tokio::join!(add(&one, "one", false), add(&other, "other", true), add(&other, "third", true));
    let rows = one.minutes(&TenantId::default(), 0..9).await.unwrap();
    assert_eq!(rows.len(), 300);
    assert!(rows.iter().all(|row| row.tally.calls() == 30));
}

#[tokio::test]
async fn tls_is_used_and_its_certificate_is_checked() {
    let Some(mut server) = server("tls_is_used_and_its_certificate_is_checked") else { return };
    let url = server.database();
    let made = || rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (own, other) = (made(), made());
    server.encrypt(&own.cert.pem(), &own.signing_key.serialize_pem());
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Some(path)
    };
    let (right, wrong) = (file("right.pem", own.cert.pem()), file("wrong.pem", other.cert.pem()));
    let strict = |host: &str, ca_file: &Option<std::path::PathBuf>| PostgresOptions {
        ca_file: ca_file.clone(),
        timeout: Duration::from_secs(2),
        ..options(url.replace("127.0.0.1", host) + "?sslmode=verify-full")
    };
    let store = PostgresStore::open(&strict("localhost", &right)).await.unwrap();
    let query = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                 WHERE ssl AND application_name = 'tool-router'";
    assert_ne!(server.sql("test_1", query).unwrap(), "0", "connections are encrypted");
    store.close().await;
    for refused in [strict("localhost", &wrong), strict("127.0.0.1", &right), options(url.clone() + "?sslmode=disable")] {
        let refused = PostgresOptions { timeout: Duration::from_secs(2), ..refused };
        let error = PostgresStore::open(&refused).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    }
}

#[tokio::test]
async fn callers_wait_for_one_of_few_connections() {
    let Some(mut server) = server("callers_wait_for_one_of_few_connections") else { return };
    let few = PostgresOptions { max_connections: 2, ..options(server.database()) };
    let store = PostgresStore::open(&few).await.unwrap();
    let of = |tenant: usize| Change {
        tenant: TenantId::new(&format!("t{tenant}")),
        ..contract::change(0, vec![contract::record("a", 0)], &[])
    };
    let changes: Vec<Change> = (0..40).map(of).collect();
    let done = futures_util::future::join_all(changes.iter().map(|change| store.apply(change))).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    let open = server.sql("test_1", "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tool-router'").unwrap();
    assert!(open.parse::<u32>().unwrap() <= 2, "{open} connections");
}

#[tokio::test]
async fn a_connection_that_cannot_go_back_leaves_its_place_to_another() {
    let Some(mut server) = server("a_connection_that_cannot_go_back_leaves_its_place_to_another") else { return };
    let one = PostgresOptions { max_connections: 2, timeout: Duration::from_millis(500), ..options(server.database()) };
    let pool = one.pool().unwrap();
    let mut done = Loan::of(&pool, one.timeout).await.unwrap();
    done.connection().execute("SELECT 1").await.unwrap();
    server.freeze();
    // What it was borrowed for is done, but nobody says any more that it is well.
    drop(done);
    let begun = std::time::Instant::now();
    while 0 < pool.size() {
        assert!(begun.elapsed() < 10 * one.timeout, "{pool:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    server.thaw();
    let mut next = Loan::of(&pool, one.timeout).await.unwrap();
    // A caller that goes away in the middle.
    let asked = tokio::time::timeout(Duration::from_millis(50), next.connection().execute("SELECT pg_sleep(0.2)")).await;
    assert!(asked.is_err());
    drop(next);
    Loan::of(&pool, one.timeout).await.unwrap().connection().execute("SELECT 1").await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_away_or_says_nothing_is_an_error_in_time() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://router:secret@{}/none", silent.local_addr().unwrap());
    let short = PostgresOptions { timeout: Duration::from_millis(300), ..options(url.clone()) };
    let error = PostgresStore::open(&short).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }) && !error.to_string().contains("secret"), "{error}");
    drop(silent);
    let error = PostgresStore::open(&short).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn comes_back_after_a_kill_with_all_that_was_acknowledged() {
    let Some(mut server) = server("comes_back_after_a_kill_with_all_that_was_acknowledged") else { return };
    let store = open(&server.database()).await.unwrap();
    store.apply(&contract::change(0, vec![contract::record("a", 0)], &[])).await.unwrap();
    server.kill();
    let away = store.apply(&contract::change(1, vec![contract::record("b", 1)], &[])).await.unwrap_err();
    assert!(matches!(away, StoreError::Unavailable { .. }), "{away}");
    server.restart();
    assert_eq!(store.load().await.unwrap()[0].records, [contract::record("a", 0)]);
    store.apply(&contract::change(1, vec![contract::record("b", 1)], &[])).await.unwrap();
}
