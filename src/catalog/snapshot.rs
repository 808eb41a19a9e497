//! The snapshot, and the pointer that requests load it from.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::tenant::TenantCatalog;
use crate::tool::TenantId;

/// Every tenant's catalogue at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    tenants: HashMap<TenantId, Arc<TenantCatalog>>,
}

impl Snapshot {
    /// A tenant's catalogue; a tenant that registered nothing has an empty one.
    #[must_use]
    pub fn tenant(&self, tenant: &TenantId) -> Arc<TenantCatalog> {
        self.tenants.get(tenant).cloned().unwrap_or_else(|| Arc::new(TenantCatalog::empty(tenant.clone())))
    }

    /// All tenants.
    pub fn tenants(&self) -> impl Iterator<Item = (&TenantId, &Arc<TenantCatalog>)> {
        self.tenants.iter()
    }
}

/// The pointer to the current snapshot.
#[derive(Debug, Default)]
pub struct Catalog(ArcSwap<Snapshot>);

impl Catalog {
    /// The current snapshot. Load it once per request.
    #[must_use]
    pub fn load(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }

    /// Makes `next` what the next request of its tenant sees.
    pub fn publish(&self, next: &Arc<TenantCatalog>) {
        self.0.rcu(|current| {
            let mut tenants = current.tenants.clone();
            tenants.insert(next.tenant().clone(), Arc::clone(next));
            Snapshot { tenants }
        });
    }
}
