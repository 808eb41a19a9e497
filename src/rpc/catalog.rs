//! `ToolCatalog`: what publishers and operators call.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::convert;
use super::observe::observe;
use super::proto::tool_catalog_server::ToolCatalog;
use super::proto::{self, sync_source_request::Part};
use super::router::{actor, tenant};
use super::status::{invalid, not_found};
use super::watch::{self, MAX_WATCHERS};
use crate::browse::{self, Filter};
use crate::catalog::Catalog;
use crate::error::Violation;
use crate::register::validate::{self, MAX_BATCH_TOOLS, MAX_LIST_BYTES, MAX_LIST_TOOLS};
use crate::register::{Candidate, Meaning, Options, RegisterError, Registrar, Which};
use crate::telemetry::Meters;
use crate::tool::{Tool, ToolId};

/// The service.
#[derive(Debug)]
pub(super) struct CatalogService {
    pub(super) catalog: Arc<Catalog>,
    pub(super) registrar: Registrar,
    pub(super) meters: Arc<Meters>,
    /// Lists being read: each may hold [`MAX_LIST_BYTES`] before it is complete.
    pub(super) lists: Semaphore,
    /// Watchers.
    pub(super) watchers: Arc<Semaphore>,
    /// Set when the router stops: streams that have no end by themselves end then.
    pub(super) stop: CancellationToken,
}

/// Lists read at once.
pub(super) const MAX_LISTS: usize = 4;
/// Longest silence within a list. A client that stalls gives its place to another.
const LIST_IDLE: Duration = Duration::from_secs(30);

fn candidates(definitions: Vec<proto::ToolDefinition>) -> Vec<Candidate> {
    definitions.into_iter().map(convert::candidate).collect()
}

/// Parsing and scanning a thousand schemas takes a while, so it happens off the threads that answer requests.
async fn validated(check: impl FnOnce() -> Result<Vec<Tool>, Vec<Violation>> + Send + 'static) -> Result<Vec<Tool>, Status> {
    match tokio::task::spawn_blocking(check).await {
        Ok(checked) => checked.map_err(|violations| invalid(&violations)),
        Err(_) => Err(Status::internal("the validation task failed")),
    }
}

fn too_many_names(names: &[String]) -> Option<Status> {
    let over = MAX_BATCH_TOOLS < names.len();
    over.then(|| invalid(&[Violation::new("tools", format!("has {} entries, the limit is {MAX_BATCH_TOOLS}", names.len()))]))
}

#[tonic::async_trait]
impl ToolCatalog for CatalogService {
    type WatchCatalogStream = Pin<Box<dyn Stream<Item = Result<proto::WatchCatalogResponse, Status>> + Send>>;

    async fn watch_catalog(
        &self,
        request: Request<proto::WatchCatalogRequest>,
    ) -> Result<Response<Self::WatchCatalogStream>, Status> {
        let tenant = tenant(&request)?;
        let (metadata, _, message) = request.into_parts();
        observe(&self.meters, "toolrouter.v1.ToolCatalog/WatchCatalog", &metadata, async {
            let wanted = watch::Wanted::check(message)?;
            let full = |_| RegisterError::TooManyWatchers { limit: MAX_WATCHERS };
            let place = Arc::clone(&self.watchers).try_acquire_owned().map_err(full)?;
            let follower = self.registrar.follow(&tenant, wanted.since);
            let stream: Self::WatchCatalogStream = Box::pin(watch::watch(wanted, follower, self.stop.clone(), place));
            Ok(stream)
        })
        .await
    }

    async fn register_tools(
        &self,
        request: Request<proto::RegisterToolsRequest>,
    ) -> Result<Response<proto::RegisterToolsResponse>, Status> {
        let (tenant, actor) = (tenant(&request)?, actor(&request));
        let (metadata, _, message) = request.into_parts();
        observe(&self.meters, "toolrouter.v1.ToolCatalog/RegisterTools", &metadata, async {
            let (source, definitions) = (message.source.clone(), message.tools);
            let tools = validated(move || validate::validate_batch(&source, candidates(definitions))).await?;
            let options = Options { expected_version: message.expected_version, dry_run: message.dry_run, actor };
            let outcome = self.registrar.register(&tenant, &message.source, tools, Meaning::Upsert, options).await?;
            let (catalog_version, diff) = (outcome.version.to_string(), Some(convert::diff(outcome.diff)));
            let (look_alikes, look_alikes_total) = convert::look_alikes(outcome.look_alikes);
            Ok(proto::RegisterToolsResponse { catalog_version, diff, look_alikes, look_alikes_total })
        })
        .await
    }

