"""The meaning of a plan: its effects on registries, mirrors and logins, apart from its files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from fleet.core.masking import Mark, masked_file
from fleet.core.model.change import Change
from fleet.core.plan.registry_view import HostView, RegistryView, View, read_view


class Aspect(StrEnum):
    """The kind of thing that an effect changes, a closed set."""

    REGISTRY = "registry"
    MIRROR = "mirror"
    ORDER = "order"
    SETTING = "setting"
    SERVER = "server"
    FALLBACK = "fallback"
    LOGIN = "login"
    TLS = "tls"
    CERTIFICATE = "certificate"
    CONFIG_PATH = "config_path"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One effect of a plan on `subject`: a registry, a host, or the path of a file.

    `item` is the mirror, the setting or the file that changes; a setting without a mirror changes
    for all mirrors. `before` and `after` are None if
    there is nothing then; for a secret they only say whether there is one. The position of a new
    mirror is its `after`.
    """

    subject: str
    aspect: Aspect
    item: str = ""
    before: str | None = None
    after: str | None = None


def plan_meaning(changes: Iterable[Change], mark: Mark) -> tuple[Effect, ...]:
    """Return the effects of all changes of a node together, sorted by subject.

    A setting that moves from one file to another has no effect. Secrets in URLs and settings are
    replaced by `mark`.
    """
    changes = tuple(changes)
    before, after, opaque = View(), View(), []
    for change in changes:
        old = read_view(change.path, change.before)
        new = read_view(change.path, change.after)
        before.add(old)
        after.add(new)
        if old == new:
            opaque.append(change)
    effects = [*_compare(before, after), *map(_file_effect, opaque)]
    if not effects:
        effects = [_file_effect(change) for change in changes]
    shown = (_masked(effect, mark) for effect in effects)
    return tuple(sorted(shown, key=lambda effect: (effect.aspect is Aspect.FILE, effect.subject)))


def _masked(effect: Effect, mark: Mark) -> Effect:
    """Return an effect whose texts are masked as they are in the file's diff."""
    subject, item = (_masked_value(text, mark) for text in (effect.subject, effect.item))
    before, after = (text and _masked_value(text, mark) for text in (effect.before, effect.after))
    return replace(effect, subject=subject, item=item, before=before, after=after)


def _masked_value(text: str, mark: Mark) -> str:
    line = f"server = {json.dumps(text, ensure_ascii=False)}"
    return masked_file("hosts.toml", line, mark).partition(" = ")[2].strip('"')


def _file_effect(change: Change) -> Effect:
    return Effect(
        subject=change.path,
        aspect=Aspect.FILE,
        before=None if change.before is None else "there",
        after=None if change.after is None else "there",
    )


def _compare(before: View, after: View) -> Iterator[Effect]:
    for name in sorted(before.registries.keys() | after.registries.keys()):
        yield from _compare_registry(name, before.registries.get(name), after.registries.get(name))
    for name in sorted(before.hosts.keys() | after.hosts.keys()):
        yield from _compare_host(
            name, before.hosts.get(name, HostView()), after.hosts.get(name, HostView())
        )
    for subject, item in sorted(before.certificates.keys() | after.certificates.keys()):
        old, new = (view.certificates.get((subject, item)) for view in (before, after))
        if old != new:
            yield _hidden(subject, Aspect.CERTIFICATE, item, old, new)
    for path in sorted(before.config_paths.keys() | after.config_paths.keys()):
        folders = [view.config_paths.get(path) for view in (before, after)]
        if folders[0] != folders[1]:
            yield Effect(
                subject=path, aspect=Aspect.CONFIG_PATH, before=folders[0], after=folders[1]
            )


def _compare_registry(
    name: str, before: RegistryView | None, after: RegistryView | None
) -> Iterator[Effect]:
    if before is None or after is None:
        mirrors = [", ".join(view.mirrors) if view else None for view in (before, after)]
        yield Effect(subject=name, aspect=Aspect.REGISTRY, before=mirrors[0], after=mirrors[1])
        return
    yield from _compare_mirrors(name, before.mirrors, after.mirrors)
    kept = [url for url in after.mirrors if url in before.mirrors]
    changed = [(url, _settings(name, before.settings[url], after.settings[url])) for url in kept]
    if len({tuple(effects) for _, effects in changed}) == 1:
        yield from changed[0][1]
    else:
        for url, effects in changed:
            yield from (replace(effect, item=f"{url} {effect.item}") for effect in effects)
    if before.server != after.server:
        yield Effect(subject=name, aspect=Aspect.SERVER, before=before.server, after=after.server)
    if before.fallback is not after.fallback:
        words = ["allow" if view.fallback else "never" for view in (before, after)]
        yield Effect(subject=name, aspect=Aspect.FALLBACK, before=words[0], after=words[1])


def _compare_mirrors(name: str, before: Sequence[str], after: Sequence[str]) -> Iterator[Effect]:
    for number, url in enumerate(after, 1):
        if url not in before:
            last = "last" if number == len(after) else f"{number} of {len(after)}"
            place = "first" if number == 1 else last
            yield Effect(subject=name, aspect=Aspect.MIRROR, item=url, after=place)
    for url in before:
        if url not in after:
            yield Effect(subject=name, aspect=Aspect.MIRROR, item=url, before="there")
    old = [url for url in before if url in after]
    new = [url for url in after if url in before]
    if old != new:
        yield Effect(
            subject=name, aspect=Aspect.ORDER, before=", ".join(before), after=", ".join(after)
        )


def _settings(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[Effect]:
    """Return the effects on the settings of one mirror; a header is not shown."""
    effects = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old != new and key == "header":
            effects.append(_hidden(name, Aspect.SETTING, key, old, new))
        elif old != new:
            effects.append(
                Effect(subject=name, aspect=Aspect.SETTING, item=key, before=old, after=new)
            )
    return effects


def _compare_host(name: str, before: HostView, after: HostView) -> Iterator[Effect]:
    if before.login != after.login:
        yield _hidden(name, Aspect.LOGIN, "", before.login, after.login)
    if before.tls != after.tls:
        yield _hidden(name, Aspect.TLS, "", before.tls, after.tls)


def _hidden(
    subject: str, aspect: Aspect, item: str, before: str | None, after: str | None
) -> Effect:
    """Return an effect on a value that is not shown: only whether there is one."""
    there = ["there" if value else None for value in (before, after)]
    return Effect(subject=subject, aspect=aspect, item=item, before=there[0], after=there[1])
