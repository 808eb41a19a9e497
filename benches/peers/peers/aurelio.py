"""aurelio-labs/semantic-router: an `IndexedRouter` with one route per tool, whose utterance is the text of plain cosine."""

from __future__ import annotations

from typing import Any

from semantic_router import Route
from semantic_router.encoders import DenseEncoder
from semantic_router.routers import IndexedRouter

import text
from data import Tool
from encoder import Encoder
from peers import Peer


class SharedEncoder(DenseEncoder):
    encoder: Encoder

    def __call__(self, docs: list[str]) -> list[list[float]]:
        return self.encoder.lists(docs)


class System(Peer):
    def build(self, tools: list[Tool]) -> None:
        routes = [Route(name=tool.id, utterances=[text.whole(tool)]) for tool in tools]
        # Its default looks at the 5 nearest utterances, which could fill no list of 10.
        self._router = IndexedRouter(encoder=SharedEncoder(name="shared", encoder=self.encoder), routes=routes, top_k=10)

    def rank(self, query: str, k: int) -> list[str]:
        choices: Any = self._router(query, limit=k)  # a list, unless the limit is 1
        return [choice.name for choice in choices]
