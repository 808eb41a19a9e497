from tool_router_client._proto.toolrouter.v1 import catalog_pb2 as _catalog_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SourceState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SOURCE_STATE_UNSPECIFIED: _ClassVar[SourceState]
    SOURCE_STATE_STARTING: _ClassVar[SourceState]
    SOURCE_STATE_SYNCED: _ClassVar[SourceState]
    SOURCE_STATE_FAILING: _ClassVar[SourceState]
    SOURCE_STATE_HELD: _ClassVar[SourceState]
    SOURCE_STATE_PAUSED: _ClassVar[SourceState]
    SOURCE_STATE_ELSEWHERE: _ClassVar[SourceState]
SOURCE_STATE_UNSPECIFIED: SourceState
SOURCE_STATE_STARTING: SourceState
SOURCE_STATE_SYNCED: SourceState
SOURCE_STATE_FAILING: SourceState
SOURCE_STATE_HELD: SourceState
SOURCE_STATE_PAUSED: SourceState
SOURCE_STATE_ELSEWHERE: SourceState

class SourceStatus(_message.Message):
    __slots__ = ("source", "endpoint", "state", "tools", "last_sync_at_ms", "age_ms", "error", "next_sync_in_ms", "failures", "syncs", "failed_syncs", "refused", "refused_tools", "notifies")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    LAST_SYNC_AT_MS_FIELD_NUMBER: _ClassVar[int]
    AGE_MS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    NEXT_SYNC_IN_MS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    SYNCS_FIELD_NUMBER: _ClassVar[int]
    FAILED_SYNCS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_TOOLS_FIELD_NUMBER: _ClassVar[int]
    NOTIFIES_FIELD_NUMBER: _ClassVar[int]
    source: str
    endpoint: str
    state: SourceState
    tools: int
    last_sync_at_ms: int
    age_ms: int
    error: str
    next_sync_in_ms: int
    failures: int
    syncs: int
    failed_syncs: int
    refused: _containers.RepeatedCompositeFieldContainer[RefusedTool]
    refused_tools: int
    notifies: bool
    def __init__(self, source: _Optional[str] = ..., endpoint: _Optional[str] = ..., state: _Optional[_Union[SourceState, str]] = ..., tools: _Optional[int] = ..., last_sync_at_ms: _Optional[int] = ..., age_ms: _Optional[int] = ..., error: _Optional[str] = ..., next_sync_in_ms: _Optional[int] = ..., failures: _Optional[int] = ..., syncs: _Optional[int] = ..., failed_syncs: _Optional[int] = ..., refused: _Optional[_Iterable[_Union[RefusedTool, _Mapping]]] = ..., refused_tools: _Optional[int] = ..., notifies: bool = ...) -> None: ...

class RefusedTool(_message.Message):
    __slots__ = ("tool", "reason", "kept")
    TOOL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    tool: str
    reason: str
    kept: bool
    def __init__(self, tool: _Optional[str] = ..., reason: _Optional[str] = ..., kept: bool = ...) -> None: ...

class ListSourcesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSourcesResponse(_message.Message):
    __slots__ = ("sources",)
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    sources: _containers.RepeatedCompositeFieldContainer[SourceStatus]
    def __init__(self, sources: _Optional[_Iterable[_Union[SourceStatus, _Mapping]]] = ...) -> None: ...

class RefreshSourceRequest(_message.Message):
    __slots__ = ("source",)
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    source: str
    def __init__(self, source: _Optional[str] = ...) -> None: ...

class RefreshSourceResponse(_message.Message):
    __slots__ = ("status", "diff")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DIFF_FIELD_NUMBER: _ClassVar[int]
    status: SourceStatus
    diff: _catalog_pb2.CatalogDiff
    def __init__(self, status: _Optional[_Union[SourceStatus, _Mapping]] = ..., diff: _Optional[_Union[_catalog_pb2.CatalogDiff, _Mapping]] = ...) -> None: ...

class PauseSourceRequest(_message.Message):
    __slots__ = ("source",)
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    source: str
    def __init__(self, source: _Optional[str] = ...) -> None: ...

class PauseSourceResponse(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: SourceStatus
    def __init__(self, status: _Optional[_Union[SourceStatus, _Mapping]] = ...) -> None: ...

class ResumeSourceRequest(_message.Message):
    __slots__ = ("source",)
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    source: str
    def __init__(self, source: _Optional[str] = ...) -> None: ...

class ResumeSourceResponse(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: SourceStatus
    def __init__(self, status: _Optional[_Union[SourceStatus, _Mapping]] = ...) -> None: ...

class ReleaseSourceRequest(_message.Message):
    __slots__ = ("source",)
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    source: str
    def __init__(self, source: _Optional[str] = ...) -> None: ...

class ReleaseSourceResponse(_message.Message):
    __slots__ = ("status", "diff")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DIFF_FIELD_NUMBER: _ClassVar[int]
    status: SourceStatus
    diff: _catalog_pb2.CatalogDiff
    def __init__(self, status: _Optional[_Union[SourceStatus, _Mapping]] = ..., diff: _Optional[_Union[_catalog_pb2.CatalogDiff, _Mapping]] = ...) -> None: ...
