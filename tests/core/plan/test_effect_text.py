"""Effects in words: every aspect has its own."""

from __future__ import annotations

import pytest

from fleet.core.plan.effect_text import effect_text
from fleet.core.plan.meaning import Aspect, Effect

TEXTS = {
    "+ a last": (Aspect.MIRROR, "https://a", None, "last"),
    "- http://a": (Aspect.MIRROR, "http://a", "there", None),
    "+ a, b (new)": (Aspect.REGISTRY, "", None, "https://a, https://b"),
    "- a (no mirrors left)": (Aspect.REGISTRY, "", "https://a", None),
    "order b, a": (Aspect.ORDER, "", "a, b", "b, a"),
    "a dial_timeout 3s -> unset": (Aspect.SETTING, "a dial_timeout", "3s", None),
    "a header changed": (Aspect.SETTING, "a header", "there", "there"),
    "upstream itself": (Aspect.SERVER, "", "https://x", None),
    "fallback allow -> never": (Aspect.FALLBACK, "", "allow", "never"),
    "login added": (Aspect.LOGIN, "", None, "there"),
    "TLS settings removed": (Aspect.TLS, "", "{}", None),
    "a.pem changed": (Aspect.CERTIFICATE, "a.pem", "there", "there"),
    "config_path /a -> /b": (Aspect.CONFIG_PATH, "", "/a", "/b"),
    "file deleted": (Aspect.FILE, "", "there", None),
}


@pytest.mark.parametrize(("text", "values"), TEXTS.items(), ids=TEXTS)
def test_every_aspect_has_its_words(
    text: str, values: tuple[Aspect, str, str | None, str | None]
) -> None:
    aspect, item, before, after = values

    found = effect_text(Effect(subject="x", aspect=aspect, item=item, before=before, after=after))

    assert found == text
