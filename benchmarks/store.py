"""What was measured, kept as it comes, so that a run that was broken off goes on."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.sample import Key, Sample


class Store:
    """A file with one sample a line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.samples = list(_read(path))

    def has(self, key: Key, number: int) -> bool:
        """Say whether a good run of that round is there."""
        return any(
            each.key == key and each.round == number and not each.trouble for each in self.samples
        )

    def add(self, sample: Sample) -> None:
        """Keep a sample; an earlier one of the same round gives way."""
        self.samples = [
            each for each in self.samples if (each.key, each.round) != (sample.key, sample.round)
        ]
        self.samples.append(sample)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = (f"{json.dumps(dataclasses.asdict(each))}\n" for each in self.samples)
        half = self.path.with_suffix(".half")
        half.write_text("".join(lines))
        half.replace(self.path)


def _read(path: Path) -> Iterator[Sample]:
    if path.is_file():
        for line in path.read_text().splitlines():
            data = json.loads(line)
            yield Sample(**{**data, "key": Key(**data["key"])})
