"""The two tools of the example: one in this process, one behind HTTP, as tools of an agent usually are."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from opentelemetry import propagate

Json = dict[str, Any]
REMOTE_SOURCE, LOCAL_SOURCE = "example-weather", "example-units"
_METRES = {"metres": 1.0, "kilometres": 1_000.0, "miles": 1_609.344, "feet": 0.3048}
# Seconds that the server of a tool may take.
_TIMEOUT = 10

FORECAST: Json = {
    "name": "get-forecast",
    "description": "Weather forecast for a place: will it rain, how warm will it be, over the coming days.",
    "inputSchema": {
        "type": "object",
        "properties": {
            "place": {"type": "string", "description": "Name of a town."},
            "days": {"type": "integer", "description": "How many days.", "minimum": 1, "maximum": 14},
        },
        "required": ["place", "days"],
    },
}
CONVERT: Json = {
    "name": "convert_length",
    "description": "Convert a length between kilometres, metres, miles and feet.",
    "inputSchema": {
        "type": "object",
        "properties": {
            "value": {"type": "number", "description": "The length."},
            "from": {"type": "string", "enum": list(_METRES), "description": "Its unit."},
            "to": {"type": "string", "enum": list(reversed(_METRES)), "description": "The unit wanted."},
        },
        "required": ["value", "from", "to"],
    },
}
LISTS: dict[str, list[Json]] = {REMOTE_SOURCE: [FORECAST], LOCAL_SOURCE: [CONVERT]}


def convert_length(arguments: Json) -> Json:
    metres = float(arguments["value"]) * _METRES[arguments["from"]]
    return {"value": round(metres / _METRES[arguments["to"]], 3), "unit": arguments["to"]}


def forecast(arguments: Json) -> Json:
    """What the tool server answers. Made up, and the same for the same place."""
    seed = sum(str(arguments["place"]).encode())
    days = [{"rain": (seed + day) % 3 == 0, "high": (seed + 5 * day) % 30} for day in range(int(arguments["days"]))]
    return {"place": arguments["place"], "days": days}


def post(base_url: str, tool: str, arguments: Json) -> Json:
    """Calls a tool on its server, with the trace and the baggage of the current span."""
    headers = {"Content-Type": "application/json"}
    propagate.inject(headers)
    request = urllib.request.Request(f"{base_url}/tools/{tool}", json.dumps(arguments).encode(), headers)
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
        result: Json = json.load(answer)
    return result
