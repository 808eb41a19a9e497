use super::*;
use crate::gate;
use crate::tool::Tool;

const PETS: &str = r##"
openapi: 3.0.3
info: {title: Pet store, version: "1"}
paths:
  /pets:
    parameters:
      - {name: trace, in: header, schema: {type: string}}
      - {name: Authorization, in: header, schema: {type: string}}
    get:
      operationId: listPets
      summary: Lists pets
      description: Lists the pets of one store, newest first.
      tags: [pets]
      parameters:
        - {$ref: "#/components/parameters/limit"}
        - {name: trace, in: header, required: true, description: "Joins logs.", schema: {type: string}}
    post:
      summary: Adds a pet.
      requestBody:
        required: true
        content:
          text/plain: {schema: {type: string}}
          application/json: {schema: {$ref: "#/components/schemas/Pet"}}
  /pets/{petId}/photos:
    delete:
      deprecated: true
      parameters:
        - {name: petId, in: path, required: true, schema: {type: integer, minimum: 0, exclusiveMinimum: true}}
        - {name: petId, in: query, schema: {type: string, nullable: true, example: x}}
components:
  parameters:
    limit: {name: limit, in: query, schema: {type: integer, maximum: 100}}
  schemas:
    Pet:
      type: object
      required: [id, name]
      properties:
        id: {type: integer, readOnly: true}
        name: {type: string, x-note: none}
        parent: {nullable: true, allOf: [{$ref: "#/components/schemas/Pet"}]}
"##;

fn tools(text: &str) -> Result<Vec<Tool>, String> {
    parse(text, "api.yaml", None, "api").map(|imported| imported.tools).map_err(|e| e.to_string())
}

#[track_caller]
fn fails(text: &str, words: &[&str]) {
    let line = tools(text).unwrap_err();
    assert!(line.starts_with("api.yaml: ") && words.iter().all(|word| line.contains(word)), "{line}");
}

