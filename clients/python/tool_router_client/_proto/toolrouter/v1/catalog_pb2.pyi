from tool_router_client._proto.toolrouter.v1 import tool_pb2 as _tool_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RegisterToolsRequest(_message.Message):
    __slots__ = ("source", "tools", "expected_version", "dry_run")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    source: str
    tools: _containers.RepeatedCompositeFieldContainer[_tool_pb2.ToolDefinition]
    expected_version: str
    dry_run: bool
    def __init__(self, source: _Optional[str] = ..., tools: _Optional[_Iterable[_Union[_tool_pb2.ToolDefinition, _Mapping]]] = ..., expected_version: _Optional[str] = ..., dry_run: bool = ...) -> None: ...

class RegisterToolsResponse(_message.Message):
    __slots__ = ("catalog_version", "diff", "look_alikes", "look_alikes_total")
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    DIFF_FIELD_NUMBER: _ClassVar[int]
    LOOK_ALIKES_FIELD_NUMBER: _ClassVar[int]
    LOOK_ALIKES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    catalog_version: str
    diff: CatalogDiff
    look_alikes: _containers.RepeatedCompositeFieldContainer[LookAlike]
    look_alikes_total: int
    def __init__(self, catalog_version: _Optional[str] = ..., diff: _Optional[_Union[CatalogDiff, _Mapping]] = ..., look_alikes: _Optional[_Iterable[_Union[LookAlike, _Mapping]]] = ..., look_alikes_total: _Optional[int] = ...) -> None: ...

class CatalogDiff(_message.Message):
    __slots__ = ("added", "changed", "removed", "unchanged")
    ADDED_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    added: _containers.RepeatedScalarFieldContainer[str]
    changed: _containers.RepeatedScalarFieldContainer[str]
    removed: _containers.RepeatedScalarFieldContainer[str]
    unchanged: int
    def __init__(self, added: _Optional[_Iterable[str]] = ..., changed: _Optional[_Iterable[str]] = ..., removed: _Optional[_Iterable[str]] = ..., unchanged: _Optional[int] = ...) -> None: ...

class LookAlike(_message.Message):
    __slots__ = ("tool", "other", "similarity", "shared_words", "same_name")
    TOOL_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    SHARED_WORDS_FIELD_NUMBER: _ClassVar[int]
    SAME_NAME_FIELD_NUMBER: _ClassVar[int]
    tool: str
    other: _tool_pb2.ToolRef
    similarity: float
    shared_words: float
    same_name: bool
    def __init__(self, tool: _Optional[str] = ..., other: _Optional[_Union[_tool_pb2.ToolRef, _Mapping]] = ..., similarity: _Optional[float] = ..., shared_words: _Optional[float] = ..., same_name: bool = ...) -> None: ...

class SyncSourceRequest(_message.Message):
    __slots__ = ("header", "chunk", "end")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    header: SyncHeader
    chunk: SyncChunk
    end: SyncEnd
    def __init__(self, header: _Optional[_Union[SyncHeader, _Mapping]] = ..., chunk: _Optional[_Union[SyncChunk, _Mapping]] = ..., end: _Optional[_Union[SyncEnd, _Mapping]] = ...) -> None: ...

class SyncHeader(_message.Message):
    __slots__ = ("source", "expected_version", "dry_run", "allow_mass_removal")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MASS_REMOVAL_FIELD_NUMBER: _ClassVar[int]
    source: str
    expected_version: str
    dry_run: bool
    allow_mass_removal: bool
    def __init__(self, source: _Optional[str] = ..., expected_version: _Optional[str] = ..., dry_run: bool = ..., allow_mass_removal: bool = ...) -> None: ...

class SyncChunk(_message.Message):
    __slots__ = ("tools",)
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    tools: _containers.RepeatedCompositeFieldContainer[_tool_pb2.ToolDefinition]
    def __init__(self, tools: _Optional[_Iterable[_Union[_tool_pb2.ToolDefinition, _Mapping]]] = ...) -> None: ...

class SyncEnd(_message.Message):
    __slots__ = ("total_tools",)
    TOTAL_TOOLS_FIELD_NUMBER: _ClassVar[int]
    total_tools: int
    def __init__(self, total_tools: _Optional[int] = ...) -> None: ...

class SyncSourceResponse(_message.Message):
    __slots__ = ("catalog_version", "diff", "look_alikes", "look_alikes_total")
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    DIFF_FIELD_NUMBER: _ClassVar[int]
    LOOK_ALIKES_FIELD_NUMBER: _ClassVar[int]
    LOOK_ALIKES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    catalog_version: str
    diff: CatalogDiff
    look_alikes: _containers.RepeatedCompositeFieldContainer[LookAlike]
    look_alikes_total: int
    def __init__(self, catalog_version: _Optional[str] = ..., diff: _Optional[_Union[CatalogDiff, _Mapping]] = ..., look_alikes: _Optional[_Iterable[_Union[LookAlike, _Mapping]]] = ..., look_alikes_total: _Optional[int] = ...) -> None: ...

