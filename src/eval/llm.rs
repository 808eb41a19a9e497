//! A language model behind an API of OpenAI's chat completions: which tools would it call?
//!
//! The API is someone else's: it may hang, refuse, answer pages of HTML or never stop. So every exchange has a time and a size, redirects are
//! not followed (the key would go along), and what went wrong is told in the API's first words, without the key.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Response, StatusCode, Url, redirect};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::innermost;
use crate::import::mcp::Http;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Largest answer. One that calls tools has some hundred bytes; a page of reasoning before it some ten thousand.
const MAX_ANSWER_BYTES: usize = 4 << 20;
/// Bytes of a refused request's answer that are looked at.
const MAX_ERROR_BYTES: usize = 16 << 10;
/// Bytes of an answer that are quoted.
const QUOTED_BYTES: usize = 200;
/// How often a request is repeated when the API is busy.
const MAX_RETRIES: u32 = 4;
/// The first wait where a busy API does not say how long; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest wait that a busy API may ask for.
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// Largest key file.
const MAX_KEY_BYTES: u64 = 16 << 10;

/// Where the model is and how to ask it.
#[derive(Clone, Debug)]
pub struct Options {
    /// The API: what stands before `/v1`, with it, or the whole URL that ends in `/chat/completions`.
    pub url: String,
    /// The model's name there.
    pub model: String,
    /// File with the API key, sent as a bearer token.
    pub key_file: Option<PathBuf>,
    /// Longest wait for one whole answer.
    pub timeout: Duration,
}

/// The model could not be asked, or its answer is none.
#[derive(Debug, thiserror::Error)]
pub enum LlmError {
    /// The URL cannot be used.
    #[error("the model's URL {detail}")]
    Url {
        /// What is wrong.
        detail: String,
    },
    /// The key file cannot be used.
    #[error("{}: {detail}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong; never its text.
        detail: String,
    },
    /// The tools are no JSON.
    #[error("the tools cannot be sent: {detail}")]
    Tools {
        /// The parser's words.
        detail: String,
    },
    /// No connection, or one that broke.
    #[error("cannot be reached: {cause}")]
    Unreachable {
        /// The system's words.
        cause: String,
    },
    /// No whole answer in time.
    #[error("did not answer within {} s", limit.as_secs_f64())]
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// Too much at once, again and again.
    #[error("was busy {tries} times in a row, the last time with HTTP {status}: {words}")]
    Busy {
        /// How often it was asked.
        tries: u32,
        /// The last status.
        status: u16,
        /// First words of the last answer.
        words: String,
    },
    /// Busy for longer than is waited.
    #[error("asks to wait {} s, {} s is the limit", wait.as_secs(), MAX_PAUSE.as_secs())]
    LongWait {
        /// What it asks for.
        wait: Duration,
    },
    /// Refused, or sent elsewhere.
    #[error("answers HTTP {status}: {words}")]
    Status {
        /// The status.
        status: u16,
        /// First words of the answer.
        words: String,
    },
    /// An answer without end.
    #[error("answers with more than {limit} bytes")]
    TooBig {
        /// The limit.
        limit: usize,
    },
    /// An answer that is not one of chat completions.
    #[error("does not answer as chat completions do ({detail}): {words}")]
    NotCompletion {
        /// What is missing.
        detail: String,
        /// First words of the answer.
        words: String,
    },
}

/// Asks one model.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: Url,
    model: String,
    key: Option<Key>,
    timeout: Duration,
}

/// The API key: kept for the header, and for taking it out of what the API writes.
#[derive(Clone)]
struct Key {
    text: String,
    header: HeaderValue,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

#[derive(Serialize)]
struct Asked<'a> {
    model: &'a str,
    messages: [Message<'a>; 1],
    tools: &'a RawValue,
    tool_choice: &'static str,
    temperature: u8,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    tool_calls: Option<Vec<Call>>,
}

#[derive(Deserialize)]
struct Call {
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
}

/// What one request came to.
enum Answered {
    Whole(Vec<u8>),
    Busy { status: StatusCode, wait: Option<Duration>, words: String },
}

impl Client {
    /// A client for `options`; nothing is asked yet.
    ///
    /// # Errors
    /// A URL or a key file that cannot be used.
    pub fn new(options: &Options) -> Result<Self, LlmError> {
        let url = completions(&options.url)?;
        let key = options.key_file.as_deref().map(read_key).transpose()?;
        // Another part of the process may have chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(concat!("tool-router/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|e| LlmError::Unreachable { cause: innermost(&e) })?;
        Ok(Self { http, url, model: options.model.clone(), key, timeout: options.timeout })
    }

