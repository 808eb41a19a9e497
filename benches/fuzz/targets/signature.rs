//! Any text as a description and as a schema: the lines of a directory stay lines, name every required argument, and add up.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tool_router::compact::{Tokenizer, directory, directory_frame, directory_line_tokens, name_line, signature};
use tool_router::json::Json;
use tool_router::tool::{Document, ModelName, Tool, ToolId};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // The description ends where the schema begins.
    let (description, schema) = text.split_at(text.find('{').unwrap_or(text.len()));
    let schema = if schema.is_empty() { r#"{"type":"object"}"# } else { schema };
    let Ok(schema) = Document::parse(schema) else { return };
    let id = ToolId::new("fuzz", "tool").expect("a sound id");
    let name = ModelName::choose(&id, |_| false);
    let tool = Tool::new(id, description.to_owned(), schema);
    let lines = [signature(&tool, &name), name_line(&tool, &name)];
    for line in &lines {
        assert!(line.starts_with(name.as_str()), "another's line: {line:?}");
        assert!(!line.contains(char::is_control), "ends a line or worse: {line:?}");
    }
    let whole = tool.input_schema.json();
    let properties = whole.get("properties").and_then(Json::as_object).unwrap_or_default();
    let required = whole.get("required").and_then(Json::as_array).unwrap_or_default();
    let is_plain = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    for argument in required.iter().filter_map(Json::as_str).filter(is_plain) {
        let is_property = properties.iter().any(|(name, _)| name == argument);
        assert!(!is_property || lines[0].contains(argument), "{argument} is missing in {}", lines[0]);
    }
    let all = directory(lines.iter().map(String::as_str));
    assert_eq!(all.lines().count(), 1 + lines.len());
    for tokenizer in Tokenizer::ALL {
        let sum = lines.iter().fold(directory_frame(tokenizer), |sum, line| sum + directory_line_tokens(line, tokenizer));
        assert_eq!(sum, tokenizer.count(&all), "{all}");
    }
});
