//! `tool-router status`: how one router is doing, on one page.

use clap::Args;

use super::connection::Connection;
use super::figures::{duration_or_dash, percent, plain, rate_over, span};
use super::source::state;
use super::{Exit, output};
use crate::rpc::proto::{GetStatusResponse, TenantTokens, ToolTraffic, Traffic};

/// Tools on the page.
const MAX_TOOLS: usize = 10;
/// Tenants on the page.
const MAX_TENANTS: usize = 10;
/// The exit code of `--check` for what somebody has to look at now.
const PAGE: u8 = 2;

/// Flags of `status`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Exit with 2 when something is wrong that somebody has to look at now
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Exit> {
    let status = arguments.connection.open().await?.status().await?;
    if arguments.json {
        output::json(&status)?;
    } else {
        page(&status);
    }
    let pages: Vec<&str> = status.conditions.iter().filter(|c| c.severity == "page").map(|c| c.name.as_str()).collect();
    if arguments.check && !pages.is_empty() {
        return Err(Exit { code: PAGE, message: format!("somebody has to look now: {}", pages.join(", ")) });
    }
    Ok(())
}

fn page(status: &GetStatusResponse) {
    about(status);
    let (total, minute) = (status.total.unwrap_or_default(), status.last_minute.unwrap_or_default());
    output::line("");
    let header =
        ["selections", "calls", "rate", "errors", "shed", "by words", "no tool", "p50", "p95", "p99", "tokens saved", "share"];
    output::table(
        &header,
        &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        [traffic("last minute", &minute), traffic("since start", &total)],
    );
    if !status.tenants.is_empty() {
        output::line("");
        let header = ["tenant", "tokens returned", "saved", "model input", "model output"];
        output::table(&header, &[1, 2, 3, 4], status.tenants.iter().take(MAX_TENANTS).map(tenant));
    }
    if !status.tools.is_empty() {
        output::line("");
        let header = ["hottest tools, 15 min", "returned", "calls", "errors", "p95"];
        output::table(&header, &[1, 2, 3, 4], status.tools.iter().take(MAX_TOOLS).map(tool));
    }
    if !status.sources.is_empty() {
        output::line("");
        let rows = status.sources.iter().map(|source| {
            let ago = source.age_ms.map_or_else(|| "never".to_owned(), |ms| format!("{} ago", span(ms)));
            vec![plain(&source.source), state(source).to_owned(), source.tools.to_string(), ago, plain(&source.error)]
        });
        output::table(&["source", "state", "tools", "synced", "error"], &[2], rows);
    }
    output::line("");
    if status.conditions.is_empty() {
        output::line("all is well");
    }
    for condition in &status.conditions {
        let since = condition.since_ms.map_or_else(String::new, |ms| format!(" (for {})", span(ms)));
        output::line(&format!("{:<6}  {}: {}{since}", condition.severity, condition.name, plain(&condition.detail)));
    }
}

fn about(status: &GetStatusResponse) {
    let line = |name: &str, text: &str| output::line(&format!("{name:<10} {}", plain(text)));
    let up = match status.started_at_ms {
        0 => "starting".to_owned(),
        started => format!("up {}", span(status.now_ms.saturating_sub(started))),
    };
    line("router", &format!("tool-router {}, instance {}, {up}", status.version, status.instance_id));
    line("model", &format!("{}, numerics {}", status.model_id, status.model_numerics));
    let (enabled, disabled) = (output::thousands(status.enabled_tools), output::thousands(status.disabled_tools));
    line("catalogue", &format!("{enabled} tools, {disabled} disabled, version {}", status.catalog_version));
    let store = status.store.clone().unwrap_or_default();
    let away = if store.up { String::new() } else { format!(", away for {}", span(store.away_ms)) };
    line("store", &format!("{}{away}", store.place));
    let told = status.telemetry.clone().unwrap_or_default();
    let endpoint = if told.endpoint.is_empty() { "spans go nowhere" } else { &told.endpoint };
    let lost = told.dropped_spans + told.dropped_replay_records + told.dropped_outcomes;
    line(
        "telemetry",
        &format!(
            "{endpoint}; {} spans, {} replay records, {} outcomes; {} given up",
            output::thousands(told.exported_spans),
            output::thousands(told.replay_records),
            output::thousands(told.outcomes),
            output::thousands(lost)
        ),
    );
}

fn traffic(name: &str, traffic: &Traffic) -> Vec<String> {
    vec![
        name.to_owned(),
        output::thousands(traffic.calls),
        rate_over(traffic.calls, traffic.window_ms),
        percent(traffic.errors, traffic.calls),
        percent(traffic.sheds, traffic.calls),
        percent(traffic.lexical, traffic.calls),
        percent(traffic.no_match, traffic.calls),
        duration_or_dash(traffic.p50_micros),
        duration_or_dash(traffic.p95_micros),
        duration_or_dash(traffic.p99_micros),
        output::thousands(traffic.saved_tokens),
        percent(traffic.saved_tokens, traffic.eligible_tokens),
    ]
}

fn tenant(tokens: &TenantTokens) -> Vec<String> {
    let counts = [tokens.returned_tokens, tokens.saved_tokens, tokens.input_tokens, tokens.output_tokens];
    std::iter::once(plain(&tokens.tenant)).chain(counts.map(output::thousands)).collect()
}

fn tool(tool: &ToolTraffic) -> Vec<String> {
    vec![
        name(tool),
        output::thousands(tool.returned),
        output::thousands(tool.calls),
        percent(tool.errors, tool.calls),
        duration_or_dash(tool.p95_micros),
    ]
}

/// A tool's display form, as commands take it.
pub(super) fn name(tool: &ToolTraffic) -> String {
    tool.tool.as_ref().map_or_else(String::new, |id| plain(&super::connection::display(id)))
}
