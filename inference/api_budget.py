"""The spending limit of a session: nothing is sent that could lead beyond it."""

import asyncio
import math
from collections.abc import Callable

_MARGIN = 2.0  # requests that go out together know only those that came home first, and these are the short ones


class BudgetError(Exception):
    """The budget admits nothing more; the request was not sent."""


class Budget:
    """USD spent and reserved. All methods are called in one event loop; `spent_usd` may be read anywhere.

    Attributes:
        spent_usd: cost of everything paid so far; what has no known cost counts with its estimate.
        is_exhausted: a request was refused while no other was under way that might have turned out cheaper, or `close`.
    """

    def __init__(self, max_cost_usd: float | None = None) -> None:
        self.spent_usd, self.is_exhausted = 0.0, False
        self._limit_usd = float("inf") if max_cost_usd is None else max_cost_usd
        self._reserved_usd, self._n_reserved = 0.0, 0
        self._changed = asyncio.Event()

    @property
    def left_usd(self) -> float:
        """What is neither spent nor set aside; infinite without a limit."""
        return max(self._limit_usd - self.spent_usd - self._reserved_usd, 0.0)

    async def reserve(self, estimate: Callable[[], float]) -> float:
        """Set aside the estimated cost of one try in USD, as soon as the limit allows it; gives it back.

        What is under way usually costs less than was set aside for it, so a request that does not fit waits for that.

        Args:
            estimate: asked again after each wait, because the costs seen meanwhile may lower it.

        Raises:
            BudgetError: the limit does not allow it, and nothing is under way any more.
        """
        while not self.is_exhausted:
            usd = estimate()
            if self.spent_usd + self._reserved_usd + usd <= self._limit_usd:
                self._reserved_usd += usd
                self._n_reserved += 1
                return usd
            if not self._n_reserved:
                self.close()
                break
            self._changed.clear()
            await self._changed.wait()
        raise BudgetError

    def release(self, usd: float) -> None:
        """Give back what `reserve` set aside; the try has come to its end, and its cost is counted."""
        self._n_reserved -= 1
        self._reserved_usd = self._reserved_usd - usd if self._n_reserved else 0.0  # no rounding errors pile up
        self._changed.set()

    def close(self) -> None:
        """Admit nothing more."""
        self.is_exhausted = True
        self._changed.set()

    def pay(self, usd: float) -> None:
        """Count a cost."""
        self.spent_usd += usd


class Costs:
    """What the requests of one model have cost so far, so that enough is set aside for the next."""

    def __init__(self) -> None:
        self._largest_usd = 0.0

    def next_usd(self) -> float:
        """Estimated cost of one more in USD, twice the largest so far; 0 as long as none is known."""
        return _MARGIN * self._largest_usd

    def settled(self, usd: float, reserved_usd: float) -> float:
        """What to count for a request that came home: its cost, where that is unknown (NaN) what was set aside."""
        if math.isnan(usd):
            return reserved_usd
        self._largest_usd = max(self._largest_usd, usd)
        return usd
