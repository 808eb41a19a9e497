//! `tool-router store`: what is in one store gets into another whole, and what is not whole is refused.

use std::path::Path;

use tool_router::rpc::proto::ListToolsRequest;

use crate::support::program::{Program, run};
use crate::support::replicas::{replica, server};
use crate::support::{TestRouter, bundled, names, tool};

/// Runs a command that has to succeed; gives what it said.
fn said(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that has to fail; gives its complaint.
fn refused(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(!output.status.success(), "{arguments:?} was not refused: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

/// A store with the bundled catalogue in it, one tool disabled.
async fn filled() -> (tempfile::TempDir, String) {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let (config, folder) = router.stop().await;
    (folder.unwrap(), config.store.path.to_str().unwrap().to_owned())
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_file_to_backup_to_database_and_back() {
    let Some(mut server) = server("store_command::from_file_to_backup_to_database_and_back").await else { return };
    let (folder, file) = filled().await;
    let (database, second) = (server.database(), server.database());
    let (backup, copy) = (path(folder.path(), "backup.jsonl"), path(folder.path(), "copy.db"));
    assert!(said(&["store", "export", &backup, "--store", &file]).contains("87 tools"));
    assert!(said(&["store", "import", &backup, "--store", &database]).contains("87 tools"));
    assert!(said(&["store", "migrate", "--store", &database, "--to", &copy]).contains("copied 87 tools"));
    assert!(said(&["store", "migrate", "--store", &file, "--to", &second]).contains("copied 87 tools"));
    let verified = said(&["store", "verify", &file, &backup, &database, &copy, &second]);
    let sums: std::collections::HashSet<&str> = verified.lines().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!((verified.lines().count(), sums.len()), (5, 1), "{verified}");
    // A moved store goes on with its history, a backup begins another.
    let version = |line: usize| verified.lines().nth(line).unwrap().split("version ").nth(1).unwrap().split(':').next().unwrap();
    assert_eq!(version(4), version(0));
    assert_eq!(version(3), version(2));
    assert_ne!(version(2), version(0));
    // It serves, with every vector.
    let mut router = replica(&database).await;
    let answer = router.select("give the customer their money back").await;
    assert!(answer.degraded_reason.is_empty() && !answer.tools.is_empty(), "{answer:?}");
    router.register("s", vec![tool("fresh", "Freshly made.")]).await;
    assert_eq!(names(&router.select("fresh").await)[0], "s/fresh");
    let differs = refused(&["store", "verify", &file, &database]);
    assert!(differs.contains("does not hold the same"), "{differs}");
    // What a pipe carries is the same.
    let output = run(&["store", "export", "-", "--store", &copy]);
    std::fs::write(&backup, &output.stdout).unwrap();
    assert!(said(&["store", "verify", &backup, &copy]).lines().count() == 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_whole_is_refused_and_nothing_is_lost() {
    let (folder, file) = filled().await;
    let backup = path(folder.path(), "backup.jsonl");
    said(&["store", "export", &backup, "--store", &file]);
    let before = said(&["store", "verify", &file]);

    let complaint = refused(&["store", "import", &backup, "--store", &file]);
    assert!(complaint.contains("is not empty") && complaint.contains("nothing was changed"), "{complaint}");
    assert_eq!(said(&["store", "verify", &file]), before);

    let text = std::fs::read_to_string(&backup).unwrap();
    let (cut, changed) = (path(folder.path(), "cut.jsonl"), path(folder.path(), "changed.jsonl"));
    std::fs::write(&cut, &text[..text.len() * 2 / 3]).unwrap();
    std::fs::write(&changed, text.replacen("refund", "refunt", 1)).unwrap();
    let fresh = path(folder.path(), "fresh.db");
    assert!(refused(&["store", "import", &cut, "--store", &fresh]).contains("cut"), "a cut backup");
    assert!(refused(&["store", "import", &changed, "--store", &fresh]).contains("changed or is damaged"), "a changed one");
    assert!(refused(&["store", "verify", &changed]).contains("changed or is damaged"));
    assert!(!Path::new(&fresh).exists(), "it was not even opened");

    let nowhere = path(folder.path(), "nowhere.db");
    assert!(refused(&["store", "export", "-", "--store", &nowhere]).contains("there is no store"));
    assert!(refused(&["store", "verify", &nowhere]).contains("there is no store") && !Path::new(&nowhere).exists());
    assert!(refused(&["store", "export", "/nowhere/b.jsonl", "--store", &file]).contains("/nowhere/b.jsonl"));

    // Whoever only looks at an older store leaves it as it is.
    let older = path(folder.path(), "older.db");
    std::fs::copy(&file, &older).unwrap();
    let mut head = std::fs::read(&older).unwrap();
    // The schema's version, four bytes of SQLite's header.
    assert_eq!(head[60..64], [0, 0, 0, 4]);
    head[63] = 3;
    std::fs::write(&older, &head).unwrap();
    for command in [&["store", "verify", &older][..], &["store", "export", "-", "--store", &older]] {
        let complaint = refused(command);
        assert!(complaint.contains("has schema version 3, this build reads 4"), "{complaint}");
        assert_eq!(std::fs::read(&older).unwrap(), head);
    }

    // A router has it: its file is locked, and both go on.
    let store = std::path::PathBuf::from(&file);
    let program = tokio::task::spawn_blocking(move || Program::start(&store)).await.unwrap();
    let complaint = refused(&["store", "export", "-", "--store", &file]);
    assert!(complaint.contains("in use by another router"), "{complaint}");
    let mut client = crate::support::catalog_at(&program.address).await.unwrap();
    assert_eq!(client.list_tools(ListToolsRequest::default()).await.unwrap().into_inner().total, 87);
}