    /// The model's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Who is asked, for people: without user, password and query.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} at {}{}", self.model, self.url.origin().ascii_serialization(), self.url.path())
    }

    /// Names of the tools that the model calls for `query`, in its order; none when it answers in words. `tools` is a JSON array, sent as it
    /// is. A busy API is asked again, a few times.
    ///
    /// # Errors
    /// No answer of chat completions came.
    pub async fn choose(&self, query: &str, tools: &str) -> Result<Vec<String>, LlmError> {
        let unsent = |e: serde_json::Error| LlmError::Tools { detail: e.to_string() };
        let asked = Asked {
            model: &self.model,
            messages: [Message { role: "user", content: query }],
            tools: serde_json::from_str(tools).map_err(unsent)?,
            tool_choice: "auto",
            temperature: 0,
        };
        let body = serde_json::to_string(&asked).map_err(unsent)?;
        let mut pause = FIRST_PAUSE;
        let mut tries = 1;
        loop {
            match self.once(body.clone()).await? {
                Answered::Whole(answer) => return self.calls(&answer),
                Answered::Busy { status, words, .. } if MAX_RETRIES < tries => {
                    return Err(LlmError::Busy { tries, status: status.as_u16(), words });
                }
                Answered::Busy { wait, .. } => {
                    let wait = wait.unwrap_or(pause);
                    if MAX_PAUSE < wait {
                        return Err(LlmError::LongWait { wait });
                    }
                    tokio::time::sleep(wait).await;
                    pause *= 2;
                    tries += 1;
                }
            }
        }
    }

    async fn once(&self, body: String) -> Result<Answered, LlmError> {
        let mut request = self.http.post(self.url.clone()).timeout(self.timeout).header(CONTENT_TYPE, "application/json");
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, key.header.clone());
        }
        let response = request.body(body).send().await.map_err(|e| self.failed(&e))?;
        let status = response.status();
        if status.is_success() {
            let (answer, more) = self.read(response, MAX_ANSWER_BYTES).await?;
            return if more { Err(LlmError::TooBig { limit: MAX_ANSWER_BYTES }) } else { Ok(Answered::Whole(answer)) };
        }
        let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let words = self.words(&self.read(response, MAX_ERROR_BYTES).await?.0);
        match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Ok(Answered::Busy { status, wait: seconds.map(Duration::from_secs), words })
            }
            _ => Err(LlmError::Status { status: status.as_u16(), words }),
        }
    }

    /// The first `limit` bytes of a body, and whether there are more.
    async fn read(&self, mut response: Response, limit: usize) -> Result<(Vec<u8>, bool), LlmError> {
        let mut all = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.failed(&e))? {
            let room = limit - all.len();
            all.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if room < chunk.len() {
                return Ok((all, true));
            }
        }
        Ok((all, false))
    }

    fn calls(&self, answer: &[u8]) -> Result<Vec<String>, LlmError> {
        let wrong = |detail: String| LlmError::NotCompletion { detail, words: self.words(answer) };
        let completion: Completion = serde_json::from_slice(answer).map_err(|e| wrong(e.to_string()))?;
        let choice = completion.choices.into_iter().next().ok_or_else(|| wrong("choices is empty".to_owned()))?;
        Ok(choice.message.tool_calls.unwrap_or_default().into_iter().map(|call| call.function.name).collect())
    }

    fn failed(&self, error: &reqwest::Error) -> LlmError {
        if error.is_timeout() && !error.is_connect() {
            return LlmError::TimedOut { limit: self.timeout };
        }
        LlmError::Unreachable { cause: innermost(error) }
    }

    /// The first words of an answer on one line. Some APIs repeat the key they were given.
    fn words(&self, answer: &[u8]) -> String {
        let mut text = String::from_utf8_lossy(answer.get(..MAX_ERROR_BYTES).unwrap_or(answer)).into_owned();
        if let Some(key) = &self.key {
            text = text.replace(&key.text, "(key)");
        }
        let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            return "(nothing)".to_owned();
        }
        line[..line.floor_char_boundary(QUOTED_BYTES)].to_owned()
    }
}

/// The URL of chat completions behind `url`.
fn completions(url: &str) -> Result<Url, LlmError> {
    Http::check_url(url).map_err(|detail| LlmError::Url { detail })?;
    let mut parsed = Url::parse(url).map_err(|e| LlmError::Url { detail: e.to_string() })?;
    let path = parsed.path().trim_end_matches('/');
    let whole = if path.ends_with("/chat/completions") {
        path.to_owned()
    } else if path.ends_with("/v1") {
        format!("{path}/chat/completions")
    } else {
        format!("{path}/v1/chat/completions")
    };
    parsed.set_path(&whole);
    Ok(parsed)
}

