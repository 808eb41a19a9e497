//! Against the real embedded store; the clock that minutes are read from stands still.

use super::*;
use crate::clock::ManualClock;
use crate::outcomes::{Outcome, Reported, Tally, ToolMinute};
use crate::store::embedded::{EmbeddedOptions, EmbeddedStore};
use crate::telemetry::MeterOptions;
use crate::tool::{TenantId, ToolId};

const NOW_MINUTE: u64 = 29_000_000;

async fn writer(folder: &tempfile::TempDir, max_mib: Option<u64>) -> Writer {
    let options = EmbeddedOptions { path: folder.path().join("r.db"), max_mib };
    let clock = ManualClock::default();
    clock.set_ms(NOW_MINUTE * 60_000);
    Writer::new(Keeper {
        outcomes: Arc::new(Outcomes::new(true)),
        store: Arc::new(EmbeddedStore::open(&options).await.unwrap()),
        clock: Arc::new(clock),
        meters: Arc::new(Meters::new(&MeterOptions::default()).unwrap()),
        settings: config::Outcomes::default(),
    })
}

fn call(outcomes: &Outcomes, tool: &str, minute: u64) {
    let reported = Reported {
        tool: ToolId::new("s", tool).unwrap(),
        outcome: Outcome::Ok,
        error_class: String::new(),
        latency: Some(Duration::from_millis(3)),
        input_tokens: Some(7),
        output_tokens: None,
        selection_id: String::new(),
        call_id: String::new(),
        traceparent: String::new(),
        place: None,
        agent: String::new(),
    };
    outcomes.count(&TenantId::default(), reported, minute * 60_000).unwrap();
}

async fn calls(store: &dyn Store) -> u64 {
    store.minutes(&TenantId::default(), 0..u64::MAX).await.unwrap().iter().map(|minute| minute.tally.calls()).sum()
}

#[tokio::test]
async fn more_than_is_written_at_once_arrives_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(&folder, None).await;
    let outcomes = Arc::clone(&writer.keeper.outcomes);
    (0..3_500).for_each(|i| call(&outcomes, &format!("t{}", i % 2_500), NOW_MINUTE));
    writer.write().await;
    assert_eq!((calls(writer.keeper.store.as_ref()).await, writer.number), (3_500, 3));
    (0..10).for_each(|_| call(&outcomes, "t1", NOW_MINUTE));
    writer.write().await;
    assert_eq!(calls(writer.keeper.store.as_ref()).await, 3_510, "added to what is there");
    writer.write().await;
    assert_eq!((calls(writer.keeper.store.as_ref()).await, writer.number), (3_510, 4));
}

#[tokio::test]
async fn what_does_not_arrive_waits_within_bounds_and_is_counted_when_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(&folder, None).await;
    let outcomes = Arc::clone(&writer.keeper.outcomes);
    writer.keeper.store.close().await;
    (0..8_000).for_each(|i| call(&outcomes, &format!("t{i}"), NOW_MINUTE));
    writer.write().await;
    assert!(writer.is_away && writer.waiting.len() == 8);
    (0..12_000).for_each(|i| call(&outcomes, &format!("t{i}"), NOW_MINUTE + 1));
    writer.write().await;
    assert_eq!((writer.waiting.len(), writer.number), (8, 8), "the same is sent again, as it was");
    assert_eq!((outcomes.counted(), outcomes.dropped()), (20_000, 2_000));
    writer.give_up();
    assert_eq!(outcomes.dropped(), 20_000);
    assert!(writer.keeper.meters.render().contains("toolrouter_outcomes_refused_total{reason=\"dropped\"} 18000"));
}

#[tokio::test]
async fn a_full_store_loses_its_older_counts_and_takes_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(&folder, Some(1)).await;
    let store = Arc::clone(&writer.keeper.store);
    let mut number = 0;
    // Evenly over the month, until nothing goes in.
    let full = loop {
        number += 1;
        let minute = NOW_MINUTE - 30 * DAY + (number % 300) * 144;
        let tool = |i: u64| ToolMinute {
            tenant: TenantId::default(),
            tool: ToolId::new("s", &format!("tool-{number}-{i}")).unwrap(),
            minute,
            tally: Tally { returned: 1, ..Tally::default() },
        };
        let flush = Flush { router: "other".into(), number, minute, counts: (0..20).map(tool).collect() };
        if let Err(error) = store.add_minutes(&flush).await {
            break error;
        }
    };
    assert!(matches!(full, StoreError::Full), "{full}");
    let rows = async || store.minutes(&TenantId::default(), 0..u64::MAX).await.unwrap().len();
    let before = rows().await;
    let outcomes = Arc::clone(&writer.keeper.outcomes);
    (0..200).for_each(|i| call(&outcomes, &format!("t{i}"), NOW_MINUTE));
    writer.write().await;
    assert!(writer.is_away && writer.kept == 15 * DAY);
    let left = rows().await;
    assert!(before / 3 < left && left < before * 2 / 3, "{left} of {before}");
    writer.write().await;
    assert_eq!((calls(store.as_ref()).await, writer.is_away), (200, false));
}

#[tokio::test]
async fn old_counts_go_and_the_rest_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(&folder, None).await;
    let outcomes = Arc::clone(&writer.keeper.outcomes);
    for age in [31 * DAY, 30 * DAY, 30 * DAY - 1, 1, 0] {
        call(&outcomes, "t", NOW_MINUTE - age);
    }
    writer.write().await;
    writer.prune().await;
    let left = writer.keeper.store.minutes(&TenantId::default(), 0..u64::MAX).await.unwrap();
    let ages: Vec<u64> = left.iter().map(|minute| NOW_MINUTE - minute.minute).collect();
    assert_eq!(ages, [30 * DAY - 1, 1, 0]);
}
