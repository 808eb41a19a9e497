//! A server's standard output and input as a transport of rmcp's: a message a line.
//!
//! rmcp has one, but it drops a line that is too long, after which the answer is waited for in vain, and gives away no text.

use std::sync::Arc;

use futures_util::StreamExt;
use rmcp::RoleClient;
use rmcp::model::ServerJsonRpcMessage;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::io::AsyncWriteExt;
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::Mutex;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};

use super::MAX_MESSAGE_BYTES;
use super::error::McpError;
use super::notes::Notes;
use super::raw::RawPages;

pub(super) struct Stdio {
    lines: FramedRead<ChildStdout, LinesCodec>,
    input: Arc<Mutex<Option<ChildStdin>>>,
    raw: RawPages,
    notes: Notes,
}

impl Stdio {
    pub(super) fn new(output: ChildStdout, input: ChildStdin, raw: RawPages, notes: Notes) -> Self {
        let lines = FramedRead::new(output, LinesCodec::new_with_max_length(MAX_MESSAGE_BYTES));
        Self { lines, input: Arc::new(Mutex::new(Some(input))), raw, notes }
    }
}

impl Transport<RoleClient> for Stdio {
    type Error = std::io::Error;

    fn send(&mut self, message: TxJsonRpcMessage<RoleClient>) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let input = Arc::clone(&self.input);
        async move {
            let mut line = serde_json::to_vec(&message)?;
            line.push(b'\n');
            let mut input = input.lock().await;
            let input = input.as_mut().ok_or(std::io::ErrorKind::NotConnected)?;
            input.write_all(&line).await?;
            input.flush().await
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            let line = match self.lines.next().await? {
                Ok(line) => line,
                Err(LinesCodecError::MaxLineLengthExceeded) => {
                    self.notes.fail(McpError::MessageTooBig { limit: MAX_MESSAGE_BYTES });
                    return None;
                }
                Err(LinesCodecError::Io(e)) => {
                    self.notes.fail(McpError::Protocol { detail: format!("standard output does not read: {e}") });
                    return None;
                }
            };
            if line.trim().is_empty() {
                continue;
            }
            match serde_json::from_str::<ServerJsonRpcMessage>(&line) {
                Ok(message) => {
                    self.raw.keep(&line);
                    return Some(message);
                }
                // A greeting is passed over; a flood of them is an end.
                Err(_) if self.notes.noise(&line) => (),
                Err(_) => return None,
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.input.lock().await.take();
        Ok(())
    }
}
