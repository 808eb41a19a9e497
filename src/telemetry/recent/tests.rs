//! The rings against a list of everything that happened, and their bounds.

use proptest::prelude::*;

use super::*;

/// One thing that happened, some time after the one before.
#[derive(Clone, Debug)]
struct Event {
    after_ms: u64,
    agent: u8,
    ended: Ended,
    took_micros: u64,
    tokens: u64,
    lexical: bool,
    tools: Vec<u8>,
    tenant: u8,
}

fn event() -> impl Strategy<Value = Event> {
    // Mostly close together, sometimes far beyond everything that is kept.
    let after = prop_oneof![8 => 0..4_000_u64, 3 => 5_000..90_000_u64, 1 => 600_000..4_000_000_u64];
    let ended = prop_oneof![Just(Ended::Well), Just(Ended::Failed), Just(Ended::Shed)];
    let took = prop_oneof![0..50_u64, 50..100_000_u64, 0..LONGEST_MICROS];
    let about = (any::<bool>(), proptest::collection::vec(0..6_u8, 0..4), 0..3_u8);
    (after, 0..4_u8, ended, took, 0..10_000_u64, about).prop_map(|(after_ms, agent, ended, took_micros, tokens, about)| Event {
        after_ms,
        agent,
        ended,
        took_micros,
        tokens,
        lexical: about.0,
        tools: about.1,
        tenant: about.2,
    })
}

fn counted(event: &Event) -> Counted {
    Counted {
        calls: 1,
        errors: u64::from(event.ended == Ended::Failed),
        sheds: u64::from(event.ended == Ended::Shed),
        answered: 1,
        lexical: u64::from(event.lexical),
        no_match: u64::from(event.tools.is_empty()),
        eligible_tokens: event.tokens + 7,
        returned_tokens: event.tokens,
        saved_tokens: 7,
    }
}

fn tool(n: usize) -> ToolId {
    ToolId::new("source", &format!("tool {n}")).unwrap()
}

fn total<'a>(events: impl Iterator<Item = &'a Event>) -> Counted {
    events.fold(Counted::default(), |mut sum, event| {
        sum.add(&counted(event));
        sum
    })
}