    async fn sync_source(
        &self,
        request: Request<Streaming<proto::SyncSourceRequest>>,
    ) -> Result<Response<proto::SyncSourceResponse>, Status> {
        let (tenant, actor) = (tenant(&request)?, actor(&request));
        let (metadata, _, stream) = request.into_parts();
        observe(&self.meters, "toolrouter.v1.ToolCatalog/SyncSource", &metadata, async {
            let _place = self.lists.try_acquire().map_err(|_| RegisterError::Overloaded { limit: MAX_LISTS })?;
            let (header, tools) = whole_list(stream).await?;
            let meaning = Meaning::WholeList { allow_mass_removal: header.allow_mass_removal };
            let options = Options { expected_version: header.expected_version, dry_run: header.dry_run, actor };
            let outcome = self.registrar.register(&tenant, &header.source, tools, meaning, options).await?;
            let (catalog_version, diff) = (outcome.version.to_string(), Some(convert::diff(outcome.diff)));
            let (look_alikes, look_alikes_total) = convert::look_alikes(outcome.look_alikes);
            Ok(proto::SyncSourceResponse { catalog_version, diff, look_alikes, look_alikes_total })
        })
        .await
    }

    async fn unregister_tools(
        &self,
        request: Request<proto::UnregisterToolsRequest>,
    ) -> Result<Response<proto::UnregisterToolsResponse>, Status> {
        let (tenant, actor) = (tenant(&request)?, actor(&request));
        let (metadata, _, message) = request.into_parts();
        observe(&self.meters, "toolrouter.v1.ToolCatalog/UnregisterTools", &metadata, async {
            if let Some(status) = too_many_names(&message.tools) {
                return Err(status);
            }
            let which = match (message.all, message.tools.is_empty()) {
                (true, true) => Which::All,
                (true, false) => return Err(invalid(&[Violation::new("tools", "is given together with all: send one of them")])),
                (false, _) => Which::Names(message.tools),
            };
            let options = Options { expected_version: message.expected_version, dry_run: message.dry_run, actor };
            let outcome = self.registrar.unregister(&tenant, &message.source, which, options).await?;
            let (catalog_version, diff) = (outcome.version.to_string(), Some(convert::diff(outcome.diff)));
            Ok(proto::UnregisterToolsResponse { catalog_version, diff })
        })
        .await
    }

    async fn set_tool_state(
        &self,
        request: Request<proto::SetToolStateRequest>,
    ) -> Result<Response<proto::SetToolStateResponse>, Status> {
        let (tenant, actor) = (tenant(&request)?, actor(&request));
        let (metadata, _, message) = request.into_parts();
        observe(&self.meters, "toolrouter.v1.ToolCatalog/SetToolState", &metadata, async {
            if let Some(status) = too_many_names(&message.tools) {
                return Err(status);
            }
            let state = convert::to_state("state", message.state).map_err(|v| invalid(&[v]))?;
            let state = state.ok_or_else(|| invalid(&[Violation::new("state", "is missing: ENABLED or DISABLED")]))?;
            let options = Options { expected_version: message.expected_version, dry_run: false, actor };
            let (version, changed) = self.registrar.set_state(&tenant, &message.source, message.tools, state, options).await?;
            Ok(proto::SetToolStateResponse { catalog_version: version.to_string(), changed })
        })
        .await
    }

    async fn get_tool(&self, request: Request<proto::GetToolRequest>) -> Result<Response<proto::GetToolResponse>, Status> {
        let tenant = tenant(&request)?;
        let (metadata, _, message) = request.into_parts();
        observe(&self.meters, "toolrouter.v1.ToolCatalog/GetTool", &metadata, async {
            let id = ToolId::new(&message.source, &message.tool).map_err(|v| {
                let field = if v.field == "name" { "tool".to_owned() } else { v.field };
                invalid(&[Violation::new(field, v.description)])
            })?;
            let catalog = self.catalog.load().tenant(&tenant);
            let entry = catalog.get(&id).ok_or_else(|| not_found(&format!("tool {id} is not registered")))?;
            let (tool, catalog_version) = (Some(convert::registered(entry)), catalog.version().to_string());
            Ok(proto::GetToolResponse { tool, catalog_version })
        })
        .await
    }

