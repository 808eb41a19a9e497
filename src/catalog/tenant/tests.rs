use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::catalog::{Record, State, TextHash};
use crate::compact::Costs;
use crate::index::vector::{Codes, UnitVector};
use crate::index::{Engine, Query};
use crate::tool::{Document, ModelName, Tool};

const DIMENSION: usize = 8;

/// A vector of a text, the same for the same text; none for some.
fn codes(hash: &TextHash) -> Option<Codes> {
    let numbers = hash.0[..DIMENSION].iter().map(|byte| f32::from(*byte) - 127.5).collect();
    UnitVector::new(numbers).map(|vector| Codes::quantise(&vector))
}

fn entry(name: u8, text: u8, state: State, position: u64, with_vectors: bool) -> Arc<Entry> {
    let id = ToolId::new("s", &format!("tool_{name}")).unwrap();
    let tool = Tool::new(id, format!("Does word{text} for word{}.", text % 5), Document::parse("{}").unwrap());
    let model_name = ModelName::choose(&tool.id, |_| false);
    let record = Record {
        fingerprint: tool.fingerprint(),
        costs: Costs::of(&tool, &model_name),
        state,
        position,
        registered_at_ms: 0,
        updated_at_ms: 0,
        model_name,
        tool,
    };
    Arc::new(Entry::new(record, |hash| codes(hash).filter(|_| with_vectors)))
}

/// One step of a catalogue's life.
#[derive(Clone, Debug)]
enum Step {
    Upsert {
        name: u8,
        text: u8,
        enabled: bool,
        with_vectors: bool,
    },
    Remove {
        name: u8,
    },
    /// Starts a merge; what comes before the next `Swap` happens meanwhile.
    Merge,
    Swap,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u8..12, any::<u8>(), any::<bool>(), prop::bool::weighted(0.9))
            .prop_map(|(name, text, enabled, with_vectors)| Step::Upsert { name, text, enabled, with_vectors }),
        2 => (0_u8..12).prop_map(|name| Step::Remove { name }),
        1 => Just(Step::Merge),
        1 => Just(Step::Swap),
    ]
}

/// Everything a selection could see, by position and not by slot.
fn seen(catalog: &TenantCatalog) -> Vec<(u64, String, bool, String)> {
    let vector = UnitVector::new(vec![1.0; DIMENSION]).unwrap();
    let terms = vec!["word3".to_owned(), "tool".to_owned()];
    let query = Query { vector: Some(&vector), terms: &terms, always: &[], centring: 0.0 };
    let found = catalog.index().search(&query, catalog.enabled(), Engine::Exact);
    let mentioned = catalog.mentioned("use tool_3 and tool_7");
    let row = |hit: crate::index::Hit| {
        let entry = catalog.at(hit.slot).unwrap();
        let id = entry.record.tool.id.to_string();
        (catalog.position(hit.slot), id, mentioned.contains(&hit.slot), format!("{:?} {}", hit.views, hit.bm25))
    };
    let mut rows: Vec<_> = found.hits.into_iter().map(row).collect();
    rows.sort();
    rows
}

proptest! {
    /// Against the plain model: a map of tools, sealed anew after every step.
    #[test]
    fn behaves_as_a_map_that_is_built_anew(steps in prop::collection::vec(step(), 1..40)) {
        let mut model: BTreeMap<u8, Arc<Entry>> = BTreeMap::new();
        let mut catalog = TenantCatalog::empty(TenantId::default());
        let mut merging: Option<Sealed> = None;
        for (step, number) in steps.into_iter().zip(1_u64..) {
            let version = Version { epoch: 1, number };
            match step {
                Step::Upsert { name, text, enabled, with_vectors } => {
                    let position = model.get(&name).map_or(catalog.next_position(), |old| old.record.position);
                    let state = if enabled { State::Enabled } else { State::Disabled };
                    let entry = entry(name, text, state, position, with_vectors);
                    model.insert(name, Arc::clone(&entry));
                    catalog = catalog.changed(version, &[entry], &[], DIMENSION);
                }
                Step::Remove { name } => {
                    model.remove(&name);
                    catalog = catalog.changed(version, &[], &[ToolId::new("s", &format!("tool_{name}")).unwrap()], DIMENSION);
                }
                Step::Merge => merging = Some(catalog.sealed_anew()),
                Step::Swap => {
                    if let Some(sealed) = merging.take() {
                        let before = catalog.generation();
                        catalog = catalog.over(sealed);
                        prop_assert!(before < catalog.generation());
                    }
                }
            }
            let plain = TenantCatalog::build(TenantId::default(), version, model.values().cloned().collect(), DIMENSION);
            prop_assert_eq!(seen(&catalog), seen(&plain));
            prop_assert_eq!(catalog.totals, plain.totals);
            prop_assert_eq!((catalog.len(), catalog.enabled().len()), (model.len(), plain.enabled().len()));
            let mut entries: Vec<_> = catalog.entries().map(|entry| entry.record.tool.id.clone()).collect();
            entries.sort();
            let mut expected: Vec<_> = model.values().map(|entry| entry.record.tool.id.clone()).collect();
            expected.sort();
            prop_assert_eq!(entries, expected);
            for name in 0..12 {
                let id = ToolId::new("s", &format!("tool_{name}")).unwrap();
                prop_assert_eq!(catalog.get(&id).map(|entry| &entry.record), model.get(&name).map(|entry| &entry.record));
                prop_assert_eq!(catalog.by_model_name(id.name()).is_some(), model.contains_key(&name));
            }
        }
    }
}

#[test]
fn a_delta_is_merged_when_it_has_grown() {
    let mut catalog = TenantCatalog::empty(TenantId::default());
    let entries: Vec<_> = (0..=255_u8).map(|i| entry(i, i, State::Enabled, u64::from(i), true)).collect();
    catalog = catalog.changed(Version::default(), &entries, &[], DIMENSION);
    assert!(!catalog.wants_merge(), "256 tools are few");
    catalog = catalog.over(catalog.sealed_anew());
    assert_eq!((catalog.sealed().len(), catalog.slots()), (256, 256));
    // Registering the same tools again and again leaves as many gone and as many in the delta.
    for _ in 0..3 {
        catalog = catalog.changed(Version::default(), &entries, &[], DIMENSION);
        assert_eq!((catalog.len(), catalog.slots()), (256, 512));
    }
    assert!(!catalog.wants_merge());
    let one_more = catalog.changed(Version::default(), &[entry(0, 0, State::Enabled, 900, true)], &[], DIMENSION);
    assert!(!one_more.wants_merge(), "a tool that comes again is in the delta once");
    let mut newer = entry(0, 0, State::Enabled, 900, true).as_ref().clone();
    newer.record.tool.id = ToolId::new("s", "another").unwrap();
    let grown = catalog.changed(Version::default(), &[Arc::new(newer)], &[], DIMENSION);
    assert!(grown.wants_merge());
    let merged = grown.over(grown.sealed_anew());
    assert_eq!((merged.len(), merged.slots(), merged.wants_merge()), (257, 257, false));
}
