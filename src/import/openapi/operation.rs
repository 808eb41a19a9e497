//! One operation as a tool.

use sha2::{Digest, Sha256};

use super::schema::{Schemas, resolve};
use crate::error::Violation;
use crate::json::Json;
use crate::tool::{Document, MAX_NAME_BYTES, Tool, ToolId};

/// Header parameters that describe the message and not the operation; the specification says to ignore them.
const IGNORED_HEADERS: [&str; 3] = ["accept", "content-type", "authorization"];
/// What the request body is called among the arguments.
const BODY: &str = "body";

/// An operation with what surrounds it.
pub(super) struct Operation<'a> {
    pub(super) document: &'a Json,
    pub(super) path: &'a str,
    pub(super) method: &'a str,
    /// The path item, whose parameters count for all its operations.
    pub(super) item: &'a Json,
    /// The operation.
    pub(super) own: &'a Json,
    /// Schemas are those of 3.0.
    pub(super) is_3_0: bool,
}

impl Operation<'_> {
    /// The tool of that name, of which [`Operation::id`] and [`Operation::derived_name`] are the candidates.
    pub(super) fn tool(&self, source: &str, name: &str) -> Result<Tool, Vec<Violation>> {
        let text = |key: &str| self.own.get(key).and_then(Json::as_str).map(str::trim).filter(|text| !text.is_empty());
        let mut problems = Vec::new();
        let id = ToolId::new(source, name).map_err(|v| vec![Violation::new("operationId", v.description)])?;
        let input_schema = self.arguments(&mut problems);
        let tags = self.own.get("tags").and_then(Json::as_array).unwrap_or_default();
        let document = |field: &str, json: &Json, problems: &mut Vec<Violation>| match Document::parse(&json.to_string()) {
            Ok(document) => document,
            Err(e) => {
                problems.push(Violation::new(field, format!("as a schema of arguments {e}")));
                Document::empty()
            }
        };
        let description = self.description(text("summary"), text("description"));
        let tool = Tool {
            title: text("summary").map(str::to_owned),
            annotations: self.annotations().map(|hints| document("annotations", &hints, &mut problems)),
            extra: Some(document("_meta", &self.origin(), &mut problems)),
            tags: tags.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            ..Tool::new(id, description, document("arguments", &input_schema, &mut problems))
        };
        if problems.is_empty() { Ok(tool) } else { Err(problems) }
    }

    /// Where it stands in the document.
    pub(super) fn place(&self) -> String {
        format!("paths.{}.{}", self.path, self.method)
    }

    /// What its author calls it.
    pub(super) fn id(&self) -> Option<&str> {
        self.own.get("operationId").and_then(Json::as_str).map(str::trim).filter(|id| !id.is_empty())
    }

    /// A name for one without an id, by method and path: `get_pets_petId`. Where that is taken (`/a-b` and `/a/b` read alike) a hash of
    /// both follows, so that the name does not depend on what else there is to number.
    pub(super) fn derived_name(&self, is_taken: impl Fn(&str) -> bool) -> String {
        let words = self.path.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let name: String =
            std::iter::once(self.method).chain(words).collect::<Vec<_>>().join("_").chars().take(MAX_NAME_BYTES / 8).collect();
        if is_taken(&name) {
            let hash = Sha256::digest(format!("{} {}", self.method, self.path));
            return format!("{name}_{}", hex::encode(&hash[..4]));
        }
        name
    }

    fn description(&self, summary: Option<&str>, description: Option<&str>) -> String {
        let said = match (summary, description) {
            (Some(summary), Some(description)) if description.starts_with(summary) => description.to_owned(),
            (Some(summary), Some(description)) => {
                let stop = if summary.ends_with(['.', '!', '?']) { "" } else { "." };
                format!("{summary}{stop}\n{description}")
            }
            (Some(only), None) | (None, Some(only)) => only.to_owned(),
            (None, None) => format!("{} {}", self.method.to_uppercase(), self.path),
        };
        if self.own.get("deprecated") == Some(&Json::Bool(true)) { format!("Deprecated. {said}") } else { said }
    }

    /// What HTTP itself promises of the method.
    fn annotations(&self) -> Option<Json> {
        let hints: &[&str] = match self.method {
            "get" | "head" | "options" => &["readOnlyHint"],
            "put" => &["idempotentHint"],
            "delete" => &["destructiveHint", "idempotentHint"],
            _ => return None,
        };
        Some(Json::Object(hints.iter().map(|hint| ((*hint).to_owned(), Json::Bool(true))).collect()))
    }

    /// For whoever makes the call.
    fn origin(&self) -> Json {
        let text = |text: &str| Json::String(text.to_owned());
        let meta =
            vec![("openapi/method".to_owned(), text(&self.method.to_uppercase())), ("openapi/path".to_owned(), text(self.path))];
        Json::Object(vec![("_meta".to_owned(), Json::Object(meta))])
    }

    /// One object of all parameters and the body.
    fn arguments(&self, problems: &mut Vec<Violation>) -> Json {
        let mut schemas = Schemas::new(self.document, self.is_3_0);
        let mut properties: Vec<(String, Json)> = Vec::new();
        let mut required = Vec::new();
        for parameter in self.parameters(problems) {
            let taken = properties.iter().any(|(key, _)| *key == parameter.name) || parameter.name == BODY;
            let key = if taken { format!("{}_{}", parameter.place, parameter.name) } else { parameter.name.to_owned() };
            match schemas.convert(parameter.schema) {
                Ok(schema) => {
                    if parameter.required {
                        required.push(Json::String(key.clone()));
                    }
                    properties.push((key, described(schema, parameter.description)));
                }
                Err(reason) => problems.push(Violation::new(format!("parameters.{}", parameter.name), reason)),
            }
        }
        match self.body(&mut schemas) {
            Ok(Some((schema, is_required))) => {
                if is_required {
                    required.push(Json::String(BODY.to_owned()));
                }
                properties.push((BODY.to_owned(), schema));
            }
            Ok(None) => (),
            Err(reason) => problems.push(Violation::new("requestBody", reason)),
        }
        let mut members =
            vec![("type".to_owned(), Json::String("object".to_owned())), ("properties".to_owned(), Json::Object(properties))];
        if !required.is_empty() {
            members.push(("required".to_owned(), Json::Array(required)));
        }
        match schemas.definitions() {
            Ok(definitions) if definitions.is_empty() => (),
            Ok(definitions) => members.push(("$defs".to_owned(), Json::Object(definitions))),
            Err(reason) => problems.push(Violation::new("schemas", reason)),
        }
        Json::Object(members)
    }

    /// Those of the operation, and those of its path that it does not override.
    fn parameters(&self, problems: &mut Vec<Violation>) -> Vec<Parameter<'_>> {
        let mut all: Vec<Parameter<'_>> = Vec::new();
        for (holder, is_own) in [(self.item, false), (self.own, true)] {
            let list = holder.get("parameters").and_then(Json::as_array).unwrap_or_default();
            for (i, parameter) in list.iter().enumerate() {
                match resolve(self.document, parameter).and_then(Parameter::of) {
                    Ok(parameter) if parameter.is_ignored() => (),
                    Ok(parameter) => {
                        if is_own {
                            all.retain(|other| (other.name, other.place) != (parameter.name, parameter.place));
                        }
                        all.push(parameter);
                    }
                    Err(reason) => problems.push(Violation::new(format!("parameters[{i}]"), reason)),
                }
            }
        }
        all
    }

    /// The body's schema, JSON before anything else, and whether there must be one.
    fn body(&self, schemas: &mut Schemas<'_>) -> Result<Option<(Json, bool)>, String> {
        let Some(body) = self.own.get("requestBody") else { return Ok(None) };
        let body = resolve(self.document, body)?;
        let required = body.get("required") == Some(&Json::Bool(true));
        let content = body.get("content").and_then(Json::as_object).unwrap_or_default();
        let rank = |media: &str| match media.split(';').next().unwrap_or_default().trim() {
            "application/json" => 0,
            json if json.ends_with("+json") => 1,
            "multipart/form-data" | "application/x-www-form-urlencoded" => 2,
            _ => 3,
        };
        let Some((_, media)) = content.iter().min_by_key(|(media, _)| rank(media)) else { return Ok(None) };
        let schema = media.get("schema").map_or(Ok(Json::Object(Vec::new())), |schema| schemas.convert(schema))?;
        Ok(Some((described(schema, body.get("description").and_then(Json::as_str)), required)))
    }
}

