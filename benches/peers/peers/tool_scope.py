"""toolscope: its in-memory index over MCP tools. It writes the text itself: name and description, cut at 256 characters."""

from __future__ import annotations

from collections.abc import Sequence

import toolscope

from data import Tool
from encoder import Encoder
from peers import Peer


class SharedEmbedder:
    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def embed_texts(self, texts: Sequence[str]) -> list[list[float]]:
        return self._encoder.lists(texts)


class System(Peer):
    def build(self, tools: list[Tool]) -> None:
        self._ids = {tool.qualified_name: tool.id for tool in tools}
        mcp = [{"name": tool.qualified_name, "description": tool.description, "inputSchema": tool.schema} for tool in tools]
        self._index = toolscope.index(mcp, embedder=SharedEmbedder(self.encoder))

    def rank(self, query: str, k: int) -> list[str]:
        return [self._ids[tool["name"]] for tool in self._index.filter(query, k=k)]
