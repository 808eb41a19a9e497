from __future__ import annotations

import pytest

from tool_router_client.errors import InvalidRequest, Overloaded, RouterError, Unavailable
from tool_router_client.retry import Attempts, RetryPolicy

AWAY = Unavailable("UNAVAILABLE", "away")


class FakeClock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def attempts(clock: FakeClock, timeout: float | None, retries: int = 3, draw: float = 1.0, repeatable: bool = True) -> Attempts:
    policy = RetryPolicy(retries=retries, first_backoff=0.1, longest_backoff=0.3, clock=clock, draw=lambda: draw)
    return Attempts(policy, timeout, repeatable)


def test_the_backoff_doubles_up_to_its_limit_and_the_tries_end() -> None:
    tries = attempts(FakeClock(), None, retries=4)
    pauses = [tries.pause_after(AWAY) for _ in range(5)]
    assert pauses[:4] == pytest.approx([0.1, 0.2, 0.3, 0.3])
    assert pauses[4] is None


def test_the_whole_backoff_is_jitter() -> None:
    assert attempts(FakeClock(), None, draw=0.0).pause_after(AWAY) == 0.0
    assert attempts(FakeClock(), None, draw=0.5).pause_after(AWAY) == pytest.approx(0.05)


def test_what_the_router_says_is_waited_for_in_full() -> None:
    busy = Overloaded("RESOURCE_EXHAUSTED", "busy", retry_after=2.0)
    assert attempts(FakeClock(), None, draw=0.0).pause_after(busy) == 2.0
    assert attempts(FakeClock(), None, draw=1.0).pause_after(busy) == pytest.approx(2.1)


def test_no_try_begins_past_the_deadline() -> None:
    clock = FakeClock()
    tries = attempts(clock, timeout=1.0)
    assert tries.time_left() == 1.0
    clock.now += 0.95
    assert tries.time_left() == pytest.approx(0.05)
    assert tries.pause_after(AWAY) is None
    clock.now += 1.0
    assert tries.time_left() == 0.0


def test_only_what_may_help_is_tried_again() -> None:
    def check(error: RouterError, repeatable: bool, expected: bool) -> None:
        assert (attempts(FakeClock(), None, repeatable=repeatable).pause_after(error) is not None) == expected

    check(AWAY, True, True)
    check(AWAY, False, False)
    check(Overloaded("RESOURCE_EXHAUSTED", "busy", retry_after=0.01), True, True)
    check(Overloaded("RESOURCE_EXHAUSTED", "busy", retry_after=0.01), False, True)
    check(Overloaded("RESOURCE_EXHAUSTED", "busy"), True, False)
    check(InvalidRequest("INVALID_ARGUMENT", "wrong"), True, False)
    check(RouterError("INTERNAL", "inside"), True, False)


def test_a_long_night_of_failures_is_no_overflow() -> None:
    assert RetryPolicy(draw=lambda: 1.0).backoff(100_000, None) == 5.0
