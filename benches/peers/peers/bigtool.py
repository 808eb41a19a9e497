"""langchain-ai/langgraph-bigtool: its own retrieval function over LangGraph's in-memory store, with the text of plain cosine."""

from __future__ import annotations

from langgraph.store.base import IndexConfig
from langgraph.store.memory import InMemoryStore
from langgraph_bigtool.tools import get_default_retrieval_tool

import text
from data import Tool
from measures import DEPTH
from peers import Peer

PLACE = ("tools",)


class System(Peer):
    def build(self, tools: list[Tool]) -> None:
        index = IndexConfig(dims=self.encoder.dimension, embed=lambda texts: self.encoder.lists(list(texts)), fields=["description"])
        self._store = InMemoryStore(index=index)
        for tool in tools:
            self._store.put(PLACE, tool.id, {"description": text.whole(tool)})
        self._retrieve, _ = get_default_retrieval_tool(PLACE, limit=DEPTH)

    def rank(self, query: str, k: int) -> list[str]:
        return list(self._retrieve(query, store=self._store))[:k]
