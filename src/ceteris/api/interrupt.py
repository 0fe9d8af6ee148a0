"""Ctrl-C while a study runs: first after the epoch, then at once; what is recorded stays."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ceteris.lab.listener import Stop

AFTER_EPOCH = "stopping after this epoch, and everything is kept; Ctrl-C again stops at once"
BEFORE = "stopping before anything is trained; Ctrl-C again stops at once"
AT_ONCE = "stopping at once; everything recorded is kept"


@contextmanager
def stopping_by_interrupt(stop: Stop, tell: Callable[[str], None]) -> Iterator[None]:
    """Let Ctrl-C request a stop while the block runs; a third one raises ``KeyboardInterrupt``.

    Outside the main thread, where signals cannot be caught, Ctrl-C is left as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def request(number: int, frame: FrameType | None) -> None:
        if stop.at_once:
            raise KeyboardInterrupt
        words = AT_ONCE if stop.after_epoch else AFTER_EPOCH if stop.training else BEFORE
        stop.request()
        # In a thread, because the handler may have cut into a line that is just being written.
        threading.Thread(target=tell, args=(words,), daemon=True).start()

    before = signal.signal(signal.SIGINT, request)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
