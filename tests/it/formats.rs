//! Every format and profile: over gRPC, held to the cap and to each API's rules, and read with the official SDKs' own types.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use tool_router::compact::profile::{Profile as CoreProfile, Style, Written, check_gemini, check_openai_strict};
use tool_router::compact::{Fidelity as CoreFidelity, Format as CoreFormat, Forms, Tokenizer};
use tool_router::json::Json;
use tool_router::rpc::proto::checked_call::Verdict;
use tool_router::rpc::proto::*;
use tool_router::tool::{Document, ModelName, Tool, ToolId};

use crate::support::program::run;
use crate::support::{TestRouter, assert_violation, bundled, left_out, query_request, repository, tool};

/// Tools as publishers get them wrong, or right in ways that few APIs take.
fn odd() -> Vec<ToolDefinition> {
    let schemas = [
        "",
        "{}",
        r#"{"type":"object"}"#,
        r#"{"type":["object","null"],"properties":{"a":{"type":["string","integer","null"],"default":null}}}"#,
        r#"{"$schema":"http://json-schema.org/draft-04/schema#","properties":{"n":{"type":"number","minimum":0,"exclusiveMinimum":true}}}"#,
        r##"{"type":"object","properties":{"tree":{"$ref":"#/$defs/node"}},"required":["tree"],"$defs":{"node":{"type":"object","properties":{"name":{"type":"string"},"kids":{"type":"array","items":{"$ref":"#/$defs/node"}}}}}}"##,
        r##"{"type":"object","properties":{"next":{"$ref":"#"},"value":{"type":"integer","enum":[1,2,3]}}}"##,
        r#"{"type":"object","properties":{"headers":{"type":"object","additionalProperties":{"type":"string"}}}}"#,
        r#"{"type":"object","properties":{"any":{},"list":{"type":"array"}},"additionalProperties":true}"#,
        r#"{"type":"object","properties":{"to":{"oneOf":[{"type":"object","properties":{"kind":{"const":"user"},"id":{"type":"integer"}},"required":["kind","id"]},{"type":"object","properties":{"kind":{"const":"group"},"name":{"type":"string","description":"Its name."}},"required":["kind"]}]}},"required":["to"]}"#,
        r#"{"allOf":[{"type":"object","properties":{"a":{"type":"string","format":"uri"}}},{"properties":{"b":{"type":"boolean"}},"required":["b"]}]}"#,
        r#"{"type":"object","properties":{"when":{"type":"string","format":"date-time","pattern":"^2"},"empty":{"type":"string","enum":["","x"]},"odd-name":{"type":"string"}}}"#,
        r#"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}"#,
        r#"{"anyOf":[{"type":"object","properties":{"a":{"type":"string"}}},{"type":"object","properties":{"b":{"type":"string"}}}]}"#,
        r#"{"type":"object","properties":{"point":{"type":"array","prefixItems":[{"type":"number"},{"type":"number"}],"items":false}}}"#,
        r#"{"type":"object","title":"Ünïcödé 工具","properties":{"名前":{"type":"string","description":"名\"前\"\n\ttab"}},"x-vendor":{"a":[1]}}"#,
    ];
    let definition = |(i, schema): (usize, &&str)| ToolDefinition {
        input_schema_json: (*schema).into(),
        title: Some("A title".into()),
        output_schema_json: Some(r#"{"type":"object","properties":{"ok":{"type":"boolean"}}}"#.into()),
        annotations_json: Some(r#"{"readOnlyHint":true}"#.into()),
        extra_json: Some(
            r#"{"strict":false,"_meta":{"a":1.0},"cache_control":{"type":"ephemeral"},"input_examples":[{"a":"x"}]}"#.into(),
        ),
        ..tool(&format!("odd_{i}"), "Tests an odd schema.")
    };
    schemas.iter().enumerate().map(definition).collect()
}

fn output(format: Format, profile: SchemaProfile) -> Option<Output> {
    Some(Output { format: format.into(), schema_profile: profile.into(), ..Default::default() })
}

const FORMATS: [Format; 5] = [Format::OpenaiChat, Format::Anthropic, Format::Mcp, Format::OpenaiResponses, Format::Gemini];
const PROFILES: [SchemaProfile; 4] =
    [SchemaProfile::Raw, SchemaProfile::Lean, SchemaProfile::OpenaiStrict, SchemaProfile::Gemini];

fn schema_of(definition: &str) -> Option<Json> {
    let definition = Json::parse_object(definition, 128).unwrap();
    let function = definition.get("function").unwrap_or(&definition);
    ["parameters", "input_schema", "inputSchema", "parametersJsonSchema"].into_iter().find_map(|key| function.get(key)).cloned()
}

#[tokio::test]
async fn the_cap_holds_and_the_rules_are_obeyed_in_every_format_and_profile() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    router.register("odd", odd()).await;
    let queries = bundled::queries();
    let mut refused = 0;
    for (i, format) in FORMATS.into_iter().enumerate() {
        for (j, profile) in PROFILES.into_iter().enumerate() {
            for (k, max_tokens) in [60, 400, 1_500, 12_000].into_iter().enumerate() {
                let query = if k == 3 { "tests an odd schema" } else { &queries[(7 * i + 3 * j + k) % queries.len()].text };
                for tokenizer in Tokenizer::ALL {
                    let answer = router
                        .select_with(query, |request| {
                            request.output = output(format, profile);
                            request.budget = Some(Budget {
                                max_tokens: Some(max_tokens),
                                tokenizer: Some(tokenizer.name().into()),
                                max_tools: Some(60),
                                min_tools: None,
                            });
                        })
                        .await;
                    let counted = tokenizer.count(&answer.prompt).0;
                    assert!(counted <= max_tokens, "{format:?} {profile:?}: {counted} tokens for a cap of {max_tokens}");
                    assert_eq!(answer.usage.unwrap().returned_tokens, counted);
                    for tool in &answer.tools {
                        let is_strict = tool.definition_json.contains(r#""strict":true"#);
                        let is_openai = matches!(format, Format::OpenaiChat | Format::OpenaiResponses);
                        let schema = schema_of(&tool.definition_json);
                        match tool.schema_profile() {
                            SchemaProfile::OpenaiStrict => {
                                assert_eq!(check_openai_strict(&schema.unwrap()), Ok(()), "{}", tool.definition_json);
                                assert_eq!(is_strict, is_openai, "{}", tool.definition_json);
                            }
                            SchemaProfile::Gemini => {
                                // A tool without parameters has no schema.
                                assert_eq!(schema.map_or(Ok(()), |schema| check_gemini(&schema)), Ok(()));
                            }
                            SchemaProfile::Lean if profile != SchemaProfile::Lean => {
                                refused += 1;
                                assert!(tool.profile_detail.contains("cannot be"), "{}", tool.profile_detail);
                                assert!(!is_strict, "{}", tool.definition_json);
                            }
                            other => {
                                assert_eq!(other, profile);
                                assert!(!is_strict, "{}", tool.definition_json);
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(0 < refused, "some of the odd schemas have no such form");
}

#[tokio::test]
async fn what_is_not_pinned_is_deferred_and_referred_to() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let pinned = ToolRef { source: "files".into(), tool: "read_file".into() };
    for format in [Format::Anthropic, Format::OpenaiResponses] {
        let answer = router
            .select_with("send a mail to the team", |request| {
                let tool_references = format == Format::Anthropic;
                request.output =
                    Some(Output { format: format.into(), defer_loading: true, tool_references, ..Default::default() });
                request.pinned = vec![pinned.clone()];
            })
            .await;
        assert_eq!(answer.usage.unwrap().returned_tokens, Tokenizer::O200kBase.count(&answer.prompt).0);
        let deferred: Vec<bool> = answer.tools.iter().map(|t| t.definition_json.ends_with(r#","defer_loading":true}"#)).collect();
        assert!(!deferred[0] && deferred[1..].iter().all(|is| *is) && 1 < deferred.len(), "{deferred:?}");
        if format == Format::Anthropic {
            let references: serde_json::Value = serde_json::from_str(&answer.tool_references_json).unwrap();
            let names: Vec<&str> = answer.tools.iter().map(|tool| tool.model_name.as_str()).collect();
            let expected = names.iter().map(|name| serde_json::json!({"type": "tool_reference", "tool_name": name})).collect();
            assert_eq!(references, serde_json::Value::Array(expected));
        } else {
            assert_eq!(answer.tool_references_json, "");
        }
    }
    let mut wrong = query_request("x");
    wrong.output = Some(Output { defer_loading: true, tool_references: true, ..Default::default() });
    let answer = router.router.select_tools(wrong.clone()).await;
    assert_violation(answer, "output.defer_loading", "is for anthropic and openai_responses, and the format is openai_chat");
    assert_violation(router.router.select_tools(wrong).await, "output.tool_references", "is for anthropic");
    let mut unknown = query_request("x");
    unknown.output = Some(Output { schema_profile: 99, ..Default::default() });
    assert_violation(router.router.select_tools(unknown).await, "output.schema_profile", "99 is not a value");
}

#[tokio::test]
async fn a_changed_schema_of_the_same_length_is_counted_anew() {
    let mut router = TestRouter::start().await;
    let with = |name: &str| ToolDefinition {
        input_schema_json: format!(r#"{{"type":"object","properties":{{"{name}":{{"type":"string"}}}}}}"#),
        ..tool("same", "Always the same.")
    };
    let mut seen = Vec::new();
    for name in ["filename", "qzxvjkwp"] {
        router.register("s", vec![with(name)]).await;
        let answer = router.select_with("same", |r| r.output = output(Format::OpenaiChat, SchemaProfile::OpenaiStrict)).await;
        assert!(answer.prompt.contains(name), "{}", answer.prompt);
        assert_eq!(answer.usage.unwrap().returned_tokens, Tokenizer::O200kBase.count(&answer.prompt).0);
        seen.push(answer.usage.unwrap().returned_tokens);
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn brought_tools_are_shaped_and_counted_as_registered_ones() {
    let mut router = TestRouter::start().await;
    let tools = odd().into_iter().map(|definition| OfferedTool { source: "odd".into(), definition: Some(definition) });
    let request = RankToolsRequest {
        query: "tests an odd schema".into(),
        tools: tools.collect(),
        output: output(Format::OpenaiResponses, SchemaProfile::OpenaiStrict),
        budget: Some(Budget { max_tokens: Some(20_000), max_tools: Some(50), ..Default::default() }),
        ..Default::default()
    };
    let first = router.router.rank_tools(request.clone()).await.unwrap().into_inner().selection.unwrap();
    let second = router.router.rank_tools(request).await.unwrap().into_inner().selection.unwrap();
    assert_eq!((first.tools.len(), &first.prompt), (odd().len(), &second.prompt));
    assert_eq!(first.usage.unwrap().returned_tokens, Tokenizer::O200kBase.count(&first.prompt).0);
}

#[tokio::test]
async fn arguments_are_turned_back_and_checked() {
    let mut router = TestRouter::start().await;
    let schema = r#"{"type":"object","properties":{"to":{"type":"string","minLength":3},"cc":{"type":"array","items":{"type":"string"}}},"required":["to"],"additionalProperties":false}"#;
    router.register("mail", vec![ToolDefinition { input_schema_json: schema.into(), ..tool("send", "Sends.") }]).await;
    let by_id = |arguments: &str, made_for: SchemaProfile| ToolCall {
        tool: Some(ToolRef { source: "mail".into(), tool: "send".into() }),
        arguments_json: arguments.into(),
        made_for: made_for.into(),
        ..Default::default()
    };
    let calls = vec![
        by_id(r#"{"to":"abc","cc":null}"#, SchemaProfile::OpenaiStrict),
        by_id(r#"{"to":"abc","cc":null}"#, SchemaProfile::Raw),
        by_id(r#"{"to":"a","bcc":1}"#, SchemaProfile::OpenaiStrict),
        ToolCall { model_name: "send".into(), arguments_json: "nonsense".into(), ..Default::default() },
        ToolCall { model_name: "nobody".into(), ..Default::default() },
    ];
    let request = DescribeToolsRequest { calls, ..Default::default() };
    let answer = router.router.describe_tools(request).await.unwrap().into_inner();
    assert!(answer.results.is_empty());
    let verdicts: Vec<Verdict> = answer.checked.iter().map(CheckedCall::verdict).collect();
    assert_eq!(verdicts, [Verdict::Valid, Verdict::Invalid, Verdict::Invalid, Verdict::Invalid, Verdict::NotFound]);
    assert_eq!(answer.checked[0].arguments_json, r#"{"to":"abc"}"#);
    assert_eq!(answer.checked[1].errors[0].path, "/cc");
    let told: Vec<_> = answer.checked[2].errors.iter().map(|e| format!("{}: {}", e.path, e.description)).collect();
    assert!(told.contains(&"/to: is \"a\", it must have at least 3 characters".to_owned()), "{told:?}");
    assert!(told.contains(&": has \"bcc\", which is not there; there are \"cc\", \"to\"".to_owned()), "{told:?}");
    assert_eq!(answer.checked[4].detail, "no tool has the model name \"nobody\"");

    let mut describe = async |calls| router.router.describe_tools(DescribeToolsRequest { calls, ..Default::default() }).await;
    assert_violation(describe(vec![ToolCall::default()]).await, "calls[0]", "give one of them");
    assert_violation(describe(vec![by_id("{}", SchemaProfile::Raw); 51]).await, "calls", "has 51 entries");
    let odd = ToolCall { made_for: 77, ..by_id("{}", SchemaProfile::Raw) };
    assert_violation(describe(vec![odd]).await, "calls[0].made_for", "77 is not a value");
}

#[tokio::test]
async fn the_command_line_shows_formats_and_checks_arguments() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let address = format!("http://{}", router.grpc);
    let command = async |arguments: &[&str]| {
        let arguments: Vec<String> =
            arguments.iter().map(ToString::to_string).chain(["--address".into(), address.clone()]).collect();
        let run = move || run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (_, prompt, _) =
        command(&["select", "read a file", "--prompt", "--format", "openai_responses", "--schema-profile", "openai_strict"])
            .await;
    let list: serde_json::Value = serde_json::from_str(&prompt).unwrap();
    assert_eq!(list[0]["strict"], true, "{prompt}");
    let (_, references, _) = command(&["select", "read a file", "--format", "anthropic", "--tool-references"]).await;
    assert!(references.starts_with(r#"[{"type":"tool_reference","tool_name":""#), "{references}");

    let strict = r#"{"path":"notes.txt","first_line":null,"last_line":null}"#;
    let (ok, valid, error) =
        command(&["describe", "files/read_file", "--arguments", strict, "--made-for", "openai_strict"]).await;
    assert!(ok && valid.starts_with("valid\n{\"path\":\"notes.txt\"}"), "{valid} {error}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("arguments.json");
    std::fs::write(&file, "{}").unwrap();
    let (ok, _, error) = command(&["describe", "files/read_file", "--arguments", &format!("@{}", file.display())]).await;
    assert!(!ok && error.contains("the whole lacks \"path\""), "{error}");
    let (ok, _, error) = command(&["describe", "files/read_file", "mail/search", "--arguments", "{}"]).await;
    assert!(!ok && error.contains("are for one tool, and there are 2"), "{error}");
}

/// A list as an SDK is to read it.
fn case(name: &str, format: &str, tools: &str) -> String {
    let tools: serde_json::Value = serde_json::from_str(if tools.is_empty() { "[]" } else { tools }).unwrap();
    serde_json::json!({"name": name, "format": format, "tools": tools}).to_string()
}

fn core_tool(source: &str, definition: &ToolDefinition) -> Tool {
    let document = |text: &Option<String>| text.as_ref().map(|text| Document::parse(text).unwrap());
    let schema = &definition.input_schema_json;
    let schema = if schema.is_empty() { Document::empty() } else { Document::parse(schema).unwrap() };
    Tool {
        title: definition.title.clone(),
        output_schema: document(&definition.output_schema_json),
        annotations: document(&definition.annotations_json),
        extra: document(&definition.extra_json),
        ..Tool::new(ToolId::new(source, &definition.name).unwrap(), definition.description.clone(), schema)
    }
}

/// Every tool in every format, profile and fidelity, and a few whole answers.
async fn cases() -> Vec<String> {
    let sources = || bundled::sources().into_iter().chain([("odd".to_owned(), odd())]);
    let mut cases = Vec::new();
    for format in CoreFormat::ALL {
        for profile in CoreProfile::ALL {
            for fidelity in CoreFidelity::ALL {
                for (source, tools) in sources() {
                    let written = tools.iter().map(|definition| {
                        let tool = core_tool(&source, definition);
                        let name = ModelName::choose(&tool.id, |_| false);
                        let style = Style { format, profile, deferred: format.can_defer() };
                        Written::of(&tool, &Forms::of(&tool), &name, style, Tokenizer::O200kBase).text(fidelity).to_owned()
                    });
                    let name = format!("{} {} {} {source}", format.name(), profile.name(), fidelity.name());
                    cases.push(case(&name, format.name(), &format!("[{}]", written.collect::<Vec<_>>().join(","))));
                }
            }
        }
    }
    let mut router = TestRouter::start().await;
    for (source, tools) in sources() {
        router.register(&source, tools).await;
    }
    for (wire, format) in FORMATS.into_iter().zip(CoreFormat::ALL) {
        for profile in PROFILES {
            let query = "tests an odd schema, reads a file or sends mail";
            let answer = router.select_with(query, |request| request.output = output(wire, profile)).await;
            cases.push(case(&format!("answer {} {profile:?}", format.name()), format.name(), &answer.prompt));
        }
    }
    let references = Output { format: Format::Anthropic.into(), tool_references: true, ..Default::default() };
    let answer = router.select_with("read a file", |request| request.output = Some(references)).await;
    cases.push(case("references", "anthropic_references", &answer.tool_references_json));
    cases
}

#[tokio::test]
async fn the_official_sdks_read_every_list() {
    #[expect(clippy::disallowed_methods, reason = "the tests' own switch")]
    let sdks = std::env::var_os("TOOL_ROUTER_SDKS");
    let Some(sdks) = sdks else {
        return left_out(
            "formats::the_official_sdks_read_every_list",
            "needs TOOL_ROUTER_SDKS: tests/python_packages.sh tests/formats/requirements.txt DIR",
        );
    };
    let cases = cases().await;
    let good = read_with_sdks(Path::new(&sdks), &cases);
    assert!(good.0, "{}", good.1);
    assert!(good.1.contains(&format!("{} lists of ", cases.len())) && good.1.trim_end().ends_with(", 0 wrong"), "{}", good.1);
    // And they do find what is wrong.
    let tool = r#"[{"name":"a","parameters":{"type":"object","$ref":"x"}}]"#;
    let nonsense = [
        case("unknown keyword", "gemini", tool),
        case("unknown member", "anthropic", r#"[{"name":"a","input_schema":{},"strict_":true}]"#),
        case("no strict", "openai_responses", r#"[{"type":"function","name":"a","parameters":{}}]"#),
        case("no name", "openai_chat", r#"[{"type":"function","function":{"parameters":{}}}]"#),
        case("no schema", "mcp", r#"[{"name":"a"}]"#),
        case("no type", "anthropic_references", r#"[{"tool_name":"a"}]"#),
    ];
    let (ok, found) = read_with_sdks(Path::new(&sdks), &nonsense);
    assert!(!ok && found.contains("6 lists of 6 tools, 6 wrong"), "{found}");
}

/// Whether they are all right, and what was said.
fn read_with_sdks(sdks: &Path, cases: &[String]) -> (bool, String) {
    let mut command = Command::new("python3");
    command.arg(repository().join("tests/formats/check.py")).env("PYTHONPATH", sdks).env("PYTHONDONTWRITEBYTECODE", "1");
    let mut python = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = python.stdin.take().unwrap();
    let text = cases.join("\n");
    let writing = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writing.join().unwrap().ok();
    (output.status.success(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}
