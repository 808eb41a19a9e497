//! `ToolRouter`: what an orchestrator calls once per turn.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use super::convert;
use super::observe::{agent, deadline, observe};
use super::proto::tool_router_server::ToolRouter;
use super::proto::{self, described_tool};
use super::replay::{Answered, Seen, Taking};
use super::status::invalid;
use crate::browse::{self, Call, MAX_DESCRIBED, Wanted};
use crate::catalog::{Catalog, TenantCatalog};
use crate::error::Violation;
use crate::outcomes::SelectionId;
use crate::register::{Registrar, validate};
use crate::replay::Recorder;
use crate::report::Reporter;
use crate::select::{Answer, Offered, Selector, Trace};
use crate::telemetry::{self, Meters};
use crate::tool::TenantId;

/// The service.
#[derive(Debug)]
pub(super) struct RouterService {
    pub(super) catalog: Arc<Catalog>,
    pub(super) registrar: Registrar,
    pub(super) selector: Arc<Selector>,
    pub(super) offered: Offered,
    pub(super) reporter: Reporter,
    pub(super) meters: Arc<Meters>,
    pub(super) recorder: Option<Recorder>,
    pub(super) default_deadline: Duration,
    /// Checks of arguments at once: more would only take the processor from selections.
    pub(super) checkers: Arc<Semaphore>,
}

/// How an answer is told.
struct Telling {
    include: convert::Include,
    explain: bool,
    /// The caller's name for the conversation.
    session: String,
    /// The caller's name for itself.
    agent: Arc<str>,
}

/// How many checks of arguments run at once.
pub(super) const MAX_CHECKERS: usize = 2;

/// The caller's tenant, as the access layer found it. Without the layer there is no tenant and no answer.
pub(super) fn tenant<T>(request: &Request<T>) -> Result<TenantId, Status> {
    request.extensions().get::<TenantId>().cloned().ok_or_else(|| Status::unauthenticated("the caller has no tenant"))
}

/// Who calls, for the audit: where from, as nobody has a name yet.
pub(super) fn actor<T>(request: &Request<T>) -> String {
    request.remote_addr().map_or_else(|| "grpc".to_owned(), |address| format!("grpc {}", address.ip()))
}

impl RouterService {
    /// The answer on the wire, counted, logged, and remembered for reports of what became of its tools.
    fn told(&self, answer: &Answer, registered: &TenantCatalog, telling: &Telling, trace: &Trace) -> proto::SelectToolsResponse {
        self.meters.recent().selection(Instant::now(), registered, answer);
        let (id, traceparent) = (SelectionId(rand::random()), telemetry::current_traceparent());
        self.reporter.shown(registered, id, answer, traceparent.clone(), Arc::clone(&telling.agent));
        let selection_id = id.to_string();
        telemetry::selected(&selection_id, &telling.session, answer, trace);
        self.meters.selection(registered, answer, trace);
        let ids = (selection_id, telemetry::current_trace_id(), traceparent);
        convert::answer(answer, telling.include, telling.explain, trace, ids)
    }

    /// Whether arguments are valid. That is bounded but may take a while, so it happens off the threads that answer requests, for a few
    /// callers at a time.
    async fn check(
        &self,
        catalog: &Arc<TenantCatalog>,
        calls: Vec<Call>,
        deadline: Instant,
    ) -> Result<Vec<proto::CheckedCall>, Status> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let late = || Status::deadline_exceeded("the arguments were not checked before the deadline");
        let turn = tokio::time::timeout_at(deadline.into(), Arc::clone(&self.checkers).acquire_owned()).await;
        let turn = turn.map_err(|_| late())?;
        let catalog = Arc::clone(catalog);
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            browse::check_calls(&catalog, &calls, deadline)
        });
        let checked = work.await.map_err(|_| Status::internal("the check failed"))?.ok_or_else(late)?;
        Ok(checked.into_iter().map(convert::checked).collect())
    }
}

