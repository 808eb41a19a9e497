"""graph-tool-call: BM25, a graph of dependencies between tools, and embeddings, with its own weights.

Tools come in by its MCP reader, one server at a time, which is how it learns of sources; their relations are then looked for once, over
all of them, since looking again after every server takes hours on large sets and finds the same.
"""

from __future__ import annotations

from itertools import groupby

from graph_tool_call import ToolGraph
from graph_tool_call.ingest.mcp import ingest_mcp_tools

from data import Tool
from peers import Peer


class System(Peer):
    def build(self, tools: list[Tool]) -> None:
        # Names, which its graph is keyed and read by, go in as they are where they are unique: it tells verbs by their beginning.
        self._ids = {tool.unique_name: tool.id for tool in tools}
        schemas = []
        for source, group in groupby(tools, key=lambda tool: tool.source):
            mcp = [{"name": tool.unique_name, "description": tool.description, "inputSchema": tool.schema} for tool in group]
            schemas += ingest_mcp_tools(mcp, server_name=source or None)
        self._graph = ToolGraph()
        self._graph.add_tools(schemas)
        self._graph.enable_embedding(self.encoder.lists)

    def rank(self, query: str, k: int) -> list[str]:
        return [self._ids[tool.name] for tool in self._graph.retrieve(query, top_k=k)]
