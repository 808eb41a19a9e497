//! The current set of tools, as one immutable snapshot.
//!
//! A request loads the snapshot once and works on it to the end, so it sees one state whatever is registered meanwhile, and readers never
//! lock. A change builds the next tenant catalogue beside the current one, from parts that are shared by `Arc`, and swaps it in; what did
//! not change is not counted, embedded, indexed or rendered again. Catalogues of tenants share nothing but the process.

pub mod alike;
pub mod change;
pub mod entry;
pub mod history;
mod part;
pub mod snapshot;
pub mod tenant;
pub mod views;

pub use self::change::{Change, Record, State, TextHash, Version};
pub use self::entry::Entry;
pub use self::history::History;
pub use self::snapshot::{Catalog, Snapshot};
pub use self::tenant::{Sealed, TenantCatalog};
