"""The effects of a plan in words."""

from __future__ import annotations

from fleet.core.plan.meaning import Aspect, Effect

_SETTING = "{item} {before} -> {after}"
_SECRET = ("{item} added", "{item} removed", "{item} changed")
_TEXTS = {
    Aspect.MIRROR: ("+ {item} {after}", "- {item}", ""),
    Aspect.REGISTRY: ("+ {after} (new)", "- {before} (no mirrors left)", ""),
    Aspect.ORDER: ("", "", "order {after}"),
    Aspect.SERVER: ("upstream {after}", "upstream itself", "upstream {before} -> {after}"),
    Aspect.FALLBACK: ("", "", "fallback {before} -> {after}"),
    Aspect.SETTING: (_SETTING, _SETTING, _SETTING),
    Aspect.CONFIG_PATH: (
        "config_path {after}",
        "config_path removed",
        f"config_path{_SETTING[6:]}",
    ),
    Aspect.TLS: ("TLS settings added", "TLS settings removed", "TLS settings changed"),
    Aspect.LOGIN: ("login added", "login removed", "login changed"),
    Aspect.CERTIFICATE: _SECRET,
    Aspect.FILE: ("file created", "file deleted", "file changed"),
}
"""The texts of an effect that adds, removes or changes something."""


def effect_text(effect: Effect) -> str:
    """Return one effect in words; an https:// URL is shown without its scheme."""
    texts = _SECRET if "there" in {effect.before, effect.after} else _TEXTS[effect.aspect]
    texts = _TEXTS[effect.aspect] if effect.aspect is not Aspect.SETTING else texts
    text = texts[0 if effect.before is None else 1 if effect.after is None else 2]
    values = {"item": effect.item, "before": effect.before, "after": effect.after}
    return text.format(
        **{key: (value or "unset").replace("https://", "") for key, value in values.items()}
    )
