//! Any text as a schema: LEAN and SKELETON of it are schemas, stay as they are when made again, and keep every argument's name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tool_router::compact::{lean, skeleton};
use tool_router::json::Json;
use tool_router::tool::Document;

/// Names of arguments and which of them are required, wherever they can be reached from the root by name or as elements.
fn arguments(schema: &Json, path: &str, out: &mut Vec<String>) {
    if let Some(properties) = schema.get("properties").and_then(Json::as_object) {
        for (name, property) in properties {
            let path = format!("{path}/{name:?}");
            arguments(property, &path, out);
            out.push(path);
        }
    }
    if let Some(required) = schema.get("required").and_then(Json::as_array) {
        out.extend(required.iter().map(|name| format!("{path} requires {name}")));
    }
    if let Some(items) = schema.get("items").filter(|items| items.as_object().is_some()) {
        arguments(items, &format!("{path}/[]"), out);
    }
}

fn sorted_arguments(schema: &Json) -> Vec<String> {
    let mut found = Vec::new();
    arguments(schema, "", &mut found);
    found.sort_unstable();
    found
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(document) = Document::parse(text) else { return };
    let schema = document.json();
    let expected = sorted_arguments(&schema);
    for shorten in [lean, skeleton] {
        let shorter = shorten(&schema);
        let written = shorter.to_string();
        let read = Document::parse(&written).unwrap_or_else(|e| panic!("{written} is no schema: {e}"));
        assert_eq!(read.json(), shorter, "reads back as something else");
        assert_eq!(shorten(&shorter), shorter, "another time makes it shorter still");
        assert_eq!(sorted_arguments(&shorter), expected, "lost an argument: {written}");
    }
});
