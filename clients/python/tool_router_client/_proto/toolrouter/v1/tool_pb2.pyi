from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ToolState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TOOL_STATE_UNSPECIFIED: _ClassVar[ToolState]
    TOOL_STATE_ENABLED: _ClassVar[ToolState]
    TOOL_STATE_DISABLED: _ClassVar[ToolState]

class Format(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FORMAT_UNSPECIFIED: _ClassVar[Format]
    FORMAT_OPENAI_CHAT: _ClassVar[Format]
    FORMAT_ANTHROPIC: _ClassVar[Format]
    FORMAT_MCP: _ClassVar[Format]
    FORMAT_OPENAI_RESPONSES: _ClassVar[Format]
    FORMAT_GEMINI: _ClassVar[Format]

class SchemaProfile(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCHEMA_PROFILE_UNSPECIFIED: _ClassVar[SchemaProfile]
    SCHEMA_PROFILE_RAW: _ClassVar[SchemaProfile]
    SCHEMA_PROFILE_LEAN: _ClassVar[SchemaProfile]
    SCHEMA_PROFILE_OPENAI_STRICT: _ClassVar[SchemaProfile]
    SCHEMA_PROFILE_GEMINI: _ClassVar[SchemaProfile]

class Fidelity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FIDELITY_UNSPECIFIED: _ClassVar[Fidelity]
    FIDELITY_SKELETON: _ClassVar[Fidelity]
    FIDELITY_LEAN: _ClassVar[Fidelity]
    FIDELITY_FULL: _ClassVar[Fidelity]
TOOL_STATE_UNSPECIFIED: ToolState
TOOL_STATE_ENABLED: ToolState
TOOL_STATE_DISABLED: ToolState
FORMAT_UNSPECIFIED: Format
FORMAT_OPENAI_CHAT: Format
FORMAT_ANTHROPIC: Format
FORMAT_MCP: Format
FORMAT_OPENAI_RESPONSES: Format
FORMAT_GEMINI: Format
SCHEMA_PROFILE_UNSPECIFIED: SchemaProfile
SCHEMA_PROFILE_RAW: SchemaProfile
SCHEMA_PROFILE_LEAN: SchemaProfile
SCHEMA_PROFILE_OPENAI_STRICT: SchemaProfile
SCHEMA_PROFILE_GEMINI: SchemaProfile
FIDELITY_UNSPECIFIED: Fidelity
FIDELITY_SKELETON: Fidelity
FIDELITY_LEAN: Fidelity
FIDELITY_FULL: Fidelity

class ToolRef(_message.Message):
    __slots__ = ("source", "tool")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    source: str
    tool: str
    def __init__(self, source: _Optional[str] = ..., tool: _Optional[str] = ...) -> None: ...

class ToolDefinition(_message.Message):
    __slots__ = ("name", "title", "description", "input_schema_json", "output_schema_json", "annotations_json", "extra_json", "domain", "tags", "examples")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    INPUT_SCHEMA_JSON_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_SCHEMA_JSON_FIELD_NUMBER: _ClassVar[int]
    ANNOTATIONS_JSON_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    description: str
    input_schema_json: str
    output_schema_json: str
    annotations_json: str
    extra_json: str
    domain: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    examples: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., input_schema_json: _Optional[str] = ..., output_schema_json: _Optional[str] = ..., annotations_json: _Optional[str] = ..., extra_json: _Optional[str] = ..., domain: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., examples: _Optional[_Iterable[str]] = ...) -> None: ...

class RegisteredTool(_message.Message):
    __slots__ = ("source", "definition", "model_name", "state", "fingerprint", "registered_at_ms", "updated_at_ms", "tokens")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    source: str
    definition: ToolDefinition
    model_name: str
    state: ToolState
    fingerprint: str
    registered_at_ms: int
    updated_at_ms: int
    tokens: int
    def __init__(self, source: _Optional[str] = ..., definition: _Optional[_Union[ToolDefinition, _Mapping]] = ..., model_name: _Optional[str] = ..., state: _Optional[_Union[ToolState, str]] = ..., fingerprint: _Optional[str] = ..., registered_at_ms: _Optional[int] = ..., updated_at_ms: _Optional[int] = ..., tokens: _Optional[int] = ...) -> None: ...
