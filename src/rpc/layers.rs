//! Who may call what: bearer tokens, checked before a message is read.
//!
//! One table says what each method needs. A method that is not in the table needs the admin token, so a new one is closed until someone
//! decides. Health stays open: probes have no secrets. The tenant comes from here and from nowhere else.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::future::Either;
use subtle::ConstantTimeEq;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::observe::{code_name, note};
use crate::telemetry::Meters;
use crate::tool::TenantId;

/// The two tokens in force. Neither: everyone may do everything, which start-up allows on loopback only. A cheap handle.
#[derive(Clone, Default)]
pub struct Access(Arc<ArcSwapOption<Tokens>>);

struct Tokens {
    select: Vec<String>,
    admin: Vec<String>,
}

/// Compares with all, each in constant time: timing tells nothing about any.
fn is_one_of(tokens: &[String], token: &[u8]) -> bool {
    tokens.iter().fold(false, |found, known| found | bool::from(token.ct_eq(known.as_bytes())))
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("tokens", &self.0.load().is_some()).finish()
    }
}

impl Access {
    /// Access by these tokens.
    #[must_use]
    pub fn by_tokens(select: &str, admin: &str) -> Self {
        let access = Self::default();
        access.set(Some((vec![select.to_owned()], vec![admin.to_owned()])));
        access
    }

    /// Asks for these from the next call on: the select and the admin tokens.
    pub fn set(&self, tokens: Option<(Vec<String>, Vec<String>)>) {
        self.0.store(tokens.map(|(select, admin)| Arc::new(Tokens { select, admin })));
    }

    fn check(&self, path: &str, header: Option<&[u8]>) -> Result<TenantId, Status> {
        let tokens = self.0.load();
        let Some(Tokens { select, admin }) = tokens.as_deref() else { return Ok(TenantId::default()) };
        let (need, method) = needs(path);
        if need == Need::Nothing {
            return Ok(TenantId::default());
        }
        let Some(header) = header else {
            return Err(Status::unauthenticated("no token: send the metadata `authorization: Bearer TOKEN`"));
        };
        let Some(token) = header.strip_prefix(b"Bearer ") else {
            return Err(Status::unauthenticated("the authorization metadata is not of the form `Bearer TOKEN`"));
        };
        let (is_select, is_admin) = (is_one_of(select, token), is_one_of(admin, token));
        match (is_admin, is_select, need) {
            (true, _, _) | (_, true, Need::Select) => Ok(TenantId::default()),
            (_, true, _) => Err(Status::permission_denied(format!("{method} needs the admin token, this is the select token"))),
            _ => Err(Status::unauthenticated("the token is not known")),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Nothing,
    Select,
    Admin,
}

/// Our methods and what they need.
const METHODS: [(&str, Need); 19] = [
    ("toolrouter.v1.ToolRouter/SelectTools", Need::Select),
    ("toolrouter.v1.ToolRouter/DescribeTools", Need::Select),
    ("toolrouter.v1.ToolRouter/RankTools", Need::Select),
    ("toolrouter.v1.ToolCalls/ReportOutcomes", Need::Select),
    ("toolrouter.v1.ToolCatalog/GetTool", Need::Select),
    ("toolrouter.v1.ToolCatalog/ListTools", Need::Select),
    ("toolrouter.v1.ToolCatalog/WatchCatalog", Need::Select),
    ("toolrouter.v1.ToolCatalog/RegisterTools", Need::Admin),
    ("toolrouter.v1.ToolCatalog/SyncSource", Need::Admin),
    ("toolrouter.v1.ToolCatalog/UnregisterTools", Need::Admin),
    ("toolrouter.v1.ToolCatalog/SetToolState", Need::Admin),
    ("toolrouter.v1.ToolSources/ListSources", Need::Admin),
    ("toolrouter.v1.ToolSources/RefreshSource", Need::Admin),
    ("toolrouter.v1.ToolSources/PauseSource", Need::Admin),
    ("toolrouter.v1.ToolSources/ResumeSource", Need::Admin),
    ("toolrouter.v1.ToolSources/ReleaseSource", Need::Admin),
    ("toolrouter.v1.Operations/GetStatus", Need::Admin),
    ("toolrouter.v1.Operations/GetMap", Need::Admin),
    ("toolrouter.v1.Operations/GetReplay", Need::Admin),
];

/// What a path needs, and its name for logs and meters: a path of the caller's invention is no label.
fn needs(path: &str) -> (Need, &'static str) {
    let known = METHODS.iter().find(|(method, _)| path.strip_prefix('/') == Some(method));
    match known {
        Some((method, need)) => (*need, method),
        None if path.starts_with("/grpc.health.v1.Health/") => (Need::Nothing, "_OTHER"),
        None if path.starts_with("/grpc.reflection.") => (Need::Select, "_OTHER"),
        None => (Need::Admin, "_OTHER"),
    }
}

/// Puts [`Access`] before a service.
#[derive(Clone, Debug)]
pub(super) struct AccessLayer {
    pub(super) access: Access,
    pub(super) meters: Arc<Meters>,
}

impl<S> Layer<S> for AccessLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Guarded { access: self.access.clone(), meters: Arc::clone(&self.meters), inner }
    }
}

