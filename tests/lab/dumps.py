"""Many `config dump` answers of one release at the cost of one mount: about 25 ms each."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab.containerds import Answer, Containerd
from tests.lab.host import run

FOLDER = "/etc/containerd"
_ASK = """
mkdir -p "$1/seen" && mount -t overlay fleet-judge -o "lowerdir=$1/lower:$2" "$1/seen" || exit 97
[ "$3" = - ] || mount --bind "$3" "$1/seen/usr/bin/containerd" || exit 97
for case in "$1"/cases/*; do
    mount --bind "$case/tree" "$1/seen/etc/containerd" || exit 97
    word="-c /etc/containerd/config.toml config dump"
    [ -f "$case/tree/config.toml" ] || word='config default'
    GOMAXPROCS=1 GOGC=off chroot "$1/seen" timeout 20 containerd $word \\
        >"$case/stdout" 2>"$case/stderr"
    echo $? >"$case/code"
    umount "$1/seen/etc/containerd" || exit 97
done
"""


def dumps(judge: Containerd, trees: Sequence[Mapping[str, bytes]]) -> list[Answer]:
    """Ask what a daemon would read of each tree; all files must stand below /etc/containerd."""
    middle = len(trees) // 2
    with ThreadPoolExecutor(2) as pool:
        halves = pool.map(_dumps, (judge, judge), (trees[:middle], trees[middle:]))
        return [answer for half in halves for answer in half]


def _dumps(judge: Containerd, trees: Sequence[Mapping[str, bytes]]) -> list[Answer]:
    with tempfile.TemporaryDirectory(prefix="fleet-judge-") as name:
        folder = Path(name)
        (folder / "lower/etc/containerd").mkdir(parents=True)
        for number, tree in enumerate(trees):
            _write(folder / f"cases/{number:05}/tree", tree)
        if trees:
            words = ("unshare", "-m", "sh", "-c", _ASK, "sh", folder, judge.root)
            run(*words, judge.binary or "-", seconds=30 + len(trees))
        return [_answer(folder / f"cases/{number:05}") for number in range(len(trees))]


def _write(target: Path, tree: Mapping[str, bytes]) -> None:
    target.mkdir(parents=True)
    for path, content in tree.items():
        inside = target / Path(path).relative_to(FOLDER)
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.write_bytes(content)


def _answer(case: Path) -> Answer:
    code = int((case / "code").read_text())
    return Answer(code, (case / "stdout").read_text(), (case / "stderr").read_text())
