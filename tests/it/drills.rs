//! The drills of the runbook, with the real program and a real database: replicas that agree under load, an outage, a rolling restart, a
//! replica that is lost. `make accept` runs them at full length (DRILLS=full); here they are short.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tonic::transport::Channel;
use tool_router::rpc::proto::tool_catalog_client::ToolCatalogClient;
use tool_router::rpc::proto::tool_router_client::ToolRouterClient;
use tool_router::rpc::proto::*;

use crate::support::load::Load;
use crate::support::postgres::Server;
use crate::support::program::{Program, free_port};
use crate::support::replicas::server;
use crate::support::{catalog_at, http_get, left_out, measured, names, query_request, repository, tool};

/// The long form's number, or the short one's.
fn sized(full: u64, short: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the tests' own switch")]
    let is_full = std::env::var("DRILLS").is_ok_and(|drills| drills == "full");
    if is_full { full } else { short }
}

/// Programs on one database.
struct Fleet {
    url: String,
    ports: Vec<(u16, u16)>,
    programs: Vec<Option<Program>>,
}

impl Fleet {
    async fn start(url: &str, count: usize) -> Self {
        let ports: Vec<(u16, u16)> = (0..count).map(|_| (free_port(), free_port())).collect();
        let mut fleet = Self { url: url.to_owned(), ports, programs: (0..count).map(|_| None).collect() };
        for place in 0..count {
            fleet.start_one(place).await;
        }
        fleet
    }

    async fn start_one(&mut self, place: usize) {
        let ((port, http), url) = (self.ports[place], self.url.clone());
        let program = tokio::task::spawn_blocking(move || Program::start_shared(port, http, &url)).await.unwrap();
        self.programs[place] = Some(program);
    }

    async fn stop_one(&mut self, place: usize) {
        let program = self.programs[place].take().unwrap();
        tokio::task::spawn_blocking(move || program.stop()).await.unwrap();
    }

    async fn kill_one(&mut self, place: usize) {
        let program = self.programs[place].take().unwrap();
        tokio::task::spawn_blocking(move || program.kill()).await.unwrap();
    }

    fn addresses(&self) -> Vec<String> {
        self.ports.iter().map(|(port, _)| format!("http://127.0.0.1:{port}")).collect()
    }

    async fn catalogs(&self) -> Vec<ToolCatalogClient<Channel>> {
        let mut clients = Vec::new();
        for address in self.addresses() {
            clients.push(catalog_at(&address).await.unwrap());
        }
        clients
    }

    fn routers(&self) -> Vec<ToolRouterClient<Channel>> {
        let lazily = |address: String| ToolRouterClient::new(Channel::from_shared(address).unwrap().connect_lazy());
        self.addresses().into_iter().map(lazily).collect()
    }
}

async fn fill(catalog: &mut ToolCatalogClient<Channel>, tools: u64) {
    for batch in 0..tools.div_ceil(500) {
        let of = |i: u64| tool(&format!("thing_{i}"), &format!("Finds the thing number {i} of shelf {}.", i % 83));
        let tools = (batch * 500..tools.min((batch + 1) * 500)).map(of).collect();
        let request = RegisterToolsRequest { source: format!("shelf-{batch}"), tools, ..Default::default() };
        catalog.register_tools(request).await.unwrap();
    }
}

