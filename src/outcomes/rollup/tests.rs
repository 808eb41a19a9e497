//! Against plain maps: one that has room for everything, and one that has not.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::outcomes::{Cited, Outcome};

fn tool(number: u8) -> ToolId {
    ToolId::new("s", &format!("t{number}")).unwrap()
}

fn tenant(number: u8) -> TenantId {
    TenantId::new(&format!("tenant-{number}"))
}

fn counted(of: u8, number: u8, outcome: Outcome, latency_ms: Option<u32>, tokens: (Option<u64>, Option<u64>)) -> Counted {
    Counted {
        tenant: tenant(of),
        tool: tool(number),
        outcome,
        error_class: String::new(),
        latency: latency_ms.map(|ms| Duration::from_millis(ms.into())),
        input_tokens: tokens.0,
        output_tokens: tokens.1,
        place: None,
        agent: "".into(),
        traceparent: String::new(),
        selection: Cited::Nothing,
        is_kept: true,
    }
}

/// What happens to a rollup.
#[derive(Clone, Debug)]
enum Step {
    Call { of: u8, tool: u8, minute: u64, outcome: usize, latency_ms: Option<u32>, tokens: (Option<u64>, Option<u64>) },
    Shown { of: u8, tool: u8, minute: u64 },
    Take,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let latency = prop::option::of(0..400_000_u32);
    let tokens = (prop::option::of(0..1_000_u64), prop::option::of(0..1_000_u64));
    let call = (0..2_u8, 0..6_u8, 0..4_u64, 0..5_usize, latency, tokens);
    let step = prop_oneof![
        8 => call.prop_map(|(of, tool, minute, outcome, latency_ms, tokens)| Step::Call { of, tool, minute, outcome, latency_ms, tokens }),
        8 => (0..2_u8, 0..6_u8, 0..4_u64).prop_map(|(of, tool, minute)| Step::Shown { of, tool, minute }),
        1 => Just(Step::Take),
    ];
    prop::collection::vec(step, 0..120)
}

/// What a plain map makes of the same: no clever order, no bound of its own.
#[derive(Default)]
struct Model {
    waiting: BTreeMap<(u64, TenantId, ToolId), Tally>,
    stored: BTreeMap<(u64, TenantId, ToolId), Tally>,
}

impl Model {
    fn take(&mut self) {
        for (cell, tally) in std::mem::take(&mut self.waiting) {
            self.stored.entry(cell).or_default().merge(&tally);
        }
    }
}

/// Runs steps through both and gives what each stored; asserts the bound at every step.
fn run(steps: &[Step], max_cells: usize) -> (Model, BTreeMap<(u64, TenantId, ToolId), Tally>, Rollup) {
    let (mut rollup, mut model, mut stored) = (Rollup::bounded(max_cells), Model::default(), BTreeMap::new());
    let mut keep = |minutes: Vec<ToolMinute>| {
        for ToolMinute { tenant, tool, minute, tally } in minutes {
            stored.entry((minute, tenant, tool)).or_insert_with(Tally::default).merge(&tally);
        }
    };
    for step in steps {
        match step {
            Step::Call { of, tool: number, minute, outcome, latency_ms, tokens } => {
                let call = counted(*of, *number, Outcome::ALL[*outcome], *latency_ms, *tokens);
                let cell = (*minute, tenant(*of), tool(*number));
                let room = model.waiting.contains_key(&cell) || model.waiting.len() < max_cells;
                assert_eq!(rollup.call(&call, minute * 60_000 + 59_999), room, "{step:?}");
                if room {
                    let tally = model.waiting.entry(cell).or_default();
                    tally.outcomes[*outcome] += 1;
                    tally.input_tokens += tokens.0.unwrap_or(0);
                    tally.output_tokens += tokens.1.unwrap_or(0);
                    if let Some(ms) = latency_ms {
                        tally.latency_micros += u64::from(*ms) * 1_000;
                        let bounds = super::super::LATENCY_BOUNDS_MS;
                        let bucket = bounds.iter().position(|bound| u64::from(*ms) <= *bound).unwrap_or(bounds.len());
                        tally.latencies.0[bucket] += 1;
                    }
                }
            }
            Step::Shown { of, tool: number, minute } => {
                let cell = (*minute, tenant(*of), tool(*number));
                let room = model.waiting.contains_key(&cell) || model.waiting.len() < max_cells - max_cells / 4;
                assert_eq!(rollup.shown(&tenant(*of), &tool(*number), minute * 60_000), room, "{step:?}");
                if room {
                    model.waiting.entry(cell).or_default().returned += 1;
                }
            }
            Step::Take => {
                let taken = rollup.take();
                assert!(taken.is_sorted_by_key(|m| (m.minute, m.tenant.clone(), m.tool.clone())));
                keep(taken);
                model.take();
            }
        }
        assert!(rollup.len() <= max_cells && rollup.len() == model.waiting.len());
    }
    keep(rollup.take());
    model.take();
    assert!(rollup.is_empty());
    (model, stored, rollup)
}

proptest! {
    #[test]
    fn is_a_plain_map(steps in steps()) {
        let (model, stored, rollup) = run(&steps, 1_000);
        prop_assert_eq!(model.stored, stored);
        prop_assert_eq!((rollup.dropped_calls(), rollup.dropped_returns()), (0, 0));
    }

    #[test]
    fn what_has_no_room_is_dropped_and_counted(steps in steps()) {
        let (model, stored, rollup) = run(&steps, 8);
        prop_assert_eq!(&model.stored, &stored);
        let made = |wanted: fn(&Step) -> bool| steps.iter().filter(|step| wanted(step)).count() as u64;
        let (calls, returned) =
            stored.values().fold((0, 0), |(calls, returned), tally| (calls + tally.calls(), returned + tally.returned));
        prop_assert_eq!(calls + rollup.dropped_calls(), made(|step| matches!(step, Step::Call { .. })));
        prop_assert_eq!(returned + rollup.dropped_returns(), made(|step| matches!(step, Step::Shown { .. })));
    }
}

#[test]
fn a_flood_of_names_leaves_room_for_calls_and_stays_bounded() {
    let mut rollup = Rollup::default();
    for i in 0..30_000 {
        rollup.shown(&TenantId::default(), &ToolId::new("s", &format!("t{i}")).unwrap(), 0);
    }
    assert_eq!((rollup.len(), rollup.dropped_returns()), (7_500, 22_500));
    assert!(rollup.is_crowded());
    assert!(rollup.call(&counted(0, 1, Outcome::Ok, None, (None, None)), 0), "there is room for calls");
    assert_eq!(rollup.take().len(), 7_501);
    assert!(!rollup.is_crowded() && rollup.shown(&tenant(0), &tool(1), 0));
}
