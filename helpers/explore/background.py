"""Work in slices between the messages of a running event loop, as in Jupyter; at once where there is none."""
import asyncio
import math
from collections.abc import Callable

# Seconds of work before the first look and between later ones; of listening: a message takes several turns.
GLANCE, SLICE, PAUSE = 0.02, 0.05, 0.01


def in_background(go_on: Callable[[float], bool]) -> asyncio.Task | None:
    """Call `go_on(seconds)` until it returns True: between messages, by the task returned, or to the end now.

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
