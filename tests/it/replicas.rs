//! Several routers on one PostgreSQL: they agree, quarrel about nothing, and go on while it is away.

use std::time::{Duration, Instant};

use tonic::Code;
use tool_router::rpc::proto::*;

use crate::support::replicas::{AGREED, reaches, replicas, server};
use crate::support::{TestRouter, names, tool};

async fn listed(replica: &mut TestRouter) -> Vec<RegisteredTool> {
    replica.catalog.list_tools(ListToolsRequest::default()).await.unwrap().into_inner().tools
}

#[tokio::test]
async fn what_one_acknowledges_all_find() {
    let Some(mut server) = server("replicas::what_one_acknowledges_all_find").await else { return };
    let mut all = replicas(&server.database(), 3).await;
    for i in 0..30 {
        let (source, name) = (format!("source-{}", i % 4), format!("fresh_{i}"));
        let version = all[i % 3].register(&source, vec![tool(&name, "Freshly made.")]).await.catalog_version;
        for replica in &mut all {
            reaches(replica, &version, AGREED).await;
            assert_eq!(names(&replica.select(&name).await)[0], format!("{source}/{name}"));
        }
    }
    // Changes of every kind, each through another replica.
    let disable = SetToolStateRequest {
        source: "source-0".into(),
        tools: vec!["fresh_0".into()],
        state: ToolState::Disabled.into(),
        ..Default::default()
    };
    let version = all[0].catalog.set_tool_state(disable).await.unwrap().into_inner().catalog_version;
    reaches(&mut all[1], &version, AGREED).await;
    let remove = UnregisterToolsRequest { source: "source-1".into(), tools: vec!["fresh_1".into()], ..Default::default() };
    let version = all[1].catalog.unregister_tools(remove).await.unwrap().into_inner().catalog_version;
    reaches(&mut all[2], &version, AGREED).await;
    let version = all[2].register("source-2", vec![tool("fresh_2", "Made anew.")]).await.catalog_version;
    reaches(&mut all[0], &version, AGREED).await;
    let first = listed(&mut all[0]).await;
    assert_eq!(first.len(), 29);
    for replica in &mut all {
        reaches(replica, &version, AGREED).await;
        assert_eq!(listed(replica).await, first, "the same tools in the same order with the same stamps");
    }
    // Who starts later has it all.
    let version = all[0].version().await;
    let late = all.remove(0).restart().await.version().await;
    assert_eq!(late, version);
}

#[tokio::test]
async fn a_writer_reads_its_writes_through_any_replica() {
    let Some(mut server) = server("replicas::a_writer_reads_its_writes_through_any_replica").await else { return };
    let mut all = replicas(&server.database(), 2).await;
    for i in 0..50 {
        let name = format!("fresh_{i}");
        let version = all[i % 2].register("s", vec![tool(&name, "Freshly made.")]).await.catalog_version;
        let answer = all[(i + 1) % 2].select_with(&name, |request| request.min_catalog_version = Some(version)).await;
        assert_eq!(names(&answer)[0], format!("s/{name}"));
    }
    let version = all[0].version().await;
    let ask = |version: &str| {
        let mut request = tonic::Request::new(SelectToolsRequest {
            min_catalog_version: Some(version.to_owned()),
            ..crate::support::query_request("fresh")
        });
        // By hand: tonic would hang up by itself as well.
        request.metadata_mut().insert("grpc-timeout", "300m".parse().unwrap());
        let mut router = all[0].router.clone();
        async move { router.select_tools(request).await.unwrap_err() }
    };
    let (epoch, _) = version.split_once('.').unwrap();
    let ahead = ask(&format!("{epoch}.9999")).await;
    assert_eq!(ahead.code(), Code::Unavailable, "{ahead}");
    let other = ask("00000001.3").await;
    assert_eq!(other.code(), Code::FailedPrecondition, "{other}");
    crate::support::assert_violation::<()>(Err(ask("newest").await), "min_catalog_version", "is not a version");
}