fn one(operation: &str) -> String {
    let schemas = r##"{
        "A": {"type": "object", "properties": {"b": {"$ref": "#/components/schemas/B"}}},
        "B": {"type": "array", "items": {"$ref": "#/components/schemas/A"}}}"##;
    let paths = format!(r#"{{"/x": {{"get": {operation}}}}}"#);
    format!(r#"{{"openapi": "3.1.0", "info": {{"title": "T"}}, "paths": {paths}, "components": {{"schemas": {schemas}}}}}"#)
}

#[test]
fn an_operation_becomes_a_tool() {
    let tools = tools(PETS).unwrap();
    let names: Vec<_> = tools.iter().map(|tool| (tool.id.source(), tool.id.name())).collect();
    assert_eq!(names, [("Pet store", "listPets"), ("Pet store", "post_pets"), ("Pet store", "delete_pets_petId_photos")]);
    assert_eq!(tools[0].description, "Lists pets.\nLists the pets of one store, newest first.");
    assert_eq!(
        tools[0].input_schema.text(),
        r#"{"type":"object","properties":{"limit":{"type":"integer","maximum":100},"trace":{"type":"string","description":"Joins logs."}},"required":["trace"]}"#
    );
    assert_eq!(
        (tools[0].tags.clone(), tools[0].annotations.as_ref().unwrap().text()),
        (vec!["pets".to_owned()], r#"{"readOnlyHint":true}"#)
    );
    assert_eq!(tools[0].extra.as_ref().unwrap().text(), r#"{"_meta":{"openapi/method":"GET","openapi/path":"/pets"}}"#);
    // What refers to itself stays a reference; what only answers have is not asked for.
    assert_eq!(
        tools[1].input_schema.text(),
        r##"{"type":"object","properties":{"trace":{"type":"string"},"body":{"$ref":"#/$defs/Pet"}},"required":["body"],"$defs":{"Pet":{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"parent":{"anyOf":[{"allOf":[{"$ref":"#/$defs/Pet"}]},{"type":"null"}]}}}}}"##
    );
    assert_eq!(tools[2].description, "Deprecated. DELETE /pets/{petId}/photos");
    assert_eq!(
        tools[2].input_schema.text(),
        r#"{"type":"object","properties":{"petId":{"type":"integer","exclusiveMinimum":0},"query_petId":{"type":["string","null"]}},"required":["petId"]}"#
    );
}

#[test]
fn what_comes_out_passes_the_gate() {
    for tool in tools(PETS).unwrap().into_iter().chain(
        tools(&one(r##"{"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}}"##))
            .unwrap(),
    ) {
        let (verdict, findings) = gate::scan(&tool);
        assert_eq!(verdict, gate::Verdict::Allow, "{findings:?}");
    }
}

#[test]
fn cycles_end() {
    let tools =
        tools(&one(r##"{"parameters": [{"name": "a", "in": "query", "schema": {"$ref": "#/components/schemas/A"}}]}"##)).unwrap();
    let schema = tools[0].input_schema.json();
    let definitions = schema.get("$defs").unwrap().as_object().unwrap();
    assert_eq!(definitions.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    let circle = r##"{"openapi": "3.1.0", "paths": {"/x": {"$ref": "#/paths/~1y"}, "/y": {"$ref": "#/paths/~1x"}}}"##;
    fails(circle, &["paths./x: refers on and on"]);
}

#[test]
fn operations_without_an_id_get_names_that_differ() {
    let text = r#"{"openapi": "3.1.0", "paths": {
        "/a-b": {"get": {}}, "/a/b": {"get": {}}, "/a": {"get": {"operationId": "get_a_b_c"}}, "/a/b/c": {"get": {}}}}"#;
    let names = |text: &str| tools(text).unwrap().iter().map(|tool| tool.id.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(text), ["get_a_b", "get_a_b_5eb2f0dd", "get_a_b_c", "get_a_b_c_60271c65"]);
}

#[test]
fn five_thousand_operations_are_read() {
    let operation = r##"{"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}}"##;
    let paths: Vec<String> = (0..2_500).map(|i| format!(r#""/thing{i}": {{"get": {operation}, "put": {operation}}}"#)).collect();
    let text = one(operation).replacen(r#""/x""#, &format!(r#"{}, "/x""#, paths.join(", ")), 1);
    let tools = tools(&text).unwrap();
    assert_eq!(tools.len(), 5_001);
    assert!(tools.iter().any(|tool| tool.id.name() == "put_thing2499"));
}

#[test]
fn what_cannot_be_used_is_said_with_its_place() {
    fails("", &["is empty"]);
    fails("{\"openapi\": ", &["line 1"]);
    fails("a: [1", &["not valid JSON at line", "as YAML"]);
    fails("swagger: '2.0'\npaths: {}", &["is Swagger 2.0", "convert it first"]);
    fails("openapi: 4.0.0", &["\"4.0.0\"", "3.0 and 3.1"]);
    fails("{\"tools\": []}", &["has no member openapi"]);
    fails("openapi: 3.1.0\ninfo: {title: T}", &["has no paths"]);
    fails("openapi: 3.1.0\npaths: {}", &["has no operations"]);
    let parameter = |parameter: &str| one(&format!(r#"{{"parameters": [{parameter}]}}"#));
    fails(
        &parameter(r##"{"$ref": "other.yaml#/x"}"##),
        &["paths./x.get.parameters[0]: refers to \"other.yaml#/x\" outside of the document"],
    );
    fails(&parameter(r##"{"$ref": "#/components/parameters/none"}"##), &["which is not there"]);
    fails(&parameter(r#"{"in": "query"}"#), &["parameters[0]: has no name"]);
    fails(&parameter(r#"{"name": "a", "in": "body"}"#), &["\"a\" has no `in` of path"]);
    fails(
        &parameter(r#"{"name": "a", "in": "query", "schema": {"$ref": "https://example.org/s.json"}}"#),
        &["paths./x.get.parameters.a: refers to \"https://example.org/s.json\" outside"],
    );
    let twice = PETS.replace("deprecated: true", "operationId: listPets");
    fails(&twice, &["paths./pets/{petId}/photos.delete: is called \"listPets\", and so is paths./pets.get"]);
    let long = PETS.replace("operationId: listPets", &format!("operationId: {}", "x".repeat(300)));
    fails(&long, &["operationId", "has 300 bytes, the limit is 256"]);
}

#[test]
fn json_and_yaml_say_the_same() {
    let json = yaml(serde_norway::from_str(PETS).unwrap()).to_string();
    assert!(json.starts_with("{\"openapi\""));
    assert_eq!(tools(&json).unwrap(), tools(PETS).unwrap());
    let odd =
        "openapi: 3.1.0\npaths:\n  /x:\n    get:\n      x-a: &a {b: .nan, 1: 2}\n      x-c: {<<: *a}\n      responses: {200: {}}";
    assert_eq!(tools(odd).unwrap().len(), 1);
    fails("openapi: 3.1.0\nopenapi: 3.1.0\npaths: {}", &["not valid JSON at line", "openapi"]);
}
