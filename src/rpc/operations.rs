//! `Operations`: what an operator asks a router, told from what its parts count. Nothing is worked out here but sums and units.

mod replay;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

pub(super) use self::replay::MAX_READERS;
use super::observe::observe;
use super::proto::operations_server::Operations;
use super::{proto, sources};
use crate::catalog::Catalog;
use crate::clock::{Clock, SystemClock};
use crate::register::StoreState;
use crate::replay::Recorder;
use crate::sources::Sources;
use crate::telemetry::conditions::{Condition, Figures, conditions};
use crate::telemetry::map::{Edge, Heat, Known, Node, Party, hottest, map};
use crate::telemetry::recent::{Seen, TenantTokens, Traffic};
use crate::telemetry::windows::{Calls, OutcomeWindow};
use crate::telemetry::{Counts, Loss, Meters};
use crate::tool::TenantId;

/// Tools that a status tells one by one.
const MAX_TOOLS: usize = 20;
/// Tenants that a status tells one by one.
const MAX_TENANTS: usize = 20;

/// Looks when asked.
pub type Look<T> = Arc<dyn Fn() -> T + Send + Sync>;

/// What an operator is told about this router that its parts do not say by themselves.
#[derive(Clone)]
pub struct About {
    /// This router among its replicas.
    pub instance_id: String,
    /// When it was ready, milliseconds since the Unix epoch; 0 until then.
    pub ready_at_ms: Arc<AtomicU64>,
    /// The model that embeds.
    pub model_id: String,
    /// Hash of the model's numbers on this processor.
    pub model_numerics: String,
    /// The store's place, without secrets.
    pub store: String,
    /// Where spans go; empty for nowhere.
    pub endpoint: String,
    /// What became of the telemetry.
    pub counts: Arc<Counts>,
    /// What was reported of tool calls.
    pub outcomes: Look<OutcomeWindow>,
    /// What was asked of the store over the last quarter of an hour.
    pub store_calls: Look<Calls>,
}

impl std::fmt::Debug for About {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("About").field("instance_id", &self.instance_id).finish_non_exhaustive()
    }
}

/// The service.
#[derive(Debug)]
pub(super) struct OperationsService {
    pub(super) about: About,
    pub(super) catalog: Arc<Catalog>,
    pub(super) store: Arc<StoreState>,
    pub(super) sources: Sources,
    pub(super) meters: Arc<Meters>,
    /// Where selections are kept.
    pub(super) recorder: Option<Recorder>,
    /// Places for those who read records.
    pub(super) readers: Arc<Semaphore>,
}

impl OperationsService {
    fn status(&self) -> proto::GetStatusResponse {
        let (now, about) = (Instant::now(), &self.about);
        let (seen, outcomes) = (self.meters.recent().seen(now), (about.outcomes)());
        let (sources, away) = (self.sources.list(), self.store.away_for());
        let figures = Figures {
            store: &about.store,
            store_away: away,
            minutes: &seen.minutes,
            newest: seen.last_minute.window,
            sources: &sources,
            tools: &outcomes.tools,
            lost_ago: about.counts.lost_ago(now),
            lost: [about.counts.lost(Loss::Spans), self.records()[1], about.counts.lost(Loss::Outcomes)],
        };
        let snapshot = self.catalog.load();
        let (enabled, all) = snapshot
            .tenants()
            .fold((0, 0), |(enabled, all), (_, tenant)| (enabled + tenant.enabled().len() as u64, all + tenant.len() as u64));
        proto::GetStatusResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instance_id: about.instance_id.clone(),
            started_at_ms: about.ready_at_ms.load(Ordering::Relaxed),
            now_ms: SystemClock.now_ms(),
            model_id: about.model_id.clone(),
            model_numerics: about.model_numerics.clone(),
            catalog_version: snapshot.tenant(&TenantId::default()).version().to_string(),
            enabled_tools: enabled,
            disabled_tools: all - enabled,
            store: Some(proto::StoreStatus { place: about.store.clone(), up: away.is_none(), away_ms: away.map_or(0, ms) }),
            total: Some(traffic(&seen.total)),
            last_minute: Some(traffic(&seen.last_minute)),
            tools: hottest(&outcomes, &seen.tools, MAX_TOOLS).iter().map(tool).collect(),
            sources: sources.iter().map(sources::status).collect(),
            conditions: conditions(&figures).into_iter().map(condition).collect(),
            telemetry: Some(self.telemetry()),
            tenants: tenants(&seen, &outcomes),
        }
    }

    /// Replay records that were written, and those that were given up.
    fn records(&self) -> [u64; 2] {
        let [written, dropped, failed, _] = self.recorder.as_ref().map_or([0; 4], |recorder| recorder.counters().all());
        [written, dropped + failed]
    }

    fn telemetry(&self) -> proto::TelemetryStatus {
        let counts = &self.about.counts;
        proto::TelemetryStatus {
            endpoint: self.about.endpoint.clone(),
            exported_spans: counts.exported_spans.get(),
            dropped_spans: counts.lost(Loss::Spans),
            replay_records: self.records()[0],
            dropped_replay_records: self.records()[1],
            outcomes: counts.outcomes.get(),
            dropped_outcomes: counts.lost(Loss::Outcomes),
            held_back_log_lines: counts.held_back_log_lines.get(),
        }
    }

    fn map(&self) -> proto::GetMapResponse {
        let now = Instant::now();
        let (agents, window) = self.meters.recent().agents(now);
        let drawn = map(&Known {
            router: &format!("tool-router {}", self.about.instance_id),
            agents: &agents,
            store: &self.about.store,
            store_calls: (self.about.store_calls)(),
            sources: &self.sources.list(),
            returned: &self.meters.recent().seen(now).tools,
            outcomes: &(self.about.outcomes)(),
        });
        proto::GetMapResponse {
            at_ms: SystemClock.now_ms(),
            window_ms: ms(window),
            nodes: drawn.nodes.into_iter().map(node).collect(),
            edges: drawn.edges.into_iter().map(|drawn| edge(drawn, window)).collect(),
        }
    }
}

