"""Plain cosine: one text per tool, one matrix product per query. What "semantic search over tools" is at its simplest."""

from __future__ import annotations

import numpy as np

import text
from data import Tool
from peers import Peer


class System(Peer):
    def build(self, tools: list[Tool]) -> None:
        self._ids = [tool.id for tool in tools]
        self._vectors = self.encoder([text.whole(tool) for tool in tools])

    def rank(self, query: str, k: int) -> list[str]:
        similar = self._vectors @ self.encoder([query])[0]
        return [self._ids[place] for place in np.argsort(-similar, kind="stable")[:k]]
