//! kill -9 of routers and of their database under registration load, and what may be read afterwards: every acknowledged write, no half
//! batch, one order of all writes that agrees with the clock, and the same on every replica.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tool_router::rpc::proto::*;

use crate::support::program::{Program, free_port};
use crate::support::replicas::server;
use crate::support::{catalog_at, measured, tool};

/// Kills per run; `make accept` sets POSTGRES_KILL_ROUNDS to more.
const ROUNDS: u64 = 8;
const WRITERS: u64 = 3;
const SOURCES: u64 = 4;
/// Tools per batch; a batch must be there as a whole or not at all.
const BATCH: usize = 4;
/// How soon replicas agree after a kill.
const AGREED: Duration = Duration::from_secs(15);

/// One write: a whole batch of one source under a number of its own.
#[derive(Clone, Debug)]
struct Write {
    source: u64,
    number: u64,
    begun: Instant,
    /// When it was acknowledged, and as which version. A write that was not may be there or not.
    acknowledged: Option<(Instant, u64)>,
}

type History = Arc<Mutex<Vec<Write>>>;

/// Writes in turn to every router until none answers any more.
async fn write(addresses: Vec<String>, writer: u64, round: u64, history: History, stop: Instant) {
    let mut clients = Vec::new();
    for address in &addresses {
        clients.push(catalog_at(address).await.ok());
    }
    let mut step = 0;
    while Instant::now() < stop {
        step += 1;
        let place = ((step + writer) % clients.len() as u64) as usize;
        let Some(client) = &mut clients[place] else { continue };
        // All writers write all sources: it is their order that is in question.
        let (source, number) = ((step * 7 + writer) % SOURCES, (round * WRITERS + writer) * 100_000 + step);
        let tools = (0..BATCH).map(|i| tool(&format!("tool_{i}"), &format!("write {number}"))).collect();
        let request = RegisterToolsRequest { source: format!("source-{source}"), tools, ..Default::default() };
        let mut done = Write { source, number, begun: Instant::now(), acknowledged: None };
        let mut request = tonic::Request::new(request);
        request.set_timeout(Duration::from_secs(3));
        match client.register_tools(request).await {
            Ok(answer) => done.acknowledged = Some((Instant::now(), number_of(&answer.into_inner().catalog_version))),
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
        history.lock().unwrap().push(done);
    }
}

fn number_of(version: &str) -> u64 {
    version.split_once('.').unwrap().1.parse().unwrap()
}

/// What must hold of all writes together, and of what is there after them.
fn check(history: &[Write], there: &[RegisteredTool]) {
    let mut acknowledged: Vec<(u64, &Write)> = history.iter().filter_map(|write| Some((write.acknowledged?.1, write))).collect();
    acknowledged.sort_by_key(|(version, _)| *version);
    assert!(acknowledged.windows(2).all(|pair| pair[0].0 < pair[1].0), "no version was given twice");
    // Linearisable: who was answered before another began comes before it in the order of versions.
    let mut latest: Option<&Write> = None;
    for (version, write) in &acknowledged {
        let (ended, _) = write.acknowledged.unwrap();
        if let Some(latest) = latest {
            assert!(
                latest.begun <= ended,
                "version {version} was acknowledged before an earlier one began: {write:?} {latest:?}"
            );
        }
        if latest.is_none_or(|latest| latest.begun < write.begun) {
            latest = Some(write);
        }
    }
    for source in 0..SOURCES {
        let name = format!("source-{source}");
        let tools: Vec<&ToolDefinition> =
            there.iter().filter_map(|tool| tool.definition.as_ref().filter(|_| tool.source == name)).collect();
        let numbers: Vec<u64> = tools.iter().map(|tool| tool.description.rsplit(' ').next().unwrap().parse().unwrap()).collect();
        let last = acknowledged.iter().rev().find(|(_, write)| write.source == source).map(|(_, write)| *write);
        let Some(found) = numbers.first() else {
            assert!(last.is_none(), "{name} lost everything, {last:?} was acknowledged");
            continue;
        };
        assert!(numbers.len() == BATCH && numbers.iter().all(|number| number == found), "{name} is half a batch: {numbers:?}");
        let write = history.iter().find(|write| write.number == *found).expect("somebody wrote it");
        // The last that was acknowledged, or one that was not and came after it.
        let stands = last.is_none_or(|last| {
            write.number == last.number || (write.acknowledged.is_none() && last.begun <= write.begun + Duration::from_secs(3))
        });
        assert!(stands, "{name} has {write:?}, but {last:?} was acknowledged");
    }
}

/// Waits until both have the same version; gives what is there.
async fn agreed(addresses: &[String]) -> Vec<RegisteredTool> {
    let begun = Instant::now();
    loop {
        let mut all = Vec::new();
        for address in addresses {
            let request = ListToolsRequest { page_size: Some(100), ..Default::default() };
            if let Ok(mut client) = catalog_at(address).await
                && let Ok(answer) = client.list_tools(request).await
            {
                all.push(answer.into_inner());
            }
        }
        if all.len() == addresses.len() && all.windows(2).all(|pair| pair[0].catalog_version == pair[1].catalog_version) {
            assert!(all.windows(2).all(|pair| pair[0].tools == pair[1].tools), "one version, two catalogues");
            return all.remove(0).tools;
        }
        assert!(begun.elapsed() < AGREED, "the replicas do not agree");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_of_routers_and_database_lose_no_acknowledged_write() {
    let Some(mut server) = server("histories::kills_of_routers_and_database_lose_no_acknowledged_write").await else { return };
    #[expect(clippy::disallowed_methods, reason = "the tests' own switch")]
    let rounds = std::env::var("POSTGRES_KILL_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS);
    let url = server.database();
    let ports = [(free_port(), free_port()), (free_port(), free_port())];
    let addresses: Vec<String> = ports.iter().map(|(port, _)| format!("http://127.0.0.1:{port}")).collect();
    let start = |place: usize| {
        let ((port, http), url) = (ports[place], url.clone());
        tokio::task::spawn_blocking(move || Program::start_shared(port, http, &url))
    };
    let mut programs = [Some(start(0).await.unwrap()), Some(start(1).await.unwrap())];
    let (history, mut killed) = (History::default(), [0, 0]);
    for round in 1..=rounds {
        let stop = Instant::now() + Duration::from_millis(700);
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| tokio::spawn(write(addresses.clone(), writer, round, Arc::clone(&history), stop)))
            .collect();
        // Spread over the life of a registration, from before the first to deep in the stream of them.
        tokio::time::sleep(Duration::from_millis(60 + (round * 37) % 530)).await;
        let routers: &[usize] = match round % 4 {
            0 => &[0],
            1 => &[],
            2 => &[1],
            _ => &[0, 1],
        };
        for place in routers {
            programs[*place].take().unwrap().kill();
            killed[0] += 1;
        }
        let database = round % 4 == 1 || round % 8 == 3;
        if database {
            server.kill();
            killed[1] += 1;
        }
        for writer in writers {
            writer.await.unwrap();
        }
        if database {
            server = tokio::task::spawn_blocking(move || {
                server.restart();
                server
            })
            .await
            .unwrap();
        }
        for place in routers {
            programs[*place] = Some(start(*place).await.unwrap());
        }
        let there = agreed(&addresses).await;
        check(&history.lock().unwrap(), &there);
    }
    let history = history.lock().unwrap().clone();
    let versions: Vec<String> = history.iter().filter_map(|write| Some(write.acknowledged?.1.to_string())).collect();
    assert!(rounds * 2 <= versions.len() as u64, "only {} writes were acknowledged", versions.len());
    // The audit has each of them, whole.
    let found = server.sql(
        "test_1",
        &format!(
            "SELECT count(*) FROM (SELECT version FROM tool_router.audit WHERE version IN ({}) GROUP BY version \
             HAVING count(*) = {BATCH} AND count(DISTINCT actor) = 1) AS whole",
            versions.join(",")
        ),
    );
    assert_eq!(found.unwrap(), versions.len().to_string());
    measured(&format!(
        "{} kills of a router and {} of the database: {} writes, {} acknowledged, none lost",
        killed[0],
        killed[1],
        history.len(),
        versions.len()
    ));
}
