"""Client of tool-router: the tools that fit a request, ranked, in your model's format, in at most as many tokens as you allow.

    with Router() as router:
        selection = router.select("what is on my calendar tomorrow", max_tokens=800)
        answer = model(messages, tools=selection.openai_tools())
        source, tool = selection.resolve(answer.tool_name)
        with router.calling(selection, answer.tool_name):
            result = run(source, tool, answer.arguments)

Start with `Router` (or `AsyncRouter`) and `Selection`; everything that goes wrong is a `RouterError`.
"""

from ._proto.toolrouter.v1.tool_pb2 import ToolDefinition
from .async_router import AsyncRouter
from .calling import AsyncCalling, Calling
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
from .outcomes import CalledTool, Outcome, RefusedOutcome, Report, ToolOutcome
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
    SelectionMeta,
    Stage,
    Usage,
)
from .sources import RefusedTool, SourceStatus
from .tool_ref import RefLike, ToolRef
from .watch import AsyncWatch, Watch

__all__ = [
    "ArgumentError",
    "AsyncCalling",
    "AsyncRouter",
    "AsyncToolListing",
    "AsyncWatch",
    "Bookmark",
    "CalledTool",
    "Calling",
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
    "Outcome",
    "Overloaded",
    "PermissionDenied",
    "RefLike",
    "Refused",
    "RefusedOutcome",
    "RefusedTool",
    "RegisteredTool",
    "Report",
    "ResyncRequired",
    "Router",
    "RouterError",
    "SchemaProfile",
    "SelectedTool",
    "Selection",
    "SelectionMeta",
    "SourceStatus",
    "Stage",
    "ToolDefinition",
    "ToolLike",
    "ToolListing",
    "ToolOutcome",
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
