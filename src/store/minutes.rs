//! Counts of calls as the plain numbers of one row: what both stores write and read.

use sqlx::{ColumnIndex, Decode, Row, Type};

use super::StoreError;
use super::columns::{column, damaged, signed, unsigned};
use crate::outcomes::{Latencies, Tally, ToolMinute};
use crate::tool::{TenantId, ToolId};

/// The counts of table `outcome_minutes`, in the order of [`counts`].
pub(super) const COLUMNS: [&str; 25] = [
    "returned",
    "ok_calls",
    "error_calls",
    "timeout_calls",
    "cancelled_calls",
    "rejected_calls",
    "input_tokens",
    "output_tokens",
    "latency_micros",
    "to_1_ms",
    "to_5_ms",
    "to_10_ms",
    "to_25_ms",
    "to_50_ms",
    "to_100_ms",
    "to_250_ms",
    "to_500_ms",
    "to_1000_ms",
    "to_2500_ms",
    "to_5000_ms",
    "to_10000_ms",
    "to_30000_ms",
    "to_60000_ms",
    "to_300000_ms",
    "over_300000_ms",
];

/// Minutes that are dropped at once, counted from the oldest that is there.
pub(super) const DROPPED_AT_ONCE: u64 = 10;

/// How much longer than counts the last flush of a router is remembered, in minutes: a day. One that was not sent again by then never will be.
pub(super) const FLUSH_MINUTES: u64 = 24 * 60;

/// The list of columns, and what adds the new row's counts (under the name that the engine has for it) to those of the row that is `kept`.
pub(super) fn lists(new: &str) -> (String, String) {
    let added = COLUMNS.map(|column| format!("{column} = kept.{column} + {new}.{column}"));
    (COLUMNS.join(", "), added.join(", "))
}

/// The counts of a row.
pub(super) fn counts(tally: &Tally) -> [i64; COLUMNS.len()] {
    let Tally { returned, outcomes, input_tokens, output_tokens, latency_micros, latencies } = tally;
    let mut counts = [0; COLUMNS.len()];
    let sums = [input_tokens, output_tokens, latency_micros];
    let all = std::iter::once(returned).chain(outcomes).chain(sums).chain(&latencies.0);
    counts.iter_mut().zip(all).for_each(|(count, number)| *count = signed(*number));
    counts
}

/// Reads a row that has all of them.
pub(super) fn read<'r, R>(row: &'r R) -> Result<ToolMinute, StoreError>
where
    R: Row,
    &'static str: ColumnIndex<R>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
{
    let mut counts = COLUMNS.into_iter().map(|name| column::<i64, _>(row, name).map(unsigned));
    let mut next = || counts.next().unwrap_or(Ok(0));
    let returned = next()?;
    let mut outcomes = [0; 5];
    for calls in &mut outcomes {
        *calls = next()?;
    }
    let (input_tokens, output_tokens, latency_micros) = (next()?, next()?, next()?);
    let mut latencies = Latencies::default();
    for count in &mut latencies.0 {
        *count = next()?;
    }
    let (source, name): (String, String) = (column(row, "source")?, column(row, "name")?);
    Ok(ToolMinute {
        tenant: TenantId::new(&column::<String, _>(row, "tenant")?),
        tool: ToolId::new(&source, &name).map_err(|v| damaged("id", &v))?,
        minute: unsigned(column(row, "minute")?),
        tally: Tally { returned, outcomes, input_tokens, output_tokens, latency_micros, latencies },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcomes::{LATENCY_BOUNDS_MS, Outcome};

    #[test]
    fn columns_are_named_by_what_they_count() {
        let calls = Outcome::ALL.map(|outcome| format!("{}_calls", outcome.name()));
        assert_eq!(COLUMNS[1..6], calls);
        let bounds = LATENCY_BOUNDS_MS.map(|bound| format!("to_{bound}_ms"));
        assert_eq!(COLUMNS[9..24], bounds);
        for schema in [include_str!("outcomes.sql"), include_str!("postgres/outcomes.sql")] {
            let lines: Vec<&str> = schema.lines().filter_map(|line| line.trim().split_once(' ')).map(|(name, _)| name).collect();
            assert!(lines.windows(COLUMNS.len()).any(|columns| columns == COLUMNS), "{schema}");
        }
    }
}
