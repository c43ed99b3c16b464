"""The report in a real browser: no sideways scrolling, nothing loaded, legible in both schemes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib.util import find_spec
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
AXE = """<script>
addEventListener("load", () => axe.run(document, {resultTypes: ["violations"]}).then((found) =>
  parent.postMessage(JSON.stringify({passes: found.passes.length, violations:
    found.violations.map((each) => [each.id, each.nodes.map((node) => node.target.join(" "))])}),
  "*")));
</script>"""
FRAME = """<!doctype html><body style="margin: 0"><script>
onmessage = (each) => { document.documentElement.dataset.told = each.data; };
</script><iframe src="report.html" width="WIDTH" height="800" style="border: 0"></iframe>"""
"""A window has a least width, a frame has none."""


def seen(page: str, folder: Path, *, width: int, dark: bool, opened: bool) -> dict[str, Any]:
    """Return what the page says of itself in a browser of that width and scheme."""
    asking = ASK.replace("OPEN", str(opened).lower())
    return answered(page, folder, WATCH, asking, width=width, dark=dark)


def violations(page: str, folder: Path, *, dark: bool) -> list[Any]:
    """Return what axe-core finds against the page: roles, landmarks, headings, contrast."""
    spec = find_spec("axe_core_python")
    assert spec is not None
    assert spec.origin is not None
    source = (Path(spec.origin).parent / "axe.min.js").read_text()
    found = answered(page, folder, f"<script>{source}</script>", AXE, width=1200, dark=dark)
    assert found["passes"] > 15
    return list(found["violations"])


def answered(
    page: str, folder: Path, first: str, last: str, *, width: int, dark: bool
) -> dict[str, Any]:
    """Return what scripts at the page's begin and end say of it."""
    assert POLICY in page
    page = page.replace(POLICY, f"{POLICY}; script-src 'unsafe-inline'")
    page = page.replace("<title>", f"{first}<title>", 1)
    page = page.replace("</body>", f"{last}</body>")
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


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_against_the_page(tmp_path: Path, *, dark: bool) -> None:
    assert violations(html(told_story(60)), tmp_path, dark=dark) == []


def test_axe_finds_a_text_without_contrast_and_a_missing_landmark(tmp_path: Path) -> None:
    page = html(told_story(4)).replace("main>", "div>")
    page = page.replace("</header>", '<p style="color: #ddd">hard to read</p></header>')

    found = {name for name, _ in violations(page, tmp_path, dark=False)}

    assert {"color-contrast", "landmark-one-main"} <= found


def test_details_are_open_in_print(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(html(told_story(60)))
    printed = tmp_path / "report.pdf"
    folded = tmp_path / "folded.pdf"
    (tmp_path / "folded.html").write_text(path.read_text().replace("@media print", "@media x"))

    for source, target in ((path, printed), (tmp_path / "folded.html", folded)):
        subprocess.run(
            [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu",
             f"--user-data-dir={tmp_path}/profile", f"--print-to-pdf={target}", source.as_uri()],
            capture_output=True, timeout=120, check=True,
        )  # fmt: skip

    pages = [len(re.findall(rb"/Type */Page\b", each.read_bytes())) for each in (printed, folded)]
    assert pages[0] > pages[1] > 0


def test_a_page_that_is_too_wide_or_loads_something_is_caught(tmp_path: Path) -> None:
    wide = html(told_story(4)).replace("</body>", '<p style="width: 900px">x</p></body>')
    loads = html(told_story(4)).replace("</body>", '<img src="x.png"></body>')

    assert seen(wide, tmp_path, width=390, dark=False, opened=False)["page"] > 390
    assert seen(loads, tmp_path, width=390, dark=False, opened=False)["loaded"] != []
