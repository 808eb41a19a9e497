//! A conversation from a file: a JSON array of turns, an object that holds one as `turns` or `messages`, or a turn on each line.
//!
//! A turn has `role` (user, assistant, tool), `text` or `content`, and `tool_calls`. That is also how chat completions keep their messages,
//! so a log of them is read as it is: `content` may be a list of parts of which the texts count, calls are `{"function":{"name"}}`, roles
//! `system` and `developer` are passed over, and other fields are not looked at. A call may also be `{"source","tool"}`, `{"name"}`, or a
//! name as text.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::Exit;
use crate::rpc::proto::{self, ToolRef, turn::Role};

#[derive(Deserialize)]
struct Line {
    role: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    content: Option<Content>,
    #[serde(default)]
    tool_calls: Option<Vec<Call>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Call {
    Name(String),
    Function { function: Function },
    Tool { source: String, tool: String },
    Named(Function),
}

#[derive(Deserialize)]
struct Function {
    name: String,
}

/// Reads a conversation.
pub(super) fn read(path: &Path) -> Result<proto::Conversation, Exit> {
    let text = std::fs::read_to_string(path).map_err(|e| Exit::failed(format!("{} cannot be read: {e}", path.display())))?;
    parse(&text).map_err(|detail| Exit::failed(format!("{} is no conversation: {detail}", path.display())))
}

fn parse(text: &str) -> Result<proto::Conversation, String> {
    let whole = serde_json::from_str::<Value>(text);
    let lines = match whole {
        Ok(Value::Array(turns)) => turns,
        Ok(Value::Object(mut object)) => match object.remove("turns").or_else(|| object.remove("messages")) {
            Some(Value::Array(turns)) => turns,
            Some(_) => return Err("its turns are no list".to_owned()),
            // One line of JSON lines.
            None => vec![Value::Object(object)],
        },
        Ok(_) => return Err("it is neither a list nor an object".to_owned()),
        Err(_) => {
            let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
            let parsed = lines.map(|(line, number)| serde_json::from_str(line).map_err(|e| format!("line {number}: {e}")));
            parsed.collect::<Result<_, _>>()?
        }
    };
    let mut turns = Vec::with_capacity(lines.len());
    for (line, number) in lines.into_iter().zip(1..) {
        turns.extend(turn(line).map_err(|detail| format!("turn {number}: {detail}"))?);
    }
    Ok(proto::Conversation { turns })
}

/// Nothing for a turn that is not part of what was said.
fn turn(line: Value) -> Result<Option<proto::Turn>, String> {
    let line: Line = serde_json::from_value(line).map_err(|e| e.to_string())?;
    let role = match line.role.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" | "function" => Role::Tool,
        "system" | "developer" => return Ok(None),
        other => {
            return Err(format!("role {other:?} is unknown; known are user, assistant, tool, and system, which is passed over"));
        }
    };
    let content = line.content.map(|content| match content {
        Content::Text(text) => text,
        Content::Parts(parts) => parts.into_iter().filter_map(|part| part.text).collect::<Vec<_>>().join("\n"),
    });
    let calls = line.tool_calls.unwrap_or_default().into_iter().map(|call| match call {
        Call::Tool { source, tool } => ToolRef { source, tool },
        Call::Name(name) | Call::Function { function: Function { name } } | Call::Named(Function { name }) => {
            ToolRef { source: String::new(), tool: name }
        }
    });
    Ok(Some(proto::Turn { role: role.into(), text: line.text.or(content).unwrap_or_default(), tool_calls: calls.collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(role: Role, text: &str, calls: &[(&str, &str)]) -> proto::Turn {
        let call = |(source, tool): &(&str, &str)| ToolRef { source: (*source).into(), tool: (*tool).into() };
        proto::Turn { role: role.into(), text: text.into(), tool_calls: calls.iter().map(call).collect() }
    }

    #[test]
    fn messages_of_chat_completions_are_read_as_they_are() {
        let text = r#"{"model":"m","messages":[
            {"role":"system","content":"Be brief."},
            {"role":"user","content":[{"type":"text","text":"weather in Rome"},{"type":"image_url","image_url":{"url":"data:"}}]},
            {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"forecast","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"c1","content":"sunny"},
            {"role":"user","content":"그리고 부산은?"}]}"#;
        let expected = [
            turn(Role::User, "weather in Rome", &[]),
            turn(Role::Assistant, "", &[("", "forecast")]),
            turn(Role::Tool, "sunny", &[]),
            turn(Role::User, "그리고 부산은?", &[]),
        ];
        assert_eq!(parse(text).unwrap().turns, expected);
    }

    #[test]
    fn lines_and_lists_say_the_same() {
        let lines = "{\"role\":\"user\",\"text\":\"a\"}\n\n{\"role\":\"assistant\",\"text\":\"b\",\"tool_calls\":[{\"source\":\"s\",\"tool\":\"t\"},\"u\",{\"name\":\"v\"}]}\n";
        let list = format!("[{}]", lines.trim().replace("\n\n", ","));
        let expected = [turn(Role::User, "a", &[]), turn(Role::Assistant, "b", &[("s", "t"), ("", "u"), ("", "v")])];
        assert_eq!(parse(lines).unwrap().turns, expected);
        assert_eq!(parse(&list).unwrap().turns, expected);
        assert_eq!(parse("{\"role\":\"user\",\"text\":\"a\"}").unwrap().turns, expected[..1]);
    }

    #[test]
    fn what_is_none_is_told_with_its_place() {
        let check = |text: &str, words: &str| assert!(parse(text).unwrap_err().contains(words), "{:?}", parse(text));
        check("{\"role\":\"user\"}\n{", "line 2");
        check("[{\"role\":\"user\"},{\"role\":\"robot\"}]", "turn 2: role \"robot\" is unknown");
        check("[3]", "turn 1");
        check("3", "neither a list nor an object");
        check("{\"turns\":3}", "no list");
    }
}
