"""Answers worked out in processes of their own, which can be stopped: a server that goes on answering.

A question first gets a turn of half a second.  The newest waiting one goes first, so that one more visitor waits for
a turn and not for a queue.  What takes longer goes on beside, a few at a time, until its time is up; a process that
was stopped is replaced at once by another, forked from one that has loaded everything.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from symderiv.errors import UnsupportedError
from symderiv.web.faults import Answer, refused

TURN = 0.5  # seconds
MOST_WAITING = 200
MOST_ANSWERS = 2000  # of one process; then another takes its place
MEMORY = 4 << 30  # bytes of addresses that a process may use
LOADED = ("symderiv.web.workers", "symderiv.web.warm")

Work = Callable[[Any], Answer]


@dataclass(frozen=True)
class Limits:
    """How much at once, and for how long."""

    turns: int = 2
    """Questions that have their first turn at the same time."""
    long: int = 4
    """Questions that go on after it at the same time."""
    seconds: float = 20.0
    """After which a question is given up."""


def _busy() -> Answer:
    return refused(UnsupportedError("too many questions at once", hint="try again in a moment")) | {"busy": True}


def _too_long(seconds: float) -> Answer:
    hint = "take a smaller expression, fewer derivatives, or the command line, which waits as long as you do"
    return refused(UnsupportedError(f"no answer within {seconds:g} seconds", hint=hint)) | {"late": True}


def _died() -> Answer:
    return refused(UnsupportedError("the input is too large: the process that worked on it ran out of memory"))


# ---------------------------------------------------------------- one process


def serve(connection: Connection, work: Work | None) -> None:
    """Answer what comes until nothing comes any more: what a process does."""
    _bound_memory()
    work = work or _engine()
    with suppress(EOFError, KeyboardInterrupt, BrokenPipeError):
        while True:
            question = connection.recv()
            try:
                found = work(question)
            except Exception as err:  # a defect: said, and the page goes on
                found = refused(UnsupportedError(f"unexpected {type(err).__name__}; please report it"))
            connection.send(found)


def _engine() -> Work:
    from symderiv.web.answers import answer  # only here: the server itself needs no engine

    return answer


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows knows none
        return
    if sys.platform != "darwin":  # where the limit is not kept
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


class Worker:
    """A process that answers one question at a time."""

    def __init__(self, context: Any, work: Work | None = None) -> None:
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, work), daemon=True)
        self.process.start()
        theirs.close()
        self.subject: str | None = None
        self.answers = 0
        self.stopped = False

    def ask(self, question: Any) -> Answer:
        """Return the answer; raise EOFError where the process has died or was stopped."""
        self.connection.send(question)
        found: Answer = self.connection.recv()
        self.answers += 1
        return found

    def stop(self) -> None:
        """End the process, whatever it does; whoever waits for its answer is told."""
        self.stopped = True
        self.process.kill()


# ---------------------------------------------------------------- several


class Turns:
    """Few at a time, the newest first."""

    def __init__(self, count: int) -> None:
        self.free = count
        self.waiting: list[asyncio.Future[None]] = []

    async def enter(self) -> bool:
        """Wait for a turn; False where too many wait already."""
        if self.free:
            self.free -= 1
            return True
        if len(self.waiting) >= MOST_WAITING:
            return False
        mine = asyncio.get_running_loop().create_future()
        self.waiting.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine in self.waiting:
                self.waiting.remove(mine)
            else:
                self.leave()
            raise
        return True

    def leave(self) -> None:
        """Give the turn to the newest who waits."""
        while self.waiting:
            mine = self.waiting.pop()
            if not mine.done():
                mine.set_result(None)
                return
        self.free += 1


class Workers:
    """Processes that answer questions, each within a time."""

    def __init__(self, limits: Limits | None = None, work: Work | None = None, loaded: Sequence[str] = LOADED) -> None:
        self.limits = limits or Limits()
        self.work = work
        self.turns = Turns(self.limits.turns)
        self.waiting = ThreadPoolExecutor(4 * (self.limits.turns + self.limits.long), "waits for an answer")
        self.long = 0
        self.idle: list[Worker] = []
        self.busy: set[Worker] = set()
        methods = multiprocessing.get_all_start_methods()
        self.context: Any = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        if "forkserver" in methods:
            self.context.set_forkserver_preload(list(loaded))

    async def start(self) -> None:
        """Have a process ready for each turn."""
        self.idle = [Worker(self.context, self.work) for _ in range(self.limits.turns)]
        await asyncio.gather(*(self._asking(worker, {"ask": "about"}) for worker in self.idle))

    def stop(self) -> None:
        """End all processes."""
        for worker in [*self.idle, *self.busy]:
            worker.stop()
        self.idle, self.busy = [], set()
        self.waiting.shutdown(wait=False)

    def _asking(self, worker: Worker, data: Any) -> asyncio.Future[Answer]:
        return asyncio.get_running_loop().run_in_executor(self.waiting, worker.ask, data)

    async def ask(self, data: Any, subject: str = "") -> Answer:
        """Return the answer to a question about a subject; where it is cancelled, so is the work."""
        if not await self.turns.enter():
            return _busy()
        async with self._worker(subject) as worker:
            return await self._ask(worker, data)

    @asynccontextmanager
    async def _worker(self, subject: str) -> AsyncIterator[Worker]:
        """Have a process for the length of a question: one that knows the subject, if there is one."""
        known = [worker for worker in self.idle if worker.subject == subject]
        worker = (known or self.idle or [Worker(self.context, self.work)])[0]
        if worker in self.idle:
            self.idle.remove(worker)
        self.busy.add(worker)
        worker.subject = subject
        try:
            yield worker
        except BaseException:
            worker.stop()
            raise
        finally:
            self.busy.discard(worker)
            if not worker.stopped and worker.answers < MOST_ANSWERS and len(self.idle) < self.limits.turns:
                self.idle.append(worker)
            else:
                worker.stop()

    async def _ask(self, worker: Worker, data: Any) -> Answer:
        """Have a turn, and then go on beside the others."""
        asking = self._asking(worker, data)
        has_turn = True
        try:
            if await _done(asking, TURN):
                return asking.result()
            if self.long >= self.limits.long:
                worker.stop()
                return _busy()
            self.turns.leave()
            has_turn = False
            self.long += 1
            try:
                if await _done(asking, self.limits.seconds - TURN):
                    return asking.result()
            finally:
                self.long -= 1
            worker.stop()
            return _too_long(self.limits.seconds)
        except (EOFError, OSError):
            worker.stop()
            return _died()
        finally:
            if has_turn:
                self.turns.leave()
            asking.add_done_callback(lambda task: task.cancelled() or task.exception())  # it may end unheard


async def _done(task: asyncio.Future[Any], seconds: float) -> bool:
    done, _ = await asyncio.wait({task}, timeout=seconds)
    return bool(done)
