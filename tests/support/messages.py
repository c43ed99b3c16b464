"""The texts of all failures, read off the source by its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

_MADE = {"NodeError", "Failure"}
"""Who makes a failure; the message is the third argument."""
PASSED_ON = "(passed on)"
"""Stands for the message of another failure, which is read where that is made."""


@dataclass(frozen=True, slots=True)
class Message:
    """One text of a failure, with {} for what is only known when it happens."""

    place: str
    text: str


def of_module(name: str, source: str) -> Iterator[Message]:
    """Yield the messages of every failure that a module makes."""
    return _Module(name, ast.parse(source)).messages()


@dataclass
class _Module:
    name: str
    tree: ast.Module
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                self.functions[node.name] = node

    def messages(self) -> Iterator[Message]:
        scopes: list[ast.FunctionDef | ast.Module] = [*self.functions.values(), self.tree]
        seen: set[ast.Call] = set()
        for scope in scopes:
            for call in ast.walk(scope):
                if not isinstance(call, ast.Call) or _called(call) not in _MADE or call in seen:
                    continue
                seen.add(call)
                for text in self._texts(call.args[2], scope) if len(call.args) > 2 else ():
                    yield Message(f"{self.name}:{call.lineno}", text)

    def _texts(self, node: ast.expr, scope: ast.AST) -> Iterator[str]:
        """Yield what an expression may come to."""
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.JoinedStr(values=values):
                yield from self._joined(values, scope)
            case ast.IfExp() | ast.Dict():
                yield from self._branches(node, scope)
            case ast.Name(id=name):
                yield from self._named(name, scope)
            case ast.Attribute(attr="message"):
                yield PASSED_ON
            case ast.Call(func=ast.Attribute(attr="get", value=ast.Name(id=name)), args=[_, other]):
                yield from self._named(name, scope)
                yield from self._texts(other, scope)
            case ast.Call(func=ast.Attribute(attr="join"), args=[ast.Tuple(elts=[*_, last])]):
                yield from (f"{{}}; {text}" for text in self._texts(last, scope))
            case ast.Call() if _called(node) in self.functions:
                yield from self._returned(self.functions[_called(node)])
            case _:
                yield "{}"

    def _branches(self, node: ast.IfExp | ast.Dict, scope: ast.AST) -> Iterator[str]:
        for each in node.values if isinstance(node, ast.Dict) else (node.body, node.orelse):
            yield from self._texts(each, scope)

    def _joined(self, values: list[ast.expr], scope: ast.AST) -> Iterator[str]:
        texts = [""]
        for value in values:
            inner = value.value if isinstance(value, ast.FormattedValue) else value
            texts = [text + more for text in texts for more in self._texts(inner, scope)]
        yield from texts

    def _named(self, name: str, scope: ast.AST) -> Iterator[str]:
        """Yield what a name may stand for: what is assigned, or given by the callers."""
        values = [
            each.value
            for each in ast.walk(scope)
            if isinstance(each, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == name for target in each.targets)
        ]
        if not values and isinstance(scope, ast.FunctionDef):
            yield from self._given(name, scope)
            return
        for value in values:
            yield from self._texts(value, scope)
        if not values:
            yield "{}"

    def _given(self, name: str, function: ast.FunctionDef) -> Iterator[str]:
        names = [each.arg for each in function.args.args]
        if name not in names:
            yield from self._named(name, self.tree)
            return
        calls = [
            (call.args[names.index(name)], scope)
            for scope in self.functions.values()
            for call in ast.walk(scope)
            if isinstance(call, ast.Call)
            and _called(call) == function.name
            and len(call.args) > names.index(name)
        ]
        if not calls:
            yield "{}"
        for given, scope in calls:
            yield from self._texts(given, scope)

    def _returned(self, function: ast.FunctionDef) -> Iterator[str]:
        for each in ast.walk(function):
            if isinstance(each, ast.Return) and each.value is not None:
                yield from self._texts(each.value, function)


def _called(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return name
    return ""
