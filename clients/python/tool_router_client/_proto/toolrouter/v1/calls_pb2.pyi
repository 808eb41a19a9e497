from tool_router_client._proto.toolrouter.v1 import tool_pb2 as _tool_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_OK: _ClassVar[Outcome]
    OUTCOME_ERROR: _ClassVar[Outcome]
    OUTCOME_TIMEOUT: _ClassVar[Outcome]
    OUTCOME_CANCELLED: _ClassVar[Outcome]
    OUTCOME_REJECTED: _ClassVar[Outcome]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_OK: Outcome
OUTCOME_ERROR: Outcome
OUTCOME_TIMEOUT: Outcome
OUTCOME_CANCELLED: Outcome
OUTCOME_REJECTED: Outcome

class ToolOutcome(_message.Message):
    __slots__ = ("selection_id", "tool", "model_name", "outcome", "error_class", "latency_ms", "input_tokens", "output_tokens", "call_id", "selection_traceparent", "place")
    SELECTION_ID_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ERROR_CLASS_FIELD_NUMBER: _ClassVar[int]
    LATENCY_MS_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    SELECTION_TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    selection_id: str
    tool: _tool_pb2.ToolRef
    model_name: str
    outcome: Outcome
    error_class: str
    latency_ms: float
    input_tokens: int
    output_tokens: int
    call_id: str
    selection_traceparent: str
    place: int
    def __init__(self, selection_id: _Optional[str] = ..., tool: _Optional[_Union[_tool_pb2.ToolRef, _Mapping]] = ..., model_name: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., error_class: _Optional[str] = ..., latency_ms: _Optional[float] = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., call_id: _Optional[str] = ..., selection_traceparent: _Optional[str] = ..., place: _Optional[int] = ...) -> None: ...

class ReportOutcomesRequest(_message.Message):
    __slots__ = ("outcomes",)
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[ToolOutcome]
    def __init__(self, outcomes: _Optional[_Iterable[_Union[ToolOutcome, _Mapping]]] = ...) -> None: ...

class ReportOutcomesResponse(_message.Message):
    __slots__ = ("accepted", "duplicates", "unknown_selections", "refused")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_SELECTIONS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    accepted: int
    duplicates: int
    unknown_selections: int
    refused: _containers.RepeatedCompositeFieldContainer[RefusedOutcome]
    def __init__(self, accepted: _Optional[int] = ..., duplicates: _Optional[int] = ..., unknown_selections: _Optional[int] = ..., refused: _Optional[_Iterable[_Union[RefusedOutcome, _Mapping]]] = ...) -> None: ...

class RefusedOutcome(_message.Message):
    __slots__ = ("index", "field", "detail")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    index: int
    field: str
    detail: str
    def __init__(self, index: _Optional[int] = ..., field: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...
