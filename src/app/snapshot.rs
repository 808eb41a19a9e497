//! Writes the catalogue to a file of its own whenever it has changed, for a start without a database.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::catalog::{Catalog, TenantCatalog, Version};
use crate::store::backup::{self, Backup, BackupError, Kept};
use crate::store::{StoredTenant, StoredVector};
use crate::tool::TenantId;

/// Between two snapshots, at least.
const PAUSE: Duration = Duration::from_secs(10);

/// Until `stop`, and once more then.
pub(super) async fn keep(path: PathBuf, catalog: Arc<Catalog>, model_id: String, stop: CancellationToken) {
    let mut written: Vec<(TenantId, Version)> = Vec::new();
    loop {
        let last = stop.is_cancelled();
        let tenants: Vec<Arc<TenantCatalog>> =
            catalog.load().tenants().map(|(_, tenant)| Arc::clone(tenant)).filter(|tenant| 0 < tenant.version().number).collect();
        let mut versions: Vec<_> = tenants.iter().map(|tenant| (tenant.tenant().clone(), tenant.version())).collect();
        versions.sort_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
        if versions != written && !versions.is_empty() {
            let (path, model_id) = (path.clone(), model_id.clone());
            let done = tokio::task::spawn_blocking(move || write(&path, &tenants, &model_id)).await;
            match done {
                Ok(Ok(())) => written = versions,
                Ok(Err(error)) => tracing::error!(error.message = %error, "the snapshot is not written"),
                Err(error) => tracing::error!(error.message = %error, "the snapshot is not written"),
            }
        }
        if last {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => (),
            () = tokio::time::sleep(PAUSE) => (),
        }
    }
}

fn write(path: &Path, tenants: &[Arc<TenantCatalog>], model_id: &str) -> Result<(), BackupError> {
    let backup = Backup { tenants: tenants.iter().map(|tenant| kept(tenant, model_id)).collect() };
    backup::write_file(&backup, path).map(drop)
}

fn kept(tenant: &TenantCatalog, model_id: &str) -> Kept {
    let (mut records, mut vectors) = (Vec::new(), Vec::new());
    for entry in tenant.entries() {
        records.push(entry.record.clone());
        let known = entry.vectors().filter_map(|(text, codes)| Some((*text, codes?.clone())));
        vectors.extend(known.map(|(text, codes)| StoredVector { model_id: model_id.to_owned(), text, codes }));
    }
    vectors.sort_by_key(|vector| vector.text);
    vectors.dedup_by_key(|vector| vector.text);
    let stored = StoredTenant { tenant: tenant.tenant().clone(), version: tenant.version(), records };
    Kept { stored, vectors, paused: Vec::new() }
}