/// A service behind [`Access`].
#[derive(Clone, Debug)]
pub(super) struct Guarded<S> {
    access: Access,
    meters: Arc<Meters>,
    inner: S,
}

impl<S> Service<http::Request<Body>> for Guarded<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
{
    type Response = S::Response;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<Self::Response, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let header = request.headers().get(http::header::AUTHORIZATION).map(http::HeaderValue::as_bytes);
        match self.access.check(request.uri().path(), header) {
            Ok(tenant) => {
                request.extensions_mut().insert(tenant);
                Either::Left(self.inner.call(request))
            }
            Err(status) => {
                let (method, code) = (needs(request.uri().path()).1, code_name(status.code()));
                // Without a span: who has no token may not make us keep anything.
                self.meters.call(method, code, Duration::ZERO);
                note(&self.meters, method, None, status.code(), Duration::ZERO);
                tracing::info!(rpc.method = method, rpc.response.status_code = code, "call refused at the door");
                Either::Right(ready(Ok(status.into_http())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[track_caller]
    fn check(path: &str, header: Option<&str>, expected: Option<Code>) {
        let access = Access::by_tokens("select-token", "admin-token");
        assert_eq!(access.check(path, header.map(str::as_bytes)).err().map(|s| s.code()), expected, "{path} {header:?}");
    }

    #[test]
    fn each_method_has_its_token() {
        let (select, register) = ("/toolrouter.v1.ToolRouter/SelectTools", "/toolrouter.v1.ToolCatalog/RegisterTools");
        check(select, Some("Bearer select-token"), None);
        check(select, Some("Bearer admin-token"), None);
        check(register, Some("Bearer admin-token"), None);
        check(register, Some("Bearer select-token"), Some(Code::PermissionDenied));
        check(select, Some("Bearer other"), Some(Code::Unauthenticated));
        check(select, Some("select-token"), Some(Code::Unauthenticated));
        check(select, None, Some(Code::Unauthenticated));
        check("/toolrouter.v1.Operations/GetStatus", Some("Bearer admin-token"), None);
        check("/toolrouter.v1.Operations/GetStatus", Some("Bearer select-token"), Some(Code::PermissionDenied));
        check("/toolrouter.v1.Later/New", Some("Bearer select-token"), Some(Code::PermissionDenied));
        check("/grpc.health.v1.Health/Check", None, None);
    }

    #[test]
    fn without_tokens_everything_is_open() {
        assert!(Access::default().check("/toolrouter.v1.ToolCatalog/RegisterTools", None).is_ok());
    }

    #[test]
    fn tokens_are_not_in_debug_output() {
        assert!(!format!("{:?}", Access::by_tokens("abc-secret", "def-secret")).contains("secret"));
    }
}
