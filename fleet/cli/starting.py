"""The command `fleet init`: the first two files of a new fleet."""

from __future__ import annotations

from importlib.resources import files

from fleet.cli.options import Exit, Settings
from fleet.cli.output.tables import console, print_json
from fleet.errors import FleetError
from fleet.home import expanded


def init(settings: Settings) -> Exit:
    """Write a commented inventory.yaml and mirrors.yaml; leave existing files alone."""
    starter = files("fleet") / "starter"
    written: dict[str, bool] = {}
    for path, name in (
        (settings.inventory, "inventory.yaml"),
        (settings.mirrors, "mirrors.yaml"),
    ):
        try:
            with expanded(path).open("x", encoding="utf-8") as target:
                target.write((starter / name).read_text(encoding="utf-8"))
            written[str(path)] = True
        except FileExistsError:
            written[str(path)] = False
        except OSError as error:
            raise FleetError(f"{path}: cannot be written ({error.strerror})") from error
    if settings.as_json:
        print_json({"files": written})
        return Exit.OK
    out = console(color=settings.color)
    for name, new in written.items():
        out.print(f"{name}: {'written' if new else 'is there already, left alone'}")
    if any(written.values()):
        out.print("next: put your nodes in, then `fleet check` and `fleet probe`")
    return Exit.OK
