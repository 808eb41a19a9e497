//! `tool-router replay`: a kept selection, run again and held against what it was.

mod difference;
mod seen;
mod today;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use tokio::sync::mpsc;

use self::seen::Seen;
use super::connection::Connection;
use super::{Exit, output};
use crate::catalog::TenantCatalog;
use crate::config::{Config, EmbedderOverrides, Overrides};
use crate::eval::Model;
use crate::replay::{self, Case, MadeWith, Outcome, Record, Selection};
use crate::rpc::client::{Client, ClientError};
use crate::rpc::replay::run_again;
use crate::select::{Again, Selector, SelectorOptions};
use crate::store::backup::Kept;
use crate::store::ring::Ring;

/// Digits of a trace id.
const ID_DIGITS: usize = 32;

/// Flags of `replay`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// A trace id or a selection id, 32 hex digits; or a file that --export wrote
    #[arg(value_name = "TRACE_ID|FILE")]
    what: String,
    /// Read this replay ring instead of asking a router; without it the configured ring is read where no router answers
    #[arg(long, value_name = "FILE", conflicts_with = "address")]
    ring: Option<PathBuf>,
    /// With the definitions of today, of the running router or else of the configured store, instead of the recorded ones
    #[arg(long)]
    today: bool,
    /// Write a file of it that `replay FILE` checks: for an issue, or as a test that nothing is to change
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Go on though model, processor or reranker are others than they were
    #[arg(long)]
    anyway: bool,
    /// Configuration file, for the embedder, the reranker, the tokenizers, the ring and the store
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// `onnx` or `hashing`
    #[arg(long, value_name = "KIND")]
    embedder: Option<String>,
    /// One JSON object per selection, with both answers
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Arguments {
    /// The configuration file that was named.
    #[must_use]
    pub fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// The flags as the top layer of the configuration.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        Overrides { embedder: EmbedderOverrides { kind: self.embedder.clone() }, ..Overrides::default() }
    }
}

/// Runs it.
///
/// # Errors
/// There is no such selection; it cannot be run again; its answer is another.
pub async fn run(arguments: Arguments, config: Config, mut model: Model) -> Result<(), Exit> {
    let Arguments { what, ring, today, export, anyway, json, connection, config: _, embedder: _ } = arguments;
    let id = id(&what);
    // A file, or a ring, needs no router, but for the tools of today.
    let mut client = if today || (id.is_some() && ring.is_none()) { connect(connection).await? } else { None };
    let bytes = match (&id, &ring, &mut client) {
        (None, ..) => std::fs::read(&what).map_err(|e| {
            Exit::failed(format!("{what}: {e}; give a trace id of {ID_DIGITS} hex digits, or a file that --export wrote"))
        })?,
        (Some(id), None, Some(client)) => client.replay(id).await?.ok_or_else(|| {
            Exit::failed(format!("the router keeps no selection of {id}: none was to be kept, or it made way for newer ones"))
        })?,
        (Some(id), ring, _) => from_ring(&ring.clone().unwrap_or_else(|| config.replay.path(&config.store.path)), id).await?,
    };
    let case = Case::read(bytes.as_slice()).map_err(|e| Exit::failed(format!("{what}: {e}")))?;
    if let Some(path) = &export {
        let failed = |e: std::io::Error| Exit::failed(format!("{}: {e}", path.display()));
        crate::eval::whole_file(path, &bytes).map_err(failed)?;
    }
    drop(bytes);
    let mut runner = Runner { selector: selector(&config, &model)?, made_with: made_with(&model), anyway, last: None };
    let mut different = 0;
    for selection in &case.selections {
        let record = &selection.record;
        let kept = match (today, &mut client) {
            (false, _) => selection.catalogue.clone(),
            (true, Some(client)) => Some(Arc::new(today::from_router(client, selection.catalogue.as_deref(), &mut model).await?)),
            (true, None) => Some(Arc::new(today::from_store(&config, &record.tenant).await?)),
        };
        let now = match (why_not(record), kept) {
            (Some(why_not), _) => Err(why_not),
            (None, None) => Err(TOO_LARGE.to_owned()),
            (None, Some(kept)) => Ok(runner.again(selection, &kept, today, &model).await?),
        };
        let seen = Seen::of(record, now, today)?;
        output::line(&if json { seen.json()? } else { seen.text() });
        different += usize::from(seen.is_equal() == Some(false));
    }
    if let (Some(path), false) = (&export, json) {
        output::line(&format!("wrote {} to {}", count(case.selections.len()), path.display()));
    }
    match different {
        0 => Ok(()),
        1 if case.selections.len() == 1 => Err(Exit::failed("the answer is another than it was")),
        _ => Err(Exit::failed(format!("{different} of {} are answered otherwise than they were", count(case.selections.len())))),
    }
}