    async fn list_tools(&self, request: Request<proto::ListToolsRequest>) -> Result<Response<proto::ListToolsResponse>, Status> {
        let tenant = tenant(&request)?;
        let (metadata, _, message) = request.into_parts();
        observe(&self.meters, "toolrouter.v1.ToolCatalog/ListTools", &metadata, async {
            let state = convert::to_state("state", message.state).map_err(|v| invalid(&[v]))?;
            let filter = Filter { source: message.source, state, page_size: message.page_size, page_token: message.page_token };
            let catalog = self.catalog.load().tenant(&tenant);
            let page = browse::list(&catalog, &filter).map_err(|v| invalid(&[v]))?;
            Ok(proto::ListToolsResponse {
                tools: page.entries.iter().map(|entry| convert::registered(entry)).collect(),
                next_page_token: page.next_page_token,
                total: convert::number(page.total),
                catalog_version: catalog.version().to_string(),
            })
        })
        .await
    }
}

/// The next message of a list, within [`LIST_IDLE`].
async fn next(stream: &mut Streaming<proto::SyncSourceRequest>) -> Result<Option<proto::SyncSourceRequest>, Status> {
    let late =
        |_| Status::deadline_exceeded(format!("no part of the list came for {} s: nothing was changed", LIST_IDLE.as_secs()));
    tokio::time::timeout(LIST_IDLE, stream.message()).await.map_err(late)?
}

/// Reads a source's list to its end. A stream that breaks is an error, so nothing of a half list is ever applied. Hence the end message:
/// tonic shows a cancelled request stream as one that ended.
async fn whole_list(mut stream: Streaming<proto::SyncSourceRequest>) -> Result<(proto::SyncHeader, Vec<Tool>), Status> {
    let first = next(&mut stream).await?.and_then(|message| message.part);
    let Some(Part::Header(header)) = first else {
        return Err(invalid(&[Violation::new("header", "is missing: the first message of the stream must be the header")]));
    };
    let mut tools: Vec<Tool> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut bytes = 0;
    let total = loop {
        let Some(message) = next(&mut stream).await? else {
            return Err(Status::cancelled("the list was cut off before its end message: nothing was changed"));
        };
        let chunk = match message.part {
            Some(Part::Chunk(chunk)) => chunk,
            Some(Part::End(end)) => break end.total_tools,
            Some(Part::Header(_)) => {
                return Err(invalid(&[Violation::new("header", "came twice: only the first message is one")]));
            }
            None => return Err(invalid(&[Violation::new("part", "is missing: send header, chunk or end")])),
        };
        if MAX_BATCH_TOOLS < chunk.tools.len() {
            let description = format!("has {} tools, the limit is {MAX_BATCH_TOOLS} per chunk", chunk.tools.len());
            return Err(invalid(&[Violation::new("chunk.tools", description)]));
        }
        let offset = tools.len();
        let (source, definitions) = (header.source.clone(), chunk.tools);
        let checked = validated(move || validate::validate_list(&source, candidates(definitions), offset)).await?;
        for (i, tool) in checked.into_iter().enumerate() {
            bytes += tool.bytes();
            if let Some(first) = places.insert(tool.id.name().to_owned(), offset + i) {
                let description = format!("{:?} is also the name of tools[{first}]", tool.id.name());
                return Err(invalid(&[Violation::new(format!("tools[{}].name", offset + i), description)]));
            }
            tools.push(tool);
        }
        if MAX_LIST_TOOLS < tools.len() || MAX_LIST_BYTES < bytes {
            let description =
                format!("has over {MAX_LIST_TOOLS} tools or {MAX_LIST_BYTES} bytes, which are the limits of one source");
            return Err(invalid(&[Violation::new("tools", description)]));
        }
    };
    let sent = convert::number(tools.len());
    if total != sent {
        return Err(invalid(&[Violation::new("end.total_tools", format!("is {total}, the chunks hold {sent} tools"))]));
    }
    if next(&mut stream).await?.is_some() {
        return Err(invalid(&[Violation::new("end", "is not the last message")]));
    }
    Ok((header, tools))
}
