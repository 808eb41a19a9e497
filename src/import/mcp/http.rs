//! Streamable HTTP for rmcp: its own client for everything but the list, which is posted here so that its text can be kept.
//!
//! Redirects are followed on the same host only. The headers may hold a token, and a server that could send them elsewhere could take it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode, redirect};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, JsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::{
    AuthRequiredError, SseError, StreamableHttpClient, StreamableHttpClientTransportConfig, StreamableHttpError,
    StreamableHttpPostResponse,
};
use sse_stream::{Sse, SseStream};
use tokio_util::bytes::Bytes;

use super::MAX_MESSAGE_BYTES;
use super::endpoint::{Http, shown};
use super::error::McpError;
use super::notes::Notes;
use super::raw::RawPages;
use crate::error::innermost;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Most redirects on the same host.
const MAX_REDIRECTS: usize = 5;
/// Bytes of an error page that are quoted.
const QUOTED_BYTES: usize = 200;

type Failed = StreamableHttpError<reqwest::Error>;
type Events = futures_util::stream::BoxStream<'static, Result<Sse, SseError>>;

/// rmcp's client, with the text of lists kept.
#[derive(Clone)]
pub(super) struct Client {
    inner: reqwest::Client,
    raw: RawPages,
    notes: Notes,
}

/// A client for `http`, and how rmcp is to use it.
pub(super) fn client(
    http: &Http,
    raw: RawPages,
    notes: Notes,
) -> Result<(Client, StreamableHttpClientTransportConfig), McpError> {
    Http::check_url(&http.url).map_err(|detail| McpError::Url { detail })?;
    // Another part of the process may have chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let for_redirects = notes.clone();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("tool-router/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        // As rmcp does: a connection that still has an answer to give would be waited for.
        .pool_max_idle_per_host(0)
        .redirect(redirect::Policy::custom(move |attempt| same_host(attempt, &for_redirects)));
    if let Some(path) = &http.ca_file {
        let unusable = |detail: String| McpError::File { path: path.clone(), detail };
        let pem = std::fs::read(path).map_err(|e| unusable(e.to_string()))?;
        let bundle = reqwest::Certificate::from_pem_bundle(&pem).map_err(|e| unusable(e.to_string()))?;
        builder = builder.tls_certs_merge(bundle);
    }
    let inner = builder.build().map_err(|e| McpError::Unreachable { cause: innermost(&e) })?;
    let headers = http.headers_file.as_deref().map_or_else(|| Ok(HashMap::new()), read_headers)?;
    let mut config = StreamableHttpClientTransportConfig::with_uri(http.url.as_str());
    config.custom_headers = headers;
    Ok((Client { inner, raw, notes }, config))
}

fn same_host(attempt: redirect::Attempt<'_>, notes: &Notes) -> redirect::Action {
    let from = attempt.previous().first();
    if from.is_none_or(|from| from.origin() != attempt.url().origin()) {
        notes.fail(McpError::Redirected { to: shown(attempt.url().as_str()) });
        attempt.stop()
    } else if MAX_REDIRECTS < attempt.previous().len() {
        notes.fail(McpError::Unreachable { cause: format!("over {MAX_REDIRECTS} redirects") });
        attempt.stop()
    } else {
        attempt.follow()
    }
}

