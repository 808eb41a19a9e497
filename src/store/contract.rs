//! What every store must do, as one suite that each runs through.

use super::{Store, StoreError};
use crate::catalog::{Change, Record, State, TextHash, Version};
use crate::compact::Costs;
use crate::index::vector::{Codes, UnitVector};
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
        from: Version { epoch: if from == 0 { 0 } else { 7 }, number: from },
        to: Version { epoch: 7, number: from + 1 },
        upserts,
        removals: removals.iter().map(|name| ToolId::new("sou/rce", name).unwrap()).collect(),
        dropped_texts: Vec::new(),
        model_id: "m@1".into(),
        vectors: vec![(TextHash::of(&format!("text {from}")), vector(from as f32))],
    }
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

    // A change that breaks half way leaves nothing behind either: two tools cannot share a model name.
    let mut clash = record("y", 9);
    clash.model_name = record("a", 1).model_name;
    assert!(store.apply(&change(1, vec![record("x", 8), clash], &["b"])).await.is_err());
    let loaded = store.load().await.unwrap();
    assert_eq!((loaded[0].version.number, loaded[0].records.len()), (1, 2));

    let disabled = Record { state: State::Disabled, ..record("a", 1) };
    store.apply(&change(1, vec![disabled.clone(), record("c", 2)], &["b"])).await.unwrap();
    assert_eq!(store.load().await.unwrap()[0].records, [disabled, record("c", 2)]);

    let vectors = store.vectors(&tenant, "m@1", 3).await.unwrap();
    assert_eq!(vectors.get(&TextHash::of("text 0")), Some(&vector(0.0)));
    assert_eq!(vectors.len(), 2);
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
    store.set_paused(&tenant, "a/b", false).await.unwrap();
    assert!(store.paused_sources(&tenant).await.unwrap().is_empty());
}
