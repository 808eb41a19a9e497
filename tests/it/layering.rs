//! The direction between parts: lower strata never import higher ones, and each heavy crate is named in its one place.
//!
//! Read from the source text, so that it needs no build of its own and says file and line.

use std::path::{Path, PathBuf};

use crate::support::repository;

/// Modules by stratum, lowest first. A module that is missing here fails the test: decide where it belongs.
const STRATA: [&[&str]; 6] = [
    &["tool", "json", "clock", "error", "background", "disk", "spans"],
    &["embed", "index", "rank", "compact", "condense", "arguments", "gate"],
    &["catalog", "outcomes", "store", "cache"],
    &["select", "register", "browse", "report", "import", "sources", "replay", "eval"],
    &["rpc", "front", "console", "telemetry", "config", "cli"],
    &["app", "main", "lib"],
];

/// Crates with the places that may name them.
const HOMES: [(&str, &[&str]); 35] = [
    ("tonic", &["rpc/"]),
    ("tonic_health", &["rpc/"]),
    ("tonic_types", &["rpc/"]),
    ("prost", &["rpc/"]),
    ("prost_reflect", &["rpc/json.rs"]),
    ("fastembed", &["embed/onnx.rs", "embed/onnx/cross.rs"]),
    ("ort", &["embed/onnx.rs", "embed/onnx/cross.rs"]),
    ("pulp", &["index/exact.rs"]),
    ("hnsw_rs", &["index/hnsw.rs"]),
    ("moka", &["cache.rs"]),
    ("rustix", &["background.rs", "disk.rs", "import/mcp/process.rs"]),
    ("rmcp", &["import/mcp/", "front/"]),
    ("reqwest", &["import/mcp/", "eval/llm.rs", "telemetry/collector.rs"]),
    ("sse_stream", &["import/mcp/http.rs"]),
    ("rustls", &["import/mcp/http.rs", "eval/llm.rs", "rpc/listener.rs", "telemetry/collector.rs"]),
    ("tokio_rustls", &["rpc/listener.rs"]),
    ("x509_parser", &["cli/doctor.rs"]),
    ("base64", &["store/backup/lines.rs"]),
    ("serde_norway", &["import/openapi.rs"]),
    ("jsonschema", &["arguments/validator.rs"]),
    ("bpe_openai", &["compact/tokens.rs"]),
    ("tokenizers", &["compact/counter/file.rs"]),
    ("sqlx", &["store/columns.rs", "store/minutes.rs", "store/embedded", "store/postgres", "store/ring"]),
    ("arc_swap", &["catalog/snapshot.rs", "rpc/layers.rs", "rpc/listener.rs", "store/postgres.rs"]),
    ("axum", &["console/", "front/host.rs"]),
    ("figment", &["config/load.rs"]),
    ("clap", &["cli/", "main.rs"]),
    ("comfy_table", &["cli/output.rs"]),
    ("ratatui", &["cli/top/"]),
    ("opentelemetry", &["telemetry/"]),
    ("opentelemetry_sdk", &["telemetry/"]),
    ("opentelemetry_otlp", &["telemetry/collector.rs", "telemetry/outlet.rs"]),
    ("tracing_opentelemetry", &["telemetry/"]),
    ("prometheus", &["telemetry/metrics/"]),
    ("hdrhistogram", &["telemetry/recent.rs"]),
];

/// What engines must not do, with the places that have to all the same.
const ENGINE_BANS: [(&str, &[&str]); 5] = [
    ("std::fs", &["embed/model_dir.rs"]),
    ("std::net", &[]),
    ("tokio::", &["embed/pool.rs", "rank/rerank/pool.rs"]),
    ("SystemTime", &[]),
    ("rand::", &[]),
];

struct Source {
    /// Path below `src/`.
    path: String,
    /// Lines without comments and without the tests at the end.
    lines: Vec<(usize, String)>,
}

fn sources() -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let root = repository().join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let product = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
        let lines = product.lines().zip(1..).map(|(line, number)| (number, code(line))).collect();
        Source { path: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), lines }
    };
    paths.iter().filter(|path| !path.ends_with("tests.rs") && !path.ends_with("contract.rs")).map(read).collect()
}

fn stratum(module: &str) -> usize {
    let place = STRATA.iter().position(|modules| modules.contains(&module));
    place.unwrap_or_else(|| panic!("module {module} has no stratum: add it to STRATA"))
}

/// Whether `word` stands in `line` as a path's first part.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(&format!("{word}::")).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':' && c != '.')
    })
}

#[test]
fn lower_strata_do_not_import_higher_ones() {
    let mut wrong = Vec::new();
    for source in sources() {
        let own = source.path.split(['/', '.']).next().unwrap();
        for (number, line) in &source.lines {
            for (_, rest) in line.match_indices("crate::").map(|(at, m)| (at, &line[at + m.len()..])) {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                let module = &rest[..end];
                // `use crate::{a, b}` is not written here; a macro's `$crate` has no module.
                if !module.is_empty() && stratum(own) < stratum(module) {
                    wrong.push(format!("src/{}:{number}: {own} imports {module}", source.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_heavy_crate_has_its_place() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (number, line) in &source.lines {
            for (name, homes) in HOMES {
                if names(line, name) && !homes.iter().any(|home| source.path.starts_with(home)) {
                    wrong.push(format!("src/{}:{number}: {name} belongs in {homes:?}", source.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn engines_do_no_io_and_have_no_clock() {
    let mut wrong = Vec::new();
    for source in sources() {
        let own = source.path.split(['/', '.']).next().unwrap();
        if stratum(own) != 1 {
            continue;
        }
        for (number, line) in &source.lines {
            for (ban, homes) in ENGINE_BANS {
                if line.contains(ban) && !homes.contains(&source.path.as_str()) {
                    wrong.push(format!("src/{}:{number}: {ban} in an engine", source.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_opens_with_why() {
    let bare: Vec<_> = sources()
        .iter()
        .map(|source| source.path.clone())
        .filter(|path| !std::fs::read_to_string(repository().join("src").join(path)).unwrap().starts_with("//! "))
        .collect();
    assert!(bare.is_empty(), "{bare:?}");
}

#[test]
fn documents_name_files_that_exist() {
    let mut missing = Vec::new();
    for document in ["README.md", "ARCHITECTURE.md"] {
        let text = std::fs::read_to_string(repository().join(document)).unwrap();
        for quoted in text.split('`').skip(1).step_by(2) {
            let is_path = ["src/", "proto/", "tests/", "models/", "examples/", "benches/"].iter().any(|p| quoted.starts_with(p));
            if is_path && !quoted.contains([' ', '*', '<', '{']) && !repository().join(quoted).exists() {
                missing.push(format!("{document}: {quoted}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