/// The headers of a file: `Name: value`, a line each; blank lines and lines with `#` are passed over.
fn read_headers(path: &Path) -> Result<HashMap<HeaderName, HeaderValue>, McpError> {
    let unusable = |detail: String| McpError::File { path: path.to_owned(), detail };
    let text = std::fs::read_to_string(path).map_err(|e| unusable(e.to_string()))?;
    let mut headers = HashMap::new();
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty() && !line.starts_with('#')) {
        let (name, value) =
            line.split_once(':').ok_or_else(|| unusable(format!("line {number} is not of the form `Name: value`")))?;
        let name = HeaderName::from_bytes(name.trim().as_bytes())
            .map_err(|_| unusable(format!("line {number} has no valid header name before the colon")))?;
        let mut value = HeaderValue::from_str(value.trim())
            .map_err(|_| unusable(format!("line {number}: the value of {name} has characters that no header may have")))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

impl Client {
    fn teed(&self, events: Events) -> Events {
        let raw = self.raw.clone();
        let keep = move |event: &Result<Sse, SseError>| {
            if let Ok(Sse { data: Some(data), .. }) = event {
                raw.keep(data);
            }
        };
        events.inspect(keep).boxed()
    }

    /// Posts `tools/list`.
    async fn list(
        &self,
        url: &str,
        message: &ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failed> {
        let mut request = self.inner.post(url).header(ACCEPT, "text/event-stream, application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(session) = &session {
            request = request.header("mcp-session-id", session.as_ref());
        }
        let response = request.json(message).send().await.map_err(StreamableHttpError::Client)?;
        let status = response.status();
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(StreamableHttpError::AuthRequired(AuthRequiredError::new(status.to_string())));
            }
            StatusCode::NOT_FOUND if session.is_some() => return Err(StreamableHttpError::SessionExpired),
            _ => (),
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let session = response.headers().get("mcp-session-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        if status.is_success() && kind == "text/event-stream" {
            let events = SseStream::from_bytes_stream(capped(response, self.notes.clone()));
            return Ok(StreamableHttpPostResponse::Sse(self.teed(events.boxed()), session));
        }
        let body = body(response, &self.notes).await?;
        let text = String::from_utf8_lossy(&body);
        let parsed = serde_json::from_str::<ServerJsonRpcMessage>(&text);
        if let Ok(message) = parsed
            && (status.is_success() || matches!(message, JsonRpcMessage::Error(_)))
        {
            self.raw.keep(&text);
            return Ok(StreamableHttpPostResponse::Json(message, session));
        }
        let quoted = &text[..text.floor_char_boundary(QUOTED_BYTES)];
        Err(StreamableHttpError::UnexpectedServerResponse(format!("HTTP {status}: {}", quoted.trim()).into()))
    }
}

/// The bytes of a response, ended with an error past the limit of a message. What is not a list goes through rmcp, which has the same one.
fn capped(response: Response, notes: Notes) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send + Unpin {
    let mut seen = 0;
    let count = move |chunk: Result<Bytes, reqwest::Error>| {
        let chunk = chunk.map_err(std::io::Error::other)?;
        seen += chunk.len();
        if MAX_MESSAGE_BYTES < seen {
            notes.fail(McpError::MessageTooBig { limit: MAX_MESSAGE_BYTES });
            return Err(std::io::Error::other("too large"));
        }
        Ok(chunk)
    };
    response.bytes_stream().map(count).boxed()
}

async fn body(response: Response, notes: &Notes) -> Result<Vec<u8>, Failed> {
    let add = |mut all: Vec<u8>, chunk: Bytes| async move {
        all.extend_from_slice(&chunk);
        Ok(all)
    };
    capped(response, notes.clone()).try_fold(Vec::new(), add).await.map_err(StreamableHttpError::Io)
}

impl StreamableHttpClient for Client {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        url: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        token: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failed> {
        let is_list = matches!(&message, JsonRpcMessage::Request(r) if matches!(r.request, ClientRequest::ListToolsRequest(_)));
        if is_list {
            return self.list(&url, &message, session, headers).await;
        }
        self.inner.post_message(url, message, session, token, headers).await
    }

    async fn delete_session(
        &self,
        url: Arc<str>,
        session: Arc<str>,
        token: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Failed> {
        self.inner.delete_session(url, session, token, headers).await
    }

    async fn get_stream(
        &self,
        url: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        token: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<Events, Failed> {
        // An answer may come here when its own stream broke.
        Ok(self.teed(self.inner.get_stream(url, session, last_event, token, headers).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_headers_file_is_read_line_by_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            read_headers(file.path())
        };
        let headers = read("# who we are\nAuthorization: Bearer abc:def\n\nX-Team: tools\n").unwrap();
        assert_eq!(headers[&HeaderName::from_static("authorization")], "Bearer abc:def");
        assert_eq!(headers.len(), 2);
        assert!(!format!("{headers:?}").contains("abc"), "values are not for logs");
        for (text, words) in
            [("no colon", "line 1 is not"), ("a: b\nb d: c", "line 2 has no valid header name"), ("a: \u{1}", "line 1")]
        {
            assert!(read(text).unwrap_err().to_string().contains(words), "{text}");
        }
    }
}
