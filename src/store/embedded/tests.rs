//! One file, opened by one router.

use super::*;
use crate::store::contract;

async fn open(path: &Path, max_mib: Option<u64>) -> Result<EmbeddedStore, StoreError> {
    EmbeddedStore::open(&EmbeddedOptions { path: path.to_owned(), max_mib }).await
}

#[tokio::test]
async fn keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    contract::holds(&open(&dir.path().join("new/folder/r.db"), None).await.unwrap()).await;
}

#[tokio::test]
async fn comes_back_after_closing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r.db");
    let store = open(&path, None).await.unwrap();
    store.apply(&contract::change(0, vec![contract::record("a", 0)], &[])).await.unwrap();
    store.close().await;
    let again = open(&path, None).await.unwrap();
    assert_eq!(again.load().await.unwrap()[0].records, [contract::record("a", 0)]);
}

#[tokio::test]
async fn a_second_router_on_the_file_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r.db");
    let _first = open(&path, None).await.unwrap();
    let second = open(&path, None).await.unwrap_err();
    assert!(matches!(second, StoreError::InUse { .. }), "{second}");
}

#[tokio::test]
async fn a_newer_schema_and_a_foreign_file_are_refused_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r.db");
    let store = open(&path, None).await.unwrap();
    sqlx::query("PRAGMA user_version = 99").execute(&store.pool).await.unwrap();
    store.close().await;
    let newer = open(&path, None).await.unwrap_err().to_string();
    assert!(newer.contains("has schema version 99, this build knows up to 4"), "{newer}");

    let text = dir.path().join("notes.txt");
    std::fs::write(&text, "not a database, just some notes that are longer than a header\n".repeat(200)).unwrap();
    let foreign = open(&text, None).await.unwrap_err();
    assert!(matches!(foreign, StoreError::Foreign { .. }), "{foreign}");
    assert!(std::fs::read_to_string(&text).unwrap().starts_with("not a database"));

    let other = dir.path().join("other.db");
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(&other).create_if_missing(true)).await.unwrap();
    sqlx::query("CREATE TABLE precious (x)").execute(&pool).await.unwrap();
    pool.close().await;
    let before = std::fs::read(&other).unwrap();
    let foreign = open(&other, None).await.unwrap_err();
    assert!(matches!(foreign, StoreError::Foreign { .. }), "{foreign}");
    assert_eq!(std::fs::read(&other).unwrap(), before, "somebody's database is not touched");
}

#[tokio::test]
async fn an_older_schema_is_brought_up_with_all_that_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r.db");
    let store = open(&path, None).await.unwrap();
    store.apply(&contract::change(0, vec![contract::record("a", 0)], &[])).await.unwrap();
    store.pool.execute("DROP TABLE outcome_minutes; DROP TABLE outcome_flushes; DROP TABLE audit; DROP TABLE paused_sources; PRAGMA user_version = 1").await.unwrap();
    store.close().await;
    let store = open(&path, None).await.unwrap();
    assert_eq!(store.load().await.unwrap()[0].records, [contract::record("a", 0)]);
    store.set_paused(&TenantId::default(), "s", true).await.unwrap();
    store.apply(&contract::change(1, vec![contract::record("b", 1)], &[])).await.unwrap();
}

#[tokio::test]
async fn every_change_leaves_its_trace() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("r.db"), None).await.unwrap();
    store.apply(&contract::change(0, vec![contract::record("a", 0), contract::record("b", 1)], &[])).await.unwrap();
    let mut changed = contract::record("a", 0);
    changed.tool.description = "Does something else.".into();
    changed.fingerprint = changed.tool.fingerprint();
    store.apply(&contract::change(1, vec![changed], &["b"])).await.unwrap();
    let query = "SELECT printf('%d|%s|%s|%d|%d|%d', version, name, actor, before IS NULL, after IS NULL, \
                 before IS NOT NULL AND after IS NOT NULL AND before <> after) FROM audit WHERE 1e12 < at_ms ORDER BY version, name";
    let rows = sqlx::query(query).fetch_all(&store.pool).await.unwrap();
    let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(rows, ["1|a|somebody|1|0|0", "1|b|somebody|1|0|0", "2|a|somebody|0|0|1", "2|b|somebody|0|1|0"]);
}

#[tokio::test]
async fn a_damaged_value_is_an_error_and_no_panic() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r.db");
    let store = open(&path, None).await.unwrap();
    store.apply(&contract::change(0, vec![contract::record("a", 0)], &[])).await.unwrap();
    for damage in [
        "UPDATE tools SET description = CAST(x'ff00fe' AS TEXT)",
        "UPDATE tools SET description = 'fine', input_schema = '[1'",
        "UPDATE tools SET input_schema = '{}', fingerprint = x'00'",
        "UPDATE tenants SET epoch = 99999999999",
    ] {
        sqlx::query(damage).execute(&store.pool).await.unwrap();
        assert!(store.load().await.is_err(), "{damage}");
    }
}

#[tokio::test]
async fn a_full_store_says_so_and_keeps_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("r.db"), Some(1)).await.unwrap();
    store.apply(&contract::change(0, vec![contract::record("a", 0)], &[])).await.unwrap();
    let mut large = contract::record("b", 1);
    large.tool.description = "x".repeat(2 << 20);
    let full = store.apply(&contract::change(1, vec![large], &["a"])).await.unwrap_err();
    assert!(matches!(full, StoreError::Full), "{full}");
    assert_eq!(store.load().await.unwrap()[0].records, [contract::record("a", 0)]);
    store.apply(&contract::change(1, vec![contract::record("c", 1)], &[])).await.unwrap();
}