fn read_key(path: &Path) -> Result<Key, LlmError> {
    let unusable = |detail: String| LlmError::KeyFile { path: path.to_owned(), detail };
    let file = std::fs::File::open(path).map_err(|e| unusable(e.to_string()))?;
    let mut text = String::new();
    let read = file.take(MAX_KEY_BYTES + 1).read_to_string(&mut text).map_err(|e| unusable(e.to_string()))?;
    if MAX_KEY_BYTES < read as u64 {
        return Err(unusable(format!("has more than {MAX_KEY_BYTES} bytes, it should hold just the key")));
    }
    let text = text.trim().to_owned();
    if text.is_empty() {
        return Err(unusable("holds no key".to_owned()));
    }
    let unfit = |_| unusable("holds characters that no key has; it should hold just the key".to_owned());
    let mut header = HeaderValue::from_str(&format!("Bearer {text}")).map_err(unfit)?;
    header.set_sensitive(true);
    Ok(Key { text, header })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(key: &str) -> Result<Client, LlmError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), key).unwrap();
        let key_file = Some(file.path().to_owned());
        Client::new(&Options { url: "http://127.0.0.1:1".into(), model: "m".into(), key_file, timeout: Duration::from_secs(1) })
    }

    #[test]
    fn a_url_is_taken_as_people_write_it() {
        let check = |url: &str, expected: &str| assert_eq!(completions(url).unwrap().as_str(), expected);
        check("http://h:1", "http://h:1/v1/chat/completions");
        check("http://h:1/", "http://h:1/v1/chat/completions");
        check("http://h/v1/", "http://h/v1/chat/completions");
        check("https://h/base/v1", "https://h/base/v1/chat/completions");
        check("https://h/x/v2/chat/completions?version=3", "https://h/x/v2/chat/completions?version=3");
        assert!(completions("ftp://h").unwrap_err().to_string().contains("must be http or https"));
        assert!(completions("h:80/v1").unwrap_err().to_string().starts_with("the model's URL has the scheme"));
    }

    #[test]
    fn the_key_is_shown_nowhere() {
        let client = client(" sk-secret\n").unwrap();
        assert!(!format!("{client:?}").contains("secret"));
        assert_eq!(client.words(b"bad key\n sk-secret\x1b[0m"), "bad key (key) [0m");
        assert_eq!(client.words(b" \n"), "(nothing)");
        assert_eq!(client.words("é".repeat(150).as_bytes()).len(), QUOTED_BYTES);
        assert_eq!(client.name(), "m at http://127.0.0.1:1/v1/chat/completions");
    }

    #[test]
    fn a_key_file_that_holds_no_key_is_refused_without_its_text() {
        let check = |key: &str, words: &str| {
            let error = client(key).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("secret"), "{error}");
        };
        check(" \n", "holds no key");
        check("secret\nsecret", "characters that no key has");
        check(&"secret".repeat(4_000), "has more than 16384 bytes");
        let missing = Options { url: "http://h".into(), model: "m".into(), key_file: Some("/nowhere".into()), timeout: CONNECT };
        assert!(Client::new(&missing).unwrap_err().to_string().starts_with("/nowhere: "));
    }

    #[test]
    fn calls_are_read_and_what_is_no_completion_is_told() {
        let client = client("k").unwrap();
        let calls = |text: &str| client.calls(text.as_bytes()).map_err(|e| e.to_string());
        let two = r#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"a","arguments":"{}"}},
            {"function":{"name":"b"}}]}}]}"#;
        assert_eq!(calls(two).unwrap(), ["a", "b"]);
        assert!(calls(r#"{"choices":[{"message":{"content":"no","tool_calls":null}}]}"#).unwrap().is_empty());
        assert!(calls(r#"{"choices":[{"message":{"content":"no"}}]}"#).unwrap().is_empty());
        for (text, words) in [
            (r#"{"choices":[]}"#, "choices is empty"),
            (r#"{"error":{"message":"no credit"}}"#, "no credit"),
            ("<html>hello</html>", "<html>hello"),
            ("", "(nothing)"),
        ] {
            let error = calls(text).unwrap_err();
            assert!(error.contains("does not answer as chat completions do") && error.contains(words), "{error}");
        }
    }
}
