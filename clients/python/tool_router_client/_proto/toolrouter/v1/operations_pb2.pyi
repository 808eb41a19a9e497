from tool_router_client._proto.toolrouter.v1 import sources_pb2 as _sources_pb2
from tool_router_client._proto.toolrouter.v1 import tool_pb2 as _tool_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("version", "instance_id", "started_at_ms", "now_ms", "model_id", "model_numerics", "catalog_version", "enabled_tools", "disabled_tools", "store", "total", "last_minute", "tools", "sources", "conditions", "telemetry", "tenants")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    NOW_MS_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_NUMERICS_FIELD_NUMBER: _ClassVar[int]
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    ENABLED_TOOLS_FIELD_NUMBER: _ClassVar[int]
    DISABLED_TOOLS_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    LAST_MINUTE_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    TELEMETRY_FIELD_NUMBER: _ClassVar[int]
    TENANTS_FIELD_NUMBER: _ClassVar[int]
    version: str
    instance_id: str
    started_at_ms: int
    now_ms: int
    model_id: str
    model_numerics: str
    catalog_version: str
    enabled_tools: int
    disabled_tools: int
    store: StoreStatus
    total: Traffic
    last_minute: Traffic
    tools: _containers.RepeatedCompositeFieldContainer[ToolTraffic]
    sources: _containers.RepeatedCompositeFieldContainer[_sources_pb2.SourceStatus]
    conditions: _containers.RepeatedCompositeFieldContainer[Condition]
    telemetry: TelemetryStatus
    tenants: _containers.RepeatedCompositeFieldContainer[TenantTokens]
    def __init__(self, version: _Optional[str] = ..., instance_id: _Optional[str] = ..., started_at_ms: _Optional[int] = ..., now_ms: _Optional[int] = ..., model_id: _Optional[str] = ..., model_numerics: _Optional[str] = ..., catalog_version: _Optional[str] = ..., enabled_tools: _Optional[int] = ..., disabled_tools: _Optional[int] = ..., store: _Optional[_Union[StoreStatus, _Mapping]] = ..., total: _Optional[_Union[Traffic, _Mapping]] = ..., last_minute: _Optional[_Union[Traffic, _Mapping]] = ..., tools: _Optional[_Iterable[_Union[ToolTraffic, _Mapping]]] = ..., sources: _Optional[_Iterable[_Union[_sources_pb2.SourceStatus, _Mapping]]] = ..., conditions: _Optional[_Iterable[_Union[Condition, _Mapping]]] = ..., telemetry: _Optional[_Union[TelemetryStatus, _Mapping]] = ..., tenants: _Optional[_Iterable[_Union[TenantTokens, _Mapping]]] = ...) -> None: ...

class StoreStatus(_message.Message):
    __slots__ = ("place", "up", "away_ms")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    UP_FIELD_NUMBER: _ClassVar[int]
    AWAY_MS_FIELD_NUMBER: _ClassVar[int]
    place: str
    up: bool
    away_ms: int
    def __init__(self, place: _Optional[str] = ..., up: bool = ..., away_ms: _Optional[int] = ...) -> None: ...

class Traffic(_message.Message):
    __slots__ = ("window_ms", "calls", "errors", "sheds", "lexical", "no_match", "p50_micros", "p95_micros", "p99_micros", "eligible_tokens", "returned_tokens", "saved_tokens")
    WINDOW_MS_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    SHEDS_FIELD_NUMBER: _ClassVar[int]
    LEXICAL_FIELD_NUMBER: _ClassVar[int]
    NO_MATCH_FIELD_NUMBER: _ClassVar[int]
    P50_MICROS_FIELD_NUMBER: _ClassVar[int]
    P95_MICROS_FIELD_NUMBER: _ClassVar[int]
    P99_MICROS_FIELD_NUMBER: _ClassVar[int]
    ELIGIBLE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    RETURNED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SAVED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    window_ms: int
    calls: int
    errors: int
    sheds: int
    lexical: int
    no_match: int
    p50_micros: int
    p95_micros: int
    p99_micros: int
    eligible_tokens: int
    returned_tokens: int
    saved_tokens: int
    def __init__(self, window_ms: _Optional[int] = ..., calls: _Optional[int] = ..., errors: _Optional[int] = ..., sheds: _Optional[int] = ..., lexical: _Optional[int] = ..., no_match: _Optional[int] = ..., p50_micros: _Optional[int] = ..., p95_micros: _Optional[int] = ..., p99_micros: _Optional[int] = ..., eligible_tokens: _Optional[int] = ..., returned_tokens: _Optional[int] = ..., saved_tokens: _Optional[int] = ...) -> None: ...

