//! What is not as it should be, from figures that a router has itself: for whoever looks at one router before looking at its alerts.
//!
//! The names are those of the alerts in deploy/prometheus/rules.yaml, so that a condition leads to the same page of the runbook. The rules
//! see all routers over hours; this sees one over minutes, so it speaks sooner and forgets sooner. Pure: figures in, findings out.

use std::time::Duration;

use super::recent::Counted;
use super::windows::ToolWindow;
use crate::sources::{State, Status};

/// Fewer calls a minute say nothing about a share.
const ENOUGH_CALLS: u64 = 20;
/// Share of failed calls that uses up a month's room of 99.9 % within two days.
const ERROR_SHARE: f64 = 0.01;
/// Share of answers by words alone. Some are meant: a script that the model does not read.
const LEXICAL_SHARE: f64 = 0.05;
/// Share of answers with no tool.
const NO_MATCH_SHARE: f64 = 0.5;
/// Share of a tool's calls that failed.
const TOOL_ERROR_SHARE: f64 = 0.5;
/// Fewer calls of a tool say nothing about it.
const ENOUGH_TOOL_CALLS: u64 = 10;
/// Failing tools that are told one by one.
const MAX_TOOLS: usize = 10;
/// A list is stale after as many intervals...
const STALE_INTERVALS: u32 = 3;
/// ...and no sooner than this: a source of a short interval may take longer for one sync.
const STALE: Duration = Duration::from_secs(60);
/// A loss of telemetry is a condition for so long.
const LOSS: Duration = Duration::from_secs(300);

/// How soon somebody has to look. Worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Now.
    Page,
    /// In working hours.
    Ticket,
}

impl Severity {
    /// Its name on the wire and in alerts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
        }
    }
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its name, which is that of its alert where there is one.
    pub name: &'static str,
    /// How soon somebody has to look.
    pub severity: Severity,
    /// What it is about, in one line.
    pub detail: String,
    /// For how long, where that is known.
    pub since: Option<Duration>,
}

/// The figures to judge by.
#[derive(Clone, Copy, Debug)]
pub struct Figures<'a> {
    /// The store's place.
    pub store: &'a str,
    /// For how long it has been away.
    pub store_away: Option<Duration>,
    /// Selections of each of the last minutes, newest first.
    pub minutes: &'a [Counted],
    /// How long the newest of them has lasted.
    pub newest: Duration,
    /// Configured sources.
    pub sources: &'a [Status],
    /// Tools by their reported calls.
    pub tools: &'a [ToolWindow],
    /// How long ago telemetry was lost.
    pub lost_ago: Option<Duration>,
    /// Spans, replay records and outcomes that were lost since the start.
    pub lost: [u64; 3],
}

/// What is not as it should be, worst first, then by name.
#[must_use]
pub fn conditions(figures: &Figures<'_>) -> Vec<Condition> {
    let mut found = Vec::new();
    if let Some(away) = figures.store_away {
        found.push(Condition {
            name: "ToolRouterStoreDown",
            severity: Severity::Page,
            detail: format!("{} does not answer: selections go on from memory, registrations fail", figures.store),
            since: Some(away),
        });
    }
    let shares: [Share; 3] = [
        Share {
            name: "ToolRouterAvailabilityFastBurn",
            severity: Severity::Page,
            what: "selections failed",
            limit: ERROR_SHARE,
            of: |minute| (minute.errors, minute.calls),
        },
        Share {
            name: "ToolRouterLexical",
            severity: Severity::Ticket,
            what: "selections were answered by words alone",
            limit: LEXICAL_SHARE,
            of: |minute| (minute.lexical, minute.answered),
        },
        Share {
            name: "ToolRouterNoMatchSurge",
            severity: Severity::Ticket,
            what: "selections returned no tool",
            limit: NO_MATCH_SHARE,
            of: |minute| (minute.no_match, minute.answered),
        },
    ];
    found.extend(shares.iter().filter_map(|share| share.condition(figures)));
    found.extend(figures.sources.iter().filter_map(of_source));
    let failing = figures
        .tools
        .iter()
        .filter(|tool| ENOUGH_TOOL_CALLS <= tool.calls.calls && TOOL_ERROR_SHARE < ratio(tool.calls.errors, tool.calls.calls));
    found.extend(failing.take(MAX_TOOLS).map(|ToolWindow { tool, calls }| Condition {
        name: "ToolRouterToolFailing",
        severity: Severity::Ticket,
        detail: format!("{} of {} reported calls of {tool} failed", calls.errors, calls.calls),
        since: None,
    }));
    if let Some(ago) = figures.lost_ago.filter(|ago| *ago < LOSS) {
        let [spans, records, outcomes] = figures.lost;
        let seconds = ago.as_secs();
        found.push(Condition {
            name: "ToolRouterTelemetryDropped",
            severity: Severity::Ticket,
            detail: format!(
                "{spans} spans, {records} replay records and {outcomes} outcomes were given up since the start, the last {seconds} s ago"
            ),
            since: None,
        });
    }
    // Stable: of one name, the order in which they were found.
    found.sort_by_key(|condition| (condition.severity, condition.name));
    found
}

