"""Pictures of the last few settings, kept so that to go back to one costs nothing."""
from collections import deque

from helpers.explore.controls import equal_values


class Album:
    """The finished pictures of the last `room` settings.

    It has room only where nothing that a picture is drawn from can change, as on the web page. In Jupyter
    the reader may run a cell that does, and the next picture has to show it.
    """

    def __init__(self, room: int = 0) -> None:
        """Begin with none."""
        self._pictures: deque[tuple[dict, tuple]] = deque(maxlen=room)

    def find(self, values: dict) -> tuple | None:
        """The picture of these values, None where there is none."""
        return next((picture for known, picture in self._pictures if equal_values(known, values)), None)

    def keep(self, values: dict, picture: tuple) -> None:
        """Keep a picture; that of the oldest setting gives it its room."""
        self._pictures.appendleft((values, picture))

    def clear(self) -> None:
        """Forget all."""
        self._pictures.clear()
