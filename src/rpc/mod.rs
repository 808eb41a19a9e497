//! The wire: proto in, use case, proto out. The one module that names tonic and prost.
//!
//! A handler decodes, calls one use case and encodes. Nothing here sorts, filters or decides; a refusal is an error of the core that
//! `status.rs` turns into a gRPC status in one place.

mod calls;
mod catalog;
pub mod client;
mod convert;
mod json;
mod layers;
mod listener;
mod observe;
pub mod operations;
pub mod replay;
mod router;
pub mod server;
mod sources;
mod status;
mod watch;

pub use prost::Name as Message;

pub use self::json::{from_json, to_json};
pub use self::layers::Access;

/// The messages of `proto/toolrouter/v1`.
#[allow(missing_docs, unreachable_pub, rustdoc::all, clippy::all, clippy::pedantic, reason = "generated")]
pub mod proto {
    tonic::include_proto!("toolrouter.v1");

    /// The compiled contract, for reflection and JSON.
    pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/toolrouter_descriptor.bin"));
}
