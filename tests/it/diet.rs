//! What tools cost in every form, and that the short forms of real tools take what the tools take.

use std::path::PathBuf;

use tool_router::compact::{Fidelity, Format, Step, lean, skeleton};
use tool_router::json::Json;

use crate::support::program::run;
use crate::support::{left_out, repository};

fn rows(arguments: &[&str]) -> Vec<serde_json::Value> {
    let output = run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_diet_is_told_for_every_format_and_fidelity() {
    let catalogue = ["files.json", "mail.json"].map(|name| repository().join("examples/catalogue").join(name));
    let files: Vec<&str> = catalogue.iter().map(|path| path.to_str().unwrap()).collect();
    let lines = rows(&["diet", "--json", "--tools", files[0], files[1]]);
    let forms: Vec<(&str, &str)> =
        lines.iter().filter_map(|line| Some((line["format"].as_str()?, line["form"].as_str()?))).collect();
    let mut expected = vec![("mcp", "raw")];
    for format in Format::ALL {
        expected.extend(Fidelity::ALL.into_iter().rev().map(|fidelity| (format.name(), fidelity.name())));
    }
    expected.extend([("directory", "signature"), ("directory", "name")]);
    assert_eq!(forms, expected);
    let mean = |form: &str| lines.iter().find(|line| line["form"] == form).unwrap()["mean"].as_f64().unwrap();
    let order = ["raw", "lean", "skeleton", "signature", "name"].map(mean);
    assert!(order.is_sorted_by(|more, less| less < more), "{order:?}");
    assert_eq!(lines.iter().filter(|line| line["step"].is_string()).count(), 1 + Step::ALL.len());

    let table = run(&["diet", "--format", "anthropic", "--tokenizer", "cl100k_base", "--tools", files[0]]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("% of raw") && table.contains("7 tools, tokens of cl100k_base"), "{table}");
    assert!(table.contains("anthropic") && !table.contains("gemini"), "{table}");
}

#[test]
fn what_cannot_be_measured_is_refused() {
    for (arguments, words) in [
        (vec!["--tools", "nowhere.json"], "nowhere.json: cannot be read"),
        (vec!["--tools", "nowhere.json", "--format", "soap"], "--format: \"soap\" is none of all, openai_chat"),
        (vec!["--tools", "nowhere.json", "--tokenizer", "x"], "--tokenizer: \"x\" is none of o200k_base"),
        (vec!["--data", "/nowhere", "--set", "s"], "/nowhere/s/tools.jsonl cannot be read"),
    ] {
        let output = run(&[&["diet"], arguments.as_slice()].concat());
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A value of the kind that `schema` asks for, as a model might make it: `seed` decides what is given and which value is taken.
fn instance(root: &Json, schema: &Json, seed: u64, depth: usize) -> serde_json::Value {
    use serde_json::Value;
    let value = |json: &Json| serde_json::from_str::<Value>(&json.to_string()).unwrap();
    let pick = |list: &[Json]| list.get(usize::try_from(seed).unwrap() % list.len().max(1)).cloned();
    if 8 < depth {
        return Value::Null;
    }
    if let Some(target) = schema.get("$ref").and_then(Json::as_str) {
        let found = target.split('/').skip(1).try_fold(root, |at, step| at.get(step));
        return found.map_or(Value::Null, |found| instance(root, found, seed, depth + 1));
    }
    if let Some(constant) = schema.get("const") {
        return value(constant);
    }
    if let Some(chosen) = schema.get("enum").and_then(Json::as_array).and_then(pick) {
        return value(&chosen);
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(chosen) = schema.get(choice).and_then(Json::as_array).and_then(pick) {
            return instance(root, &chosen, seed / 3 + 1, depth + 1);
        }
    }
    let kind = match schema.get("type") {
        Some(Json::Array(kinds)) => pick(kinds).and_then(|kind| kind.as_str().map(str::to_owned)),
        Some(Json::String(kind)) => Some(kind.clone()),
        _ => schema.get("properties").map(|_| "object".to_owned()),
    };
    match kind.as_deref() {
        Some("object") => {
            let required = schema.get("required").and_then(Json::as_array).unwrap_or_default();
            let named = schema.get("properties").and_then(Json::as_object).unwrap_or_default();
            let given = named.iter().enumerate().filter(|(place, (name, _))| {
                required.iter().any(|one| one.as_str() == Some(name)) || (seed >> (place % 16)) & 1 == 1
            });
            let members = given.map(|(place, (name, schema))| {
                (name.clone(), instance(root, schema, seed.wrapping_mul(31).wrapping_add(place as u64) % 65_537, depth + 1))
            });
            Value::Object(members.collect())
        }
        Some("array") => {
            let items = schema.get("items").cloned().unwrap_or(Json::Bool(true));
            Value::Array((0..1 + seed % 2).map(|place| instance(root, &items, seed + place, depth + 1)).collect())
        }
        Some("string") => {
            Value::String(["a", "2024-01-31", "", "https://example.org"][usize::try_from(seed).unwrap() % 4].to_owned())
        }
        Some("integer" | "number") => Value::from(i64::try_from(seed % 40).unwrap() - 2),
        Some("boolean") => Value::Bool(seed.is_multiple_of(2)),
        _ => Value::Null,
    }
}

#[test]
fn short_forms_of_public_tools_take_what_the_tools_take() {
    #[expect(clippy::disallowed_methods, reason = "the tests' own switch")]
    let folder = std::env::var_os("TOOL_ROUTER_DATA").map(PathBuf::from);
    let Some(folder) = folder else {
        left_out("diet::short_forms_of_public_tools_take_what_the_tools_take", "needs TOOL_ROUTER_DATA");
        return;
    };
    let (mut valid, mut schemas) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path().join("tools.jsonl");
        let Ok(tools) = tool_router::eval::dataset::tools(&path) else { continue };
        for tool in &tools {
            let raw = tool.input_schema.json();
            let shorter = [lean(&raw), skeleton(&raw)];
            assert_eq!(lean(&shorter[0]), shorter[0], "{}", tool.id);
            // All in the dialect of the publisher, which LEAN does not name.
            let value = |schema: &Json| serde_json::from_str::<serde_json::Value>(&schema.to_string()).unwrap();
            let draft = jsonschema::Draft::default().detect(&value(&raw));
            let validator = |schema: &Json| jsonschema::options().with_draft(draft).build(&value(schema));
            // What its publisher's validator would refuse, ours cannot judge.
            let Ok(of_raw) = validator(&raw) else { continue };
            let shorter = shorter.map(|schema| validator(&schema).unwrap_or_else(|error| panic!("{}: {error}", tool.id)));
            schemas += 1;
            for seed in [0, 65_535, 21_845, 4_660, 51_966] {
                let arguments = instance(&raw, &raw, seed, 0);
                if of_raw.is_valid(&arguments) {
                    valid += 1;
                    for (schema, form) in shorter.iter().zip(["lean", "skeleton"]) {
                        assert!(schema.is_valid(&arguments), "{} as {form} refuses {arguments}", tool.id);
                    }
                }
            }
        }
    }
    // A generator that makes nothing valid would prove nothing.
    assert!(10_000 < schemas && 2 * schemas < valid, "{valid} valid arguments of {schemas} schemas");
}
