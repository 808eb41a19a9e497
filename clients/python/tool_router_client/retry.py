"""When to try a call again, and how long to wait first.

Exponential back-off with full jitter (a wait is drawn between 0 and the back-off, so that callers that failed together do not come back
together), never past the call's deadline. What the router says about when to come back is waited for in full, with the jitter on top.
Time and randomness are handed in: tests wait for nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from .errors import Overloaded, RouterError, Unavailable


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how patiently."""

    retries: int = 3
    """Tries after the first one."""
    first_backoff: float = 0.1
    """Seconds. Doubles with every try."""
    longest_backoff: float = 5.0
    """Seconds."""
    clock: Callable[[], float] = time.monotonic
    """Seconds since any fixed moment."""
    draw: Callable[[], float] = random.random
    """A number in [0, 1)."""

    def backoff(self, failures: int, retry_after: float | None) -> float:
        """Seconds to wait after `failures` failed tries, 1 or more, in a row."""
        # 2 ** 30 is beyond any longest back-off; a larger power would overflow a float after a long night of failures.
        most = min(self.longest_backoff, self.first_backoff * 2.0 ** min(failures - 1, 30))
        return (retry_after or 0.0) + self.draw() * most


class Attempts:
    """The tries of one call, which share one deadline."""

    def __init__(self, policy: RetryPolicy, timeout: float | None, repeatable: bool) -> None:
        self._policy = policy
        self._repeatable = repeatable
        self._deadline = None if timeout is None else policy.clock() + timeout
        self._failures = 0

    def time_left(self) -> float | None:
        """Seconds that the next try may take. `None`: as long as it takes."""
        return None if self._deadline is None else max(0.0, self._deadline - self._policy.clock())

    def pause_after(self, error: RouterError) -> float | None:
        """Seconds to wait before the next try; `None` when there is none."""
        self._failures += 1
        if self._policy.retries < self._failures or not self._is_worth_another(error):
            return None
        pause = self._policy.backoff(self._failures, error.retry_after)
        left = self.time_left()
        return pause if left is None or pause < left else None

    def _is_worth_another(self, error: RouterError) -> bool:
        # Refused at the door, with the time to come back: nothing has begun, so even a call that is not repeatable may go again.
        if isinstance(error, Overloaded):
            return error.retry_after is not None
        return isinstance(error, Unavailable) and self._repeatable
