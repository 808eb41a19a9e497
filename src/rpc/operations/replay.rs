//! `GetReplay`: the file of a kept selection, piece by piece, at the reader's pace.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, stream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tonic::Status;

use super::super::proto::GetReplayResponse;
use super::super::status::{invalid, not_found};
use crate::error::Violation;
use crate::replay::{CaseError, Recorder, export};
use crate::store::ring::Ring;

/// Readers at once: reading a large catalogue keeps the disk busy, and nobody needs more.
pub(in crate::rpc) const MAX_READERS: usize = 2;
/// Digits of a trace id.
const ID_DIGITS: usize = 32;

/// The pieces.
pub(in crate::rpc) type Chunks = Pin<Box<dyn Stream<Item = Result<GetReplayResponse, Status>> + Send>>;

/// Begins to read, and answers once there is something.
pub(super) async fn read(recorder: Option<&Recorder>, readers: &Arc<Semaphore>, id: &str) -> Result<Chunks, Status> {
    if id.len() != ID_DIGITS || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        let description = format!("is {id:?}, it must be {ID_DIGITS} hex digits");
        return Err(invalid(&[Violation::new("trace_id", description)]));
    }
    let id = id.to_ascii_lowercase();
    let recorder = recorder.ok_or_else(|| not_found("this router keeps no selections: replay.enabled is false"))?;
    let busy = |_| Status::resource_exhausted(format!("{MAX_READERS} others read replay records, which is the limit: come back"));
    let place = Arc::clone(readers).try_acquire_owned().map_err(busy)?;
    // Whoever asks has just seen the selection fail.
    recorder.flush().await;
    let path = recorder.options().ring.path.clone();
    let (out, mut chunks) = mpsc::channel(1);
    let reading = tokio::spawn(async move {
        let _place = place;
        if !path.exists() {
            return Err(CaseError::NotKept { id });
        }
        let ring = Ring::open_to_read(&path).await?;
        let done = export(&ring, &id, &out).await;
        ring.close().await;
        done
    });
    match chunks.recv().await {
        Some(first) => Ok(pieces(first, chunks, reading)),
        None => Err(outcome(reading).await.unwrap_or_else(|| Status::internal("nothing was read"))),
    }
}

fn pieces(first: Vec<u8>, chunks: mpsc::Receiver<Vec<u8>>, reading: JoinHandle<Result<(), CaseError>>) -> Chunks {
    let state = (Some(first), chunks, Some(reading));
    Box::pin(stream::unfold(state, async |(first, mut chunks, mut reading)| {
        let chunk = match first {
            Some(first) => Some(first),
            None => chunks.recv().await,
        };
        match chunk {
            Some(chunk) => Some((Ok(GetReplayResponse { chunk }), (None, chunks, reading))),
            // A file that breaks off must not look like one that ended.
            None => {
                let broken = outcome(reading.take()?).await?;
                Some((Err(broken), (None, chunks, None)))
            }
        }
    }))
}

/// What went wrong, if anything.
async fn outcome(reading: JoinHandle<Result<(), CaseError>>) -> Option<Status> {
    match reading.await {
        Ok(Ok(())) => None,
        Ok(Err(error @ CaseError::NotKept { .. })) => Some(not_found(&error.to_string())),
        Ok(Err(error)) => {
            tracing::warn!(error.message = %error, "a replay record cannot be read");
            Some(Status::data_loss(error.to_string()))
        }
        Err(_) => Some(Status::internal("reading the replay record failed")),
    }
}
