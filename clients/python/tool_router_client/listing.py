"""All tools of the catalogue, a page at a time behind one iterator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from ._proto.toolrouter.v1 import catalog_pb2
from .catalogue import RegisteredTool, registered


class _Pages:
    """What has been fetched, and what to ask for next."""

    def __init__(self, first: catalog_pb2.ListToolsRequest) -> None:
        self.request: catalog_pb2.ListToolsRequest | None = first
        self.fetched: Iterator[RegisteredTool] = iter(())
        self.catalog_version: str | None = None

    def take(self, answer: catalog_pb2.ListToolsResponse) -> None:
        self.fetched = map(registered, answer.tools)
        if self.catalog_version is None:
            self.catalog_version = answer.catalog_version
        if not answer.next_page_token:
            self.request = None
        elif self.request is not None:
            self.request.page_token = answer.next_page_token


class ToolListing(Iterator[RegisteredTool]):
    """Tools in order of source and name. Made by `Router.list_tools`."""

    def __init__(
        self,
        first: catalog_pb2.ListToolsRequest,
        fetch: Callable[[catalog_pb2.ListToolsRequest], catalog_pb2.ListToolsResponse],
    ) -> None:
        self._pages, self._fetch = _Pages(first), fetch

    @property
    def catalog_version(self) -> str | None:
        """Where `watch` goes on from this list. Of the first page: what changes while later ones are fetched is told again rather than
        missed. `None` before the first tool."""
        return self._pages.catalog_version

    def __next__(self) -> RegisteredTool:
        while True:
            for tool in self._pages.fetched:
                return tool
            if self._pages.request is None:
                raise StopIteration
            self._pages.take(self._fetch(self._pages.request))


class AsyncToolListing(AsyncIterator[RegisteredTool]):
    """The same for `async for`. Made by `AsyncRouter.list_tools`."""

    def __init__(
        self,
        first: catalog_pb2.ListToolsRequest,
        fetch: Callable[[catalog_pb2.ListToolsRequest], Awaitable[catalog_pb2.ListToolsResponse]],
    ) -> None:
        self._pages, self._fetch = _Pages(first), fetch

    @property
    def catalog_version(self) -> str | None:
        """As `ToolListing.catalog_version`."""
        return self._pages.catalog_version

    async def __anext__(self) -> RegisteredTool:
        while True:
            for tool in self._pages.fetched:
                return tool
            if self._pages.request is None:
                raise StopAsyncIteration
            self._pages.take(await self._fetch(self._pages.request))