/// A share of a minute's selections with its limit.
struct Share {
    name: &'static str,
    severity: Severity,
    what: &'static str,
    limit: f64,
    /// Part and whole.
    of: fn(&Counted) -> (u64, u64),
}

impl Share {
    fn holds(&self, minute: &Counted) -> bool {
        let (part, whole) = (self.of)(minute);
        ENOUGH_CALLS <= whole && self.limit < ratio(part, whole)
    }

    /// For as many minutes on end as it held in.
    fn condition(&self, figures: &Figures<'_>) -> Option<Condition> {
        let newest = figures.minutes.first().filter(|minute| self.holds(minute))?;
        let before = figures.minutes.iter().skip(1).take_while(|minute| self.holds(minute)).count();
        let (part, whole) = (self.of)(newest);
        Some(Condition {
            name: self.name,
            severity: self.severity,
            detail: format!("{part} of {whole} {} in the last minute ({:.0} %)", self.what, 100.0 * ratio(part, whole)),
            since: Some(figures.newest + Duration::from_secs(60) * u32::try_from(before).unwrap_or(u32::MAX)),
        })
    }
}

fn of_source(status: &Status) -> Option<Condition> {
    let stale = STALE.max(status.interval.saturating_mul(STALE_INTERVALS));
    let (name, detail, since) = match status.state {
        State::Failing => {
            let tries = if status.failures == 1 { "once".to_owned() } else { format!("{} times on end", status.failures) };
            ("ToolRouterSourceDown", format!("source {} failed {tries}: {}", status.source, status.error), status.age)
        }
        State::Synced if status.age.is_some_and(|age| stale < age) => {
            let age = status.age.unwrap_or_default();
            let detail = format!(
                "source {} has given no list for {} s, with an interval of {} s",
                status.source,
                age.as_secs(),
                status.interval.as_secs()
            );
            ("ToolRouterSourceDown", detail, Some(age))
        }
        // The server is well, but its tools wait for somebody.
        State::Held => ("ToolRouterSourceHeld", format!("source {} is held: {}", status.source, status.error), None),
        State::Starting | State::Synced | State::Paused | State::Elsewhere => return None,
    };
    Some(Condition { name, severity: Severity::Ticket, detail, since })
}

