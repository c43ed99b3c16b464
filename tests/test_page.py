"""The report in a real browser: no sideways scrolling, nothing loaded, legible in both schemes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fleet.core.report.html import POLICY, html
from tests.support.story import told_story

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
WIDTHS = (1200, 390)
WATCH = """<script>
const loaded = [];
document.addEventListener("securitypolicyviolation", (each) => loaded.push(each.blockedURI));
</script>"""
ASK = """<script>
for (const each of document.querySelectorAll("details")) each.open = OPEN;
const light = (color) => color.match(/[0-9.]+/g).slice(0, 3).map((part) => {
  const value = part / 255;
  return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}).reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
const ground = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const color = getComputedStyle(each).backgroundColor;
    if (!color.endsWith(", 0)")) return color;
  }
};
const contrast = (element) => {
  const style = getComputedStyle(element);
  const ink = light(element.ownerSVGElement ? style.fill : style.color);
  const back = light(ground(element));
  return (Math.max(ink, back) + 0.05) / (Math.min(ink, back) + 0.05);
};
const texts = [...document.querySelectorAll("h1,h2,p,td,th,b,span,summary,pre,text")]
  .filter((each) => each.textContent.trim() && each.getClientRects().length);
addEventListener("load", () => setTimeout(() => parent.postMessage(JSON.stringify({
  width: innerWidth,
  page: document.documentElement.scrollWidth,
  ground: getComputedStyle(document.body).backgroundColor,
  loaded,
  contrast: Math.min(...texts.map(contrast)),
  texts: texts.length,
}), "*"), 0));
</script>"""
FRAME = """<!doctype html><body style="margin: 0"><script>
onmessage = (each) => { document.documentElement.dataset.told = each.data; };
</script><iframe src="report.html" width="WIDTH" height="800" style="border: 0"></iframe>"""
"""A window has a least width, a frame has none."""


def seen(page: str, folder: Path, *, width: int, dark: bool, opened: bool) -> dict[str, Any]:
    """Return what the page says of itself in a browser of that width and scheme."""
    assert POLICY in page
    page = page.replace(POLICY, f"{POLICY}; script-src 'unsafe-inline'")
    page = page.replace("<title>", f"{WATCH}<title>", 1)
    page = page.replace("</body>", f"{ASK.replace('OPEN', str(opened).lower())}</body>")
    (folder / "report.html").write_text(page)
    path = folder / "frame.html"
    path.write_text(FRAME.replace("WIDTH", str(width)))
    ran = subprocess.run(
        [
            str(BROWSER),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-background-networking",
            "--enable-logging=stderr",
            f"--user-data-dir={folder}/profile",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            "--window-size=1300,900",
            "--virtual-time-budget=2000",
            "--dump-dom",
            path.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "Error" not in "".join(re.findall(r".*:CONSOLE.*", ran.stderr))
    found = re.search(r'data-told="([^"]*)"', ran.stdout)
    assert found is not None, ran.stderr
    told: dict[str, Any] = json.loads(found[1].replace("&quot;", '"'))
    return told


@pytest.mark.parametrize("count", [4, 200])
def test_the_page_fits_its_window_and_can_be_read(count: int, tmp_path: Path) -> None:
    page = html(told_story(count))
    grounds = set()

    for width, dark in ((width, dark) for width in WIDTHS for dark in (False, True)):
        told = seen(page, tmp_path, width=width, dark=dark, opened=width == WIDTHS[-1])
        grounds.add((dark, told["ground"]))
        assert told["width"] == width
        assert told["page"] <= width
        assert told["loaded"] == []
        assert told["texts"] > 30
        assert told["contrast"] >= 4.5

    assert len(grounds) == len({ground for _, ground in grounds}) == 2


def test_a_page_that_is_too_wide_or_loads_something_is_caught(tmp_path: Path) -> None:
    wide = html(told_story(4)).replace("</body>", '<p style="width: 900px">x</p></body>')
    loads = html(told_story(4)).replace("</body>", '<img src="x.png"></body>')

    assert seen(wide, tmp_path, width=390, dark=False, opened=False)["page"] > 390
    assert seen(loads, tmp_path, width=390, dark=False, opened=False)["loaded"] != []
