"""toolpicker: BM25 (name, parameter names, description) and cosine (description), joined by reciprocal rank fusion, as it is by default."""

from __future__ import annotations

from toolpicker import MCPSource, ToolPicker

from data import Tool
from encoder import Encoder
from peers import Peer


class SharedEmbedder:
    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    @property
    def dimensions(self) -> int:
        return self._encoder.dimension

    def embed(self, texts: list[str]) -> list[list[float]]:
        return self._encoder.lists(texts)


class System(Peer):
    def build(self, tools: list[Tool]) -> None:
        self._ids = {tool.qualified_name: tool.id for tool in tools}
        mcp = [{"name": tool.qualified_name, "description": tool.description, "inputSchema": tool.schema} for tool in tools]
        self._picker = ToolPicker(MCPSource(mcp), embedder=SharedEmbedder(self.encoder))

    def rank(self, query: str, k: int) -> list[str]:
        return [self._ids[tool.id] for tool in self._picker.select(query, k=k)]
