"""microresolve: words weighted per intent, one intent per tool, seeded with the text of plain cosine. No encoder, no corrections."""

from __future__ import annotations

from microresolve import MicroResolve

import text
from data import Tool
from peers import Peer


class System(Peer):
    def build(self, tools: list[Tool]) -> None:
        self._space = MicroResolve().namespace("tools")
        for tool in tools:
            self._space.add_intent(tool.id, [text.whole(tool)])

    def rank(self, query: str, k: int) -> list[str]:
        return [match.id for match in self._space.resolve(query).intents][:k]