#[tonic::async_trait]
impl ToolRouter for RouterService {
    async fn select_tools(
        &self,
        request: Request<proto::SelectToolsRequest>,
    ) -> Result<Response<proto::SelectToolsResponse>, Status> {
        let tenant = tenant(&request)?;
        let (metadata, _, message) = request.into_parts();
        let agent: Arc<str> = agent(&metadata).unwrap_or_default().into();
        let (taking, mut seen) = (Taking::begin(self.recorder.as_ref(), &message), Seen::default());
        let result = observe(&self.meters, "toolrouter.v1.ToolRouter/SelectTools", &metadata, async {
            seen.trace_id = telemetry::current_trace_id();
            let deadline = deadline(&metadata, self.default_deadline);
            let session = convert::session(message.continuity.as_ref());
            let version = message.min_catalog_version.clone();
            let (input, include) = convert::input(message).map_err(|v| invalid(&v))?;
            let request = self.selector.check(input).map_err(|v| invalid(&v))?;
            seen.tokenizer = Some(request.budget.tokenizer.name().to_owned());
            if let Some(version) = version {
                self.registrar.reach(&tenant, &version, deadline).await?;
            }
            let catalog = self.catalog.load().tenant(&tenant);
            seen.catalogue = Some(Arc::clone(&catalog));
            let (answer, trace) = self.selector.select(&catalog, &request, deadline).await?;
            let explain = request.explain;
            let telling = Telling { include, explain, session, agent: Arc::clone(&agent) };
            let told = self.told(&answer, &catalog, &telling, &trace);
            seen.answered = Some(Answered { answer, trace, include, explain });
            Ok(told)
        })
        .await;
        if let Some(taking) = taking {
            taking.end(seen, &result, || self.catalog.load().tenant(&tenant));
        }
        result
    }

    async fn rank_tools(&self, request: Request<proto::RankToolsRequest>) -> Result<Response<proto::RankToolsResponse>, Status> {
        let tenant = tenant(&request)?;
        let (metadata, _, message) = request.into_parts();
        let agent: Arc<str> = agent(&metadata).unwrap_or_default().into();
        observe(&self.meters, "toolrouter.v1.ToolRouter/RankTools", &metadata, async {
            let deadline = deadline(&metadata, self.default_deadline);
            let session = convert::session(message.continuity.as_ref());
            let (input, include, offered) = convert::offer(message).map_err(|v| invalid(&v))?;
            let request = self.selector.check(input).map_err(|v| invalid(&v))?;
            // Parsing and scanning schemas takes a while, so it happens off the threads that answer requests.
            let checked = tokio::task::spawn_blocking(move || validate::validate_offered(offered)).await;
            let tools = checked.map_err(|_| Status::internal("the validation task failed"))?.map_err(|v| invalid(&v))?;
            let registered = self.catalog.load().tenant(&tenant);
            let (answer, trace) = self.offered.select(&self.selector, &registered, tools, &request, deadline).await?;
            let telling = Telling { include, explain: request.explain, session, agent: Arc::clone(&agent) };
            let selection = self.told(&answer, &registered, &telling, &trace);
            // The catalogue of one request has no version that anyone could come back to.
            let selection = Some(proto::SelectToolsResponse { catalog_version: String::new(), ..selection });
            Ok(proto::RankToolsResponse { selection })
        })
        .await
    }

    async fn describe_tools(
        &self,
        request: Request<proto::DescribeToolsRequest>,
    ) -> Result<Response<proto::DescribeToolsResponse>, Status> {
        let tenant = tenant(&request)?;
        let (metadata, _, message) = request.into_parts();
        observe(&self.meters, "toolrouter.v1.ToolRouter/DescribeTools", &metadata, async {
            let mut violations = Vec::new();
            let ids = convert::tool_ids("tools", message.tools, &mut violations);
            let calls = convert::calls(message.calls, &mut violations);
            if !violations.is_empty() {
                return Err(invalid(&violations));
            }
            let wanted: Vec<Wanted> =
                ids.into_iter().map(Wanted::Id).chain(message.model_names.into_iter().map(Wanted::ModelName)).collect();
            let asked = wanted.len() + calls.len();
            if !calls.is_empty() && MAX_DESCRIBED < asked {
                let words = format!("has {asked} entries with tools and model_names, the limit is {MAX_DESCRIBED}");
                return Err(invalid(&[Violation::new("calls", words)]));
            }
            let catalog = self.catalog.load().tenant(&tenant);
            let found = if wanted.is_empty() && !calls.is_empty() { Ok(Vec::new()) } else { browse::describe(&catalog, &wanted) };
            let found = found.map_err(|v| invalid(&[v]))?;
            let checked = self.check(&catalog, calls, deadline(&metadata, self.default_deadline)).await?;
            let results = found.into_iter().map(|found| {
                let result = match found {
                    Ok(entry) => described_tool::Result::Tool(convert::registered(&entry)),
                    Err(detail) => described_tool::Result::NotFound(described_tool::NotFound { detail }),
                };
                proto::DescribedTool { result: Some(result) }
            });
            let catalog_version = catalog.version().to_string();
            Ok(proto::DescribeToolsResponse { results: results.collect(), catalog_version, checked })
        })
        .await
    }
}
