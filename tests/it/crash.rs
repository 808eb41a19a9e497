//! kill -9 under registration load: what was acknowledged is there, what was not is not half there, and the store opens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tool_router::rpc::proto::*;

use crate::support::disk::SmallDisk;
use crate::support::program::Program;
use crate::support::{catalog_at, left_out, tool};

/// Kills per run; `make accept` sets KILL_ROUNDS to more.
const ROUNDS: u64 = 30;
const WRITERS: usize = 3;
/// Tools per batch; a batch must be there as a whole or not at all.
const BATCH: usize = 4;

/// The last generation of each batch that was acknowledged, and the last that was sent.
type Ledger = Arc<Mutex<HashMap<String, (u64, u64)>>>;

async fn write(address: String, writer: usize, round: u64, ledger: Ledger) {
    let Ok(mut client) = catalog_at(&address).await else { return };
    for step in 0.. {
        let source = format!("writer-{writer}-{}", step % 3);
        let generation = round * 1_000_000 + step;
        ledger.lock().unwrap().entry(source.clone()).or_default().1 = generation;
        let tools = (0..BATCH).map(|i| tool(&format!("tool_{i}"), &format!("generation {generation}"))).collect();
        let request = RegisterToolsRequest { source: source.clone(), tools, ..Default::default() };
        if client.register_tools(request).await.is_err() {
            return;
        }
        ledger.lock().unwrap().entry(source).or_default().0 = generation;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_kills_lose_no_acknowledged_registration() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("router.db");
    let ledger = Ledger::default();
    #[expect(clippy::disallowed_methods, reason = "the tests' own switch")]
    let rounds = std::env::var("KILL_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS);
    for round in 1..=rounds {
        let path = store.clone();
        let program = tokio::task::spawn_blocking(move || Program::start(&path)).await.unwrap();
        check(&program, &ledger).await;
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| tokio::spawn(write(program.address.clone(), writer, round, Arc::clone(&ledger)))).collect();
        // Spread over the life of a registration, from before the first to deep in the stream of them.
        tokio::time::sleep(Duration::from_millis(20 + (round * 37) % 230)).await;
        if round == rounds {
            // A slow machine may not have acknowledged each batch in so short lives.
            for _ in 0..600 {
                if acknowledged(&ledger) == WRITERS * 3 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        tokio::task::spawn_blocking(move || program.kill()).await.unwrap();
        for writer in writers {
            writer.await.unwrap();
        }
    }
    let program = tokio::task::spawn_blocking(move || Program::start(&store)).await.unwrap();
    check(&program, &ledger).await;
    assert_eq!(acknowledged(&ledger), WRITERS * 3, "every batch was acknowledged at least once");
}

/// Batches that were acknowledged at least once.
fn acknowledged(ledger: &Ledger) -> usize {
    ledger.lock().unwrap().values().filter(|(acknowledged, _)| 0 < *acknowledged).count()
}

async fn check(program: &Program, ledger: &Ledger) {
    let mut client = catalog_at(&program.address).await.unwrap();
    let ledger = ledger.lock().unwrap().clone();
    for (source, (acknowledged, sent)) in ledger {
        let request = ListToolsRequest { source: Some(source.clone()), ..Default::default() };
        let tools = client.list_tools(request).await.unwrap().into_inner().tools;
        let generations: Vec<u64> = tools
            .iter()
            .map(|tool| tool.definition.as_ref().unwrap().description.rsplit(' ').next().unwrap().parse().unwrap())
            .collect();
        assert!(generations.windows(2).all(|pair| pair[0] == pair[1]), "{source} is half a batch: {generations:?}");
        match generations.first() {
            None => assert_eq!(acknowledged, 0, "{source} lost everything"),
            Some(found) => {
                assert_eq!(tools.len(), BATCH);
                assert!(acknowledged <= *found && *found <= sent, "{source}: {found} is stored, {acknowledged} was acknowledged");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_flush_comes_before_the_acknowledgement() {
    let name = "crash::the_flush_comes_before_the_acknowledgement";
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        return left_out(name, "needs strace");
    }
    let folder = tempfile::tempdir().unwrap();
    let (store, calls) = (folder.path().join("router.db"), folder.path().join("calls"));
    let output = calls.to_str().unwrap().to_owned();
    let program = tokio::task::spawn_blocking(move || {
        let watched = "trace=pwrite64,fdatasync,fsync,write,writev,sendto,sendmsg";
        Program::start_under(&["strace", "-f", "-y", "-s", "64", "-e", watched, "-o", &output], &store)
    })
    .await
    .unwrap();
    let mut client = catalog_at(&program.address).await.unwrap();
    let request =
        RegisterToolsRequest { source: "flushed".into(), tools: vec![tool("watched", "Is watched.")], ..Default::default() };
    let before = std::fs::read_to_string(&calls).unwrap().lines().count();
    client.register_tools(request).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let trace = std::fs::read_to_string(&calls).unwrap();
    let lines: Vec<&str> = trace.lines().skip(before).collect();
    // The child of strace outlives a kill of strace, so it is ended by name of its own.
    let pid: u32 = trace.split_whitespace().next().unwrap().parse().unwrap();
    std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    let place = |what: &dyn Fn(&str) -> bool| lines.iter().position(|line| what(line));
    let written = place(&|line| line.contains("pwrite64") && line.contains("router.db-wal")).expect("the log is written");
    let flushed = lines
        .iter()
        .rposition(|line| (line.contains("fdatasync") || line.contains("fsync")) && line.contains("router.db-wal"))
        .expect("the log is flushed");
    // The answer is the first write to a socket after the log was written.
    let answered = lines
        .iter()
        .enumerate()
        .skip(written)
        .find(|(_, line)| line.contains("TCP") || line.contains("socket:"))
        .map(|(i, _)| i)
        .expect("an answer is sent");
    assert!(written < flushed && flushed < answered, "{}", lines.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_keeps_what_it_has() {
    let name = "crash::a_full_disk_refuses_and_keeps_what_it_has";
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path(), "2m") else {
        return left_out(name, "needs the right to mount a small disk");
    };
    let store = disk.path("router.db");
    let path = store.clone();
    let program = tokio::task::spawn_blocking(move || Program::start(&path)).await.unwrap();
    let mut client = catalog_at(&program.address).await.unwrap();
    let mut registered = 0;
    let refused = loop {
        let tools = vec![tool(&format!("tool_{registered}"), &"words and words ".repeat(8_000))];
        match client.register_tools(RegisterToolsRequest { source: "s".into(), tools, ..Default::default() }).await {
            Ok(_) => registered += 1,
            Err(status) => break status,
        }
        assert!(registered < 100, "2 MiB take no hundred tools of 128 KiB");
    };
    assert_eq!(refused.code(), tonic::Code::Unavailable, "{refused:?}");
    assert!(refused.message().contains("store"), "{}", refused.message());
    let total = client.list_tools(ListToolsRequest::default()).await.unwrap().into_inner().total;
    assert_eq!(total, registered);
    tokio::task::spawn_blocking(move || program.kill()).await.unwrap();
    let program = tokio::task::spawn_blocking(move || Program::start(&store)).await.unwrap();
    let mut client = catalog_at(&program.address).await.unwrap();
    assert_eq!(client.list_tools(ListToolsRequest::default()).await.unwrap().into_inner().total, registered);
    tokio::task::spawn_blocking(move || program.kill()).await.unwrap();
}