/// The exact percentile that a histogram's answer has to be near.
fn assert_near(found: Option<Duration>, quantile: f64, micros: impl Iterator<Item = u64>) {
    let mut micros: Vec<u64> = micros.collect();
    micros.sort_unstable();
    let rank = ((quantile * micros.len() as f64).ceil() as usize).max(1) - 1;
    let exact = micros.get(rank).map(|exact| *exact as f64);
    match (found, exact) {
        (None, None) => (),
        (Some(found), Some(exact)) => {
            let found = found.as_micros() as f64;
            assert!((found - exact).abs() <= exact / 8.0 + 1.0, "{quantile}: {found} is not near {exact}");
        }
        other => unreachable!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn it_knows_what_a_list_of_everything_knows(events in proptest::collection::vec(event(), 0..60), late_ms in 0..120_000_u64) {
        let begun = Instant::now();
        let recent = Recent::new(begun);
        let (mut now, mut log) = (begun, Vec::new());
        for event in &events {
            now += Duration::from_millis(event.after_ms);
            let (agent, of_call) = (format!("agent {}", event.agent), counted(event));
            recent.call(now, Some(&agent), event.ended, Duration::from_micros(event.took_micros));
            let selection = Counted { calls: 0, errors: 0, sheds: 0, ..of_call };
            let tools: Vec<ToolId> = event.tools.iter().map(|n| tool(usize::from(*n))).collect();
            recent.add_selection(now, &TenantId::new(&event.tenant.to_string()), &selection, tools.iter());
            log.push(((now - begun).as_secs() / 10, event));
        }
        now += Duration::from_millis(late_ms);
        let slot = (now - begun).as_secs() / 10;
        let seen = recent.seen(now);
        let last = |slots: u64| log.iter().filter(move |(at, _)| slot < at + slots).map(|(_, event)| *event);

        prop_assert_eq!(seen.total.counted, total(events.iter()));
        prop_assert_eq!(seen.total.window, now - begun);
        prop_assert_eq!(seen.last_minute.counted, total(last(6)));
        prop_assert!(seen.last_minute.window <= Duration::from_secs(60));
        for (n, minute) in seen.minutes.iter().enumerate() {
            let (newest, oldest) = (n as u64 * 6, n as u64 * 6 + 6);
            let of_minute = log.iter().filter(|(at, _)| at + newest <= slot && slot < at + oldest).map(|(_, event)| *event);
            prop_assert_eq!(*minute, total(of_minute), "minute {}", n);
        }
        for (place, quantile) in [0.5, 0.95, 0.99].into_iter().enumerate() {
            assert_near(seen.last_minute.percentiles.map(|p| p[place]), quantile, last(6).map(|e| e.took_micros));
            assert_near(seen.total.percentiles.map(|p| p[place]), quantile, events.iter().map(|e| e.took_micros));
        }
        let kept = || log.iter().filter(|(at, _)| slot / 6 < at / 6 + MINUTES as u64).map(|(_, event)| *event);
        let (agents, window) = recent.agents(now);
        prop_assert!(window <= Duration::from_secs(60 * MINUTES as u64));
        for name in 0..4_u8 {
            let of_agent = || kept().filter(|event| event.agent == name);
            let found = agents.iter().find(|agent| agent.agent == format!("agent {name}"));
            prop_assert_eq!(found.map_or(0, |a| a.calls), of_agent().count() as u64);
            prop_assert_eq!(found.map_or(0, |a| a.errors), total(of_agent()).errors);
            assert_near(found.and_then(|a| a.p95), 0.95, of_agent().map(|e| e.took_micros));
        }
        for n in 0..6_u8 {
            let returned = seen.tools.iter().find(|(id, _)| *id == tool(usize::from(n))).map_or(0, |(_, returned)| *returned);
            let told: usize = kept().map(|event| event.tools.iter().filter(|t| **t == n).count()).sum();
            prop_assert_eq!(returned, told as u64);
        }
        for n in 0..3_u8 {
            let of_tenant = total(events.iter().filter(|event| event.tenant == n));
            let tokens = seen.tenants.iter().find(|(name, _)| *name == n.to_string()).map(|(_, t)| (t.returned, t.saved));
            prop_assert_eq!(tokens.unwrap_or_default(), (of_tenant.returned_tokens, of_tenant.saved_tokens));
        }
    }
}

#[test]
fn names_are_bounded_and_idle_ones_make_room() {
    let begun = Instant::now();
    let recent = Recent::new(begun);
    for n in 0..5_000 {
        recent.call(begun, Some(&format!("agent {n}")), Ended::Well, Duration::from_micros(5));
        let selection = Counted { returned_tokens: 1, ..Counted::default() };
        recent.add_selection(begun, &TenantId::new(&n.to_string()), &selection, [tool(n)].iter());
    }
    let (agents, seen) = (recent.agents(begun).0, recent.seen(begun));
    assert_eq!((agents.len(), seen.tools.len(), seen.tenants.len()), (MAX_AGENTS + 1, MAX_TOOLS, MAX_TENANTS + 1));
    assert_eq!(agents.iter().find(|agent| agent.agent == OTHER).map(|agent| agent.calls), Some(5_000 - MAX_AGENTS as u64));
    assert_eq!(seen.tenants.iter().map(|(_, tokens)| tokens.returned).sum::<u64>(), 5_000, "the rest is in one");
    let later = begun + Duration::from_secs(60 * (MINUTES as u64 + 1));
    recent.call(later, Some("new"), Ended::Failed, Duration::from_micros(5));
    recent.add_selection(later, &TenantId::default(), &Counted::default(), [tool(9_999)].iter());
    let names: Vec<_> = recent.agents(later).0.into_iter().map(|agent| (agent.agent, agent.errors)).collect();
    assert_eq!(names, [("new".to_owned(), 1)]);
    assert_eq!(recent.seen(later).tools, [(tool(9_999), 1)]);
    assert_eq!(recent.seen(later).total.counted.calls, 5_001);
}

#[test]
fn a_call_that_took_its_time_before_another_counts_as_now() {
    let begun = Instant::now();
    let recent = Recent::new(begun);
    recent.call(begun + Duration::from_secs(100), None, Ended::Well, Duration::ZERO);
    recent.call(begun, None, Ended::Well, Duration::MAX);
    let seen = recent.seen(begun + Duration::from_secs(100));
    assert_eq!(seen.last_minute.counted.calls, 2);
    assert!(recent.agents(begun).0.is_empty(), "nobody said who they are");
}
