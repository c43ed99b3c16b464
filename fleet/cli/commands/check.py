"""The command `fleet check`."""

from __future__ import annotations

from fleet.cli.help import command
from fleet.cli.next_steps import other_command, say_next
from fleet.cli.options import Exit, Settings, takes
from fleet.errors import ConfigErrors


@command()
@takes("inventory", "mirrors")
def check(settings: Settings) -> None:
    """Check both files, offline.

    Every error and warning comes at once, with its file, line and column.
    """
    from fleet.cli.output.inventory import show_checked
    from fleet.config.load import load_files

    try:
        loaded = load_files(settings.inventory, settings.mirrors)
        nodes = settings.select(loaded.inventory)
    except ConfigErrors as error:
        show_checked(settings, (*error.problems, *error.warnings), None)
        raise SystemExit(Exit.USAGE) from error
    counts = {"nodes": len(nodes), "registries": len(loaded.mirrors.registries)}
    show_checked(settings, loaded.warnings, counts)
    say_next(settings, other_command("hostkeys"))
