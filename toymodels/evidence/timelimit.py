"""A time limit on code that may think for ever, such as a computer algebra system."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from toymodels.evidence.algebra import NotApplicable
from toymodels.validation import positive_real

AGAIN = 0.05
"""Seconds after which the alarm rings once more, should a callback have swallowed it."""


class TimedOut(Exception):
    """The time allowed has passed."""


class _Alarm(BaseException):
    """The alarm itself; code that catches every Exception does not catch it."""


def can_limit() -> bool:
    """Return whether time can be limited here: in the main thread of a Unix system."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return False
    return signal.getsignal(signal.SIGALRM) is not None  # None is a handler that Python cannot put back


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimedOut in the block after so many seconds; limits nest, and the outer one stays.

    Parameters
    ----------
    seconds : float
        Positive, of wall time.

    Raises
    ------
    TimedOut
        When the time has passed, or the time of a limit further out.
    NotApplicable
        Where `can_limit` says no.
    InputError
        When `seconds` is not a positive number.

    Examples
    --------
    >>> with time_limit(60):
    ...     total = sum(range(10))
    """
    seconds = positive_real("seconds", seconds)
    if not can_limit():
        raise NotApplicable("time is limited only in the main thread of a Unix system")
    handler, start, over = signal.getsignal(signal.SIGALRM), time.monotonic(), False
    left, interval = signal.getitimer(signal.ITIMER_REAL)

    def ring(signum: int, frame: Any) -> None:
        if not over:
            raise _Alarm

    try:
        try:
            signal.signal(signal.SIGALRM, ring)
            signal.setitimer(signal.ITIMER_REAL, min(seconds, left) if left else seconds, AGAIN)
            yield
        finally:
            over = True
    except _Alarm:
        raise TimedOut(f"not done in {seconds:g} s") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            # a limit further out that passed meanwhile rings at once
            rest = max(left - (time.monotonic() - start), 1e-6)
            signal.setitimer(signal.ITIMER_REAL, rest, interval)