#[tonic::async_trait]
impl Operations for OperationsService {
    async fn get_status(&self, request: Request<proto::GetStatusRequest>) -> Result<Response<proto::GetStatusResponse>, Status> {
        let (metadata, _, _) = request.into_parts();
        observe(&self.meters, "toolrouter.v1.Operations/GetStatus", &metadata, async { Ok(self.status()) }).await
    }

    async fn get_map(&self, request: Request<proto::GetMapRequest>) -> Result<Response<proto::GetMapResponse>, Status> {
        let (metadata, _, _) = request.into_parts();
        observe(&self.meters, "toolrouter.v1.Operations/GetMap", &metadata, async { Ok(self.map()) }).await
    }

    type GetReplayStream = replay::Chunks;

    async fn get_replay(&self, request: Request<proto::GetReplayRequest>) -> Result<Response<Self::GetReplayStream>, Status> {
        let (metadata, _, message) = request.into_parts();
        let read = replay::read(self.recorder.as_ref(), &self.readers, &message.trace_id);
        observe(&self.meters, "toolrouter.v1.Operations/GetReplay", &metadata, read).await
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

fn traffic(traffic: &Traffic) -> proto::Traffic {
    let Traffic { window, counted, percentiles } = traffic;
    proto::Traffic {
        window_ms: ms(*window),
        calls: counted.calls,
        errors: counted.errors,
        sheds: counted.sheds,
        lexical: counted.lexical,
        no_match: counted.no_match,
        p50_micros: percentiles.map(|[p50, _, _]| micros(p50)),
        p95_micros: percentiles.map(|[_, p95, _]| micros(p95)),
        p99_micros: percentiles.map(|[_, _, p99]| micros(p99)),
        eligible_tokens: counted.eligible_tokens,
        returned_tokens: counted.returned_tokens,
        saved_tokens: counted.saved_tokens,
    }
}

fn tool(heat: &Heat) -> proto::ToolTraffic {
    proto::ToolTraffic {
        tool: Some(proto::ToolRef { source: heat.tool.source().to_owned(), tool: heat.tool.name().to_owned() }),
        returned: heat.returned,
        calls: heat.calls.calls,
        errors: heat.calls.errors,
        p95_micros: heat.calls.p95.map(micros),
    }
}

/// Most tokens first, whichever they are.
fn tenants(seen: &Seen, outcomes: &OutcomeWindow) -> Vec<proto::TenantTokens> {
    let mut all: Vec<proto::TenantTokens> = Vec::with_capacity(seen.tenants.len());
    for (tenant, TenantTokens { returned, saved }) in &seen.tenants {
        let tenant = tenant.clone();
        all.push(proto::TenantTokens { tenant, returned_tokens: *returned, saved_tokens: *saved, ..Default::default() });
    }
    for tokens in &outcomes.tenants {
        if let Some(known) = all.iter_mut().find(|known| known.tenant == tokens.tenant) {
            (known.input_tokens, known.output_tokens) = (tokens.input, tokens.output);
        } else {
            all.push(proto::TenantTokens {
                tenant: tokens.tenant.clone(),
                input_tokens: tokens.input,
                output_tokens: tokens.output,
                ..Default::default()
            });
        }
    }
    // What models used is others' word, and may be absurd.
    let sum = |t: &proto::TenantTokens| {
        [t.saved_tokens, t.input_tokens, t.output_tokens].into_iter().fold(t.returned_tokens, u64::saturating_add)
    };
    all.sort_by(|a, b| (sum(b), &a.tenant).cmp(&(sum(a), &b.tenant)));
    all.truncate(MAX_TENANTS);
    all
}

fn condition(condition: Condition) -> proto::Condition {
    proto::Condition {
        name: condition.name.to_owned(),
        severity: condition.severity.name().to_owned(),
        detail: condition.detail,
        since_ms: condition.since.map(ms),
    }
}

fn node(node: Node) -> proto::MapNode {
    use proto::map_node::Kind;
    let kind = match node.party {
        Party::Agent => Kind::Agent,
        Party::Router => Kind::Router,
        Party::Store => Kind::Store,
        Party::Source => Kind::Source,
        Party::Tool => Kind::Tool,
    };
    proto::MapNode { id: node.id, kind: kind.into(), label: node.label }
}

fn edge(edge: Edge, window: Duration) -> proto::MapEdge {
    let Calls { calls, errors, p95 } = edge.calls;
    let share = |part: u64, whole: f64| if 0.0 < whole { part as f64 / whole } else { 0.0 };
    proto::MapEdge {
        caller: edge.caller,
        callee: edge.callee,
        calls,
        errors,
        rate: share(calls, window.as_secs_f64()),
        error_ratio: share(errors, calls as f64),
        p95_micros: p95.map(micros),
    }
}
