//! tool-router selects the tools an agent needs for its next turn: a query in, a ranked list out that never exceeds a token cap.
//!
//! # Map
//!
//! Modules in reading order. A module knows those above its own group only; `tests/it/layering.rs` enforces it.
//!
//! - Words: [`tool`] (who a tool is), [`json`] (JSON that loses nothing), [`error`] (kinds of failure), [`clock`], [`background`] (threads that
//!   step back), [`disk`], [`spans`] (what inner parts say of their work).
//! - Engines, pure and deterministic: [`embed`] (text to vector), [`index`] (vectors and words to scores), [`rank`] (scores to an order),
//!   [`compact`] (definitions to a text under a cap), [`arguments`] (what a model made of them), [`gate`] (what may not be registered).
//! - State: [`catalog`] (the current set, one immutable snapshot), [`store`] (where it survives),
//!   [`cache`] (what was worked out before), [`outcomes`] (what became of the tools).
//! - Use cases: [`select`] (one selection), [`register`] (the way in), [`browse`] (looking), [`report`] (taking reports of calls), [`import`]
//!   (foreign tool lists), [`sources`] (servers that are kept in sync), [`replay`] (selections that are kept and run again), [`eval`] (accuracy
//!   on labelled sets).
//! - Edges: [`rpc`] (gRPC), [`front`] (MCP), [`console`] (HTTP), [`telemetry`] (logs, metrics, trace ids), [`config`], [`cli`].
//! - Root: [`app`] puts the parts together.
//!
//! # The way of a request
//!
//! `SelectTools` → [`rpc`] decodes, finds tenant and deadline → [`select::Request::check`] → one snapshot of [`catalog`] is loaded and used
//! to the end → [`select::Selector`]: known answer? → scope → embed → score views and words → fuse → pinned first → pack → render → [`rpc`] encodes.
//!
//! `RegisterTools` → [`rpc`] → [`register::validate`] (limits, then [`gate`]) → [`register::Registrar`]: diff by content hash → embed what
//! changed → [`store`] (on disk) → [`catalog`] (published) → the answer.
//!
//! # Invariants
//!
//! - Only `rpc/` names tonic and prost; only `config/` reads the environment; each heavy crate is named in one place.
//! - Engines are synchronous and deterministic and do no IO.
//! - A request loads one snapshot. Stored before published, published before acknowledged.
//! - A list never exceeds its cap: costs are upper bounds that add up, and the finished text is counted all the same.
//! - What the gate refuses is never in the catalogue, so never found.
//! - No input from the wire panics the process.
//! - Equal requests to an equal catalogue give equal answers but for `meta`.
//! - No query text, argument or schema is logged at info.

// In reading order.
pub mod tool;

pub mod json;

pub mod error;

pub mod clock;

pub mod background;

pub mod disk;

pub mod spans;

pub mod embed;

pub mod index;

pub mod rank;

pub mod compact;

pub mod condense;

pub mod arguments;

pub mod gate;

pub mod catalog;

pub mod cache;

pub mod outcomes;

pub mod store;

pub mod select;

pub mod register;

pub mod browse;

pub mod report;

pub mod import;

pub mod sources;

pub mod replay;

pub mod eval;

pub mod rpc;

pub mod front;

pub mod console;

pub mod telemetry;

pub mod config;

pub mod cli;

pub mod app;
