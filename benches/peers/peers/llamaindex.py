"""run-llama/llama_index: an `ObjectIndex` over tools. It writes the text itself: name and description.

The schema is left out (`fn_schema=None`): with it, the text is mostly JSON, which a small encoder does worse on.
"""

from __future__ import annotations

from typing import Any

from llama_index.core import VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.objects import ObjectIndex
from llama_index.core.tools import FunctionTool, ToolMetadata
from pydantic import PrivateAttr

from data import Tool
from encoder import Encoder
from measures import DEPTH
from peers import Peer


class SharedEmbedding(BaseEmbedding):
    _encoder: Encoder = PrivateAttr()

    def __init__(self, encoder: Encoder, **rest: Any) -> None:
        super().__init__(**rest)
        self._encoder = encoder

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._encoder.lists([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._encoder.lists([query])[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


def _never_called() -> None:
    """Tools are chosen here, not run."""


class System(Peer):
    def build(self, tools: list[Tool]) -> None:
        self._ids = {tool.qualified_name: tool.id for tool in tools}
        objects = [
            FunctionTool(fn=_never_called, metadata=ToolMetadata(tool.description, tool.qualified_name, fn_schema=None)) for tool in tools
        ]
        index = ObjectIndex.from_objects(objects, index_cls=VectorStoreIndex, embed_model=SharedEmbedding(self.encoder))
        self._retriever = index.as_retriever(similarity_top_k=DEPTH)

    def rank(self, query: str, k: int) -> list[str]:
        return [self._ids[tool.metadata.name] for tool in self._retriever.retrieve(query)][:k]
