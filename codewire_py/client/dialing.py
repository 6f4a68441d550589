"""connect in the background, so that a loop that shows and types goes on meanwhile"""

from __future__ import annotations

import os

from codewire_py.client.connection import DIAL_SECONDS, Connection, dial
from codewire_py.errors import CodewireError, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codewire_py.client.servers import Server


class Dialing:
    """One try. `fileno` is readable when it is over; then `take` what came of it."""

    def __init__(self, server: Server) -> None:
        from threading import Thread

        self.server = server
        self.connection: Connection | None = None
        self.error: CodewireError | None = None
        self.is_given_up = False
        self.over, self._end = os.pipe()
        Thread(target=self.dial, daemon=True).start()

    def dial(self) -> None:
        try:
            self.connection = Connection(dial(self.server, DIAL_SECONDS, may_ask=False))
        except CodewireError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001  in a thread nobody else would hear of it
            self.error = Unreachable(f"cannot reach {self.server.called()}: {error}")
        finally:
            os.close(self._end)
            if self.is_given_up and self.connection:
                self.connection.close()

    def fileno(self) -> int:
        return self.over

    def is_over(self) -> bool:
        return self.connection is not None or self.error is not None

    def take(self) -> Connection:
        """The connection; else what went wrong is raised."""
        os.close(self.over)
        if self.error or not self.connection:
            raise self.error or Unreachable(f"cannot reach {self.server.called()}")
        return self.connection

    def give_up(self) -> None:
        """It may go on; whatever it brings is closed."""
        self.is_given_up = True
        os.close(self.over)
        if self.connection:
            self.connection.close()
