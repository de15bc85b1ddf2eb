"""A second asyncio loop in its own thread, for everything that carries bytes.

Here: the thread, and the two ways across. Pod servers, Service proxies and probes run on this
loop so that a load test does not delay the API. API objects must never be touched here, and
nothing here may know Kubernetes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class DataPlane:
    """Starts with the constructor; `stop` ends every task of the loop and joins the thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="data-plane", daemon=True)
        self._stopped = False
        self._thread.start()

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Await `work` on the data plane from another loop; cancelling cancels it there too."""
        if self._stopped:
            work.close()
            raise RuntimeError("the data plane has stopped")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))

    def post(self, callback: Callable[..., object], *args: object) -> None:
        """Call `callback` on the data plane soon; calls keep their order. Nothing after `stop`."""
        if not self._stopped:
            self.loop.call_soon_threadsafe(callback, *args)

    async def stop(self) -> None:
        """Cancel what is left, close the loop, join the thread. Safe to call twice."""
        if self._stopped:
            return
        await self.run(_cancel_the_rest())
        self._stopped = True
        self.loop.call_soon_threadsafe(self.loop.stop)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)


async def _cancel_the_rest() -> None:
    me = asyncio.current_task()
    rest = [task for task in asyncio.all_tasks() if task is not me]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    await asyncio.sleep(0)  # one turn, so that closed transports report connection_lost
