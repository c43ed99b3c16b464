"""Writing a new order of endpoints: the file's other text, its mode and its place stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.config.mirrors.yaml_order import ReorderResult, write_endpoint_order
from fleet.core.mirrors.ranking import Rank, Ranking
from fleet.errors import FleetError

URLS = ("https://a.example", "https://b.example", "https://c.example")
TEXT = """\
# ours
mirrors:
  quay.io:
    endpoints:
      - https://a.example # first
      - https://b.example
      - https://c.example
"""
MOVED = """\
# ours
mirrors:
  quay.io:
    endpoints:
      - https://c.example
      - https://a.example # first
      - https://b.example
"""
ORDER = ((3, URLS[2]), (1, URLS[0]), (2, URLS[1]))


def rank(url: str) -> Rank:
    return Rank(
        url=url,
        served=1,
        tests=1,
        stale=False,
        blocks=False,
        seconds=1.0,
        first_byte=None,
        rate=None,
        proxied=False,
    )


def ranking(*order: int, registry: str = "quay.io", reason: str = "") -> Ranking:
    """Return a ranking that proposes the URLs in another order, by their numbers from 1."""
    return Ranking(registry, URLS, tuple(rank(URLS[number - 1]) for number in order), reason)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "mirrors.yaml"
    path.write_text(TEXT)
    return path


def test_a_new_order_is_written_and_reported(path: Path) -> None:
    results = write_endpoint_order(path, [ranking(3, 1, 2)])

    assert results == (ReorderResult("mirrors.quay.io.endpoints", ORDER, written=True),)
    assert path.read_text() == MOVED


STAYS = {
    "the same order": ranking(1, 2, 3),
    "a reason against it": ranking(3, 1, 2, reason="a proxy"),
    "another registry": ranking(3, 1, 2, registry="docker.io"),
}


@pytest.mark.parametrize("proposal", STAYS.values(), ids=STAYS)
def test_a_list_without_a_new_order_is_not_touched(path: Path, proposal: Ranking) -> None:
    before = path.stat()

    assert write_endpoint_order(path, [proposal]) == ()
    assert path.read_text() == TEXT
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_list_that_is_not_safe_to_move_is_reported_and_stays(path: Path) -> None:
    text = f"x: &list [{', '.join(URLS)}]\nmirrors: {{quay.io: {{endpoints: *list}}}}\n"
    path.write_text(text)

    (result,) = write_endpoint_order(path, [ranking(3, 1, 2)])

    assert (result.order, result.written) == (ORDER, False)
    assert result.reason != ""
    assert path.read_text() == text


def test_several_lists_are_written_at_once(path: Path) -> None:
    more = TEXT + TEXT.partition("mirrors:\n")[2].replace("quay.io", "ghcr.io")
    path.write_text(more)

    results = write_endpoint_order(path, [ranking(3, 1, 2), ranking(2, 1, 3, registry="ghcr.io")])

    assert [result.place for result in results] == [
        "mirrors.quay.io.endpoints",
        "mirrors.ghcr.io.endpoints",
    ]
    lines = [line.split()[1] for line in path.read_text().splitlines() if "- https" in line]
    assert lines == [URLS[2], URLS[0], URLS[1], URLS[1], URLS[0], URLS[2]]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
def test_the_file_keeps_its_mode(path: Path, mode: int) -> None:
    path.chmod(mode)

    write_endpoint_order(path, [ranking(3, 1, 2)])

    assert path.stat().st_mode & 0o7777 == mode


def test_the_file_keeps_its_byte_order_mark(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())

    write_endpoint_order(path, [ranking(3, 1, 2)])

    assert path.read_bytes() == b"\xef\xbb\xbf" + MOVED.encode()


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("mirrors.yaml")

    write_endpoint_order(link, [ranking(3, 1, 2)])

    assert link.is_symlink()
    assert path.read_text() == MOVED


def test_no_draft_is_left_beside_the_file(path: Path, tmp_path: Path) -> None:
    write_endpoint_order(path, [ranking(3, 1, 2)])

    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_takes_no_draft_is_named(path: Path, tmp_path: Path) -> None:
    long = tmp_path / ("n" * 255)  # the draft's name is longer than a name may be
    path.rename(long)

    with pytest.raises(FleetError, match=r"cannot be written: File name too long"):
        write_endpoint_order(long, [ranking(3, 1, 2)])
    assert long.read_text() == TEXT
