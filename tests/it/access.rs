//! Tokens and TLS.

use std::path::PathBuf;

use tonic::Code;
use tonic::metadata::MetadataValue;
use tool_router::rpc::proto::*;

use crate::support::program::run;
use crate::support::{TestRouter, query_request};

const SELECT: &str = "select-token-0123456789";
const ADMIN: &str = "admin-token-0123456789";

struct Secrets {
    folder: tempfile::TempDir,
}

impl Secrets {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("select"), format!("{SELECT}\n")).unwrap();
        std::fs::write(folder.path().join("admin"), ADMIN).unwrap();
        let certificate = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        std::fs::write(folder.path().join("cert.pem"), certificate.cert.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), certificate.signing_key.serialize_pem()).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn router(&self, tls: bool) -> TestRouter {
        TestRouter::start_with(|config| {
            config.access.select_token_file = Some(self.path("select"));
            config.access.admin_token_file = Some(self.path("admin"));
            if tls {
                config.server.tls =
                    Some(tool_router::config::Tls { certificate_file: self.path("cert.pem"), key_file: self.path("key.pem") });
            }
        })
        .await
    }
}

fn with_token<T>(message: T, token: &str) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("authorization", MetadataValue::try_from(format!("Bearer {token}")).unwrap());
    request
}

#[tokio::test]
async fn each_token_opens_its_methods() {
    let secrets = Secrets::new();
    let mut router = secrets.router(false).await;
    let code = |result: Result<tonic::Response<SelectToolsResponse>, tonic::Status>| result.err().map(|s| s.code());
    assert_eq!(code(router.router.select_tools(query_request("x")).await), Some(Code::Unauthenticated));
    assert_eq!(code(router.router.select_tools(with_token(query_request("x"), "wrong")).await), Some(Code::Unauthenticated));
    assert_eq!(code(router.router.select_tools(with_token(query_request("x"), SELECT)).await), None);
    assert_eq!(code(router.router.select_tools(with_token(query_request("x"), ADMIN)).await), None);
    let remove = || UnregisterToolsRequest { source: "s".into(), all: true, ..Default::default() };
    let refused = router.catalog.unregister_tools(with_token(remove(), SELECT)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let allowed = router.catalog.unregister_tools(with_token(remove(), ADMIN)).await.unwrap_err();
    assert_eq!(allowed.code(), Code::NotFound, "past the door, to a source that is not there");
    let metrics = crate::support::http_get(router.http, "/metrics").await.1;
    assert!(metrics.contains("rpc_response_status_code=\"UNAUTHENTICATED\""), "refusals are counted\n{metrics}");
}

#[tokio::test]
async fn tls_with_the_command_line() {
    let secrets = Secrets::new();
    let router = secrets.router(true).await;
    let address = format!("https://localhost:{}", router.grpc.port());
    let [ca, token] = ["cert.pem", "select"].map(|name| secrets.path(name).to_str().unwrap().to_owned());
    let plain = format!("http://{}", router.grpc);
    let outputs = tokio::task::spawn_blocking(move || {
        [
            run(&["select", "read a file", "--address", &address, "--ca-file", &ca, "--token-file", &token]),
            run(&["health", "--address", &address, "--ca-file", &ca]),
            run(&["select", "read a file", "--address", &address, "--ca-file", &ca]),
            run(&["health", "--address", &address]),
            run(&["health", "--address", &plain, "--timeout-ms", "2000"]),
        ]
    })
    .await
    .unwrap();
    let errors: Vec<_> = outputs.iter().map(|o| String::from_utf8_lossy(&o.stderr).into_owned()).collect();
    let successes: Vec<_> = outputs.iter().map(|o| o.status.success()).collect();
    assert_eq!(successes, [true, true, false, false, false], "{errors:?}");
    assert!(errors[2].contains("give --token-file"), "{}", errors[2]);
}
