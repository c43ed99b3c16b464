"""One command on many nodes by AsyncSSH: exec_all.py PARALLEL SSH_USER KEY PORT."""

import asyncio
import sys
from pathlib import Path

import asyncssh


async def main() -> None:
    """Run the line with its input on every place; fail where one does not answer in full."""
    parallel, user, key, port = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    line, stdin = Path("line").read_text(), Path("stdin").read_bytes()
    known, keys = asyncssh.read_known_hosts("known_hosts"), [asyncssh.read_private_key(key)]
    room = asyncio.Semaphore(parallel)

    async def one(place: str) -> None:
        async with (
            room,
            asyncssh.connect(
                place,
                port,
                username=user,
                client_keys=keys,
                known_hosts=known,
                config=None,
                agent_path=None,
            ) as connection,
        ):
            said = await connection.run(line, input=stdin, encoding=None, check=True)
            assert b"\nend" in said.stdout, place

    await asyncio.gather(*(one(place) for place in Path("places").read_text().split()))


asyncio.run(main())