/// 0 of nothing.
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::super::windows::Calls;
    use super::*;
    use crate::sources::Tried;
    use crate::tool::ToolId;

    const WELL: Figures<'static> = Figures {
        store: "router.db",
        store_away: None,
        minutes: &[],
        newest: Duration::from_secs(55),
        sources: &[],
        tools: &[],
        lost_ago: None,
        lost: [0, 0, 0],
    };

    fn minute(calls: u64, change: impl FnOnce(&mut Counted)) -> Counted {
        let mut minute = Counted { calls, answered: calls, ..Counted::default() };
        change(&mut minute);
        minute
    }

    fn source(state: State, change: impl FnOnce(&mut Status)) -> Status {
        let mut status = Status {
            source: "files".into(),
            endpoint: "files-server".into(),
            state,
            tools: 3,
            last_sync_at_ms: Some(1),
            age: Some(Duration::from_secs(100)),
            interval: Duration::from_secs(300),
            error: String::new(),
            next_sync_in: None,
            failures: 0,
            syncs: 5,
            failed_syncs: 0,
            recent: Tried::default(),
            left_out: Vec::new(),
            notifies: false,
        };
        change(&mut status);
        status
    }

    fn tool(name: &str, calls: u64, errors: u64) -> ToolWindow {
        ToolWindow { tool: ToolId::new("files", name).unwrap(), calls: Calls { calls, errors, p95: None } }
    }

    #[track_caller]
    fn check(figures: Figures<'_>, expected: &[&str]) {
        let told = conditions(&figures).into_iter().map(|c| {
            let since = c.since.map_or_else(String::new, |since| format!(" for {} s", since.as_secs()));
            format!("{} {}{since}: {}", c.severity.name(), c.name, c.detail)
        });
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_quiet_router_is_well() {
        check(WELL, &[]);
        check(Figures { minutes: &[Counted::default(); 15], ..WELL }, &[]);
    }

    #[test]
    fn a_store_that_is_away_is_told() {
        let told =
            "page ToolRouterStoreDown for 7 s: router.db does not answer: selections go on from memory, registrations fail";
        check(Figures { store_away: Some(Duration::from_secs(7)), ..WELL }, &[told]);
    }

    #[test]
    fn shares_count_from_twenty_calls_on_and_say_for_how_long() {
        let errors = |calls, errors| minute(calls, |m| m.errors = errors);
        check(Figures { minutes: &[errors(19, 19)], ..WELL }, &[]);
        check(Figures { minutes: &[errors(100, 1)], ..WELL }, &[]);
        let told = "page ToolRouterAvailabilityFastBurn for 55 s: 2 of 100 selections failed in the last minute (2 %)";
        check(Figures { minutes: &[errors(100, 2)], ..WELL }, &[told]);
        let told = "page ToolRouterAvailabilityFastBurn for 175 s: 2 of 100 selections failed in the last minute (2 %)";
        let minutes = [errors(100, 2), errors(30, 9), errors(200, 3), errors(100, 0), errors(100, 5)];
        check(Figures { minutes: &minutes, ..WELL }, &[told]);
    }

    #[test]
    fn answers_by_words_and_without_a_tool_are_shares_of_answers() {
        let lexical = |answered, lexical| {
            minute(100, |m| {
                (m.answered, m.lexical) = (answered, lexical);
            })
        };
        check(Figures { minutes: &[lexical(100, 5)], ..WELL }, &[]);
        check(Figures { minutes: &[lexical(10, 9)], ..WELL }, &[]);
        let told = "ticket ToolRouterLexical for 55 s: 6 of 100 selections were answered by words alone in the last minute (6 %)";
        check(Figures { minutes: &[lexical(100, 6)], ..WELL }, &[told]);
        let told = "ticket ToolRouterNoMatchSurge for 55 s: 21 of 40 selections returned no tool in the last minute (52 %)";
        check(Figures { minutes: &[minute(40, |m| m.no_match = 21)], ..WELL }, &[told]);
        check(Figures { minutes: &[minute(40, |m| m.no_match = 20)], ..WELL }, &[]);
    }

    #[test]
    fn sources_that_fail_or_fall_silent_are_told() {
        let fine = [State::Starting, State::Synced, State::Paused, State::Elsewhere].map(|state| source(state, |_| ()));
        check(Figures { sources: &fine, ..WELL }, &[]);
        let failing = source(State::Failing, |s| (s.failures, s.error) = (4, "it ended with code 1".into()));
        let told = "ticket ToolRouterSourceDown for 100 s: source files failed 4 times on end: it ended with code 1";
        check(Figures { sources: &[failing], ..WELL }, &[told]);
        let stale = source(State::Synced, |s| s.age = Some(Duration::from_secs(901)));
        let told = "ticket ToolRouterSourceDown for 901 s: source files has given no list for 901 s, with an interval of 300 s";
        check(Figures { sources: &[stale], ..WELL }, &[told]);
        let quick = source(State::Synced, |s| (s.interval, s.age) = (Duration::from_secs(5), Some(Duration::from_secs(59))));
        check(Figures { sources: &[quick], ..WELL }, &[]);
        let held = source(State::Held, |s| s.error = "it would lose 9 of its 10 tools".into());
        check(
            Figures { sources: &[held], ..WELL },
            &["ticket ToolRouterSourceHeld: source files is held: it would lose 9 of its 10 tools"],
        );
    }

    #[test]
    fn tools_that_mostly_fail_are_told() {
        let tools = [tool("a", 9, 9), tool("b", 10, 5), tool("c", 10, 6)];
        check(Figures { tools: &tools, ..WELL }, &["ticket ToolRouterToolFailing: 6 of 10 reported calls of files/c failed"]);
        let many: Vec<_> = (0..50).map(|n| tool(&format!("t{n}"), 20, 20)).collect();
        assert_eq!(conditions(&Figures { tools: &many, ..WELL }).len(), MAX_TOOLS);
    }

    #[test]
    fn lost_telemetry_is_told_for_some_minutes() {
        let lost = |seconds| Figures { lost_ago: Some(Duration::from_secs(seconds)), lost: [3, 0, 1], ..WELL };
        let told = "ticket ToolRouterTelemetryDropped: 3 spans, 0 replay records and 1 outcomes were given up since the start, the last 299 s ago";
        check(lost(299), &[told]);
        check(lost(300), &[]);
    }

    #[test]
    fn the_worst_stands_first() {
        let minutes = [minute(100, |m| (m.errors, m.lexical, m.no_match) = (50, 80, 80))];
        let figures = Figures { minutes: &minutes, store_away: Some(Duration::ZERO), tools: &[tool("a", 10, 10)], ..WELL };
        let names: Vec<_> = conditions(&figures).iter().map(|c| c.name).collect();
        assert_eq!(
            names,
            [
                "ToolRouterAvailabilityFastBurn",
                "ToolRouterStoreDown",
                "ToolRouterLexical",
                "ToolRouterNoMatchSurge",
                "ToolRouterToolFailing"
            ]
        );
    }
}
