//! Reading the lists of MCP servers, good ones and all kinds of bad ones.

use std::time::Duration;

use tool_router::import::mcp::{Endpoint, Http, Listed, McpError, Patience, Session};

use crate::support::mcp::{HttpServer, ToolFile, endpoint};
use crate::support::program;

/// Short, for servers that are never going to answer.
const SHORT: Patience =
    Patience { connect: Duration::from_millis(1_500), page: Duration::from_millis(500), list: Duration::from_secs(20) };
/// Long, for servers that fail by themselves.
const LONG: Patience =
    Patience { connect: Duration::from_secs(30), page: Duration::from_secs(30), list: Duration::from_secs(60) };

async fn list(endpoint: &Endpoint, patience: Patience) -> Result<Listed, McpError> {
    let mut session = Session::open(endpoint, patience).await?;
    let listed = session.list("s").await;
    session.close().await;
    listed
}

fn names(listed: &Listed) -> Vec<&str> {
    listed.tools.iter().map(|tool| tool.id.name()).collect()
}

/// Asserts that a server in `mode` has no list to give, for this reason.
async fn check(mode: &str, patience: Patience, words: &str) {
    let error = list(&endpoint(mode, None), patience).await.expect_err(mode).to_string();
    assert!(error.contains(words) && !error.contains('\u{1b}'), "{mode}: {error}");
}

async fn check_http(mode: &str, patience: Patience, words: &str) {
    let server = HttpServer::start(mode, &[]).await;
    let error = list(&server.endpoint(), patience).await.expect_err(mode).to_string();
    assert!(error.contains(words), "{mode}: {error}");
}