/// How long until a replica finds a tool by its name.
async fn found_after(router: &mut ToolRouterClient<Channel>, name: &str, since: Instant) -> Duration {
    loop {
        let answer = router.select_tools(query_request(name)).await.unwrap().into_inner();
        if names(&answer).iter().any(|found| found.ends_with(&format!("/{name}"))) {
            return since.elapsed();
        }
        assert!(since.elapsed() < Duration::from_secs(20), "{name} is not found");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn quantile(sorted: &[Duration], share: f64) -> Duration {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_replica_acknowledges_all_find_within_a_second_under_load() {
    let test = "drills::what_one_replica_acknowledges_all_find_within_a_second_under_load";
    let Some(mut server) = server(test).await else { return };
    let fleet = Fleet::start(&server.database(), 3).await;
    let (mut catalogs, mut routers) = (fleet.catalogs().await, fleet.routers());
    fill(&mut catalogs[0], sized(1_000, 200)).await;
    let load = Load::on(&fleet.addresses(), 2, Some(Duration::from_millis(20)));
    let mut took = Vec::new();
    for i in 0..sized(1_000, 40) as usize {
        let name = format!("freshly_made_{i}_{}", "abcdefgh".chars().cycle().skip(i).take(5).collect::<String>());
        let request = RegisterToolsRequest { source: "fresh".into(), tools: vec![tool(&name, "Fresh.")], ..Default::default() };
        catalogs[i % 3].register_tools(request).await.unwrap();
        let acknowledged = Instant::now();
        for router in &mut routers {
            took.push(found_after(router, &name, acknowledged).await);
        }
    }
    let summary = load.stop().await;
    took.sort();
    let (half, most, last) = (quantile(&took, 0.5), quantile(&took, 0.99), took[took.len() - 1]);
    measured(&format!("found on all three: median {half:?}, p99 {most:?}, longest {last:?} of {}; {summary:?}", took.len()));
    assert!(summary.failures.is_empty(), "{summary:?}");
    assert!(most <= Duration::from_secs(1), "p99 {most:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_database_fails_no_selection() {
    let Some(mut server) = server("drills::an_outage_of_the_database_fails_no_selection").await else { return };
    let fleet = Fleet::start(&server.database(), 3).await;
    let (mut catalogs, mut routers) = (fleet.catalogs().await, fleet.routers());
    fill(&mut catalogs[0], 200).await;
    for router in &mut routers {
        found_after(router, "thing_199", Instant::now()).await;
    }
    let load = Load::on(&fleet.addresses(), 2, Some(Duration::from_millis(10)));
    let outage = Duration::from_secs(sized(60, 4));
    server.kill();
    let begun = Instant::now();
    let mut refused = 0;
    while begun.elapsed() < outage {
        let request = RegisterToolsRequest { source: "s".into(), tools: vec![tool("lost", "Lost.")], ..Default::default() };
        refused += u64::from(catalogs[1].register_tools(request).await.is_err());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    server = tokio::task::spawn_blocking(move || -> Server {
        server.restart();
        server
    })
    .await
    .unwrap();
    let back = Instant::now();
    let request =
        || RegisterToolsRequest { source: "s".into(), tools: vec![tool("came_back", "Is back.")], ..Default::default() };
    while catalogs[1].register_tools(request()).await.is_err() {
        assert!(back.elapsed() < Duration::from_secs(20), "registrations do not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for router in &mut routers {
        found_after(router, "came_back", back).await;
    }
    let whole = back.elapsed();
    let summary = load.stop().await;
    measured(&format!(
        "{outage:?} without a database: {refused} registrations refused, whole again after {whole:?}; {summary:?}"
    ));
    assert!(summary.failures.is_empty() && summary.retried == 0 && 0 < refused, "{summary:?}");
    assert!(whole <= Duration::from_secs(2), "whole again after {whole:?}");
    drop(server);
}

/// HAProxy with the configuration that is deployed. Ends when dropped.
struct Balancer(Child);

impl Balancer {
    fn start(port: u16, fleet: &Fleet, folder: &std::path::Path) -> Option<Self> {
        Command::new("haproxy").arg("-v").output().ok()?;
        let deployed = std::fs::read_to_string(repository().join("deploy/haproxy.cfg")).unwrap();
        let second = deployed.lines().find(|line| line.trim_start().starts_with("server router-b ")).unwrap();
        let third = second.replace("router-b", "router-c").replace("ROUTER_B", "ROUTER_C");
        let file = folder.join("haproxy.cfg");
        std::fs::write(&file, format!("{}\n{third}\n", deployed.trim_end())).unwrap();
        let mut command = Command::new("haproxy");
        command.arg("-f").arg(&file).env("BIND", format!("127.0.0.1:{port}"));
        command.env("HEALTH_BIND", format!("127.0.0.1:{}", free_port()));
        for (letter, (grpc, http)) in ["A", "B", "C"].iter().zip(&fleet.ports) {
            command.env(format!("ROUTER_{letter}"), format!("127.0.0.1:{grpc}"));
            command.env(format!("ROUTER_{letter}_HTTP_PORT"), http.to_string());
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Some(Self(child))
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_fails_no_selection() {
    let test = "drills::a_rolling_restart_fails_no_selection";
    let Some(mut server) = server(test).await else { return };
    let mut fleet = Fleet::start(&server.database(), 3).await;
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let Some(balancer) = Balancer::start(port, &fleet, folder.path()) else {
        return left_out(test, "needs HAProxy: apt-get install haproxy");
    };
    fill(&mut fleet.catalogs().await[0], 200).await;
    let address = vec![format!("http://127.0.0.1:{port}")];
    tokio::time::sleep(Duration::from_secs(3)).await;
    // What it can do, to find half of it.
    let all_out = Load::on(&address, 8, None);
    let for_long = Duration::from_secs(sized(10, 3));
    tokio::time::sleep(for_long).await;
    let most = all_out.stop().await;
    assert!(most.failures.is_empty(), "{most:?}");
    let rate = most.done as f64 / for_long.as_secs_f64() / 2.0;
    let load = Load::on(&address, 8, Some(Duration::from_secs_f64(8.0 / rate)));
    let begun = Instant::now();
    for place in 0..3 {
        fleet.stop_one(place).await;
        fleet.start_one(place).await;
        let http = fleet.programs[place].as_ref().unwrap().http;
        assert_eq!(http_get(http, "/readyz").await.0, 200);
        // Until the balancer has seen it twice.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
    }
    let took = begun.elapsed();
    let summary = load.stop().await;
    let answered = summary.done as f64 / took.as_secs_f64();
    measured(&format!(
        "three restarts in {took:?} at {rate:.0} selections a second, half of what it can: {answered:.0} a second answered, {} tried again, {} failed",
        summary.retried,
        summary.failures.len()
    ));
    assert!(summary.failures.is_empty(), "{:?}", summary.failures);
    drop(balancer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_replica_serves_again_at_once() {
    let Some(mut server) = server("drills::a_lost_replica_serves_again_at_once").await else { return };
    let mut fleet = Fleet::start(&server.database(), 2).await;
    let tools = sized(10_000, 1_000);
    fill(&mut fleet.catalogs().await[0], tools).await;
    let mut router = fleet.routers().remove(1);
    let last = format!("thing_{}", tools - 1);
    found_after(&mut router, &last, Instant::now()).await;
    fleet.kill_one(1).await;
    let lost = Instant::now();
    fleet.start_one(1).await;
    let mut router = fleet.routers().remove(1);
    let answer = router.select_tools(query_request(&last)).await.unwrap().into_inner();
    let took = lost.elapsed();
    assert!(names(&answer)[0].ends_with(&last) && answer.degraded_reason.is_empty(), "{answer:?}");
    measured(&format!("from kill -9 to a selection from {tools} tools: {took:?}"));
    assert!(took < Duration::from_secs(10), "{took:?}");
}
