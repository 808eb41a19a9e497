"""The two clients are written twice, since one waits and the other awaits. This keeps them the same to their users."""

from __future__ import annotations

import inspect

import pytest

from tool_router_client import AsyncRouter, Router

METHODS = [name for name in vars(Router) if not name.startswith("_")]


def test_both_have_the_same_methods() -> None:
    assert METHODS == [name for name in vars(AsyncRouter) if not name.startswith("_")]


@pytest.mark.parametrize("name", ["__init__", *METHODS])
def test_both_take_the_same_and_say_the_same(name: str) -> None:
    ours, theirs = getattr(Router, name), getattr(AsyncRouter, name)
    assert list(inspect.signature(ours).parameters.values()) == list(inspect.signature(theirs).parameters.values())
    assert ours.__doc__ == theirs.__doc__
