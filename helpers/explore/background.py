"""What keeps controls alive: work in slices between the messages of an event loop, no long pauses."""
import asyncio
import gc
import math
from collections.abc import Callable
from functools import cache

# Seconds of work before the first look and between later ones; of listening: a message takes several turns.
GLANCE, SLICE, PAUSE = 0.02, 0.05, 0.01
PATIENCE = math.inf     # of work for the first picture: what a cell shows is finished


@cache
def shorten_collections() -> None:
    """Leave what is there now out of garbage collections, once.

    In a kernel with torch a full collection takes 100 to 200 ms, in which no picture comes; without what was
    there before the first explorer it takes 1 ms, and more only where more is imported later. What is left
    out is still freed, except what refers to itself.
    """
    gc.collect()
    gc.freeze()


def in_background(go_on: Callable[[float], bool]) -> asyncio.Task | None:
    """Call `go_on(seconds)` until it returns True: between messages, by the task returned; without an event
    loop, to the end now.

    `go_on` works for about so many seconds, and returns whether all is done; it is not to raise.
    """
    async def between_messages():
        while not go_on(SLICE):
            await asyncio.sleep(PAUSE)
    try:
        return asyncio.get_running_loop().create_task(between_messages())
    except RuntimeError:                              # no loop is running
        while not go_on(math.inf):
            pass
        return None
