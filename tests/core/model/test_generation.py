"""The entries of a generation's manifest."""

from __future__ import annotations

import pytest

from fleet.core.model.change import ManagedFile
from fleet.core.model.generation import Generation, ManifestEntry, SavedKind

ENTRIES = {
    "a file": (ManifestEntry("/a", ManagedFile(b"")), True),
    "nothing": (ManifestEntry("/a", None), True),
    "a directory that was created": (ManifestEntry("/a", None, directory=True), False),
    "a folder that was removed": (ManifestEntry("/a", None, copied=SavedKind.FOLDER), False),
    "a file with hard links": (ManifestEntry("/a", ManagedFile(b""), copied=SavedKind.LINK), False),
    "a device": (ManifestEntry("/a", None, copied=SavedKind.ODD), False),
}


@pytest.mark.parametrize(("entry", "is_file"), ENTRIES.values(), ids=list(ENTRIES))
def test_a_plain_file_or_its_absence_is_restored_as_a_file(
    entry: ManifestEntry, is_file: bool
) -> None:
    assert entry.is_file is is_file


def test_a_generation_is_whole_and_in_the_chain_by_default() -> None:
    generation = Generation("20260101-000000-abcd", ())

    assert (generation.beside, generation.damage, generation.was_unhealthy) == (False, "", "")
