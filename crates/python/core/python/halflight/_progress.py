"""Progress: ``None`` for a bar if one can be displayed, ``False`` for none, or a callback."""

from __future__ import annotations

import sys
from typing import Any, Callable, Optional, Union

Callback = Callable[[int, int, str], None]
Progress = Union[None, bool, Callback]


def callback(progress: Progress, title: str) -> Optional[Callback]:
    """The callback ``(done, total, message)`` for a ``progress`` argument."""
    if callable(progress):
        return progress
    if progress is False or (progress is None and not _visible()):
        return None
    return _bar(title)


def _visible() -> bool:
    return sys.stderr.isatty() or "ipykernel" in sys.modules


def _bar(title: str) -> Optional[Callback]:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    bar: Any = None

    def show(done: int, total: int, message: str) -> None:
        nonlocal bar
        if total <= 0:
            return
        if bar is None:
            bar = tqdm(total=total, desc=title, leave=False)
        bar.total = total
        bar.set_postfix_str(message, refresh=False)
        bar.update(done - bar.n)
        if done >= total:
            bar.close()

    return show
