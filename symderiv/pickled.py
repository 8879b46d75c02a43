"""Graphs of interned nodes in pickles: as flat lists, so that no depth is too much and what is shared stays shared.

Pickle takes an object apart from the top, one call within another for each level.  Here the first node that it meets
brings a list of all nodes below it, arguments first, in which each names others by their places.  A node met later
is a place in that list, which pickle writes once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol
from weakref import WeakValueDictionary


class Interned(Protocol):
    """A node that is what it is made of: `made_of` is what to call, and the arguments."""

    def made_of(self) -> tuple[Callable[..., Any], tuple[Any, ...]]: ...


class Place(int):
    """A node by its place in a list."""


class _List:
    """Nodes, arguments first; as long as one is being pickled its nodes are known to be in it."""

    def __init__(self) -> None:
        self.places: dict[Interned, Place] = {}
        self.rows: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def add(self, root: Interned, kind: type) -> None:
        stack = [root]
        while stack:
            node = stack[-1]
            made_by, parts = node.made_of()
            missing = [n for n in _nodes(parts, kind) if n not in self.places and n not in _LISTS]
            if missing:
                stack += missing
                continue
            stack.pop()
            if node not in self.places:
                self.places[node] = Place(len(self.rows))
                self.rows.append((made_by, self.written(parts, kind)))
        _LISTS.update(dict.fromkeys(self.places, self))

    def written(self, value: Any, kind: type) -> Any:
        if isinstance(value, kind):
            return self.places.get(value, value)  # type: ignore[call-overload]
        return tuple([self.written(v, kind) for v in value]) if type(value) is tuple else value

    def __reduce__(self) -> tuple[Any, ...]:
        return (_read, (self.rows,))


_LISTS: WeakValueDictionary[Interned, _List] = WeakValueDictionary()


def reduced(node: Interned, kind: type) -> tuple[Any, ...]:
    """Return what `__reduce__` is to return for a node of a graph whose nodes are of a kind."""
    found = _LISTS.get(node)
    if found is None:
        found = _List()
        found.add(node, kind)
    return (_at, (found, int(found.places[node])))


def _nodes(value: Any, kind: type) -> Iterator[Any]:
    """Yield the nodes in tuples within one another."""
    if isinstance(value, kind):
        yield value
    elif type(value) is tuple:
        for part in value:
            yield from _nodes(part, kind)


def _read(rows: list[tuple[Callable[..., Any], tuple[Any, ...]]]) -> list[Any]:
    """Return the nodes of a list."""
    found: list[Any] = []

    def node(value: Any) -> Any:
        if isinstance(value, Place):
            return found[value]
        return tuple([node(v) for v in value]) if type(value) is tuple else value

    for made_by, parts in rows:
        found.append(made_by(*node(parts)))
    return found


def _at(nodes: list[Any], place: int) -> Any:
    return nodes[place]


__all__ = ["reduced"]
