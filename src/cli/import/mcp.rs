//! `tool-router import mcp`: what a server lists now. The server is started or called from here, not from the router.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{List, Origin, Sending, send};
use crate::cli::{Exit, output};
use crate::config::environment;
use crate::import::mcp::{Command, Endpoint, Http, Patience, Session};

/// Flags of `import mcp`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Source of the tools; without it what the server calls itself
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// A server that speaks streamable HTTP
    #[arg(long, value_name = "URL", required_unless_present = "command", conflicts_with = "command")]
    url: Option<String>,
    /// With --url: file of `Name: value` lines, for tokens; never sent to another host
    #[arg(long, value_name = "FILE", requires = "url")]
    headers_file: Option<PathBuf>,
    /// With --url: certificate authority to trust beside the system's (PEM)
    #[arg(long, value_name = "FILE", requires = "url")]
    server_ca_file: Option<PathBuf>,
    /// With a command: a variable for its environment, beside HOME, PATH and the like; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable, requires = "command")]
    env: Vec<(String, String)>,
    /// With a command: file of NAME=VALUE lines, for secrets
    #[arg(long, value_name = "FILE", requires = "command")]
    env_file: Option<PathBuf>,
    /// Longest wait for the server's start and handshake, in seconds
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    connect_timeout_s: u64,
    /// Longest wait for its whole list, in seconds
    #[arg(long, value_name = "S", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    list_timeout_s: u64,
    #[command(flatten)]
    sending: Sending,
    /// A server that speaks over stdio, with its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("is not of the form NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Arguments {
    fn endpoint(&self) -> Result<Endpoint, Exit> {
        if let Some(url) = &self.url {
            let (headers_file, ca_file) = (self.headers_file.clone(), self.server_ca_file.clone());
            return Ok(Endpoint::Http(Http { url: url.clone(), headers_file, ca_file }));
        }
        let set: BTreeMap<String, String> = self.env.iter().cloned().collect();
        let environment =
            environment::for_server(&set, self.env_file.as_deref()).map_err(|e| Exit::failed(format!("--env-file {e}")))?;
        let (program, arguments) = self.command.split_first().ok_or_else(|| Exit::failed("give --url, or a command after --"))?;
        Ok(Endpoint::Command(Command { program: program.clone(), arguments: arguments.to_vec(), environment, folder: None }))
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Exit> {
    let endpoint = arguments.endpoint()?;
    let origin = Origin { key: "server", name: endpoint.to_string() };
    let failed = |error: &dyn std::fmt::Display| Exit::failed(format!("{}: {error}", origin.name));
    let list = Duration::from_secs(arguments.list_timeout_s);
    let patience = Patience { connect: Duration::from_secs(arguments.connect_timeout_s), list, page: list };
    let spinner = output::spinner(&format!("asking {}", origin.name));
    let listed = async {
        let mut session = Session::open(&endpoint, patience).await.map_err(|e| failed(&e))?;
        let source = arguments.source.clone().or(session.server_name());
        let source = source.ok_or_else(|| failed(&"the server has no name: give --source"))?;
        let listed = session.list(&source).await.map_err(|e| failed(&e));
        session.close().await;
        Ok::<_, Exit>((source, listed?))
    };
    let listed = tokio::select! {
        listed = listed => listed,
        // A server that was started must not outlive the command.
        _ = tokio::signal::ctrl_c() => Err(Exit::failed("interrupted; nothing was changed")),
    };
    spinner.finish_and_clear();
    let (source, listed) = listed?;
    let refusals = || listed.refused.iter().map(|refusal| format!("{}: {}", refusal.tool, refusal.reason));
    if !listed.refused.is_empty() && !arguments.sending.skip_refused {
        let all: Vec<String> = refusals().map(|refusal| format!("\n  {refusal}")).collect();
        let hint = "nothing was imported; --skip-refused leaves them out";
        return Err(failed(&format!("{} of its tools cannot be taken, {hint}:{}", all.len(), all.concat())));
    }
    refusals().for_each(|refusal| output::complain(&format!("left out: {}: {refusal}", origin.name)));
    let refused = listed.refused.iter().map(|refusal| refusal.tool.clone()).collect();
    if listed.tools.is_empty() && !arguments.sending.whole_list {
        output::complain(&format!("{} lists no tools", origin.name));
    }
    send(vec![List { origin, source, tools: listed.tools, refused }], arguments.sending).await
}
