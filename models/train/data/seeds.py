"""Randomness that stays put: every item has a generator of its own.

With one generator for the whole run, a new tool or a new kind of request would change every pair after it, and two
training runs could no longer be compared.
"""

import hashlib
import random


def generator(*parts):
    """A generator that depends on `parts` only (seed, set, tool id, kind …)."""
    return random.Random(int.from_bytes(_digest(parts)[:8], "big"))


def fraction(*parts):
    """A number in [0, 1) that depends on `parts` only: for shares that must not move when other items come or go."""
    return int.from_bytes(_digest(parts)[:7], "big") / (1 << 56)


def _digest(parts):
    return hashlib.sha256("\n".join(str(part) for part in parts).encode("utf-8")).digest()
