"""A tiny MCP server: units of measurement and dates."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from mcp.server.mcpserver import MCPServer

server = MCPServer("units", log_level="WARNING")
METRES = {"metre": 1.0, "kilometre": 1_000.0, "mile": 1_609.344, "foot": 0.3048}
Length = Literal["metre", "kilometre", "mile", "foot"]


@server.tool()
def convert_length(value: float, from_unit: Length, to_unit: Length) -> float:
    """Convert a distance or length between metres, kilometres, miles and feet."""
    return value * METRES[from_unit] / METRES[to_unit]


@server.tool()
def convert_temperature(value: float, from_unit: Literal["celsius", "fahrenheit"]) -> float:
    """Convert a temperature from degrees Celsius to Fahrenheit or back."""
    return value * 9 / 5 + 32 if from_unit == "celsius" else (value - 32) * 5 / 9


@server.tool()
def add_days(start: date, days: int) -> str:
    """Which date it is a number of days after, or before, another date."""
    return (start + timedelta(days=days)).isoformat()


if __name__ == "__main__":
    server.run()