class UnregisterToolsRequest(_message.Message):
    __slots__ = ("source", "tools", "all", "expected_version", "dry_run")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    source: str
    tools: _containers.RepeatedScalarFieldContainer[str]
    all: bool
    expected_version: str
    dry_run: bool
    def __init__(self, source: _Optional[str] = ..., tools: _Optional[_Iterable[str]] = ..., all: bool = ..., expected_version: _Optional[str] = ..., dry_run: bool = ...) -> None: ...

class UnregisterToolsResponse(_message.Message):
    __slots__ = ("catalog_version", "diff")
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    DIFF_FIELD_NUMBER: _ClassVar[int]
    catalog_version: str
    diff: CatalogDiff
    def __init__(self, catalog_version: _Optional[str] = ..., diff: _Optional[_Union[CatalogDiff, _Mapping]] = ...) -> None: ...

class SetToolStateRequest(_message.Message):
    __slots__ = ("source", "tools", "state", "expected_version")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    source: str
    tools: _containers.RepeatedScalarFieldContainer[str]
    state: _tool_pb2.ToolState
    expected_version: str
    def __init__(self, source: _Optional[str] = ..., tools: _Optional[_Iterable[str]] = ..., state: _Optional[_Union[_tool_pb2.ToolState, str]] = ..., expected_version: _Optional[str] = ...) -> None: ...

class SetToolStateResponse(_message.Message):
    __slots__ = ("catalog_version", "changed")
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    catalog_version: str
    changed: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, catalog_version: _Optional[str] = ..., changed: _Optional[_Iterable[str]] = ...) -> None: ...

class GetToolRequest(_message.Message):
    __slots__ = ("source", "tool")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    source: str
    tool: str
    def __init__(self, source: _Optional[str] = ..., tool: _Optional[str] = ...) -> None: ...

class GetToolResponse(_message.Message):
    __slots__ = ("tool", "catalog_version")
    TOOL_FIELD_NUMBER: _ClassVar[int]
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    tool: _tool_pb2.RegisteredTool
    catalog_version: str
    def __init__(self, tool: _Optional[_Union[_tool_pb2.RegisteredTool, _Mapping]] = ..., catalog_version: _Optional[str] = ...) -> None: ...

class ListToolsRequest(_message.Message):
    __slots__ = ("source", "state", "page_size", "page_token")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    source: str
    state: _tool_pb2.ToolState
    page_size: int
    page_token: str
    def __init__(self, source: _Optional[str] = ..., state: _Optional[_Union[_tool_pb2.ToolState, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListToolsResponse(_message.Message):
    __slots__ = ("tools", "next_page_token", "total", "catalog_version")
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    tools: _containers.RepeatedCompositeFieldContainer[_tool_pb2.RegisteredTool]
    next_page_token: str
    total: int
    catalog_version: str
    def __init__(self, tools: _Optional[_Iterable[_Union[_tool_pb2.RegisteredTool, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total: _Optional[int] = ..., catalog_version: _Optional[str] = ...) -> None: ...

class WatchCatalogRequest(_message.Message):
    __slots__ = ("since_version", "source", "bookmark_interval_ms")
    SINCE_VERSION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    BOOKMARK_INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    since_version: str
    source: str
    bookmark_interval_ms: int
    def __init__(self, since_version: _Optional[str] = ..., source: _Optional[str] = ..., bookmark_interval_ms: _Optional[int] = ...) -> None: ...

class WatchCatalogResponse(_message.Message):
    __slots__ = ("change", "bookmark", "resync_required")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    BOOKMARK_FIELD_NUMBER: _ClassVar[int]
    RESYNC_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    change: CatalogChange
    bookmark: CatalogBookmark
    resync_required: ResyncRequired
    def __init__(self, change: _Optional[_Union[CatalogChange, _Mapping]] = ..., bookmark: _Optional[_Union[CatalogBookmark, _Mapping]] = ..., resync_required: _Optional[_Union[ResyncRequired, _Mapping]] = ...) -> None: ...

class CatalogChange(_message.Message):
    __slots__ = ("catalog_version", "source", "added", "changed", "removed", "enabled", "disabled")
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    DISABLED_FIELD_NUMBER: _ClassVar[int]
    catalog_version: str
    source: str
    added: _containers.RepeatedScalarFieldContainer[str]
    changed: _containers.RepeatedScalarFieldContainer[str]
    removed: _containers.RepeatedScalarFieldContainer[str]
    enabled: _containers.RepeatedScalarFieldContainer[str]
    disabled: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, catalog_version: _Optional[str] = ..., source: _Optional[str] = ..., added: _Optional[_Iterable[str]] = ..., changed: _Optional[_Iterable[str]] = ..., removed: _Optional[_Iterable[str]] = ..., enabled: _Optional[_Iterable[str]] = ..., disabled: _Optional[_Iterable[str]] = ...) -> None: ...

class CatalogBookmark(_message.Message):
    __slots__ = ("catalog_version",)
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    catalog_version: str
    def __init__(self, catalog_version: _Optional[str] = ...) -> None: ...

class ResyncRequired(_message.Message):
    __slots__ = ("catalog_version", "reason")
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    catalog_version: str
    reason: str
    def __init__(self, catalog_version: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
