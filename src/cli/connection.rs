//! The flags every client command has.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::rpc::client::{Client, ClientError, ClientOptions};
use crate::rpc::proto::ToolRef;
use crate::tool::ToolId;

/// How to reach the router.
#[derive(Args, Debug)]
pub(super) struct Connection {
    /// The router's gRPC address
    #[arg(long, default_value = "http://127.0.0.1:7431", value_name = "URL")]
    address: String,
    /// File with the bearer token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Certificate authority to trust (PEM), for https:// addresses
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Longest wait for an answer, in milliseconds
    #[arg(long, default_value_t = 10_000, value_name = "MS")]
    timeout_ms: u64,
}

impl Connection {
    pub(super) async fn open(self) -> Result<Client, ClientError> {
        Client::connect(&self.options()).await
    }

    pub(super) fn options(self) -> ClientOptions {
        let timeout = Duration::from_millis(self.timeout_ms);
        ClientOptions { address: self.address, ca_file: self.ca_file, token_file: self.token_file, timeout }
    }
}

/// A tool as commands take it; as it is where it is none of ours.
pub(super) fn display(reference: &ToolRef) -> String {
    let ToolRef { source, tool } = reference;
    ToolId::new(source, tool).map_or_else(|_| format!("{source}/{tool}"), |id| id.to_string())
}

/// Reads `source/tool`; used by clap, which puts the flag's name before the message.
pub(super) fn tool_ref(text: &str) -> Result<ToolRef, String> {
    let id = ToolId::parse(text).map_err(|v| v.description)?;
    Ok(ToolRef { source: id.source().to_owned(), tool: id.name().to_owned() })
}
