//! A server's process: started with just the environment it was given, ended with everything it started.
//!
//! Package runners (`npx`, `uvx`) start the server as a child of their own, so signals go to the whole process group.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};

use super::endpoint::Command;
use super::error::McpError;
use super::notes::Notes;

/// How long a server may take to end after its input was closed, and again after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);

/// A running server. Dropping it kills the group.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: Option<Pid>,
}

impl Process {
    /// Starts `command`; its standard error goes to `notes`.
    pub(super) fn start(command: &Command, notes: &Notes) -> Result<(Self, ChildStdout, ChildStdin), McpError> {
        let failed = |cause: String| McpError::Start { program: command.program.clone(), cause };
        let mut builder = tokio::process::Command::new(&command.program);
        builder
            .args(&command.arguments)
            .env_clear()
            .envs(&command.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if let Some(folder) = &command.folder {
            builder.current_dir(folder);
        }
        let mut child = builder.spawn().map_err(|e| failed(e.to_string()))?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let (Some(stdout), Some(stdin)) = (child.stdout.take(), child.stdin.take()) else {
            return Err(failed("it has no standard input and output".into()));
        };
        if let Some(stderr) = child.stderr.take() {
            let notes = notes.clone();
            tokio::spawn(async move {
                let mut reader = BufReader::new(stderr);
                let mut line = Vec::new();
                // Read to its end whatever is in it: a server that cannot write stands still.
                while let Ok(read) = read_capped(&mut reader, &mut line).await
                    && read
                {
                    let text = String::from_utf8_lossy(&line);
                    tracing::debug!(mcp.stderr = %text.trim_end(), "server wrote to standard error");
                    notes.complaint(&text);
                    line.clear();
                }
            });
        }
        Ok((Self { child, group }, stdout, stdin))
    }

    /// How it ended, waiting a moment for it: output is closed just before a process is gone.
    pub(super) async fn ended(&mut self) -> Option<String> {
        let status = tokio::time::timeout(Duration::from_millis(500), self.child.wait()).await.ok()?.ok()?;
        self.kill_group();
        Some(status.to_string())
    }

    /// Ends it: its input is closed already, then it is asked, then it is made to.
    pub(super) async fn end(mut self) {
        for signal in [None, Some(Signal::TERM), Some(Signal::KILL)] {
            if let (Some(signal), Some(group)) = (signal, self.group) {
                // It may have gone by itself meanwhile.
                let _ = kill_process_group(group, signal);
            }
            if tokio::time::timeout(GRACE, self.child.wait()).await.is_ok() {
                break;
            }
        }
    }

    /// Children of the server may outlive it, in its group. Once only: the number may be someone else's later.
    fn kill_group(&mut self) {
        if let Some(group) = self.group.take() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_group();
    }
}

/// Reads a line, or 64 KiB of one, into `line`. `false` at the end.
async fn read_capped(reader: &mut (impl AsyncBufReadExt + Unpin), line: &mut Vec<u8>) -> std::io::Result<bool> {
    const MOST: usize = 64 * 1024;
    loop {
        let available = reader.fill_buf().await?;
        if available.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = available.iter().position(|b| *b == b'\n');
        let take = end.map_or(available.len(), |at| at + 1);
        line.extend_from_slice(&available[..take]);
        reader.consume(take);
        if end.is_some() || MOST < line.len() {
            return Ok(true);
        }
    }
}
