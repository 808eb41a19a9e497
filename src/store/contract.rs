//! What every store must do, as one suite that each runs through.

use std::time::Duration;

use super::backup::{Backup, Epoch};
use super::{Since, Store, StoreError};
use crate::catalog::{Change, Record, State, TextHash, Version};
use crate::compact::Costs;
use crate::index::vector::{Codes, UnitVector};
use crate::outcomes::{Flush, Outcome, Tally, ToolMinute};
use crate::tool::{Document, ModelName, TenantId, Tool, ToolId};

pub(super) fn record(name: &str, position: u64) -> Record {
    let document = |text: &str| Document::parse(text).unwrap();
    let tool = Tool {
        id: ToolId::new("sou/rce", name).unwrap(),
        title: Some("Title".into()),
        description: "Does é things.\nTwo lines.".into(),
        input_schema: document(r#"{"z":1, "a":12345678901234567890.10}"#),
        output_schema: Some(document("{}")),
        annotations: None,
        extra: Some(document(r#"{"strict":true}"#)),
        domain: Some("d".into()),
        tags: vec!["t1".into(), "t2".into()],
        examples: vec!["do it".into()],
    };
    let model_name = ModelName::choose(&tool.id, |_| false);
    Record {
        fingerprint: tool.fingerprint(),
        costs: Costs::of(&tool, &model_name),
        state: State::Enabled,
        position,
        registered_at_ms: 5,
        updated_at_ms: 6,
        model_name,
        tool,
    }
}

fn vector(seed: f32) -> Codes {
    Codes::quantise(&UnitVector::new(vec![1.0, seed, 0.5]).unwrap())
}

pub(super) fn change(from: u64, upserts: Vec<Record>, removals: &[&str]) -> Change {
    Change {
        tenant: TenantId::default(),
        actor: "somebody".into(),
        from: Version { epoch: if from == 0 { 0 } else { 7 }, number: from },
        to: Version { epoch: 7, number: from + 1 },
        upserts,
        removals: removals.iter().map(|name| ToolId::new("sou/rce", name).unwrap()).collect(),
        dropped_texts: Vec::new(),
        model_id: "m@1".into(),
        vectors: vec![(TextHash::of(&format!("text {from}")), vector(from as f32))],
    }
}

/// What a router has that was at `have` and held what was stored then.
async fn caught_up(store: &dyn Store, have: Version) -> Vec<Record> {
    let tenant = TenantId::default();
    match store.since(&tenant, have).await.unwrap() {
        Since::Nothing => panic!("{have} is not current"),
        Since::Whole(stored) => stored.records,
        Since::Steps { upserts, removals, events, .. } => {
            assert_eq!(events.len() as u64, store.versions().await.unwrap()[0].1.number - have.number, "one event a step");
            let gone: Vec<String> = events.iter().flat_map(|event| event.removed.clone()).collect();
            assert!(removals.iter().all(|id| gone.iter().any(|name| name == id.name())));
            upserts
        }
    }
}

/// A line for `make test`, which names what it left out.
pub(super) fn left_out(test: &str, why: &str) {
    use std::io::Write;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/target/left-out.txt");
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    writeln!(file, "{test}: {why}").unwrap();
}

/// Runs the whole contract on an empty store.
pub(super) async fn holds(store: &dyn Store) {
    let tenant = TenantId::default();
    assert!(store.load().await.unwrap().is_empty());

    store.apply(&change(0, vec![record("b", 0), record("a", 1)], &[])).await.unwrap();
    let loaded = store.load().await.unwrap();
    assert_eq!(loaded.len(), 1);
    assert_eq!(loaded[0].version, Version { epoch: 7, number: 1 });
    assert_eq!(loaded[0].records, [record("b", 0), record("a", 1)], "everything comes back, by position");

    // A change on any other version is refused and leaves nothing behind.
    let stale = store.apply(&change(0, vec![record("x", 9)], &["a"])).await;
    assert!(matches!(stale, Err(StoreError::Moved { .. })), "{stale:?}");
    let ahead = store.apply(&change(5, vec![record("x", 9)], &["a"])).await;
    assert!(matches!(ahead, Err(StoreError::Moved { .. })), "{ahead:?}");
    assert_eq!(store.load().await.unwrap()[0].records.len(), 2);

    // Who is at the current version missed nothing; who is behind gets every step, or all there is.
    assert!(matches!(store.since(&tenant, Version { epoch: 7, number: 1 }).await.unwrap(), Since::Nothing));
    assert_eq!(caught_up(store, Version::default()).await, [record("b", 0), record("a", 1)]);
    assert_eq!(store.versions().await.unwrap(), [(tenant.clone(), Version { epoch: 7, number: 1 })]);

    // A change that breaks half way leaves nothing behind either: two tools cannot share a model name.
    let mut clash = record("y", 9);
    clash.model_name = record("a", 1).model_name;
    assert!(store.apply(&change(1, vec![record("x", 8), clash], &["b"])).await.is_err());
    let loaded = store.load().await.unwrap();
    assert_eq!((loaded[0].version.number, loaded[0].records.len()), (1, 2));

    let disabled = Record { state: State::Disabled, ..record("a", 1) };
    store.apply(&change(1, vec![disabled.clone(), record("c", 2)], &["b"])).await.unwrap();
    assert_eq!(store.load().await.unwrap()[0].records, [disabled.clone(), record("c", 2)]);
    assert_eq!(caught_up(store, Version { epoch: 7, number: 1 }).await, [disabled.clone(), record("c", 2)]);
    assert_eq!(caught_up(store, Version { epoch: 8, number: 1 }).await, [disabled.clone(), record("c", 2)], "another history");
    assert_eq!(caught_up(store, Version { epoch: 7, number: 9 }).await, [disabled, record("c", 2)], "from a backup");

    let vectors = store.vectors(&tenant, "m@1", 3).await.unwrap();
    assert_eq!(vectors.get(&TextHash::of("text 0")), Some(&vector(0.0)));
    assert_eq!(vectors.len(), 2);
    let some = [TextHash::of("text 1"), TextHash::of("text 9")];
    let found = store.vectors_of(&tenant, "m@1", 3, &some).await.unwrap();
    assert_eq!(found, [(TextHash::of("text 1"), vector(1.0))].into_iter().collect());
    assert!(store.vectors(&tenant, "other@1", 3).await.unwrap().is_empty(), "vectors belong to a model");
    assert!(store.vectors(&TenantId::new("other"), "m@1", 3).await.unwrap().is_empty(), "vectors belong to a tenant");
    assert!(store.vectors(&tenant, "m@1", 4).await.unwrap().is_empty(), "vectors of another length are not taken");

    store.put_vectors(&tenant, "m@2", &[(TextHash::of("text 9"), vector(9.0))]).await.unwrap();
    assert_eq!(store.vectors(&tenant, "m@2", 3).await.unwrap().len(), 1);
    let live = [TextHash::of("text 1")].into_iter().collect();
    assert_eq!(store.prune_vectors(&tenant, "m@1", &live).await.unwrap(), 1);
    assert_eq!(store.vectors(&tenant, "m@1", 3).await.unwrap().len(), 1);

    store.apply(&Change { dropped_texts: vec![TextHash::of("text 1")], ..change(2, vec![], &["c"]) }).await.unwrap();
    let left: Vec<_> = store.vectors(&tenant, "m@1", 3).await.unwrap().into_keys().collect();
    assert_eq!(left, [TextHash::of("text 2")], "a text that no tool has any more loses its vector");
    assert_eq!(store.drop_other_models(&tenant, "m@1").await.unwrap(), 1);
    assert!(store.vectors(&tenant, "m@2", 3).await.unwrap().is_empty());

    store.set_paused(&tenant, "a/b", true).await.unwrap();
    store.set_paused(&tenant, "a/b", true).await.unwrap();
    store.set_paused(&tenant, "c", false).await.unwrap();
    assert_eq!(store.paused_sources(&tenant).await.unwrap(), ["a/b".to_owned()].into_iter().collect());
    assert!(store.paused_sources(&TenantId::new("other")).await.unwrap().is_empty());
    let long = Duration::from_secs(600);
    assert!(store.lease(&tenant, "s", "one", long).await.unwrap());
    assert!(store.lease(&tenant, "s", "one", long).await.unwrap(), "who has it keeps it");
    let shared = store.heard().is_some();
    assert_eq!(store.lease(&tenant, "s", "another", long).await.unwrap(), !shared);
    assert!(store.lease(&tenant, "other", "another", long).await.unwrap(), "each source has its own");
    store.release(&tenant, "s", "another").await.unwrap();
    assert_eq!(store.lease(&tenant, "s", "another", long).await.unwrap(), !shared, "nobody gives back what another has");
    store.release(&tenant, "s", "one").await.unwrap();
    assert!(store.lease(&tenant, "s", "another", Duration::from_millis(50)).await.unwrap());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(store.lease(&tenant, "s", "one", long).await.unwrap(), "it ends by itself");

    whole_histories_are_taken(store).await;
    counts_add_up(store).await;

    store.set_paused(&tenant, "a/b", false).await.unwrap();
    assert!(store.paused_sources(&tenant).await.unwrap().is_empty());
}

/// What a backup is put back by: a tenant that begins at any version, of tools of several sources.
async fn whole_histories_are_taken(store: &dyn Store) {
    let before = Backup::of(store).await.unwrap();
    assert_eq!(before.tenants.len(), 1);
    let mut moved = Backup::of(store).await.unwrap();
    let kept = &mut moved.tenants[0];
    kept.stored.tenant = TenantId::new("moved");
    kept.stored.version.number = 12;
    let mut other = record("other", 7);
    other.tool.id = ToolId::new("another", "other").unwrap();
    other.model_name = ModelName::parse("another_other").unwrap();
    kept.stored.records.push(other);
    kept.paused = vec!["x".into()];
    moved.put_into(store, Epoch::Kept, "backup").await.unwrap();
    let mut after = Backup::of(store).await.unwrap();
    let (copy, original) = (after.tenants.pop().unwrap(), after.tenants.pop().unwrap());
    assert_eq!(original.checksum(), before.tenants[0].checksum());
    assert_eq!(copy.checksum(), moved.tenants[0].checksum());
    assert_eq!((copy.stored.version, &copy.vectors), (moved.tenants[0].stored.version, &original.vectors));
    let tenant = TenantId::new("moved");
    assert!(matches!(store.since(&tenant, Version::default()).await.unwrap(), Since::Whole(_)), "its steps are not there");
    // Where tools are, no history is put over them.
    let again = moved.put_into(store, Epoch::Drawn, "backup").await.unwrap_err();
    assert!(matches!(again, StoreError::Moved { .. }), "{again}");
}

/// Counts of calls: they add up over flushes and routers, none counts twice, and old ones go.
async fn counts_add_up(store: &dyn Store) {
    let tenant = TenantId::default();
    let count = |minute: u64, name: &str, milliseconds: u64| {
        let mut tally = Tally { returned: 1, ..Tally::default() };
        tally.call(Outcome::Ok, Some(Duration::from_millis(milliseconds)), Some(10), Some(3));
        tally.call(Outcome::Timeout, Some(Duration::from_secs(400)), None, None);
        ToolMinute { tenant: tenant.clone(), tool: ToolId::new("so/ur'ce", name).unwrap(), minute, tally }
    };
    let flush = |router: &str, number: u64, counts: Vec<ToolMinute>| Flush { router: router.into(), number, minute: 100, counts };
    assert!(store.minutes(&tenant, 0..u64::MAX).await.unwrap().is_empty());
    assert_eq!(store.drop_minutes(u64::MAX).await.unwrap(), 0);

    // Not registered, not in order, with names as people write them.
    let first = flush("one", 1, vec![count(100, "é", 3), count(100, "a", 3), count(99, "a", 3)]);
    store.add_minutes(&first).await.unwrap();
    let ordered = vec![count(99, "a", 3), count(100, "a", 3), count(100, "é", 3)];
    assert_eq!(store.minutes(&tenant, 0..u64::MAX).await.unwrap(), ordered, "everything comes back, by minute and tool");
    assert_eq!(store.minutes(&tenant, 99..100).await.unwrap(), ordered[..1]);
    assert_eq!(store.minutes(&tenant, 101..200).await.unwrap(), []);
    assert!(store.minutes(&TenantId::new("other"), 0..200).await.unwrap().is_empty(), "counts belong to a tenant");

    // A commit whose answer was lost: the same flush comes again, and later than others.
    store.add_minutes(&first).await.unwrap();
    assert_eq!(store.minutes(&tenant, 0..u64::MAX).await.unwrap(), ordered, "it counts once");
    store.add_minutes(&flush("one", 2, vec![count(100, "a", 30)])).await.unwrap();
    store.add_minutes(&first).await.unwrap();
    store.add_minutes(&flush("another", 1, vec![count(100, "a", 300)])).await.unwrap();
    let mut sum = count(100, "a", 3).tally;
    sum.merge(&count(100, "a", 30).tally);
    sum.merge(&count(100, "a", 300).tally);
    assert_eq!(store.minutes(&tenant, 100..101).await.unwrap()[0].tally, sum, "routers add to the same row");

    // All or nothing: a flush that breaks half way is not there, and can be sent again under its number.
    let mut broken = count(101, "c", 1);
    broken.tenant = TenantId::new("nul\0");
    let half = flush("one", 3, vec![count(101, "b", 1), broken]);
    if store.add_minutes(&half).await.is_err() {
        assert!(store.minutes(&tenant, 101..102).await.unwrap().is_empty());
        store.add_minutes(&flush("one", 3, vec![count(101, "b", 1)])).await.unwrap();
    }
    assert_eq!(store.minutes(&tenant, 101..102).await.unwrap(), [count(101, "b", 1)]);

    store.add_minutes(&flush("another", 2, vec![count(5, "a", 1), count(50, "a", 1)])).await.unwrap();
    let mut dropped = 0;
    loop {
        match store.drop_minutes(100).await.unwrap() {
            0 => break,
            some => dropped += some,
        }
    }
    assert_eq!(dropped, 3);
    let left: Vec<u64> = store.minutes(&tenant, 0..u64::MAX).await.unwrap().iter().map(|minute| minute.minute).collect();
    assert_eq!(left, [100, 100, 101]);
}
