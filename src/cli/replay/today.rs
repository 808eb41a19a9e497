//! The tools of today in the place of those that were recorded: from the running router, or from the store where none runs.
//!
//! A router tells its definitions, not its vectors. Texts that were recorded have theirs; the others are embedded here.

use std::collections::{HashMap, HashSet};

use super::super::{Exit, output};
use crate::catalog::views::ViewTexts;
use crate::catalog::{Record, State, TextHash, Version};
use crate::config::Config;
use crate::eval::Model;
use crate::index::vector::Codes;
use crate::rpc::client::{Client, published};
use crate::rpc::proto::{ListToolsRequest, RegisteredTool, ToolState};
use crate::store::StoredVector;
use crate::store::backup::{Backup, Kept};
use crate::tool::{TenantId, ToolId};

/// Tools per page.
const PAGE: u32 = 1_000;

/// What is selected from today, by the running router's word.
pub(super) async fn from_router(client: &mut Client, recorded: Option<&Kept>, model: &mut Model) -> Result<Kept, Exit> {
    let (mut registered, mut request) = (Vec::new(), ListToolsRequest { page_size: Some(PAGE), ..ListToolsRequest::default() });
    let version = loop {
        let page = client.list(request.clone()).await?;
        registered.extend(page.tools);
        if page.next_page_token.is_empty() {
            break page.catalog_version;
        }
        request.page_token = page.next_page_token;
    };
    let mut kept = Kept::nothing(TenantId::default(), Version::parse(&version).unwrap_or_default());
    kept.stored.records = records(&registered, recorded)?;
    kept.vectors = vectors(&kept.stored.records, recorded, model)?;
    Ok(kept)
}

/// What is selected from today, by the configured store.
pub(super) async fn from_store(config: &Config, tenant: &str) -> Result<Kept, Exit> {
    let place = config.store_place().map_err(|e| Exit::bad_config(&e))?.patient();
    let failed = |e: &dyn std::fmt::Display| Exit::failed(format!("the tools of today: {e}"));
    let store = place.open().await.map_err(|e| failed(&e))?;
    let backup = Backup::of(store.as_ref()).await;
    store.close().await;
    let tenants = backup.map_err(|e| failed(&e))?.tenants;
    let nothing = || Kept::nothing(TenantId::new(tenant), Version::default());
    Ok(tenants.into_iter().find(|kept| kept.stored.tenant.as_str() == tenant).unwrap_or_else(nothing))
}

/// Tools that were recorded keep their order of registration, which breaks ties; the others come behind them as they were registered.
fn records(registered: &[RegisteredTool], recorded: Option<&Kept>) -> Result<Vec<Record>, Exit> {
    let known: HashMap<&ToolId, &Record> =
        recorded.iter().flat_map(|kept| &kept.stored.records).map(|record| (&record.tool.id, record)).collect();
    let mut registered: Vec<&RegisteredTool> = registered.iter().collect();
    registered.sort_by_key(|tool| tool.registered_at_ms);
    let mut next = known.values().map(|record| record.position + 1).max().unwrap_or(0);
    let mut records = Vec::with_capacity(registered.len());
    for one in registered {
        let unread = || Exit::failed(format!("{}: the router's definition of one of its tools does not read", one.source));
        let (tool, model_name) = published(one).ok_or_else(unread)?;
        let state = if one.state() == ToolState::Disabled { State::Disabled } else { State::Enabled };
        let record = match known.get(&tool.id) {
            // Counting its tokens again would take longest of all this.
            Some(known) if known.fingerprint == tool.fingerprint() && known.model_name == model_name => (*known).clone(),
            Some(known) => Record::fresh(tool, model_name, known.position),
            None => {
                next += 1;
                Record::fresh(tool, model_name, next - 1)
            }
        };
        records.push(Record { state, ..record });
    }
    Ok(records)
}

fn vectors(records: &[Record], recorded: Option<&Kept>, model: &mut Model) -> Result<Vec<StoredVector>, Exit> {
    let model_id = model.id().to_owned();
    let known = recorded.iter().flat_map(|kept| &kept.vectors).filter(|vector| vector.model_id == model_id);
    let mut vectors: Vec<StoredVector> = known.cloned().collect();
    let have: HashSet<TextHash> = vectors.iter().map(|vector| vector.text).collect();
    let texts =
        records.iter().map(|record| ViewTexts::of(&record.tool)).flat_map(|texts| texts.base.into_iter().chain(texts.examples));
    let missing: Vec<String> = texts.filter(|text| !have.contains(&TextHash::of(text))).collect();
    if missing.is_empty() {
        return Ok(vectors);
    }
    let spinner = output::spinner(&format!("embedding {} texts of today's tools", missing.len()));
    let embedded = model.embed_all(missing, &|| ()).map_err(|e| Exit::failed(e.to_string()))?;
    spinner.finish_and_clear();
    let new = embedded.iter().map(|(text, vector)| StoredVector {
        model_id: model_id.clone(),
        text: TextHash::of(text),
        codes: Codes::quantise(vector),
    });
    vectors.extend(new);
    Ok(vectors)
}
