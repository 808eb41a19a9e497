"""A tiny MCP server: notes, kept while it runs."""

from __future__ import annotations

from mcp.server.mcpserver import MCPServer

server = MCPServer("notes", log_level="WARNING")
NOTES: dict[str, str] = {"groceries": "milk, bread, coffee"}


@server.tool()
def add_note(title: str, text: str) -> str:
    """Write down a note under a title; replaces the note that has this title already."""
    NOTES[title] = text
    return f"noted {title!r}"


@server.tool()
def search_notes(words: str) -> list[str]:
    """Find notes whose title or text contains the words. Returns their titles."""
    return [title for title, text in NOTES.items() if words.lower() in f"{title} {text}".lower()]


@server.tool()
def list_notes() -> list[str]:
    """The titles of all notes that are kept."""
    return list(NOTES)


@server.tool()
def delete_note(title: str) -> str:
    """Throw a note away for good."""
    return f"deleted {title!r}" if NOTES.pop(title, None) is not None else f"there is no note {title!r}"


if __name__ == "__main__":
    server.run()
