"""Work in processes of their own: stopped in time, replaced, and never in the way of the next question."""

from __future__ import annotations

import asyncio
import os
from time import monotonic

import pytest
import slow_answers

from symderiv.web import workers as module
from symderiv.web.workers import Limits, Turns, Workers

LIMITS = Limits(turns=1, long=1, seconds=1.5)


@pytest.fixture
def run(monkeypatch):
    """Run a test with workers that need no engine; its turns are short."""
    monkeypatch.setattr(module, "TURN", 0.1)

    def go(test, limits=LIMITS):
        async def whole():
            workers = Workers(limits, slow_answers.slowly, loaded=["slow_answers", "symderiv.web.workers"])
            await workers.start()
            try:
                return await test(workers)
            finally:
                workers.stop()

        return asyncio.run(whole())

    return go


def test_answers_come_from_another_process_which_stays(run):
    async def test(workers):
        return [await workers.ask({"n": n}) for n in range(3)]

    found = run(test)
    assert [a["n"] for a in found] == [0, 1, 2]
    assert len({a["process"] for a in found}) == 1
    assert found[0]["process"] != os.getpid()


def test_what_takes_too_long_is_stopped_and_the_next_is_answered(run):
    async def test(workers):
        start = monotonic()
        late = await workers.ask({"seconds": 30})
        return late, await workers.ask({"n": 1}), monotonic() - start

    late, after, seconds = run(test)
    assert late["late"] and "1.5 seconds" in late["error"]["message"]
    assert after["ok"] and seconds < 5


def test_a_quick_question_does_not_wait_for_slow_ones(run):
    async def test(workers):
        slow = asyncio.ensure_future(workers.ask({"seconds": 30}))
        quick = await workers.ask({"n": 1})
        was_done = slow.done()
        slow.cancel()
        return quick["ok"], was_done

    assert run(test, Limits(turns=1, long=2, seconds=20)) == (True, False)


def test_more_slow_questions_than_there_is_room_for_are_told_to_come_again(run):
    async def test(workers):
        return await asyncio.gather(*(workers.ask({"seconds": 30}) for _ in range(4)))

    found = run(test)
    assert sum(a.get("busy", False) for a in found) == 3
    assert sum(a.get("late", False) for a in found) == 1


def test_a_process_that_dies_is_replaced(run):
    async def test(workers):
        return await workers.ask({"die": True}), await workers.ask({"n": 1})

    dead, after = run(test)
    assert "ran out of memory" in dead["error"]["message"]
    assert after["ok"]


def test_a_defect_is_told_and_the_process_stays(run):
    async def test(workers):
        return await workers.ask({"n": 0}), await workers.ask({"fail": True}), await workers.ask({"n": 1})

    before, failed, after = run(test)
    assert "unexpected RuntimeError" in failed["error"]["message"]
    assert before["process"] == after["process"]


def test_a_question_that_nobody_waits_for_is_stopped(run):
    async def test(workers):
        asking = asyncio.ensure_future(workers.ask({"seconds": 30}))
        await asyncio.sleep(0.05)
        (busy,) = workers.busy
        asking.cancel()
        await asyncio.wait([asking])
        busy.process.join(5)
        return busy.process.is_alive(), workers.busy, (await workers.ask({"n": 1}))["ok"]

    assert run(test) == (False, set(), True)


def test_questions_about_one_subject_go_to_the_process_that_knows_it(run):
    async def test(workers):
        one, other = await asyncio.gather(workers.ask({"seconds": 0.05}, "a"), workers.ask({"seconds": 0.05}, "b"))
        again = [await workers.ask({}, subject) for subject in ("b", "a", "a", "b")]
        return one["process"], other["process"], [a["process"] for a in again]

    a, b, again = run(test, Limits(turns=2, long=1, seconds=2))
    assert again == [b, a, a, b]


def test_the_newest_waits_the_least():
    async def test():
        turns, order = Turns(1), []
        await turns.enter()

        async def one(name):
            assert await turns.enter()
            order.append(name)
            turns.leave()

        waiting = [asyncio.ensure_future(one(name)) for name in "abc"]
        await asyncio.sleep(0)
        waiting[1].cancel()
        await asyncio.sleep(0)
        turns.leave()
        await asyncio.gather(*waiting, return_exceptions=True)
        return order, turns.free

    assert asyncio.run(test()) == (["c", "a"], 1)


def test_more_than_can_wait_are_sent_away(monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 1)

    async def test():
        turns = Turns(1)
        assert await turns.enter()
        waiting = asyncio.ensure_future(turns.enter())
        await asyncio.sleep(0)
        refused = await turns.enter()
        turns.leave()
        return refused, await waiting

    assert asyncio.run(test()) == (False, True)
