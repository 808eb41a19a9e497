//! What disks and clocks do to a router: a log that was torn, a file system that turned read-only, time that jumps.

use std::path::Path;

use tool_router::rpc::proto::*;
use tool_router::store::Store;
use tool_router::store::embedded::{EmbeddedOptions, EmbeddedStore};

use crate::support::disk::SmallDisk;
use crate::support::program::{Program, run};
use crate::support::{catalog_at, left_out, tool};

const BATCHES: u64 = 12;
const BATCH: usize = 3;

async fn batch(address: &str, number: u64) -> Result<RegisterToolsResponse, tonic::Status> {
    let tools = (0..BATCH).map(|i| tool(&format!("tool_{i}"), &format!("batch {number}"))).collect();
    let request = RegisterToolsRequest { source: "s".into(), tools, ..Default::default() };
    Ok(catalog_at(address).await.unwrap().register_tools(request).await?.into_inner())
}

/// The number of the batch that is there, which must be one and whole; 0: none.
async fn read(path: &Path) -> u64 {
    let store = EmbeddedStore::open(&EmbeddedOptions { path: path.to_owned(), max_mib: None }).await.unwrap();
    let tenants = store.load().await.unwrap();
    store.close().await;
    let Some(tenant) = tenants.first() else { return 0 };
    let numbers: Vec<u64> =
        tenant.records.iter().map(|record| record.tool.description.rsplit(' ').next().unwrap().parse().unwrap()).collect();
    assert!(numbers.len() == BATCH && numbers.iter().all(|number| *number == numbers[0]), "half a batch: {numbers:?}");
    assert_eq!(tenant.version.number, numbers[0], "version and tools are of one moment");
    numbers[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_log_costs_its_torn_end_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("router.db");
    let store = path.clone();
    let program = tokio::task::spawn_blocking(move || Program::start(&store)).await.unwrap();
    for number in 1..=BATCHES {
        batch(&program.address, number).await.unwrap();
    }
    tokio::task::spawn_blocking(move || program.kill()).await.unwrap();
    let (data, log) = (std::fs::read(&path).unwrap(), std::fs::read(folder.path().join("router.db-wal")).unwrap());
    assert!(10_000 < log.len(), "the log holds what was written last: {} bytes", log.len());
    let torn = folder.path().join("torn.db");
    let lay = |log: &[u8]| {
        for name in ["torn.db", "torn.db-wal", "torn.db-shm"] {
            std::fs::remove_file(folder.path().join(name)).ok();
        }
        std::fs::write(&torn, &data).unwrap();
        std::fs::write(folder.path().join("torn.db-wal"), log).unwrap();
    };
    lay(&log);
    assert_eq!(read(&torn).await, BATCHES, "nothing is lost of a whole log");
    let mut last = BATCHES;
    for piece in (0..48).rev() {
        let end = log.len() * piece / 48;
        lay(&log[..end]);
        let found = read(&torn).await;
        assert!(found <= last, "the log is read from its beginning to where it is torn: {found} after {last}");
        last = found;
        // A sector that holds something else.
        let mut damaged = log.clone();
        damaged[end..(end + 512).min(log.len())].fill(0xA5);
        lay(&damaged);
        assert!(read(&torn).await <= BATCHES);
    }
    assert_eq!(last, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_file_system_is_said_at_start_and_loses_nothing() {
    let name = "faults::a_read_only_file_system_is_said_at_start_and_loses_nothing";
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path(), "8m") else {
        return left_out(name, "needs the right to mount a small disk");
    };
    let path = disk.path("router.db");
    let store = path.clone();
    let program = tokio::task::spawn_blocking(move || Program::start(&store)).await.unwrap();
    batch(&program.address, 1).await.unwrap();
    tokio::task::spawn_blocking(move || program.stop()).await.unwrap();
    assert!(disk.set("remount,ro"));
    let store = path.to_str().unwrap().to_owned();
    let flags = ["--embedder", "hashing", "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0"];
    let output = tokio::task::spawn_blocking(move || run(&[&["serve", "--store", &store], &flags[..]].concat())).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("router.db: its file system is read-only"), "{said}");
    let config = folder.path().join("config.toml");
    std::fs::write(&config, format!("[embedder]\nkind = \"hashing\"\n[store]\npath = \"{}\"\n", path.display())).unwrap();
    let doctor = run(&["doctor", "--config", config.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("its file system is read-only"), "{doctor:?}");
    assert!(disk.set("remount,rw"));
    assert_eq!(read(&path).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_that_jumps_changes_stamps_and_nothing_else() {
    let name = "faults::time_that_jumps_changes_stamps_and_nothing_else";
    let library =
        ["x86_64-linux-gnu", "aarch64-linux-gnu"].map(|machine| format!("/usr/lib/{machine}/faketime/libfaketimeMT.so.1"));
    let Some(library) = library.into_iter().find(|path| Path::new(path).exists()) else {
        return left_out(name, "needs libfaketime: apt-get install faketime");
    };
    let folder = tempfile::tempdir().unwrap();
    let (path, clock) = (folder.path().join("router.db"), folder.path().join("clock"));
    let set = |offset: &str| std::fs::write(&clock, offset).unwrap();
    set("+0d");
    let preload = format!("LD_PRELOAD={library}");
    let file = format!("FAKETIME_TIMESTAMP_FILE={}", clock.display());
    let before = ["env", &preload, &file, "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"];
    let before: Vec<String> = before.iter().map(|word| (*word).to_owned()).collect();
    let start = || {
        let (before, path) = (before.clone(), path.clone());
        tokio::task::spawn_blocking(move || Program::start_under(&before.iter().map(String::as_str).collect::<Vec<_>>(), &path))
    };
    let program = start().await.unwrap();
    let mut stamps = Vec::new();
    for (number, offset) in (1..).zip(["+0d", "+400d", "-9000d", "+0d"]) {
        set(offset);
        let version = batch(&program.address, number).await.unwrap().catalog_version;
        assert!(version.ends_with(&format!(".{number}")), "versions do not go by the clock: {version}");
        let selected = run(&["select", "batch", "--address", &program.address]);
        assert!(selected.status.success(), "{}", String::from_utf8_lossy(&selected.stderr));
        let list = ListToolsRequest::default();
        let tools = catalog_at(&program.address).await.unwrap().list_tools(list).await.unwrap().into_inner().tools;
        stamps.push((tools[0].registered_at_ms, tools[0].updated_at_ms));
    }
    assert!(stamps.windows(2).all(|pair| pair[0].0 == pair[1].0 && pair[0].1 <= pair[1].1), "{stamps:?}");
    assert!(stamps[0].1 + 399 * 86_400_000 < stamps[1].1, "the clock did jump: {stamps:?}");
    tokio::task::spawn_blocking(move || program.kill()).await.unwrap();
    set("-9000d");
    let program = start().await.unwrap();
    batch(&program.address, 5).await.unwrap();
    tokio::task::spawn_blocking(move || program.kill()).await.unwrap();
    assert_eq!(read(&path).await, 5);
}