#[tokio::test]
async fn two_that_write_at_once_both_get_on() {
    let Some(mut server) = server("replicas::two_that_write_at_once_both_get_on").await else { return };
    let mut all = replicas(&server.database(), 2).await;
    let write = |replica: &TestRouter, source: &'static str| {
        let mut catalog = replica.catalog.clone();
        async move {
            let mut versions = Vec::new();
            for i in 0..40 {
                // The same tool now and then, others in between.
                let tools =
                    vec![tool("shared", &format!("Last written by {source} as number {i}.")), tool(&format!("own_{i}"), source)];
                let request = RegisterToolsRequest { source: "both".into(), tools, ..Default::default() };
                versions.push(catalog.register_tools(request).await.unwrap().into_inner().catalog_version);
            }
            versions
        }
    };
    let (one, other) = tokio::join!(write(&all[0], "one"), write(&all[1], "the other"));
    let number = |version: &String| version.split_once('.').unwrap().1.parse::<u64>().unwrap();
    let mut given: Vec<u64> = one.iter().chain(&other).map(number).collect();
    assert!(one.is_sorted_by_key(number) && other.is_sorted_by_key(number), "versions only grow");
    given.sort_unstable();
    given.dedup();
    assert_eq!(given.len(), 80, "no version was given twice");
    let version = all[0].version().await;
    let last = if number(&version) == given[79] { version } else { all[1].version().await };
    for replica in &mut all {
        reaches(replica, &last, AGREED).await;
    }
    let first = listed(&mut all[0]).await;
    assert_eq!(listed(&mut all[1]).await, first);
    assert_eq!(first.len(), 41);
}

#[tokio::test]
async fn the_last_word_counts_whichever_router_had_it() {
    let Some(mut server) = server("replicas::the_last_word_counts_whichever_router_had_it").await else { return };
    let mut all = replicas(&server.database(), 2).await;
    // The router that is asked for the old text again may not have heard of the new one yet: to it, nothing would change.
    for round in 0..40 {
        all[0].register("s", vec![tool("t", "The old text.")]).await;
        let version = all[1].register("s", vec![tool("t", "The new text."), tool(&format!("t_{round}"), "Filler.")]).await;
        let last = all[0].register("s", vec![tool("t", "The old text.")]).await;
        assert_ne!(last.catalog_version, version.catalog_version);
        reaches(&mut all[1], &last.catalog_version, AGREED).await;
        let get = GetToolRequest { source: "s".into(), tool: "t".into() };
        let found = all[1].catalog.get_tool(get).await.unwrap().into_inner().tool.unwrap().definition.unwrap();
        assert_eq!(found.description, "The old text.", "in round {round}");
        // Nor may it say that a tool does not exist which another just took.
        let name = format!("u_{round}");
        all[1].register("s", vec![tool(&name, "Just registered.")]).await;
        let remove = UnregisterToolsRequest { source: "s".into(), tools: vec![name], ..Default::default() };
        all[0].catalog.unregister_tools(remove).await.unwrap();
    }
}

#[tokio::test]
async fn tools_that_came_without_vectors_get_them() {
    let Some(mut server) = server("replicas::tools_that_came_without_vectors_get_them").await else { return };
    let mut all = replicas(&server.database(), 2).await;
    // As when the other router has another model.
    server
        .sql(
            "test_1",
            "CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
             CREATE TRIGGER drop_rows BEFORE INSERT ON tool_router.vectors FOR EACH ROW EXECUTE FUNCTION drop_row()",
        )
        .unwrap();
    let version = all[0].register("s", vec![tool("early_bird", "Catches the worm.")]).await.catalog_version;
    reaches(&mut all[1], &version, AGREED).await;
    assert!(!all[1].select("catch a worm").await.degraded_reason.is_empty(), "words alone, and it says so");
    server.sql("test_1", "DROP TRIGGER drop_rows ON tool_router.vectors").unwrap();
    let begun = Instant::now();
    while !all[1].select("catch a worm").await.degraded_reason.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody embeds what another router brought");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_watcher_hears_what_happened_elsewhere() {
    let Some(mut server) = server("replicas::a_watcher_hears_what_happened_elsewhere").await else { return };
    let mut all = replicas(&server.database(), 2).await;
    let mut stream = all[0].catalog.watch_catalog(WatchCatalogRequest::default()).await.unwrap().into_inner();
    let mut wanted = Vec::new();
    for i in 0..3 {
        wanted.push(all[1].register("s", vec![tool(&format!("t_{i}"), "Does it."), tool("again", &i.to_string())]).await);
    }
    let mut heard = Vec::new();
    while heard.len() < 3 {
        let event = tokio::time::timeout(Duration::from_secs(5), stream.message()).await.unwrap().unwrap().unwrap();
        if let Some(watch_catalog_response::Event::Change(change)) = event.event {
            heard.push(change);
        }
    }
    for (i, (heard, registered)) in heard.iter().zip(&wanted).enumerate() {
        assert_eq!(heard.catalog_version, registered.catalog_version);
        let diff = registered.diff.clone().unwrap();
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names
        };
        assert_eq!((heard.source.as_str(), sorted(heard.added.clone())), ("s", sorted(diff.added)), "{i}");
        assert_eq!(heard.changed, diff.changed, "{i}");
    }
}

