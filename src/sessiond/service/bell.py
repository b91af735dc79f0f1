"""A bell that one thread rings and many wait for."""

import threading


class Bell:
    """Tells that something happened, not what. May be used from any thread."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rung = 0

    @property
    def rung(self) -> int:
        """How often it was rung: give it to `wait`, so that no ringing in between is missed."""
        return self._rung

    def ring(self) -> None:
        """Wake everybody who waits."""
        with self._condition:
            self._rung += 1
            self._condition.notify_all()

    def wait(self, rung: int, timeout: float) -> None:
        """Return when it has been rung more than `rung` times, or after `timeout` seconds."""
        with self._condition:
            self._condition.wait_for(lambda: self._rung > rung, timeout)
