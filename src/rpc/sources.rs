//! `ToolSources`: configured sources, shown and steered.

use std::sync::Arc;
use std::time::Duration;

use tonic::{Request, Response, Status};

use super::convert;
use super::observe::observe;
use super::proto;
use super::proto::tool_sources_server::ToolSources;
use super::router::tenant;
use crate::sources::{self, SourceError, Sources};
use crate::telemetry::Meters;
use crate::tool::TenantId;

/// Left-out tools that are told one by one.
const MAX_REFUSED: usize = 20;

/// The service. Configured sources are the default tenant's.
#[derive(Debug)]
pub(super) struct SourceService {
    pub(super) sources: Sources,
    pub(super) meters: Arc<Meters>,
}

impl SourceService {
    fn status(&self, name: &str) -> Result<Option<proto::SourceStatus>, SourceError> {
        Ok(Some(status(&self.sources.status(name)?)))
    }

    /// Other tenants have no configured sources, and learn nothing of these.
    fn owner(tenant: &TenantId, name: &str) -> Result<(), SourceError> {
        let strange = || SourceError::NotConfigured { name: name.to_owned(), configured: Vec::new() };
        if *tenant == TenantId::default() { Ok(()) } else { Err(strange()) }
    }
}

#[tonic::async_trait]
impl ToolSources for SourceService {
    async fn list_sources(
        &self,
        request: Request<proto::ListSourcesRequest>,
    ) -> Result<Response<proto::ListSourcesResponse>, Status> {
        let tenant = tenant(&request)?;
        observe(&self.meters, "toolrouter.v1.ToolSources/ListSources", &request.into_parts().0, async {
            let all = if tenant == TenantId::default() { self.sources.list() } else { Vec::new() };
            Ok(proto::ListSourcesResponse { sources: all.iter().map(status).collect() })
        })
        .await
    }

    async fn refresh_source(
        &self,
        request: Request<proto::RefreshSourceRequest>,
    ) -> Result<Response<proto::RefreshSourceResponse>, Status> {
        let tenant = tenant(&request)?;
        let (metadata, _, proto::RefreshSourceRequest { source }) = request.into_parts();
        observe(&self.meters, "toolrouter.v1.ToolSources/RefreshSource", &metadata, async {
            Self::owner(&tenant, &source)?;
            let diff = Some(convert::diff(self.sources.sync(&source).await?));
            Ok(proto::RefreshSourceResponse { status: self.status(&source)?, diff })
        })
        .await
    }

    async fn pause_source(
        &self,
        request: Request<proto::PauseSourceRequest>,
    ) -> Result<Response<proto::PauseSourceResponse>, Status> {
        let tenant = tenant(&request)?;
        let (metadata, _, proto::PauseSourceRequest { source }) = request.into_parts();
        observe(&self.meters, "toolrouter.v1.ToolSources/PauseSource", &metadata, async {
            Self::owner(&tenant, &source)?;
            self.sources.set_paused(&source, true).await?;
            Ok(proto::PauseSourceResponse { status: self.status(&source)? })
        })
        .await
    }

    async fn resume_source(
        &self,
        request: Request<proto::ResumeSourceRequest>,
    ) -> Result<Response<proto::ResumeSourceResponse>, Status> {
        let tenant = tenant(&request)?;
        let (metadata, _, proto::ResumeSourceRequest { source }) = request.into_parts();
        observe(&self.meters, "toolrouter.v1.ToolSources/ResumeSource", &metadata, async {
            Self::owner(&tenant, &source)?;
            self.sources.set_paused(&source, false).await?;
            Ok(proto::ResumeSourceResponse { status: self.status(&source)? })
        })
        .await
    }

    async fn release_source(
        &self,
        request: Request<proto::ReleaseSourceRequest>,
    ) -> Result<Response<proto::ReleaseSourceResponse>, Status> {
        let tenant = tenant(&request)?;
        let (metadata, _, proto::ReleaseSourceRequest { source }) = request.into_parts();
        observe(&self.meters, "toolrouter.v1.ToolSources/ReleaseSource", &metadata, async {
            Self::owner(&tenant, &source)?;
            let diff = Some(convert::diff(self.sources.release(&source).await?));
            Ok(proto::ReleaseSourceResponse { status: self.status(&source)?, diff })
        })
        .await
    }
}

pub(super) fn status(status: &sources::Status) -> proto::SourceStatus {
    let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let refused = status.left_out.iter().take(MAX_REFUSED).map(|left| proto::RefusedTool {
        tool: left.tool.clone(),
        reason: left.reason.clone(),
        kept: left.kept,
    });
    proto::SourceStatus {
        source: status.source.clone(),
        endpoint: status.endpoint.clone(),
        state: match status.state {
            sources::State::Starting => proto::SourceState::Starting,
            sources::State::Synced => proto::SourceState::Synced,
            sources::State::Failing => proto::SourceState::Failing,
            sources::State::Held => proto::SourceState::Held,
            sources::State::Paused => proto::SourceState::Paused,
            sources::State::Elsewhere => proto::SourceState::Elsewhere,
        }
        .into(),
        tools: convert::number(status.tools),
        last_sync_at_ms: status.last_sync_at_ms,
        age_ms: status.age.map(ms),
        error: status.error.clone(),
        next_sync_in_ms: status.next_sync_in.map(ms),
        failures: status.failures,
        syncs: status.syncs,
        failed_syncs: status.failed_syncs,
        refused: refused.collect(),
        refused_tools: convert::number(status.left_out.len()),
        notifies: status.notifies,
    }
}
