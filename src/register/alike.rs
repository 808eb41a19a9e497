//! After a change: which of its tools look like others. For the publisher, so nothing waits for it but the answer.
//!
//! It needs vectors, hence it comes after publishing, outside the writer's lock; on a thread of low priority, since a large list takes
//! seconds and queries come first; and it ends when its caller has gone. When it fails the change stands all the same, and nothing is told.

use tokio::sync::oneshot;

use super::{Diff, Registrar};
use crate::background;
use crate::catalog::alike::{self, LookAlikes};
use crate::tool::{TenantId, ToolId};

impl Registrar {
    /// What the new and changed tools of `diff` look like in the catalogue as it is now.
    pub(super) async fn look_alikes(&self, tenant: &TenantId, source: &str, diff: &Diff) -> LookAlikes {
        let names = diff.added.iter().chain(&diff.changed);
        let ids: Vec<ToolId> = names.filter_map(|name| ToolId::new(source, name).ok()).collect();
        if ids.is_empty() {
            return LookAlikes::default();
        }
        let catalog = self.0.catalog.load().tenant(tenant);
        let (answer, found) = oneshot::channel();
        let started = background::spawn("look-alikes", move || {
            let found = alike::find(&catalog, &ids, || answer.is_closed());
            // Nobody to tell: the caller has gone.
            let _ = answer.send(found);
        });
        if let Err(error) = started {
            tracing::warn!(error.message = %error, "no thread to look for look-alikes");
        }
        found.await.unwrap_or_default()
    }
}
