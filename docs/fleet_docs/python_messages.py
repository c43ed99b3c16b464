"""Failure messages and remedies, read from the Python sources of fleet.

Every path through a function is followed, so that a message is shown with its own remedy.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import fleet
from fleet_docs.message import UNKNOWN, Message, placeholder

_ROOT = Path(fleet.__file__).parent
_MOST = 24
"""Of the paths through a function, and of the variants of a text, no more are followed."""

Texts = Mapping[str, list[str]]
"""The texts that each variable may have at some point of a function."""


def python_messages() -> Iterator[Message]:
    """Yield every failure whose kind is a constant where it is made."""
    trees = [ast.parse(path.read_text()) for path in sorted(_ROOT.rglob("*.py"))]
    constants: dict[str, list[str]] = {}
    for tree in trees:
        for statement in tree.body:
            constants |= _assigned(statement, {})
    for tree in trees:
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        pairs = {function.name: list(_returned_pairs(function)) for function in functions}
        for function in functions:
            reader = _FunctionReader(pairs)
            reader.follow(function.body, [constants])
            yield from reader.messages


class _FunctionReader:
    """Follows the paths through a function, and collects the failures that they make."""

    def __init__(self, pairs: Mapping[str, list[ast.Tuple]]) -> None:
        self.messages: list[Message] = []
        self._pairs = pairs

    def follow(self, body: Iterable[ast.stmt], paths: list[Texts]) -> list[Texts]:
        """Return the variables at the end of a block, one mapping for each path that gets there."""
        for statement in body:
            for texts in paths:
                self.messages += _made(statement, texts)
            if isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break):
                return []
            blocks = list(_blocks(statement))
            if blocks:
                ends = [self.follow(block, paths) for block in blocks]
                paths = list(itertools.chain(*ends))[:_MOST]
            else:
                paths = [after for texts in paths for after in self._after(statement, texts)]
        return paths

    def _after(self, statement: ast.stmt, texts: Texts) -> Iterator[Texts]:
        """Yield the variables after a plain statement, for each pair that a function returns."""
        match statement:
            case ast.Assign(
                targets=[ast.Tuple() as target], value=ast.Call(func=ast.Name(id=name))
            ):
                for pair in self._pairs.get(name, []):
                    assigned = ast.Assign(targets=[target], value=pair)
                    yield {**texts, **_assigned(assigned, texts)}
                if self._pairs.get(name):
                    return
            case _:
                pass
        yield {**texts, **_assigned(statement, texts)}


def _returned_pairs(function: ast.FunctionDef) -> Iterator[ast.Tuple]:
    for node in ast.walk(function):
        match node:
            case ast.Return(value=ast.Tuple(elts=[_, _]) as pair):
                yield pair
            case _:
                pass


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yield the blocks of which a statement runs one; an empty one if it may run none."""
    match statement:
        case ast.If(body=body, orelse=orelse) | ast.For(body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.While(body=body):
            yield from (body, [])
        case ast.With(body=body):
            yield body
        case ast.Try(body=body, handlers=handlers):
            yield body
            for handler in handlers:
                yield handler.body
        case ast.Match(cases=cases):
            for case in cases:
                yield case.body
            yield []
        case _:
            pass


def _made(statement: ast.stmt, texts: Texts) -> Iterator[Message]:
    """Yield the failures that a statement makes itself, not within its blocks."""
    for expression in ast.iter_child_nodes(statement):
        for call in ast.walk(expression) if isinstance(expression, ast.expr) else ():
            match call:
                case ast.Call(
                    func=ast.Name(id="NodeError" | "Failure"),
                    args=[ast.Attribute(attr=kind), _, message, remedy, *_],
                ):
                    yield from _variants(kind.lower(), (message, remedy), texts)
                case ast.Call(
                    func=ast.Name(id="cluster_error" | "cluster_failure"),
                    args=[message, remedy, *_],
                ):
                    yield from _variants("cluster", (message, remedy), texts)
                case _:
                    pass


def _variants(kind: str, pair: tuple[ast.expr, ast.expr], texts: Texts) -> Iterator[Message]:
    """Yield the failures of one kind that a message and a remedy may be."""
    pairs = itertools.product(*(_texts(part, texts) for part in pair))
    for text, what_to_do in itertools.islice(pairs, _MOST):
        yield Message(kind, text, what_to_do)


def _assigned(statement: ast.stmt, texts: Texts) -> dict[str, list[str]]:
    """Return the texts of the variables that a statement assigns."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return {}
    target, value = statement.targets[0], statement.value
    if isinstance(target, ast.Name):
        return {target.id: _texts(value, texts)}
    if not isinstance(target, ast.Tuple):
        return {}
    names = [name.id if isinstance(name, ast.Name) else "" for name in target.elts]
    if isinstance(value, ast.Tuple) and len(value.elts) == len(names):
        return {
            name: _texts(part, texts) for name, part in zip(names, value.elts, strict=True) if name
        }
    return {name: [placeholder(name)] for name in names}


def _texts(value: ast.expr, texts: Texts) -> list[str]:
    """Return the texts that an expression may have, with placeholders for what varies."""
    variants = [UNKNOWN]
    match value:
        case ast.Constant(value=str(text)):
            variants = [text]
        case ast.JoinedStr(values=parts):
            variants = _joined(parts, texts)
        case ast.FormattedValue(value=inner):
            variants = _texts(inner, texts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            variants = _joined([left, right], texts)
        case ast.IfExp(body=body, orelse=orelse):
            variants = _texts(body, texts) + _texts(orelse, texts)
        case ast.Name(id=name) if name in texts:
            variants = texts[name]
        case ast.Name(id=name) | ast.Attribute(attr=name):
            variants = [placeholder(name)]
        case _:
            pass
    return variants


def _joined(parts: list[ast.expr], texts: Texts) -> list[str]:
    choices = [_texts(part, texts) for part in parts]
    variants = map("".join, itertools.product(*choices))
    return list(itertools.islice(variants, _MOST))
