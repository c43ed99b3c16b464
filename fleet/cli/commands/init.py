"""The command `fleet init`."""

from __future__ import annotations

from fleet.cli.help import command
from fleet.cli.options import Settings, takes
from fleet.errors import FleetError
from fleet.home import expanded


@command()
@takes("inventory", "mirrors")
def init(settings: Settings) -> None:
    """Write a first inventory.yaml and mirrors.yaml."""
    from fleet.cli.output.tables import console, print_json

    written = _write_missing(settings)
    if settings.as_json:
        print_json({"files": written})
        return
    out = console(color=settings.color)
    for name, new in written.items():
        out.print(f"{name}: {'written' if new else 'is there already, left alone'}")
    if any(written.values()):
        out.print("next: put your nodes in, then `fleet check` and `fleet probe`")


def _write_missing(settings: Settings) -> dict[str, bool]:
    """Write the files that do not exist; return for each path whether it was written."""
    from importlib.resources import files

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
    return written