#[tokio::test]
async fn a_list_comes_as_it_was_written() {
    let file = ToolFile::new(&[]);
    let schema = r#"{"type":"object", "properties":{"z":{"maximum":12345678901234567890},"a":{}}}"#;
    file.write(&format!(r#"[{{"name":"n","inputSchema":{schema},"_meta":{{"y":1,"x":1.0}}}}]"#));
    let listed = list(&endpoint("good", Some(&file.path())), LONG).await.unwrap();
    // Python writes its own white space; numbers, order and unknown fields are what must survive.
    let text = listed.tools[0].input_schema.text().replace(' ', "");
    assert_eq!(text, schema.replace(' ', ""));
    assert_eq!(listed.tools[0].extra.as_ref().unwrap().text().replace(' ', ""), r#"{"_meta":{"y":1,"x":1.0}}"#);
    let path = file.path();
    for mode in ["good", "events"] {
        let server = HttpServer::start(mode, &["--tools", path.to_str().unwrap()]).await;
        assert_eq!(list(&server.endpoint(), LONG).await.unwrap(), listed, "over HTTP, as {mode}");
    }
}

#[tokio::test]
async fn pages_greetings_and_doubles_are_taken() {
    let file = ToolFile::new(&["a", "b", "c", "d", "e", "f", "g"]);
    let path = file.path();
    let all = ["a", "b", "c", "d", "e", "f", "g"];
    assert_eq!(names(&list(&endpoint("paged", Some(&path)), LONG).await.unwrap()), all);
    let server = HttpServer::start("paged", &["--tools", path.to_str().unwrap()]).await;
    assert_eq!(names(&list(&server.endpoint(), LONG).await.unwrap()), all);
    assert_eq!(names(&list(&endpoint("chatty", Some(&path)), LONG).await.unwrap()), all);
    let twice = list(&endpoint("twice", Some(&path)), LONG).await.unwrap();
    assert_eq!(twice.tools.len(), 8);
    assert_eq!(twice.refused.len(), 1);
    assert!(twice.refused[0].reason.contains("the first counts"), "{:?}", twice.refused);
    assert_eq!(list(&endpoint("empty", None), LONG).await.unwrap(), Listed::default());
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    check("silent", SHORT, "did not finish the handshake within 1.5 s").await;
    check("mute", SHORT, "did not answer tools/list within 0.5 s").await;
    check_http("silent", SHORT, "did not finish the handshake within 1.5 s").await;
    check_http("mute", SHORT, "did not answer tools/list within 0.5 s").await;
}

#[tokio::test]
async fn a_server_that_dies_leaves_its_last_words() {
    check("dead", LONG, "the server ended (exit status: 3); it wrote: cannot open the database").await;
    check("crash", LONG, "the server ended (exit status: 9); it wrote: out of memory").await;
    check_http("crash", LONG, "the server cannot be reached").await;
    let nobody = Endpoint::Http(Http { url: "http://127.0.0.1:1/mcp".into(), headers_file: None, ca_file: None });
    let error = list(&nobody, LONG).await.unwrap_err().to_string();
    assert!(error.contains("cannot be reached") && error.contains("refused"), "{error}");
    let Endpoint::Command(command) = endpoint("good", None) else { unreachable!() };
    let missing = Endpoint::Command(tool_router::import::mcp::Command { program: "no-such-program".into(), ..command });
    let error = list(&missing, LONG).await.unwrap_err().to_string();
    assert!(error.contains("\"no-such-program\" cannot be started"), "{error}");
}

#[tokio::test]
async fn what_is_no_mcp_is_said_to_be_none() {
    check("garbage", LONG, "over 1000 lines on standard output are no messages; the first:  [31mgarbage").await;
    check("binary", LONG, "what the server sends is not MCP").await;
    check("listless", LONG, "no array of tools").await;
    check_http("page", LONG, "text/html").await;
    check_http("broken", LONG, "503").await;
}

#[tokio::test]
async fn a_refusal_is_passed_on() {
    check("unwilling", LONG, "the server refused the handshake: come back on Monday").await;
    check("refusing", LONG, "the server refused tools/list: the tools are on holiday").await;
    check("half", LONG, "the server refused tools/list: the second page is lost").await;
    check("toolless", LONG, "the server declares no tools").await;
    check_http("unwilling", LONG, "come back on Monday").await;
    check_http("refusing", LONG, "the tools are on holiday").await;
}

#[tokio::test]
async fn a_list_without_end_is_cut() {
    check("endless", LONG, "the server's list has over 1000 pages").await;
    check("circle", LONG, "goes round in circles: page 2").await;
    check_http("circle", LONG, "goes round in circles").await;
}

#[tokio::test]
async fn a_list_too_large_is_cut() {
    check("huge", LONG, "a message of over 16777216 bytes").await;
    check("hugepages", LONG, "the server's list has over 33554432 bytes").await;
    check("many", LONG, "the server's list has over 10000 tools").await;
    check_http("huge", LONG, "a message of over 16777216 bytes").await;
    check_http("many", LONG, "the server's list has over 10000 tools").await;
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (seen, headers) = (folder.path().join("seen"), folder.path().join("headers"));
    std::fs::write(&headers, "Authorization: Bearer let-me-in\n").unwrap();
    let elsewhere = HttpServer::start("good", &["--seen", seen.to_str().unwrap()]).await;
    let server = HttpServer::start("redirecting", &["--elsewhere", &format!("{}?key=secret", elsewhere.url())]).await;
    let endpoint = |url: String| Endpoint::Http(Http { url, headers_file: Some(headers.clone()), ca_file: None });
    let error = list(&endpoint(server.url()), LONG).await.unwrap_err().to_string();
    assert!(error.contains(&format!("redirects to {}, another host", elsewhere.url())), "{error}");
    assert!(!error.contains("secret"));
    assert_eq!(std::fs::read_to_string(&seen).unwrap(), "", "nothing went there");
    let moved = HttpServer::start("moved", &[]).await;
    assert_eq!(names(&list(&endpoint(moved.url()), LONG).await.unwrap()), ["look_up"], "on the same host it is followed");
}

#[tokio::test]
async fn headers_come_from_a_file() {
    let server = HttpServer::start("denying", &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("headers");
    let endpoint = Endpoint::Http(Http { url: server.url(), headers_file: Some(file.clone()), ca_file: None });
    let missing = list(&endpoint, LONG).await.unwrap_err().to_string();
    assert!(missing.contains("headers cannot be used"), "{missing}");
    std::fs::write(&file, "Authorization: Bearer wrong\n").unwrap();
    let denied = list(&endpoint, LONG).await.unwrap_err().to_string();
    assert!(denied.contains("wants other credentials") && denied.contains("headers_file"), "{denied}");
    std::fs::write(&file, "Authorization: Bearer let-me-in\n").unwrap();
    assert_eq!(names(&list(&endpoint, LONG).await.unwrap()), ["look_up"]);
}

#[tokio::test]
async fn tls_is_trusted_only_with_its_authority() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).unwrap();
    let (both, ca) = (folder.path().join("both.pem"), folder.path().join("ca.pem"));
    std::fs::write(&ca, made.cert.pem()).unwrap();
    std::fs::write(&both, made.cert.pem() + &made.signing_key.serialize_pem()).unwrap();
    let server = HttpServer::start("good", &["--certificate", both.to_str().unwrap()]).await;
    let endpoint =
        |ca_file| Endpoint::Http(Http { url: format!("https://127.0.0.1:{}/mcp", server.port), headers_file: None, ca_file });
    assert_eq!(names(&list(&endpoint(Some(ca)), LONG).await.unwrap()), ["look_up"]);
    let strange = list(&endpoint(None), LONG).await.unwrap_err().to_string();
    assert!(strange.contains("cannot be reached") && strange.contains("certificate"), "{strange}");
    let missing = list(&endpoint(Some("/nowhere".into())), LONG).await.unwrap_err().to_string();
    assert!(missing.contains("/nowhere cannot be used"), "{missing}");
}

#[tokio::test]
async fn a_change_is_told_over_both_transports() {
    let file = ToolFile::new(&["a"]);
    let path = file.path();
    let server = HttpServer::start("good", &["--tools", path.to_str().unwrap()]).await;
    for endpoint in [endpoint("good", Some(&path)), server.endpoint()] {
        file.set(&["a"]);
        let mut session = Session::open(&endpoint, LONG).await.unwrap();
        assert!(session.notifies());
        assert_eq!(session.server_name().as_deref(), Some("test server"));
        assert_eq!(names(&session.list("s").await.unwrap()), ["a"]);
        let told = async {
            // The stream of an HTTP server may open a moment later; a change before that is told to nobody.
            for round in 0.. {
                file.set(&["a", &format!("b{round}")]);
                if tokio::time::timeout(Duration::from_secs(1), session.changed()).await.is_ok() {
                    break;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), told).await.unwrap();
        assert_eq!(session.list("s").await.unwrap().tools.len(), 2);
        session.close().await;
    }
}

#[test]
fn the_command_imports_and_names_what_it_leaves_out() {
    let folder = tempfile::tempdir().unwrap();
    let router = program::Program::start(&folder.path().join("router.db"));
    let file = ToolFile::new(&["read_a_page", "write_a_page"]);
    let path = file.path();
    let server = crate::support::mcp::command("twice", Some(&path));
    let run = |flags: &[&str]| {
        let words: Vec<&str> = ["import", "mcp", "--address", &router.address]
            .into_iter()
            .chain(flags.iter().copied())
            .chain(["--"])
            .chain(server.iter().map(String::as_str))
            .collect();
        let output = program::run(&words);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let (ok, _, complaint) = run(&[]);
    assert!(!ok && complaint.contains("1 of its tools cannot be taken") && complaint.contains("look_up"), "{complaint}");
    let (ok, json, complaint) = run(&["--skip-refused", "--json"]);
    assert!(ok && complaint.contains("left out"), "{complaint}");
    let row: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(row["source"], "test server", "what the server calls itself");
    assert_eq!(row["added"].as_array().unwrap().len(), 3, "{row}");
    let bad = program::run(&["import", "mcp", "--address", &router.address, "--", "python3", "-c", "import sys; sys.exit(4)"]);
    let complaint = String::from_utf8(bad.stderr).unwrap();
    assert!(complaint.contains("the server ended (exit status: 4)"), "{complaint}");
}
