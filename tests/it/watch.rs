//! Following the catalogue: changes as they are published, bookmarks, resuming, what happens when changes are missed.

use std::time::Duration;

use tonic::{Code, Streaming};
use tool_router::rpc::proto::watch_catalog_response::Event;
use tool_router::rpc::proto::*;

use crate::support::{TestRouter, assert_violation, names, tool};

async fn watch(router: &mut TestRouter, since: Option<&str>) -> Streaming<WatchCatalogResponse> {
    let request = WatchCatalogRequest { since_version: since.map(str::to_owned), ..Default::default() };
    router.catalog.watch_catalog(request).await.unwrap().into_inner()
}

async fn next(events: &mut Streaming<WatchCatalogResponse>) -> Event {
    let told = tokio::time::timeout(Duration::from_secs(10), events.message()).await.expect("within ten seconds");
    told.unwrap().expect("the stream goes on").event.unwrap()
}

fn change(event: Event) -> CatalogChange {
    match event {
        Event::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

fn bookmark(event: Event) -> String {
    match event {
        Event::Bookmark(bookmark) => bookmark.catalog_version,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_kind_of_change_is_told_once_it_can_be_selected() {
    let mut router = TestRouter::start().await;
    let mut events = watch(&mut router, None).await;
    bookmark(next(&mut events).await);
    let version = router.register("s", vec![tool("read", "Reads a page."), tool("write", "Writes.")]).await.catalog_version;
    let added = change(next(&mut events).await);
    assert_eq!((added.source.as_str(), added.catalog_version), ("s", version));
    assert_eq!(added.added, ["read", "write"]);
    assert_eq!(names(&router.select("read a page").await)[0], "s/read");

    router.register("s", vec![tool("read", "Reads a book."), tool("write", "Writes.")]).await;
    let changed = change(next(&mut events).await);
    assert_eq!((changed.changed, changed.added), (vec!["read".to_owned()], vec![]));

    let state = |state: ToolState| SetToolStateRequest {
        source: "s".into(),
        tools: vec!["write".into()],
        state: state.into(),
        expected_version: None,
    };
    router.catalog.set_tool_state(state(ToolState::Disabled)).await.unwrap();
    assert_eq!(change(next(&mut events).await).disabled, ["write"]);
    router.catalog.set_tool_state(state(ToolState::Enabled)).await.unwrap();
    assert_eq!(change(next(&mut events).await).enabled, ["write"]);
    let all = UnregisterToolsRequest { source: "s".into(), all: true, ..Default::default() };
    router.catalog.unregister_tools(all).await.unwrap();
    let mut removed = change(next(&mut events).await).removed;
    removed.sort();
    assert_eq!(removed, ["read", "write"]);
}

#[tokio::test]
async fn a_watcher_resumes_where_it_was() {
    let mut router = TestRouter::start().await;
    router.register("s", vec![tool("a", "A.")]).await;
    let seen = router.version().await;
    router.register("s", vec![tool("b", "B.")]).await;
    router.register("t", vec![tool("c", "C.")]).await;
    let mut events = watch(&mut router, Some(&seen)).await;
    assert_eq!(change(next(&mut events).await).added, ["b"]);
    let last = change(next(&mut events).await);
    assert_eq!(last.source, "t");
    assert_eq!(bookmark(next(&mut events).await), last.catalog_version);
    // Of one source only; the bookmark passes over what the others did.
    let request = WatchCatalogRequest { since_version: Some(seen), source: Some("t".into()), ..Default::default() };
    let mut of_one = router.catalog.watch_catalog(request).await.unwrap().into_inner();
    assert_eq!(change(next(&mut of_one).await).source, "t");
    bookmark(next(&mut of_one).await);
}

#[tokio::test]
async fn what_is_no_longer_known_is_said() {
    let mut router = TestRouter::start().await;
    router.register("s", vec![tool("a", "A.")]).await;
    let before = router.version().await;
    router.register("s", vec![tool("b", "B.")]).await;
    let mut router = router.restart().await;
    let now = router.version().await;
    let mut events = watch(&mut router, Some(&before)).await;
    let Event::ResyncRequired(resync) = next(&mut events).await else { panic!("changes before the restart are not known") };
    assert_eq!(resync.catalog_version, now);
    assert_eq!(bookmark(next(&mut events).await), now);
    router.register("s", vec![tool("c", "C.")]).await;
    assert_eq!(change(next(&mut events).await).added, ["c"], "the stream goes on after it");
    // Who had seen everything goes on as if nothing had been.
    let mut events = watch(&mut router, Some(&now)).await;
    assert_eq!(change(next(&mut events).await).added, ["c"]);
}

#[tokio::test]
async fn a_quiet_stream_sends_bookmarks_and_ends_with_the_router() {
    let mut router = TestRouter::start().await;
    let request = WatchCatalogRequest { bookmark_interval_ms: Some(100), ..Default::default() };
    let mut events = router.catalog.watch_catalog(request).await.unwrap().into_inner();
    for _ in 0..3 {
        assert_eq!(bookmark(next(&mut events).await), "00000000.0");
    }
    let stopping = tokio::spawn(router.stop());
    while let Some(told) = events.message().await.unwrap() {
        bookmark(told.event.unwrap());
    }
    tokio::time::timeout(Duration::from_secs(4), stopping).await.expect("no watcher holds up a drain").unwrap();
}

#[tokio::test]
async fn what_others_do_breaks_no_silence() {
    let mut router = TestRouter::start().await;
    let request = WatchCatalogRequest { source: Some("quiet".into()), bookmark_interval_ms: Some(400), ..Default::default() };
    let mut events = router.catalog.watch_catalog(request).await.unwrap().into_inner();
    let first = bookmark(next(&mut events).await);
    let busy = tokio::spawn(async move {
        for i in 0.. {
            router.register("busy", vec![tool(&format!("t{i}"), "Does it.")]).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let second =
        tokio::time::timeout(Duration::from_secs(5), next(&mut events)).await.expect("a bookmark, however busy others are");
    assert_ne!(bookmark(second), first, "it passes over what others did");
    busy.abort();
}

#[tokio::test]
async fn bad_requests_name_their_fields() {
    let mut router = TestRouter::start().await;
    for version in ["", "latest", "0.0", "00000000.-1", "zzzzzzzz.1"] {
        let request = WatchCatalogRequest { since_version: Some(version.into()), ..Default::default() };
        assert_violation(router.catalog.watch_catalog(request).await, "since_version", "no version this service gave");
    }
    let request = WatchCatalogRequest { bookmark_interval_ms: Some(99), ..Default::default() };
    assert_violation(router.catalog.watch_catalog(request).await, "bookmark_interval_ms", "is 99, it must be 100 to 300000");
    let request = WatchCatalogRequest { source: Some(String::new()), ..Default::default() };
    assert_violation(router.catalog.watch_catalog(request).await, "source", "");
}

#[tokio::test]
async fn only_so_many_may_watch() {
    let mut router = TestRouter::start().await;
    let mut open = Vec::new();
    for _ in 0..256 {
        open.push(watch(&mut router, None).await);
    }
    let one_more = router.catalog.watch_catalog(WatchCatalogRequest::default()).await.unwrap_err();
    assert_eq!(one_more.code(), Code::ResourceExhausted);
    assert!(one_more.message().contains("256 watchers"), "{one_more:?}");
    open.clear();
    for _ in 0..500 {
        if router.catalog.watch_catalog(WatchCatalogRequest::default()).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("places of watchers that went are not given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_prints_changes_as_they_come() {
    use std::io::{BufRead, BufReader};
    let mut router = TestRouter::start().await;
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_tool-router"))
        .args(["tools", "watch", "--address", &format!("http://{}", router.grpc)])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut line = || lines.next().unwrap().unwrap();
    assert_eq!(line(), "00000000.0  watching");
    let version = router.register("s", vec![tool("a", "A."), tool("b", "B.")]).await.catalog_version;
    assert_eq!(line(), format!("{version}  s: added a, b"));
    child.kill().unwrap();
    child.wait().unwrap();
}
