//! `tool-router mcp`: an MCP server in front of a running router.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::connection::Connection;
use super::{Exit, output, serve};
use crate::front::{self, Defaults, Front, HttpHost};
use crate::rpc::client::Client;

/// Flags of `mcp`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Serve streamable HTTP at http://IP:PORT/mcp instead of standard input and output
    #[arg(long, value_name = "IP:PORT")]
    http: Option<SocketAddr>,
    /// With --http: file with the bearer token that callers must show; needed beyond loopback
    #[arg(long, value_name = "FILE", requires = "http")]
    client_token_file: Option<PathBuf>,
    /// With --http: a name that callers may use for this host, beside localhost; may be repeated
    #[arg(long, value_name = "HOST", requires = "http")]
    allowed_host: Vec<String>,
    /// Cap on a list when the caller gives none [default: the router's, 1500]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_tokens: Option<u32>,
    /// Most tools when the caller gives none [default: the router's, 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
    max_tools: Option<u32>,
    /// Only tools of this source; may be repeated
    #[arg(long, value_name = "NAME")]
    source: Vec<String>,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Exit> {
    let Arguments { http, client_token_file, allowed_host, max_tokens, max_tools, source, connection } = arguments;
    let front = Front::new(Client::lazy(&connection.options())?, Defaults { max_tokens, max_tools, sources: source });
    let Some(address) = http else {
        return front::over_stdio(front, serve::shutdown_signal()).await.map_err(|e| Exit::failed(e.to_string()));
    };
    let token = client_token_file.map(|path| {
        let unusable = |what: &str| Exit::failed(format!("--client-token-file {}: {what}", path.display()));
        let text = std::fs::read_to_string(&path).map_err(|e| unusable(&e.to_string()))?;
        let token = text.trim().to_owned();
        if token.is_empty() { Err(unusable("holds no token")) } else { Ok(token) }
    });
    let token = token.transpose()?;
    if token.is_none() && !address.ip().is_loopback() {
        return Err(Exit::failed(format!("--http {address} is reachable from other machines: give --client-token-file")));
    }
    let host = HttpHost { address, allowed_hosts: allowed_host, token };
    let ready = |address| output::complain(&format!("MCP at http://{address}/mcp"));
    front::over_http(front, host, ready, serve::shutdown_signal()).await.map_err(|e| Exit::failed(e.to_string()))
}
