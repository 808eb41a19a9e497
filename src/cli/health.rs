//! `tool-router health`: exit code 0 when the router takes traffic. For probes and scripts.

use clap::Args;

use super::connection::Connection;
use super::{Exit, output};

/// Flags of `health`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Exit> {
    let serving = arguments.connection.open().await?.is_serving().await?;
    let status = if serving { "SERVING" } else { "NOT_SERVING" };
    output::line(&if arguments.json { serde_json::json!({ "status": status }).to_string() } else { status.to_owned() });
    if serving { Ok(()) } else { Err(Exit::failed("the router does not take traffic")) }
}