struct Parameter<'a> {
    name: &'a str,
    /// `path`, `query`, `header` or `cookie`.
    place: &'a str,
    required: bool,
    description: Option<&'a str>,
    schema: &'a Json,
}

impl<'a> Parameter<'a> {
    fn of(json: &'a Json) -> Result<Self, String> {
        let text = |key: &str| json.get(key).and_then(Json::as_str);
        let name = text("name").filter(|name| !name.is_empty()).ok_or("has no name")?;
        let place = text("in").filter(|place| ["path", "query", "header", "cookie"].contains(place));
        let place = place.ok_or_else(|| format!("{name:?} has no `in` of path, query, header or cookie"))?;
        let content = json.get("content").and_then(Json::as_object).and_then(|content| content.first());
        let schema = json.get("schema").or(content.and_then(|(_, media)| media.get("schema")));
        Ok(Self {
            name,
            place,
            required: place == "path" || json.get("required") == Some(&Json::Bool(true)),
            description: text("description"),
            schema: schema.unwrap_or(&Json::Null),
        })
    }

    fn is_ignored(&self) -> bool {
        self.place == "header" && IGNORED_HEADERS.contains(&self.name.to_lowercase().as_str())
    }
}

/// The schema with a description, unless it has one of its own.
fn described(schema: Json, description: Option<&str>) -> Json {
    match (schema, description.map(str::trim).filter(|text| !text.is_empty())) {
        (Json::Object(mut members), Some(text)) if !members.iter().any(|(key, _)| key == "description") => {
            members.push(("description".to_owned(), Json::String(text.to_owned())));
            Json::Object(members)
        }
        (schema, _) => schema,
    }
}
