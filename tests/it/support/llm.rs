//! An API of chat completions that behaves on demand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tool_router::eval::llm::{Client, Options};

/// How it behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    /// Calls every needed tool that is offered.
    Right,
    /// Calls an offered tool that is not needed, then the first needed one.
    Many,
    /// Calls an offered tool that is not needed.
    Wrong,
    /// Calls a tool that nobody offered.
    Invented,
    /// Answers in words.
    Words,
    /// Never answers.
    Silent,
    /// Begins an answer and never ends it.
    Stuck,
    /// This status with this body.
    Status(u16, &'static str),
    /// Says back what it was sent as authorisation, as some do.
    Telltale,
    /// A page.
    Page,
    /// An answer without end.
    Endless,
    /// Busy this often, with this wait in seconds, then right.
    Busy(usize, &'static str),
    /// Right once, then broken once, and so on.
    Flaky,
}

/// A request that came in.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) authorization: String,
    pub(crate) body: Value,
}

impl Seen {
    /// Names of the tools that were offered.
    pub(crate) fn offered(&self) -> Vec<String> {
        let tools = self.body["tools"].as_array().unwrap();
        tools.iter().map(|tool| tool["function"]["name"].as_str().unwrap().to_owned()).collect()
    }
}

struct Behaviour {
    mode: Mode,
    /// Needed tools by the query's text.
    needed: HashMap<String, Vec<String>>,
    seen: Mutex<Vec<Seen>>,
}

/// A running one; it ends with the test.
pub(crate) struct Llm {
    pub(crate) url: String,
    behaviour: Arc<Behaviour>,
}

impl Llm {
    pub(crate) async fn start(mode: Mode, needed: HashMap<String, Vec<String>>) -> Self {
        let behaviour = Arc::new(Behaviour { mode, needed, seen: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().route("/v1/chat/completions", post(answer)).with_state(Arc::clone(&behaviour));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, behaviour }
    }

    /// Every request, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.behaviour.seen.lock().unwrap().clone()
    }

    /// A client of it.
    pub(crate) fn client(&self, timeout: Duration) -> Client {
        Client::new(&Options { url: self.url.clone(), model: "stub".into(), key_file: None, timeout }).unwrap()
    }
}

async fn answer(State(behaviour): State<Arc<Behaviour>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let authorization = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let seen = Seen { authorization, body: serde_json::from_slice(&body).unwrap() };
    let before = {
        let mut all = behaviour.seen.lock().unwrap();
        all.push(seen.clone());
        all.len() - 1
    };
    let offered = seen.offered();
    let text = seen.body["messages"][0]["content"].as_str().unwrap();
    let needed = behaviour.needed.get(text).cloned().unwrap_or_default();
    let right = || needed.iter().filter(|name| offered.contains(name)).cloned().collect::<Vec<_>>();
    let wrong = || offered.iter().find(|name| !needed.contains(name)).cloned().into_iter();
    match behaviour.mode {
        Mode::Many => calls(&wrong().chain(right().into_iter().take(1)).collect::<Vec<_>>()),
        Mode::Wrong => calls(&wrong().collect::<Vec<_>>()),
        Mode::Invented => calls(&["no_such_tool".to_owned()]),
        Mode::Words => whole(json!({"choices": [{"message": {"role": "assistant", "content": "I would not."}}]}).to_string()),
        Mode::Silent => std::future::pending().await,
        Mode::Stuck => {
            let begun = tokio_stream::once(Ok::<_, std::io::Error>(Bytes::from_static(b"{\"choices\"")));
            Response::new(Body::from_stream(tokio_stream::StreamExt::chain(begun, tokio_stream::pending())))
        }
        Mode::Status(status, body) => Response::builder().status(status).body(Body::from(body)).unwrap(),
        Mode::Telltale => {
            let body = format!("no such key: {}", seen.authorization);
            Response::builder().status(401).body(Body::from(body)).unwrap()
        }
        Mode::Page => whole("<!doctype html><title>Welcome</title>".to_owned()),
        Mode::Endless => {
            let chunk = || Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 65_536]));
            Response::new(Body::from_stream(tokio_stream::iter(std::iter::repeat_with(chunk))))
        }
        Mode::Busy(times, wait) if before < times => {
            Response::builder().status(429).header("retry-after", wait).body(Body::from("slow down")).unwrap()
        }
        Mode::Flaky if before % 2 == 1 => Response::builder().status(500).body(Body::from("oh")).unwrap(),
        Mode::Right | Mode::Busy(..) | Mode::Flaky => calls(&right()),
    }
}

fn calls(names: &[String]) -> Response<Body> {
    let call = |name: &String| json!({"id": "1", "type": "function", "function": {"name": name, "arguments": "{}"}});
    let calls: Vec<Value> = names.iter().map(call).collect();
    whole(json!({"choices": [{"message": {"role": "assistant", "content": null, "tool_calls": calls}}]}).to_string())
}

fn whole(body: String) -> Response<Body> {
    Response::new(Body::from(body))
}
