//! `Operations`: what an operator asks a router.

mod replay;

use std::sync::Arc;

use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

pub(super) use self::replay::MAX_READERS;
use super::observe::observe;
use super::proto;
use super::proto::operations_server::Operations;
use crate::replay::Recorder;
use crate::telemetry::Meters;

/// The service.
#[derive(Debug)]
pub(super) struct OperationsService {
    pub(super) meters: Arc<Meters>,
    /// Where selections are kept.
    pub(super) recorder: Option<Recorder>,
    /// Places for those who read records.
    pub(super) readers: Arc<Semaphore>,
}

#[tonic::async_trait]
impl Operations for OperationsService {
    type GetReplayStream = replay::Chunks;

    async fn get_status(&self, _: Request<proto::GetStatusRequest>) -> Result<Response<proto::GetStatusResponse>, Status> {
        Err(Status::unimplemented("GetStatus is not there yet"))
    }

    async fn get_map(&self, _: Request<proto::GetMapRequest>) -> Result<Response<proto::GetMapResponse>, Status> {
        Err(Status::unimplemented("GetMap is not there yet"))
    }

    async fn get_replay(&self, request: Request<proto::GetReplayRequest>) -> Result<Response<Self::GetReplayStream>, Status> {
        let (metadata, _, message) = request.into_parts();
        let read = replay::read(self.recorder.as_ref(), &self.readers, &message.trace_id);
        observe(&self.meters, "toolrouter.v1.Operations/GetReplay", &metadata, read).await
    }
}
