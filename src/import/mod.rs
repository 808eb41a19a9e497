//! Foreign tool lists, made into tools that can be registered. What a list means is decided here; whether its tools may be
//! found is the gate's business, and both importers and publishers pass through it.

pub mod file;
pub mod mcp;
pub mod openapi;

mod entry;
mod error;
mod list;
mod members;
mod text;

pub use self::error::ImportError;
