"""Client of tool-router: the tools that fit a request, ranked, in your model's format, in at most as many tokens as you allow.

    with Router() as router:
        selection = router.select("what is on my calendar tomorrow", max_tokens=800)
        answer = model(messages, tools=selection.openai_tools())
        source, tool = selection.resolve(answer.tool_name)

Start with `Router` (or `AsyncRouter`) and `Selection`; everything that goes wrong is a `RouterError`.
"""

from ._proto.toolrouter.v1.tool_pb2 import ToolDefinition
from .async_router import AsyncRouter
from .catalogue import Bookmark, CatalogChange, CatalogEvent, Change, Described, LookAlike, RegisteredTool, ResyncRequired
from .checked_arguments import ArgumentError, CheckedArguments
from .conversation import Turn, TurnLike
from .definition import ToolLike
from .errors import (
    Conflict,
    DeadlineExceeded,
    InvalidRequest,
    MessageTooLarge,
    NotFound,
    Overloaded,
    PermissionDenied,
    Refused,
    RouterError,
    Unauthenticated,
    Unavailable,
    UnknownTool,
    Unsupported,
    Violation,
    WrongFormat,
)
from .listing import AsyncToolListing, ToolListing
from .router import Router
from .selection import (
    DroppedTool,
    Explanation,
    Format,
    ListContinuity,
    ListedTool,
    NoMatch,
    SchemaProfile,
    SelectedTool,
    Selection,
    Usage,
)
from .sources import RefusedTool, SourceStatus
from .tool_ref import RefLike, ToolRef
from .watch import AsyncWatch, Watch

__all__ = [
    "ArgumentError",
    "AsyncRouter",
    "AsyncToolListing",
    "AsyncWatch",
    "Bookmark",
    "CatalogChange",
    "CatalogEvent",
    "Change",
    "CheckedArguments",
    "Conflict",
    "DeadlineExceeded",
    "Described",
    "DroppedTool",
    "Explanation",
    "Format",
    "InvalidRequest",
    "ListContinuity",
    "ListedTool",
    "LookAlike",
    "MessageTooLarge",
    "NoMatch",
    "NotFound",
    "Overloaded",
    "PermissionDenied",
    "RefLike",
    "Refused",
    "RefusedTool",
    "RegisteredTool",
    "ResyncRequired",
    "Router",
    "RouterError",
    "SchemaProfile",
    "SelectedTool",
    "Selection",
    "SourceStatus",
    "ToolDefinition",
    "ToolLike",
    "ToolListing",
    "ToolRef",
    "Turn",
    "TurnLike",
    "Unauthenticated",
    "Unavailable",
    "UnknownTool",
    "Unsupported",
    "Usage",
    "Violation",
    "Watch",
    "WrongFormat",
]
