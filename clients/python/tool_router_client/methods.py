"""The methods of the contract, once: path, messages, and whether a call may be sent twice.

Why no generated stubs: they are untyped, need a plugin of their own version, and a method is one line here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message

from ._proto.toolrouter.v1 import calls_pb2, catalog_pb2, router_pb2, sources_pb2

Request = TypeVar("Request")
Response = TypeVar("Response")
AnyMessage = TypeVar("AnyMessage", bound=Message)


@dataclass(frozen=True)
class Method(Generic[Request, Response]):
    """One method. `Request` is the message that is sent, one or a stream of them."""

    path: str
    encode: Callable[[Request], bytes]
    decode: Callable[[bytes], Response]
    repeatable: bool = True
    """Whether the same call twice leaves the same state and says the same. A call that is not is repeated only where the router says that
    it did not begin."""
    is_traced: bool = True
    """Whether a call is a span where OpenTelemetry is set up. Probes would drown what they are to watch."""

    @property
    def name(self) -> str:
        """What errors call it: `SelectTools`."""
        return self.path.rpartition("/")[2]


def _encode(message: Message) -> bytes:
    return message.SerializeToString()


def _method(
    path: str, request: type[AnyMessage], response: Callable[[bytes], Response], repeatable: bool = True
) -> Method[AnyMessage, Response]:
    return Method(f"/toolrouter.v1.{path}", _encode, response, repeatable)


def _serving(answer: bytes) -> bool:
    # grpc.health.v1.HealthCheckResponse is one enum: field 1, where 1 is SERVING. Its generated module would clash with the one of
    # grpcio-health-checking in the same process.
    return answer == b"\x08\x01"


SELECT = _method("ToolRouter/SelectTools", router_pb2.SelectToolsRequest, router_pb2.SelectToolsResponse.FromString)
DESCRIBE = _method("ToolRouter/DescribeTools", router_pb2.DescribeToolsRequest, router_pb2.DescribeToolsResponse.FromString)
RANK = _method("ToolRouter/RankTools", router_pb2.RankToolsRequest, router_pb2.RankToolsResponse.FromString)
REGISTER = _method("ToolCatalog/RegisterTools", catalog_pb2.RegisterToolsRequest, catalog_pb2.RegisterToolsResponse.FromString)
SYNC = _method("ToolCatalog/SyncSource", catalog_pb2.SyncSourceRequest, catalog_pb2.SyncSourceResponse.FromString)
# The second of two equal removals would be told NOT_FOUND, though the first one did what was asked.
UNREGISTER = _method(
    "ToolCatalog/UnregisterTools", catalog_pb2.UnregisterToolsRequest, catalog_pb2.UnregisterToolsResponse.FromString, repeatable=False
)
LIST_TOOLS = _method("ToolCatalog/ListTools", catalog_pb2.ListToolsRequest, catalog_pb2.ListToolsResponse.FromString)
WATCH = _method("ToolCatalog/WatchCatalog", catalog_pb2.WatchCatalogRequest, catalog_pb2.WatchCatalogResponse.FromString)
REPORT = _method("ToolCalls/ReportOutcomes", calls_pb2.ReportOutcomesRequest, calls_pb2.ReportOutcomesResponse.FromString)
LIST_SOURCES = _method("ToolSources/ListSources", sources_pb2.ListSourcesRequest, sources_pb2.ListSourcesResponse.FromString)
# A probe tells how it is now, not how it is after the third try.
HEALTH: Method[None, bool] = Method("/grpc.health.v1.Health/Check", lambda _: b"", _serving, repeatable=False, is_traced=False)
