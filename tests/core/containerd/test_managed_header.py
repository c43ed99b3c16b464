"""The header of files that fleet writes."""

from __future__ import annotations

import pytest

from fleet.core.containerd.managed_header import HEADER, MIGRATED, has_header, managed_because


@pytest.mark.parametrize("header", [HEADER, MIGRATED, managed_because("it is a copy.")])
def test_every_header_is_recognized(header: str) -> None:
    assert has_header(header.encode() + b"a = 1\n")


@pytest.mark.parametrize("header", [HEADER, MIGRATED, managed_because("it is a copy.")])
def test_every_line_of_a_header_is_a_comment(header: str) -> None:
    assert header.endswith("\n")
    assert all(line.startswith("# ") for line in header.splitlines())


@pytest.mark.parametrize(
    "content", [b"", b"a = 1\n", b"\n# Managed by fleet: x\n", b"# managed by Ansible\n", b"\xff"]
)
def test_a_file_of_others_has_no_header(content: bytes) -> None:
    assert not has_header(content)


def test_a_reason_is_part_of_the_header() -> None:
    assert managed_because("it is a copy.") == "# Managed by fleet: it is a copy.\n"
