//! Selections that come without end, by the documented retry policy, and what became of them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};
use tool_router::rpc::proto::tool_router_client::ToolRouterClient;

use super::query_request;

/// Tries of a call that got no answer, with these pauses: README, "Retries".
const PAUSES_MS: [u64; 3] = [50, 100, 200];

/// Callers at work. They stop when told to.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    counted: Arc<Counted>,
    callers: JoinSet<()>,
}

#[derive(Default)]
struct Counted {
    done: AtomicU64,
    retried: AtomicU64,
    failures: Mutex<Vec<String>>,
}

/// What became of all calls.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) done: u64,
    /// Tries beyond the first.
    pub(crate) retried: u64,
    /// What callers were left with.
    pub(crate) failures: Vec<String>,
}

impl Load {
    /// `callers` for each address. With `pause` each waits so long between two calls, without they ask as fast as they are answered.
    pub(crate) fn on(addresses: &[String], callers: usize, pause: Option<Duration>) -> Self {
        let (stop, counted) = (Arc::new(AtomicBool::new(false)), Arc::new(Counted::default()));
        let mut tasks = JoinSet::new();
        for address in addresses {
            for caller in 0..callers {
                let channel = Endpoint::from_shared(address.clone()).unwrap().connect_lazy();
                tasks.spawn(call(channel, caller, pause, Arc::clone(&stop), Arc::clone(&counted)));
            }
        }
        Self { stop, counted, callers: tasks }
    }

    /// Calls answered so far.
    pub(crate) fn done(&self) -> u64 {
        self.counted.done.load(Ordering::Relaxed)
    }

    pub(crate) async fn stop(mut self) -> Summary {
        self.stop.store(true, Ordering::Relaxed);
        while self.callers.join_next().await.is_some() {}
        let failures = std::mem::take(&mut *self.counted.failures.lock().unwrap());
        Summary { done: self.done(), retried: self.counted.retried.load(Ordering::Relaxed), failures }
    }
}

async fn call(channel: Channel, caller: usize, pause: Option<Duration>, stop: Arc<AtomicBool>, counted: Arc<Counted>) {
    let mut client = ToolRouterClient::new(channel);
    let mut next = Instant::now();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        if let Some(pause) = pause {
            next += pause;
            tokio::time::sleep_until(next.into()).await;
        }
        let query = format!("find the {} thing number {} for caller {caller}", number % 7, number % 501);
        match with_retries(&mut client, &query, &counted).await {
            Ok(()) => counted.done.fetch_add(1, Ordering::Relaxed),
            Err(status) => {
                counted.failures.lock().unwrap().push(format!("{:?}: {}", status.code(), status.message()));
                0
            }
        };
    }
}

async fn with_retries(client: &mut ToolRouterClient<Channel>, query: &str, counted: &Counted) -> Result<(), tonic::Status> {
    let mut pauses = PAUSES_MS.iter();
    loop {
        let mut request = tonic::Request::new(query_request(query));
        request.set_timeout(Duration::from_secs(5));
        match (client.select_tools(request).await, pauses.next()) {
            (Ok(_), _) => return Ok(()),
            (Err(status), Some(pause)) if got_no_answer(&status) => {
                counted.retried.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(*pause)).await;
            }
            (Err(status), _) => return Err(status),
        }
    }
}

/// UNAVAILABLE, and tonic's words for a connection that went before the call was sent, or before the router took it.
fn got_no_answer(status: &tonic::Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::Cancelled)
        || (status.code() == Code::Internal && status.message().contains("h2 protocol error"))
}