/// Why a selection whose catalogue is not there cannot be run again.
const TOO_LARGE: &str = "its catalogue was too large to be kept (replay.max_mib); --today takes the tools of today";

fn count(selections: usize) -> String {
    if selections == 1 { "1 selection".to_owned() } else { format!("{selections} selections") }
}

fn id(what: &str) -> Option<String> {
    let is_id = what.len() == ID_DIGITS && what.bytes().all(|b| b.is_ascii_hexdigit());
    is_id.then(|| what.to_ascii_lowercase())
}

/// The router, where there is one.
async fn connect(connection: Connection) -> Result<Option<Client>, Exit> {
    match connection.open().await {
        Ok(client) => Ok(Some(client)),
        Err(ClientError::Connect { address, .. }) => {
            output::complain(&format!("no router answers at {address}: reading what is configured"));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// The bytes of the case that `id` is.
async fn from_ring(path: &Path, id: &str) -> Result<Vec<u8>, Exit> {
    let failed = |e: &dyn std::fmt::Display| Exit::failed(format!("{}: {e}", path.display()));
    let ring = Ring::open_to_read(path).await.map_err(|e| failed(&e))?;
    let (out, mut pieces) = mpsc::channel(1);
    let send = async {
        let done = replay::export(&ring, id, &out).await;
        drop(out);
        done
    };
    let collect = async {
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.recv().await {
            bytes.extend_from_slice(&piece);
        }
        bytes
    };
    let (done, bytes) = tokio::join!(send, collect);
    ring.close().await;
    done.map(|()| bytes).map_err(|e| failed(&e))
}

fn made_with(model: &Model) -> MadeWith {
    MadeWith::of(model.pool().info(), model.policy(), model.reranking()).0
}

fn selector(config: &Config, model: &Model) -> Result<Selector, Exit> {
    let counters = config.counters().map_err(|e| Exit::bad_config(&e))?;
    let selector = Selector::new(model.pool().clone(), model.policy().clone(), &SelectorOptions::BARE);
    Ok(selector.with_reranking(model.reranking().cloned()).with_counters(counters))
}

/// Why a selection cannot be run again, if it cannot.
fn why_not(record: &Record) -> Option<String> {
    let left_out = || format!("its request was left out (replay.redact); the sha256 of it is {}", record.request_sha256);
    record.request.is_none().then(left_out)
}

/// Runs selections again.
struct Runner {
    selector: Selector,
    made_with: MadeWith,
    anyway: bool,
    /// The catalogue that was built last: selections of a trace mostly share one.
    last: Option<(Arc<Kept>, Arc<TenantCatalog>)>,
}

impl Runner {
    async fn again(
        &mut self,
        selection: &Selection,
        kept: &Arc<Kept>,
        today: bool,
        model: &Model,
    ) -> Result<crate::rpc::replay::Replayed, Exit> {
        let Selection { record, weights, .. } = selection;
        let others = record.made_with.differences(&self.made_with);
        if !others.is_empty() && !self.anyway {
            let others = others.join("; ");
            return Err(Exit::failed(format!("{others}; so answers may differ: go on with --anyway")));
        }
        let dimension = model.pool().info().dimension;
        // By the numbers of then: what differs is for the tools alone.
        let policy = record.made_with.policy(weights, dimension);
        let policy =
            if self.anyway { policy.unwrap_or_else(|_| model.policy().clone()) } else { policy.map_err(Exit::failed)? };
        let catalogue = match &self.last {
            Some((known, catalogue)) if Arc::ptr_eq(known, kept) => Arc::clone(catalogue),
            _ => Arc::new(replay::catalogue(kept, model.id(), dimension)),
        };
        self.last = Some((Arc::clone(kept), Arc::clone(&catalogue)));
        let again = match record.outcome {
            Outcome::Answer { .. } => replay::again(record, !today),
            // Nothing came of it then; this is what would now.
            Outcome::Error { .. } => Again::default(),
        };
        let selector = self.selector.ranking_by(policy);
        run_again(record, &selector, &catalogue, &again).await.map_err(Exit::failed)
    }
}
