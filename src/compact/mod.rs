//! Makes tool definitions small and fills a token cap with them.
//!
//! Every definition is paid for on every call, so a list is shortened before it is cut: a less likely tool loses its
//! annotations and asides, then its descriptions, and only then its place. Each step has its own file:
//!
//! - `tokens`: how many tokens a text has, exactly, in the two vocabularies we know; `counter`: in that of any other model.
//! - `schema`: the two shorter forms of a JSON Schema, LEAN and SKELETON.
//! - `describe`: descriptions with less said.
//! - `directory`: one line about a tool that is not shown as an object, SIGNATURE or NAME.
//! - `render`: one tool as one JSON object of a model API, the list as a text to paste, and how its tokens add up.
//! - `costs`: what each object costs, counted once.
//! - `profile`: schemas in the dialect that one API enforces, and definitions written with them.
//! - `pack`: which tools at which fidelity, given costs, how likely each is needed, and a cap.
//!
//! Costs are counted when a tool is registered ([`Costs`]) and made to add up ([`prompt`] says why they can), so packing is
//! addition. Pure, synchronous and deterministic: no clock, no IO, no score.

mod costs;
pub mod counter;
mod describe;
mod directory;
mod pack;
pub mod profile;
mod render;
mod schema;
mod tokens;

pub use costs::{COSTS_VERSION, Costs};
pub use counter::{Counter, Counters};
pub use directory::{DIRECTORY_HEADER, Line, directory, directory_frame, directory_line_tokens, name_line, signature};
pub use pack::{Candidate, DropReason, Limits, Packing, Shown, Values, pack};
pub use render::{Fidelity, Format, Forms, cost, frame, line_tokens, list_tokens, prompt, tool_references};
pub use schema::{Step, Steps, lean, skeleton};
pub use tokens::Tokenizer;