class ToolTraffic(_message.Message):
    __slots__ = ("tool", "returned", "calls", "errors", "p95_micros")
    TOOL_FIELD_NUMBER: _ClassVar[int]
    RETURNED_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    P95_MICROS_FIELD_NUMBER: _ClassVar[int]
    tool: _tool_pb2.ToolRef
    returned: int
    calls: int
    errors: int
    p95_micros: int
    def __init__(self, tool: _Optional[_Union[_tool_pb2.ToolRef, _Mapping]] = ..., returned: _Optional[int] = ..., calls: _Optional[int] = ..., errors: _Optional[int] = ..., p95_micros: _Optional[int] = ...) -> None: ...

class TenantTokens(_message.Message):
    __slots__ = ("tenant", "returned_tokens", "saved_tokens", "input_tokens", "output_tokens")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    RETURNED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SAVED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    returned_tokens: int
    saved_tokens: int
    input_tokens: int
    output_tokens: int
    def __init__(self, tenant: _Optional[str] = ..., returned_tokens: _Optional[int] = ..., saved_tokens: _Optional[int] = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ...) -> None: ...

class Condition(_message.Message):
    __slots__ = ("name", "severity", "detail", "since_ms")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    SINCE_MS_FIELD_NUMBER: _ClassVar[int]
    name: str
    severity: str
    detail: str
    since_ms: int
    def __init__(self, name: _Optional[str] = ..., severity: _Optional[str] = ..., detail: _Optional[str] = ..., since_ms: _Optional[int] = ...) -> None: ...

class TelemetryStatus(_message.Message):
    __slots__ = ("endpoint", "exported_spans", "dropped_spans", "replay_records", "dropped_replay_records", "outcomes", "dropped_outcomes", "held_back_log_lines")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    EXPORTED_SPANS_FIELD_NUMBER: _ClassVar[int]
    DROPPED_SPANS_FIELD_NUMBER: _ClassVar[int]
    REPLAY_RECORDS_FIELD_NUMBER: _ClassVar[int]
    DROPPED_REPLAY_RECORDS_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    DROPPED_OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    HELD_BACK_LOG_LINES_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    exported_spans: int
    dropped_spans: int
    replay_records: int
    dropped_replay_records: int
    outcomes: int
    dropped_outcomes: int
    held_back_log_lines: int
    def __init__(self, endpoint: _Optional[str] = ..., exported_spans: _Optional[int] = ..., dropped_spans: _Optional[int] = ..., replay_records: _Optional[int] = ..., dropped_replay_records: _Optional[int] = ..., outcomes: _Optional[int] = ..., dropped_outcomes: _Optional[int] = ..., held_back_log_lines: _Optional[int] = ...) -> None: ...

class GetMapRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetMapResponse(_message.Message):
    __slots__ = ("at_ms", "window_ms", "nodes", "edges")
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    WINDOW_MS_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    at_ms: int
    window_ms: int
    nodes: _containers.RepeatedCompositeFieldContainer[MapNode]
    edges: _containers.RepeatedCompositeFieldContainer[MapEdge]
    def __init__(self, at_ms: _Optional[int] = ..., window_ms: _Optional[int] = ..., nodes: _Optional[_Iterable[_Union[MapNode, _Mapping]]] = ..., edges: _Optional[_Iterable[_Union[MapEdge, _Mapping]]] = ...) -> None: ...

class MapNode(_message.Message):
    __slots__ = ("id", "kind", "label")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[MapNode.Kind]
        KIND_AGENT: _ClassVar[MapNode.Kind]
        KIND_ROUTER: _ClassVar[MapNode.Kind]
        KIND_STORE: _ClassVar[MapNode.Kind]
        KIND_SOURCE: _ClassVar[MapNode.Kind]
        KIND_TOOL: _ClassVar[MapNode.Kind]
    KIND_UNSPECIFIED: MapNode.Kind
    KIND_AGENT: MapNode.Kind
    KIND_ROUTER: MapNode.Kind
    KIND_STORE: MapNode.Kind
    KIND_SOURCE: MapNode.Kind
    KIND_TOOL: MapNode.Kind
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: MapNode.Kind
    label: str
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[_Union[MapNode.Kind, str]] = ..., label: _Optional[str] = ...) -> None: ...

class MapEdge(_message.Message):
    __slots__ = ("caller", "callee", "calls", "errors", "rate", "error_ratio", "p95_micros")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    CALLEE_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    ERROR_RATIO_FIELD_NUMBER: _ClassVar[int]
    P95_MICROS_FIELD_NUMBER: _ClassVar[int]
    caller: str
    callee: str
    calls: int
    errors: int
    rate: float
    error_ratio: float
    p95_micros: int
    def __init__(self, caller: _Optional[str] = ..., callee: _Optional[str] = ..., calls: _Optional[int] = ..., errors: _Optional[int] = ..., rate: _Optional[float] = ..., error_ratio: _Optional[float] = ..., p95_micros: _Optional[int] = ...) -> None: ...

class GetReplayRequest(_message.Message):
    __slots__ = ("trace_id",)
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    trace_id: str
    def __init__(self, trace_id: _Optional[str] = ...) -> None: ...

class GetReplayResponse(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...
