"""Plain BM25: k1 1.2, b 0.75, over source and name (twice), description and parameter names. Standard library only."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

from data import Tool
from peers import Peer
from text import terms

K1, B = 1.2, 0.75


class System(Peer):
    def build(self, tools: list[Tool]) -> None:
        documents = [self._words(tool) for tool in tools]
        average = sum(map(len, documents)) / len(documents)
        self._ids = [tool.id for tool in tools]
        self._norms = [K1 * (1 - B + B * len(words) / average) for words in documents]
        self._postings: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for place, words in enumerate(documents):
            for word, count in Counter(words).items():
                self._postings[word].append((place, count))

    @staticmethod
    def _words(tool: Tool) -> list[str]:
        properties = tool.schema.get("properties")
        names = " ".join(properties) if isinstance(properties, dict) else ""
        return terms(f"{tool.source} {tool.name}") * 2 + terms(tool.description) + terms(names)

    def rank(self, query: str, k: int) -> list[str]:
        scores = [0.0] * len(self._ids)
        for word in terms(query):
            found = self._postings.get(word, [])
            weight = math.log(1 + (len(scores) - len(found) + 0.5) / (len(found) + 0.5))
            for place, count in found:
                scores[place] += weight * count * (K1 + 1) / (count + self._norms[place])
        order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
        return [self._ids[place] for place in order[:k]]
