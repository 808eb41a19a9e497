//! The router as an MCP server, for agents that can speak nothing else: `search_tools` and `describe_tools`.
//!
//! It is a client of a running router like any other, so it holds no catalogue and may be started per agent, before the router or after it.
//! What went wrong is the result of a call, in words: an MCP host shows those to the model and hides protocol errors.

mod describe;
mod host;
mod search;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, Implementation, JsonObject,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde::de::DeserializeOwned;

pub use self::host::{HostError, HttpHost, over_http, over_stdio};
use crate::rpc::client::Client;

/// Told to the host, which may tell the model.
const INSTRUCTIONS: &str = "Call search_tools with what you want to do before you choose a tool: it returns the few definitions that fit, \
                            under a token cap. describe_tools gives the complete definition of tools by name.";

/// What callers who say nothing get.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// The cap on a list.
    pub max_tokens: Option<u32>,
    /// Most tools of a list.
    pub max_tools: Option<u32>,
    /// Only tools of these sources, whatever the caller asks for. Empty: of all.
    pub sources: Vec<String>,
}

/// The server. A cheap handle.
#[derive(Clone, Debug)]
pub struct Front {
    client: Client,
    defaults: Defaults,
}

impl Front {
    /// In front of the router that `client` calls.
    #[must_use]
    pub fn new(client: Client, defaults: Defaults) -> Self {
        Self { client, defaults }
    }
}

impl ServerHandler for Front {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("tool-router", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(vec![search::tool(), describe::tool()]))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        [search::tool(), describe::tool()].into_iter().find(|tool| tool.name == name)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let result = match request.name.as_ref() {
            search::NAME => search::call(self, arguments).await,
            describe::NAME => describe::call(self, arguments).await,
            other => {
                let message = format!("there is no tool {other:?}; there are {} and {}", search::NAME, describe::NAME);
                return Err(ErrorData::invalid_params(message, None));
            }
        };
        Ok(result.unwrap_or_else(|words| CallToolResult::error(vec![ContentBlock::text(words)])).into())
    }
}

/// The arguments of a call.
fn read<T: DeserializeOwned>(arguments: JsonObject) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::Object(arguments)).map_err(|e| format!("the arguments do not fit: {e}"))
}

/// A JSON schema that stands in the code.
fn schema(json: serde_json::Value) -> JsonObject {
    match json {
        serde_json::Value::Object(object) => object,
        _ => JsonObject::default(),
    }
}
