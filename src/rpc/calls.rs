//! `ToolCalls`: what became of the tools.

use std::collections::HashSet;
use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::convert;
use super::observe::{agent, observe};
use super::proto::{self, tool_calls_server::ToolCalls};
use super::router::tenant;
use super::status::invalid;
use crate::browse::Wanted;
use crate::catalog::Catalog;
use crate::error::Violation;
use crate::outcomes::{Cited, Outcome, Refusal};
use crate::report::{Input, Report, Reporter};
use crate::telemetry::{self, Meters};

/// The service.
#[derive(Debug)]
pub(super) struct CallService {
    pub(super) catalog: Arc<Catalog>,
    pub(super) reporter: Reporter,
    pub(super) meters: Arc<Meters>,
}

#[tonic::async_trait]
impl ToolCalls for CallService {
    async fn report_outcomes(
        &self,
        request: Request<proto::ReportOutcomesRequest>,
    ) -> Result<Response<proto::ReportOutcomesResponse>, Status> {
        let tenant = tenant(&request)?;
        let (metadata, _, message) = request.into_parts();
        observe(&self.meters, "toolrouter.v1.ToolCalls/ReportOutcomes", &metadata, async {
            let catalog = self.catalog.load().tenant(&tenant);
            let inputs = message.outcomes.into_iter().map(input).collect();
            let report =
                self.reporter.report(&catalog, &agent(&metadata).unwrap_or_default(), inputs).map_err(|v| invalid(&[v]))?;
            self.record(&report);
            Ok(told(report))
        })
        .await
    }
}

impl CallService {
    /// Counted in the meters, and linked to the selections.
    fn record(&self, report: &Report) {
        let linked: HashSet<&str> = report.accepted.iter().map(|counted| counted.traceparent.as_str()).collect();
        linked.into_iter().filter(|traceparent| !traceparent.is_empty()).for_each(telemetry::link_to);
        for counted in &report.accepted {
            self.meters.outcome(counted);
            if !counted.is_kept {
                self.meters.outcome_refused(Refusal::Dropped, 1);
            }
        }
        for refused in &report.refused {
            self.meters.outcome_refused(refused.refusal, 1);
        }
        if 0 < report.duplicates {
            self.meters.outcome_refused(Refusal::Duplicate, report.duplicates as u64);
        }
    }
}

fn input(outcome: proto::ToolOutcome) -> Result<Input, Violation> {
    let tool = match (&outcome.tool, outcome.model_name) {
        (Some(_), name) if !name.is_empty() => return Err(Violation::new("model_name", "stands beside tool: give one of them")),
        (Some(reference), _) => Wanted::Id(convert::tool_id("tool", reference)?),
        (None, name) if !name.is_empty() => Wanted::ModelName(name),
        (None, _) => return Err(Violation::new("tool", "is missing, and so is model_name: give one of them")),
    };
    let went = match proto::Outcome::try_from(outcome.outcome) {
        Ok(proto::Outcome::Ok) => Outcome::Ok,
        Ok(proto::Outcome::Error) => Outcome::Error,
        Ok(proto::Outcome::Timeout) => Outcome::Timeout,
        Ok(proto::Outcome::Cancelled) => Outcome::Cancelled,
        Ok(proto::Outcome::Rejected) => Outcome::Rejected,
        Ok(proto::Outcome::Unspecified) => {
            let words = "is not said: it must be OK, ERROR, TIMEOUT, CANCELLED or REJECTED";
            return Err(Violation::new("outcome", words));
        }
        Err(_) => return Err(convert::unknown("outcome", outcome.outcome)),
    };
    Ok(Input {
        tool,
        outcome: went,
        error_class: outcome.error_class,
        latency_ms: outcome.latency_ms,
        input_tokens: outcome.input_tokens,
        output_tokens: outcome.output_tokens,
        selection_id: outcome.selection_id,
        call_id: outcome.call_id,
        traceparent: outcome.selection_traceparent,
        place: outcome.place,
    })
}

fn told(report: Report) -> proto::ReportOutcomesResponse {
    let unknown = report.accepted.iter().filter(|counted| counted.selection == Cited::Unknown).count();
    let refused = report.refused.into_iter().map(|refused| proto::RefusedOutcome {
        index: convert::number(refused.index),
        field: refused.violation.field,
        detail: refused.violation.description,
    });
    proto::ReportOutcomesResponse {
        accepted: convert::number(report.accepted.len()),
        duplicates: convert::number(report.duplicates),
        unknown_selections: convert::number(unknown),
        refused: refused.collect(),
    }
}
