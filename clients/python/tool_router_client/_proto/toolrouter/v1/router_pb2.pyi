from tool_router_client._proto.toolrouter.v1 import tool_pb2 as _tool_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Include(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INCLUDE_UNSPECIFIED: _ClassVar[Include]
    INCLUDE_PROMPT: _ClassVar[Include]
    INCLUDE_DEFINITIONS: _ClassVar[Include]
    INCLUDE_DIRECTORY: _ClassVar[Include]

class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODE_UNSPECIFIED: _ClassVar[Mode]
    MODE_SEMANTIC: _ClassVar[Mode]
    MODE_LEXICAL: _ClassVar[Mode]
INCLUDE_UNSPECIFIED: Include
INCLUDE_PROMPT: Include
INCLUDE_DEFINITIONS: Include
INCLUDE_DIRECTORY: Include
MODE_UNSPECIFIED: Mode
MODE_SEMANTIC: Mode
MODE_LEXICAL: Mode

class SelectToolsRequest(_message.Message):
    __slots__ = ("query", "conversation", "scope", "budget", "output", "pinned", "explain", "explain_tools", "min_confidence", "relative_margin", "continuity", "min_catalog_version", "keep_replay")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_TOOLS_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_MARGIN_FIELD_NUMBER: _ClassVar[int]
    CONTINUITY_FIELD_NUMBER: _ClassVar[int]
    MIN_CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    KEEP_REPLAY_FIELD_NUMBER: _ClassVar[int]
    query: str
    conversation: Conversation
    scope: Scope
    budget: Budget
    output: Output
    pinned: _containers.RepeatedCompositeFieldContainer[_tool_pb2.ToolRef]
    explain: bool
    explain_tools: _containers.RepeatedCompositeFieldContainer[_tool_pb2.ToolRef]
    min_confidence: float
    relative_margin: float
    continuity: Continuity
    min_catalog_version: str
    keep_replay: bool
    def __init__(self, query: _Optional[str] = ..., conversation: _Optional[_Union[Conversation, _Mapping]] = ..., scope: _Optional[_Union[Scope, _Mapping]] = ..., budget: _Optional[_Union[Budget, _Mapping]] = ..., output: _Optional[_Union[Output, _Mapping]] = ..., pinned: _Optional[_Iterable[_Union[_tool_pb2.ToolRef, _Mapping]]] = ..., explain: bool = ..., explain_tools: _Optional[_Iterable[_Union[_tool_pb2.ToolRef, _Mapping]]] = ..., min_confidence: _Optional[float] = ..., relative_margin: _Optional[float] = ..., continuity: _Optional[_Union[Continuity, _Mapping]] = ..., min_catalog_version: _Optional[str] = ..., keep_replay: bool = ...) -> None: ...

class Continuity(_message.Message):
    __slots__ = ("previous_tools", "session_id")
    PREVIOUS_TOOLS_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    previous_tools: _containers.RepeatedCompositeFieldContainer[PreviousTool]
    session_id: str
    def __init__(self, previous_tools: _Optional[_Iterable[_Union[PreviousTool, _Mapping]]] = ..., session_id: _Optional[str] = ...) -> None: ...

class PreviousTool(_message.Message):
    __slots__ = ("source", "tool", "fidelity", "definition_hash")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    FIDELITY_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_HASH_FIELD_NUMBER: _ClassVar[int]
    source: str
    tool: str
    fidelity: _tool_pb2.Fidelity
    definition_hash: str
    def __init__(self, source: _Optional[str] = ..., tool: _Optional[str] = ..., fidelity: _Optional[_Union[_tool_pb2.Fidelity, str]] = ..., definition_hash: _Optional[str] = ...) -> None: ...

class Conversation(_message.Message):
    __slots__ = ("turns",)
    TURNS_FIELD_NUMBER: _ClassVar[int]
    turns: _containers.RepeatedCompositeFieldContainer[Turn]
    def __init__(self, turns: _Optional[_Iterable[_Union[Turn, _Mapping]]] = ...) -> None: ...

class Turn(_message.Message):
    __slots__ = ("role", "text", "tool_calls")
    class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ROLE_UNSPECIFIED: _ClassVar[Turn.Role]
        ROLE_USER: _ClassVar[Turn.Role]
        ROLE_ASSISTANT: _ClassVar[Turn.Role]
        ROLE_TOOL: _ClassVar[Turn.Role]
    ROLE_UNSPECIFIED: Turn.Role
    ROLE_USER: Turn.Role
    ROLE_ASSISTANT: Turn.Role
    ROLE_TOOL: Turn.Role
    ROLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALLS_FIELD_NUMBER: _ClassVar[int]
    role: Turn.Role
    text: str
    tool_calls: _containers.RepeatedCompositeFieldContainer[_tool_pb2.ToolRef]
    def __init__(self, role: _Optional[_Union[Turn.Role, str]] = ..., text: _Optional[str] = ..., tool_calls: _Optional[_Iterable[_Union[_tool_pb2.ToolRef, _Mapping]]] = ...) -> None: ...

class Scope(_message.Message):
    __slots__ = ("sources", "domains", "tags", "allow", "deny")
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    DOMAINS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_FIELD_NUMBER: _ClassVar[int]
    DENY_FIELD_NUMBER: _ClassVar[int]
    sources: _containers.RepeatedScalarFieldContainer[str]
    domains: _containers.RepeatedScalarFieldContainer[str]
    tags: _containers.RepeatedScalarFieldContainer[str]
    allow: _containers.RepeatedCompositeFieldContainer[_tool_pb2.ToolRef]
    deny: _containers.RepeatedCompositeFieldContainer[_tool_pb2.ToolRef]
    def __init__(self, sources: _Optional[_Iterable[str]] = ..., domains: _Optional[_Iterable[str]] = ..., tags: _Optional[_Iterable[str]] = ..., allow: _Optional[_Iterable[_Union[_tool_pb2.ToolRef, _Mapping]]] = ..., deny: _Optional[_Iterable[_Union[_tool_pb2.ToolRef, _Mapping]]] = ...) -> None: ...

class Budget(_message.Message):
    __slots__ = ("max_tokens", "tokenizer", "max_tools", "min_tools")
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TOKENIZER_FIELD_NUMBER: _ClassVar[int]
    MAX_TOOLS_FIELD_NUMBER: _ClassVar[int]
    MIN_TOOLS_FIELD_NUMBER: _ClassVar[int]
    max_tokens: int
    tokenizer: str
    max_tools: int
    min_tools: int
    def __init__(self, max_tokens: _Optional[int] = ..., tokenizer: _Optional[str] = ..., max_tools: _Optional[int] = ..., min_tools: _Optional[int] = ...) -> None: ...

class Output(_message.Message):
    __slots__ = ("format", "include", "schema_profile", "defer_loading", "tool_references")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_PROFILE_FIELD_NUMBER: _ClassVar[int]
    DEFER_LOADING_FIELD_NUMBER: _ClassVar[int]
    TOOL_REFERENCES_FIELD_NUMBER: _ClassVar[int]
    format: _tool_pb2.Format
    include: _containers.RepeatedScalarFieldContainer[Include]
    schema_profile: _tool_pb2.SchemaProfile
    defer_loading: bool
    tool_references: bool
    def __init__(self, format: _Optional[_Union[_tool_pb2.Format, str]] = ..., include: _Optional[_Iterable[_Union[Include, str]]] = ..., schema_profile: _Optional[_Union[_tool_pb2.SchemaProfile, str]] = ..., defer_loading: bool = ..., tool_references: bool = ...) -> None: ...

class SelectToolsResponse(_message.Message):
    __slots__ = ("tools", "prompt", "usage", "no_match", "dropped", "mode", "confidence", "degraded_reason", "catalog_version", "explanations", "tool_references_json", "directory", "condensed", "listed", "continuity", "meta")
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    NO_MATCH_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_REASON_FIELD_NUMBER: _ClassVar[int]
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    EXPLANATIONS_FIELD_NUMBER: _ClassVar[int]
    TOOL_REFERENCES_JSON_FIELD_NUMBER: _ClassVar[int]
    DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    CONDENSED_FIELD_NUMBER: _ClassVar[int]
    LISTED_FIELD_NUMBER: _ClassVar[int]
    CONTINUITY_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    tools: _containers.RepeatedCompositeFieldContainer[SelectedTool]
    prompt: str
    usage: Usage
    no_match: NoMatch
    dropped: _containers.RepeatedCompositeFieldContainer[DroppedTool]
    mode: Mode
    confidence: float
    degraded_reason: str
    catalog_version: str
    explanations: _containers.RepeatedCompositeFieldContainer[ToolExplanation]
    tool_references_json: str
    directory: str
    condensed: str
    listed: _containers.RepeatedCompositeFieldContainer[ListedTool]
    continuity: ListContinuity
    meta: ResponseMeta
    def __init__(self, tools: _Optional[_Iterable[_Union[SelectedTool, _Mapping]]] = ..., prompt: _Optional[str] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ..., no_match: _Optional[_Union[NoMatch, _Mapping]] = ..., dropped: _Optional[_Iterable[_Union[DroppedTool, _Mapping]]] = ..., mode: _Optional[_Union[Mode, str]] = ..., confidence: _Optional[float] = ..., degraded_reason: _Optional[str] = ..., catalog_version: _Optional[str] = ..., explanations: _Optional[_Iterable[_Union[ToolExplanation, _Mapping]]] = ..., tool_references_json: _Optional[str] = ..., directory: _Optional[str] = ..., condensed: _Optional[str] = ..., listed: _Optional[_Iterable[_Union[ListedTool, _Mapping]]] = ..., continuity: _Optional[_Union[ListContinuity, _Mapping]] = ..., meta: _Optional[_Union[ResponseMeta, _Mapping]] = ...) -> None: ...

class ListedTool(_message.Message):
    __slots__ = ("source", "tool", "model_name", "score", "confidence", "line", "tokens", "reasons")
    class Line(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        LINE_UNSPECIFIED: _ClassVar[ListedTool.Line]
        LINE_NAME: _ClassVar[ListedTool.Line]
        LINE_SIGNATURE: _ClassVar[ListedTool.Line]
    LINE_UNSPECIFIED: ListedTool.Line
    LINE_NAME: ListedTool.Line
    LINE_SIGNATURE: ListedTool.Line
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    source: str
    tool: str
    model_name: str
    score: float
    confidence: float
    line: ListedTool.Line
    tokens: int
    reasons: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, source: _Optional[str] = ..., tool: _Optional[str] = ..., model_name: _Optional[str] = ..., score: _Optional[float] = ..., confidence: _Optional[float] = ..., line: _Optional[_Union[ListedTool.Line, str]] = ..., tokens: _Optional[int] = ..., reasons: _Optional[_Iterable[str]] = ...) -> None: ...

class ListContinuity(_message.Message):
    __slots__ = ("change", "kept_tools", "detail")
    class Change(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CHANGE_UNSPECIFIED: _ClassVar[ListContinuity.Change]
        CHANGE_FIRST: _ClassVar[ListContinuity.Change]
        CHANGE_APPENDED: _ClassVar[ListContinuity.Change]
        CHANGE_REBUILT: _ClassVar[ListContinuity.Change]
    CHANGE_UNSPECIFIED: ListContinuity.Change
    CHANGE_FIRST: ListContinuity.Change
    CHANGE_APPENDED: ListContinuity.Change
    CHANGE_REBUILT: ListContinuity.Change
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    KEPT_TOOLS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    change: ListContinuity.Change
    kept_tools: int
    detail: str
    def __init__(self, change: _Optional[_Union[ListContinuity.Change, str]] = ..., kept_tools: _Optional[int] = ..., detail: _Optional[str] = ...) -> None: ...

class SelectedTool(_message.Message):
    __slots__ = ("source", "tool", "model_name", "score", "fidelity", "tokens", "definition_json", "reasons", "confidence", "schema_profile", "profile_lossy", "profile_detail", "definition_hash")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    FIDELITY_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_JSON_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_PROFILE_FIELD_NUMBER: _ClassVar[int]
    PROFILE_LOSSY_FIELD_NUMBER: _ClassVar[int]
    PROFILE_DETAIL_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_HASH_FIELD_NUMBER: _ClassVar[int]
    source: str
    tool: str
    model_name: str
    score: float
    fidelity: _tool_pb2.Fidelity
    tokens: int
    definition_json: str
    reasons: _containers.RepeatedScalarFieldContainer[str]
    confidence: float
    schema_profile: _tool_pb2.SchemaProfile
    profile_lossy: bool
    profile_detail: str
    definition_hash: str
    def __init__(self, source: _Optional[str] = ..., tool: _Optional[str] = ..., model_name: _Optional[str] = ..., score: _Optional[float] = ..., fidelity: _Optional[_Union[_tool_pb2.Fidelity, str]] = ..., tokens: _Optional[int] = ..., definition_json: _Optional[str] = ..., reasons: _Optional[_Iterable[str]] = ..., confidence: _Optional[float] = ..., schema_profile: _Optional[_Union[_tool_pb2.SchemaProfile, str]] = ..., profile_lossy: bool = ..., profile_detail: _Optional[str] = ..., definition_hash: _Optional[str] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("eligible_tokens", "returned_tokens", "saved_tokens", "max_tokens", "eligible_tools", "overhead_tokens", "directory_tokens")
    ELIGIBLE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    RETURNED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SAVED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ELIGIBLE_TOOLS_FIELD_NUMBER: _ClassVar[int]
    OVERHEAD_TOKENS_FIELD_NUMBER: _ClassVar[int]
    DIRECTORY_TOKENS_FIELD_NUMBER: _ClassVar[int]
    eligible_tokens: int
    returned_tokens: int
    saved_tokens: int
    max_tokens: int
    eligible_tools: int
    overhead_tokens: int
    directory_tokens: int
    def __init__(self, eligible_tokens: _Optional[int] = ..., returned_tokens: _Optional[int] = ..., saved_tokens: _Optional[int] = ..., max_tokens: _Optional[int] = ..., eligible_tools: _Optional[int] = ..., overhead_tokens: _Optional[int] = ..., directory_tokens: _Optional[int] = ...) -> None: ...

class NoMatch(_message.Message):
    __slots__ = ("reason", "detail")
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REASON_UNSPECIFIED: _ClassVar[NoMatch.Reason]
        REASON_EMPTY_CATALOG: _ClassVar[NoMatch.Reason]
        REASON_EMPTY_SCOPE: _ClassVar[NoMatch.Reason]
        REASON_NOTHING_RELEVANT: _ClassVar[NoMatch.Reason]
        REASON_OVER_BUDGET: _ClassVar[NoMatch.Reason]
        REASON_LOW_CONFIDENCE: _ClassVar[NoMatch.Reason]
    REASON_UNSPECIFIED: NoMatch.Reason
    REASON_EMPTY_CATALOG: NoMatch.Reason
    REASON_EMPTY_SCOPE: NoMatch.Reason
    REASON_NOTHING_RELEVANT: NoMatch.Reason
    REASON_OVER_BUDGET: NoMatch.Reason
    REASON_LOW_CONFIDENCE: NoMatch.Reason
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    reason: NoMatch.Reason
    detail: str
    def __init__(self, reason: _Optional[_Union[NoMatch.Reason, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class DroppedTool(_message.Message):
    __slots__ = ("source", "tool", "reason", "detail")
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REASON_UNSPECIFIED: _ClassVar[DroppedTool.Reason]
        REASON_OVER_BUDGET: _ClassVar[DroppedTool.Reason]
        REASON_MAX_TOOLS: _ClassVar[DroppedTool.Reason]
        REASON_NOT_FOUND: _ClassVar[DroppedTool.Reason]
        REASON_DISABLED: _ClassVar[DroppedTool.Reason]
        REASON_OUT_OF_SCOPE: _ClassVar[DroppedTool.Reason]
        REASON_LOW_CONFIDENCE: _ClassVar[DroppedTool.Reason]
        REASON_NOT_MISSED: _ClassVar[DroppedTool.Reason]
    REASON_UNSPECIFIED: DroppedTool.Reason
    REASON_OVER_BUDGET: DroppedTool.Reason
    REASON_MAX_TOOLS: DroppedTool.Reason
    REASON_NOT_FOUND: DroppedTool.Reason
    REASON_DISABLED: DroppedTool.Reason
    REASON_OUT_OF_SCOPE: DroppedTool.Reason
    REASON_LOW_CONFIDENCE: DroppedTool.Reason
    REASON_NOT_MISSED: DroppedTool.Reason
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    source: str
    tool: str
    reason: DroppedTool.Reason
    detail: str
    def __init__(self, source: _Optional[str] = ..., tool: _Optional[str] = ..., reason: _Optional[_Union[DroppedTool.Reason, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class ToolExplanation(_message.Message):
    __slots__ = ("source", "tool", "fate", "rank", "score", "reasons")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    FATE_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    source: str
    tool: str
    fate: str
    rank: int
    score: float
    reasons: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, source: _Optional[str] = ..., tool: _Optional[str] = ..., fate: _Optional[str] = ..., rank: _Optional[int] = ..., score: _Optional[float] = ..., reasons: _Optional[_Iterable[str]] = ...) -> None: ...

class ResponseMeta(_message.Message):
    __slots__ = ("selection_id", "trace_id", "stages", "engine", "cache", "traceparent")
    SELECTION_ID_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    selection_id: str
    trace_id: str
    stages: _containers.RepeatedCompositeFieldContainer[StageTiming]
    engine: str
    cache: str
    traceparent: str
    def __init__(self, selection_id: _Optional[str] = ..., trace_id: _Optional[str] = ..., stages: _Optional[_Iterable[_Union[StageTiming, _Mapping]]] = ..., engine: _Optional[str] = ..., cache: _Optional[str] = ..., traceparent: _Optional[str] = ...) -> None: ...

class StageTiming(_message.Message):
    __slots__ = ("stage", "micros")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    MICROS_FIELD_NUMBER: _ClassVar[int]
    stage: str
    micros: int
    def __init__(self, stage: _Optional[str] = ..., micros: _Optional[int] = ...) -> None: ...

class DescribeToolsRequest(_message.Message):
    __slots__ = ("tools", "model_names", "calls")
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    MODEL_NAMES_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    tools: _containers.RepeatedCompositeFieldContainer[_tool_pb2.ToolRef]
    model_names: _containers.RepeatedScalarFieldContainer[str]
    calls: _containers.RepeatedCompositeFieldContainer[ToolCall]
    def __init__(self, tools: _Optional[_Iterable[_Union[_tool_pb2.ToolRef, _Mapping]]] = ..., model_names: _Optional[_Iterable[str]] = ..., calls: _Optional[_Iterable[_Union[ToolCall, _Mapping]]] = ...) -> None: ...

class ToolCall(_message.Message):
    __slots__ = ("tool", "model_name", "arguments_json", "made_for")
    TOOL_FIELD_NUMBER: _ClassVar[int]
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_JSON_FIELD_NUMBER: _ClassVar[int]
    MADE_FOR_FIELD_NUMBER: _ClassVar[int]
    tool: _tool_pb2.ToolRef
    model_name: str
    arguments_json: str
    made_for: _tool_pb2.SchemaProfile
    def __init__(self, tool: _Optional[_Union[_tool_pb2.ToolRef, _Mapping]] = ..., model_name: _Optional[str] = ..., arguments_json: _Optional[str] = ..., made_for: _Optional[_Union[_tool_pb2.SchemaProfile, str]] = ...) -> None: ...

class DescribeToolsResponse(_message.Message):
    __slots__ = ("results", "catalog_version", "checked")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    CHECKED_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[DescribedTool]
    catalog_version: str
    checked: _containers.RepeatedCompositeFieldContainer[CheckedCall]
    def __init__(self, results: _Optional[_Iterable[_Union[DescribedTool, _Mapping]]] = ..., catalog_version: _Optional[str] = ..., checked: _Optional[_Iterable[_Union[CheckedCall, _Mapping]]] = ...) -> None: ...

class CheckedCall(_message.Message):
    __slots__ = ("verdict", "errors", "arguments_json", "detail")
    class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        VERDICT_UNSPECIFIED: _ClassVar[CheckedCall.Verdict]
        VERDICT_VALID: _ClassVar[CheckedCall.Verdict]
        VERDICT_INVALID: _ClassVar[CheckedCall.Verdict]
        VERDICT_NOT_FOUND: _ClassVar[CheckedCall.Verdict]
        VERDICT_UNCHECKED: _ClassVar[CheckedCall.Verdict]
    VERDICT_UNSPECIFIED: CheckedCall.Verdict
    VERDICT_VALID: CheckedCall.Verdict
    VERDICT_INVALID: CheckedCall.Verdict
    VERDICT_NOT_FOUND: CheckedCall.Verdict
    VERDICT_UNCHECKED: CheckedCall.Verdict
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_JSON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    verdict: CheckedCall.Verdict
    errors: _containers.RepeatedCompositeFieldContainer[ArgumentError]
    arguments_json: str
    detail: str
    def __init__(self, verdict: _Optional[_Union[CheckedCall.Verdict, str]] = ..., errors: _Optional[_Iterable[_Union[ArgumentError, _Mapping]]] = ..., arguments_json: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class ArgumentError(_message.Message):
    __slots__ = ("path", "description")
    PATH_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    path: str
    description: str
    def __init__(self, path: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class DescribedTool(_message.Message):
    __slots__ = ("tool", "not_found")
    class NotFound(_message.Message):
        __slots__ = ("detail",)
        DETAIL_FIELD_NUMBER: _ClassVar[int]
        detail: str
        def __init__(self, detail: _Optional[str] = ...) -> None: ...
    TOOL_FIELD_NUMBER: _ClassVar[int]
    NOT_FOUND_FIELD_NUMBER: _ClassVar[int]
    tool: _tool_pb2.RegisteredTool
    not_found: DescribedTool.NotFound
    def __init__(self, tool: _Optional[_Union[_tool_pb2.RegisteredTool, _Mapping]] = ..., not_found: _Optional[_Union[DescribedTool.NotFound, _Mapping]] = ...) -> None: ...

class RankToolsRequest(_message.Message):
    __slots__ = ("query", "tools", "budget", "output", "pinned", "explain", "explain_tools", "min_confidence", "relative_margin", "conversation", "continuity")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_TOOLS_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_MARGIN_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    CONTINUITY_FIELD_NUMBER: _ClassVar[int]
    query: str
    tools: _containers.RepeatedCompositeFieldContainer[OfferedTool]
    budget: Budget
    output: Output
    pinned: _containers.RepeatedCompositeFieldContainer[_tool_pb2.ToolRef]
    explain: bool
    explain_tools: _containers.RepeatedCompositeFieldContainer[_tool_pb2.ToolRef]
    min_confidence: float
    relative_margin: float
    conversation: Conversation
    continuity: Continuity
    def __init__(self, query: _Optional[str] = ..., tools: _Optional[_Iterable[_Union[OfferedTool, _Mapping]]] = ..., budget: _Optional[_Union[Budget, _Mapping]] = ..., output: _Optional[_Union[Output, _Mapping]] = ..., pinned: _Optional[_Iterable[_Union[_tool_pb2.ToolRef, _Mapping]]] = ..., explain: bool = ..., explain_tools: _Optional[_Iterable[_Union[_tool_pb2.ToolRef, _Mapping]]] = ..., min_confidence: _Optional[float] = ..., relative_margin: _Optional[float] = ..., conversation: _Optional[_Union[Conversation, _Mapping]] = ..., continuity: _Optional[_Union[Continuity, _Mapping]] = ...) -> None: ...

class OfferedTool(_message.Message):
    __slots__ = ("source", "definition")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    source: str
    definition: _tool_pb2.ToolDefinition
    def __init__(self, source: _Optional[str] = ..., definition: _Optional[_Union[_tool_pb2.ToolDefinition, _Mapping]] = ...) -> None: ...

class RankToolsResponse(_message.Message):
    __slots__ = ("selection",)
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    selection: SelectToolsResponse
    def __init__(self, selection: _Optional[_Union[SelectToolsResponse, _Mapping]] = ...) -> None: ...
