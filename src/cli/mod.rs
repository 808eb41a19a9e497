//! The command line: one file per command. Client commands speak gRPC to a running router; nothing is decided here.

pub mod calibrate;
mod check_config;
mod connection;
mod conversation;
mod describe;
mod diet;
pub mod doctor;
pub mod eval;
mod figures;
pub mod fit;
mod health;
mod import;
mod map;
mod mcp;
pub mod output;
pub mod replay;
mod select;
pub mod serve;
mod source;
mod status;
mod store;
mod texts;
mod tools;
mod top;

use clap::{Parser, Subcommand};

/// Selects the tools an agent needs for its next turn, under a token cap.
#[derive(Debug, Parser)]
#[command(name = "tool-router", version, about, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the router
    Serve(serve::Arguments),
    /// Bring tools into a running router
    #[command(subcommand)]
    Import(import::Command),
    /// Select tools for one or more queries
    Select(select::Arguments),
    /// Show the publisher's definitions
    Describe(describe::Arguments),
    /// Look at and change registered tools
    #[command(subcommand)]
    Tools(tools::Command),
    /// Look at and steer the sources that the router keeps in sync
    #[command(subcommand)]
    Source(source::Command),
    /// Bring up to date, copy, back up and check the store itself
    #[command(subcommand)]
    Store(store::Command),
    /// Be an MCP server in front of a router: search_tools and describe_tools, for agents that only speak MCP
    Mcp(mcp::Arguments),
    /// Measure selections on labelled sets
    Eval(eval::Arguments),
    /// Measure what tools cost in every format and fidelity
    Diet(diet::Arguments),
    /// Print the texts that tools are embedded by
    Texts(texts::Arguments),
    /// Fit ranking weights and confidence on labelled sets
    Fit(fit::Arguments),
    /// Adapt confidence to a catalogue, with labels or without
    Calibrate(calibrate::Arguments),
    /// Show how a router is doing, on one page
    Status(status::Arguments),
    /// Watch a router as it goes
    Top(top::Arguments),
    /// Draw who talks to whom: agents, router, store, sources, tools
    Map(map::Arguments),
    /// Run a kept selection again, and say what differs
    Replay(replay::Arguments),
    /// Ask whether a router takes traffic
    Health(health::Arguments),
    /// Look at everything a router needs, and at running ones; changes nothing
    Doctor(doctor::Arguments),
    /// Check a configuration file without starting anything
    CheckConfig(check_config::Arguments),
}

/// How a command failed.
#[derive(Debug)]
pub struct Exit {
    /// The process's exit code.
    pub code: u8,
    /// For standard error.
    pub message: String,
}

impl Exit {
    /// The command could not do it.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into() }
    }

    /// The configuration is not usable: `EX_USAGE` of sysexits.h.
    pub fn bad_config(error: &dyn std::fmt::Display) -> Self {
        Self { code: 64, message: error.to_string() }
    }
}

impl From<crate::rpc::client::ClientError> for Exit {
    fn from(error: crate::rpc::client::ClientError) -> Self {
        Self::failed(error.to_string())
    }
}

/// Runs a client command.
///
/// # Errors
/// What to print and the exit code.
pub async fn run(command: Command) -> Result<(), Exit> {
    match command {
        Command::Import(command) => import::run(command).await,
        Command::Select(arguments) => select::run(arguments).await,
        Command::Describe(arguments) => describe::run(arguments).await,
        Command::Tools(command) => tools::run(command).await,
        Command::Source(command) => source::run(command).await,
        Command::Store(command) => store::run(command).await,
        Command::Mcp(arguments) => mcp::run(arguments).await,
        Command::Status(arguments) => status::run(arguments).await,
        Command::Top(arguments) => top::run(arguments).await,
        Command::Map(arguments) => map::run(arguments).await,
        Command::Health(arguments) => health::run(arguments).await,
        Command::CheckConfig(arguments) => check_config::run(&arguments),
        Command::Diet(arguments) => diet::run(&arguments),
        Command::Texts(arguments) => texts::run(&arguments),
        Command::Serve(_)
        | Command::Doctor(_)
        | Command::Eval(_)
        | Command::Fit(_)
        | Command::Calibrate(_)
        | Command::Replay(_) => Err(Exit::failed("this command runs in main")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
