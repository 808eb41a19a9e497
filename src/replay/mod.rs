//! What a selection was, kept so that it can be run again: on error, when it was turned away, slow or answered by words alone, or because
//! the caller asked.
//!
//! A [`Record`] says what was asked and decided, with what, and what the answer owed to its moment. The catalogue is kept beside it, with its
//! vectors, so running it again embeds nothing but the request and gives equal bytes on the same build. The [`Recorder`] takes notes behind
//! the selections' backs: what it has no room for is dropped and counted. A [`Case`] is some records as a file of their own.
//!
//! It knows nothing of the wire: a request and an answer are texts here, which `rpc/` writes and reads.

mod case;
mod lines;
mod record;
mod recorder;
mod run;

pub use self::case::{Case, CaseError, Selection, export};
pub use self::record::{Candidate, CatalogueRef, FORMAT, MadeWith, Outcome, Reason, Record, Redact, RerankedBy};
pub use self::recorder::{Counters, Draft, Recorder, RecorderOptions, Told};
pub use self::run::{again, catalogue};
