//! Tool lists of MCP servers, over stdio and streamable HTTP.
//!
//! A server is someone else's program: it may be silent, slow, broken or hostile. So every wait has a limit, every list is counted while
//! it comes in, and a list counts only when it is there whole. rmcp speaks the protocol; what it parses for itself loses key order and long
//! numbers, so the text of every list is kept beside it (`raw.rs`) and read like a file.

mod endpoint;
mod error;
mod http;
mod listing;
mod notes;
mod process;
mod raw;
mod session;
mod stdio;

use std::time::Duration;

pub use self::endpoint::{Command, Endpoint, Http};
pub use self::error::McpError;
pub use self::listing::{Listed, Refusal};
pub use self::session::Session;

/// Most bytes of one message: a page of tools.
pub const MAX_MESSAGE_BYTES: usize = 16 << 20;
/// Most bytes of a whole list. The largest real server known has some hundred tools in under 1 MiB.
pub const MAX_LIST_BYTES: usize = 32 << 20;
/// Most pages of a list.
pub const MAX_PAGES: usize = 1_000;
/// Most tools of a list.
pub const MAX_TOOLS: usize = 10_000;

/// How long to wait for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// From the start of the program, or the first byte to the URL, to the end of the handshake. A package runner may have to fetch first.
    pub connect: Duration,
    /// For one page.
    pub page: Duration,
    /// For the whole list.
    pub list: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(60), page: Duration::from_secs(30), list: Duration::from_secs(120) }
    }
}
