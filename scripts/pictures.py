"""Make the pictures of the docs from real runs on a lab of four nodes, which must be up.

Usage, as root, from the project's root: `.venv/bin/python scripts/pictures.py`. It needs tmux, and
Chromium for the report. `FLEET_LAB_NUMBER` names the lab, as everywhere.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
LAB = os.environ.get("FLEET_LAB_NUMBER", "0")
STATE = Path("/var/lib/fleet-lab" + (LAB if LAB != "0" else ""))
WIDTH, HEIGHT = 88, 400
THEME = TerminalTheme(
    (30, 34, 42),
    (214, 218, 226),
    [
        (69, 76, 90), (240, 113, 120), (152, 195, 121), (229, 192, 123),
        (97, 175, 239), (198, 120, 221), (86, 182, 194), (214, 218, 226),
    ],
)  # fmt: skip
SVG = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""The frame of a picture, without the web fonts that Rich would load."""

MIRRORS = """\
version: 1
mirrors:
  docker.io:
    endpoints: [https://dockerproxy.com, https://docker.m.daocloud.io]
    verify: docker.io/library/busybox:1.36
  registry.k8s.io:
    endpoints: [https://k8s.m.daocloud.io]
    verify: registry.k8s.io/pause:3.9
"""
"""The mirrors of the pictures; few, so that a plan fits."""

RUNS = {
    "probe": "fleet probe",
    "diff": "fleet diff --stat",
    "rollout": "fleet rollout --yes --batch 1,3",
    "verify": "fleet verify",
}
"""The commands of the pictures, in the order in which they run."""


class Terminal:
    """A shell in tmux: what is on its screen is what a user sees."""

    def __init__(self, folder: Path) -> None:
        self._socket = f"fleet-pictures-{os.getpid()}"
        path = f"PATH={Path(sys.executable).parent}:{os.environ['PATH']}"
        env = (f"FLEET_SSH_CONFIG={STATE}/ssh_config", path)
        size = ("-x", str(WIDTH), "-y", str(HEIGHT))
        shell = ("env", *env, "PS1=", "TERM=xterm-256color", "sh")
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, "-c", str(folder), *shell)
        self._tmux(
            "send-keys", f'r() {{ "$@"; tmux -L {self._socket} wait-for -S done; }}', "Enter"
        )

    def run(self, line: str) -> str:
        """Run a line and return the screen after it, with its colors."""
        self._tmux("send-keys", "clear", "Enter")
        time.sleep(0.5)
        self._tmux("send-keys", "-l", f"r {line}")
        self._tmux("send-keys", "Enter")
        self._tmux("wait-for", "done")
        time.sleep(0.3)
        screen = self._tmux("capture-pane", "-p", "-e")
        return screen.split("\n", 1)[1].rstrip()

    def close(self) -> None:
        """End the shell."""
        self._tmux("kill-server")

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, *words], check=True, capture_output=True, text=True
        )
        return done.stdout


def svg(title: str, screen: str, target: Path) -> None:
    """Write a screen as a picture."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(f"\x1b[1m$ {title}\x1b[0m\n{screen}\n"), soft_wrap=True)
    picture = console.export_svg(title="", theme=THEME, code_format=SVG, unique_id=target.stem)
    lines = (line.rstrip() for line in picture.splitlines())
    target.write_text("\n".join(line for line in lines if line) + "\n")


def main() -> None:
    """Run the commands in a folder of their own, and write a picture of each."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fleet-pictures-") as name:
        folder = Path(name)
        inventory = (ROOT / "inventory.yaml").read_text().replace("10.213.0.", f"10.213.{LAB}.")
        (folder / "inventory.yaml").write_text(inventory)
        (folder / "mirrors.yaml").write_text(MIRRORS)
        terminal = Terminal(folder)
        try:
            terminal.run("fleet diff")  # so that the rollout does not print the diffs again
            for picture, line in RUNS.items():
                svg(line, terminal.run(line), PICTURES / f"{picture}.svg")
            terminal.run("fleet report last -o report.html")
            screenshot(folder / "report.html", PICTURES / "report.png")
        finally:
            terminal.run("fleet undo last --yes")
            terminal.close()


def screenshot(page: Path, target: Path) -> None:
    """Write the top of a page as a small PNG."""
    words = ("--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1200,900")
    subprocess.run(
        ["chromium", *words, f"--screenshot={target}", str(page)], check=True, capture_output=True
    )


if __name__ == "__main__":
    main()