#[tokio::test]
async fn while_the_database_is_away_selections_go_on_and_registrations_say_so() {
    let Some(mut server) = server("replicas::while_the_database_is_away_selections_go_on_and_registrations_say_so").await else {
        return;
    };
    let mut all = replicas(&server.database(), 2).await;
    let version = all[0].register("s", vec![tool("before", "Was there before.")]).await.catalog_version;
    reaches(&mut all[1], &version, AGREED).await;
    server.kill();
    for replica in &mut all {
        assert_eq!(names(&replica.select("before").await), ["s/before"]);
        let request =
            RegisterToolsRequest { source: "s".into(), tools: vec![tool("during", "Too early.")], ..Default::default() };
        let refused = replica.catalog.register_tools(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable, "{refused}");
        assert!(refused.message().contains("postgres at 127.0.0.1"), "{refused}");
        assert_eq!(names(&replica.select("before").await), ["s/before"]);
    }
    server.restart();
    let begun = Instant::now();
    let version = loop {
        let request =
            RegisterToolsRequest { source: "s".into(), tools: vec![tool("after", "Came after.")], ..Default::default() };
        match all[0].catalog.register_tools(request).await {
            Ok(done) => break done.into_inner().catalog_version,
            Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status}"),
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "the replica does not find its database again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    reaches(&mut all[1], &version, Duration::from_secs(3)).await;
    assert_eq!(names(&all[1].select("after").await)[0], "s/after");
}

#[tokio::test]
async fn a_database_that_was_restored_from_a_backup_is_believed() {
    let Some(mut server) = server("replicas::a_database_that_was_restored_from_a_backup_is_believed").await else { return };
    let mut all = replicas(&server.database(), 1).await;
    all[0].register("s", vec![tool("old", "Was in the backup.")]).await;
    server.sql("test_1", "CREATE SCHEMA backup; CREATE TABLE backup.tools AS SELECT * FROM tool_router.tools").unwrap();
    all[0].register("s", vec![tool("new", "Was not.")]).await;
    server
        .sql(
            "test_1",
            "BEGIN; DELETE FROM tool_router.tools; INSERT INTO tool_router.tools SELECT * FROM backup.tools; \
             DELETE FROM tool_router.audit; UPDATE tool_router.tenants SET version = 1, epoch = epoch # 1; COMMIT",
        )
        .unwrap();
    let begun = Instant::now();
    while listed(&mut all[0]).await.len() != 1 {
        assert!(begun.elapsed() < Duration::from_secs(3), "the replica serves what no store has");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(listed(&mut all[0]).await[0].definition.as_ref().unwrap().name, "old");
    all[0].register("s", vec![tool("newer", "Came later.")]).await;
}

#[tokio::test]
async fn an_emptied_database_empties_no_router() {
    let Some(mut server) = server("replicas::an_emptied_database_empties_no_router").await else { return };
    let url = server.database();
    let mut all = replicas(&url, 1).await;
    let kept = ["kept", "a", "b", "c", "d", "e", "f"].map(|name| tool(name, "Is kept in memory."));
    all[0].register("s", kept.to_vec()).await;
    server.sql("test_1", "CREATE SCHEMA backup; CREATE TABLE backup.tools AS SELECT * FROM tool_router.tools").unwrap();
    server.sql("test_1", "TRUNCATE tool_router.tenants, tool_router.tools, tool_router.audit, tool_router.vectors").unwrap();
    let begun = Instant::now();
    while !crate::support::http_get(all[0].http, "/readyz").await.1.contains("without the store") {
        assert!(begun.elapsed() < Duration::from_secs(5), "it says nothing of it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(names(&all[0].select("kept").await)[0], "s/kept");
    // One that starts now knows no better, and begins another history. That is no reason to forget everything either.
    let mut fresh = crate::support::replicas::replica(&url).await;
    fresh.register("s", vec![tool("stray", "Is the first of another history.")]).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(names(&all[0].select("kept").await)[0], "s/kept");
    drop(fresh);
    server.sql("test_1", "TRUNCATE tool_router.tenants, tool_router.tools, tool_router.audit, tool_router.vectors").unwrap();
    let request = RegisterToolsRequest { source: "s".into(), tools: vec![tool("new", "Too early.")], ..Default::default() };
    let refused = all[0].catalog.register_tools(request).await.unwrap_err();
    assert!(refused.code() == Code::Unavailable && refused.message().contains("put a backup into it"), "{refused}");
    // Filled again, in whatever history, it is believed.
    let filled =
        "INSERT INTO tool_router.tenants VALUES ('default', 5, 9); INSERT INTO tool_router.tools SELECT * FROM backup.tools";
    server.sql("test_1", filled).unwrap();
    let begun = Instant::now();
    while all[0].version().await != "00000005.9" {
        assert!(begun.elapsed() < Duration::from_secs(5), "it is at {}", all[0].version().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    all[0].register("s", vec![tool("new", "In time.")]).await;
}
