"""lib/trace.sh and lib/cleanup.sh: what a pull brought, and its removal."""

from __future__ import annotations

import pytest

from tests.node.scripts.shell import Shell

GIVEN = {
    **{"NAMESPACE": "n", "PULL_SECONDS": "5", "SOCKET": "/s", "image": "docker.io/x:1"},
    **{"ID": "r1", "RUNTIME": "/nowhere", "HOSTS_DIRECTORY": "/etc/certs.d", "number": "0"},
    **{"registry": "docker.io", "hosts": "", "present": "no", "stored": "", "pulled": ""},
    **{"name": "docker.io/x:1", "digest": "sha256:d", "had": "", "objects": " sha256:d"},
}
TRACE = """echo 'level=debug msg=resolved desc.digest="sha256:d" host=m'
echo 'level=debug msg="do request" url="https://m/v2/x/blobs/sha256:e?ns=docker.io"'
echo 'level=debug msg=quiet'
exit 3"""


def test_a_trace_keeps_the_requests_and_the_exit_code(shell: Shell) -> None:
    shell.stand_in("ctr", TRACE)
    code = 'boot=b; trace_fetch 5; printf "%s\\n" "$trace"; printf "code\\t=%s\\n" "$fetch_code"'

    done = shell.run("trace", code, **GIVEN)

    lines = [fields[1] for fields in done.reply.all("trace")]
    assert ["resolved" in lines[0], "do request" in lines[1]] == [True, True]
    assert not any("quiet" in line for line in lines)
    assert done.reply.value("code") == "3"
    assert "--hosts-dir /etc/certs.d docker.io/x:1" in shell.calls[0]


def test_a_bundle_that_lacks_a_root_is_followed_by_the_folder_of_roots(shell: Shell) -> None:
    shell.stand_in("ctr", "case $* in *fetch*) echo 'ctr: unknown authority' ;; esac")

    shell.run("trace", "boot=b; trace_fetch 5", **GIVEN)

    fetches = [call for call in shell.calls if "content fetch" in call]
    assert len(fetches) == 2


def test_without_a_hosts_directory_the_desired_hosts_are_written_for_ctr(shell: Shell) -> None:
    shell.stand_in("ctr", "")
    given = {**GIVEN, "HOSTS_DIRECTORY": "", "hosts": "c2VydmVyID0gInMiCg=="}

    shell.run("trace", "boot=b; trace_fetch 5", **given)

    (written,) = shell.run_folder.glob("verify-r1-*/docker.io/hosts.toml")
    assert written.read_text() == 'server = "s"\n'


def test_objects_of_a_trace_are_listed_once_and_the_image_is_known(shell: Shell) -> None:
    trace = 'a desc.digest="sha256:d" b\nGET /v2/x/blobs/sha256:e?ns=x and sha256:d\n'
    code = 'trace_objects; printf "%s|%s" "$objects" "$digest"'

    found = shell.output("trace", code, **{**GIVEN, "trace": trace})

    assert found == " sha256:d sha256:e|sha256:d"


def test_objects_that_the_store_has_are_found(shell: Shell) -> None:
    (shell.folder / "d").write_text("x")
    code = f'STORE={shell.folder}; trace_find_stored; printf "%s" "$stored"'

    found = shell.output("trace", code, **{**GIVEN, "objects": " sha256:d sha256:e"})

    assert found == " sha256:d"


def test_what_a_pull_brought_is_removed_by_name(shell: Shell) -> None:
    shell.stand_in("ctr", "")
    code = "cleanup_list_pulled sha256:abc; cleanup_remove_images"

    shell.output("cleanup", code, **{**GIVEN, "had": "docker.io/y:1"})

    (removed,) = [call for call in shell.calls if "images rm" in call]
    assert removed.endswith("--sync docker.io/x:1 docker.io/x@sha256:d sha256:abc")


def test_names_that_were_there_stay(shell: Shell) -> None:
    shell.stand_in("ctr", "")
    code = "cleanup_list_pulled sha256:abc; cleanup_remove_images"

    shell.output("cleanup", code, **{**GIVEN, "had": "sha256:abc\ndocker.io/x@sha256:d"})

    (removed,) = [call for call in shell.calls if "images rm" in call]
    assert removed.endswith("--sync docker.io/x:1")


def test_an_image_that_a_container_uses_stays(shell: Shell) -> None:
    shell.stand_in("ctr", 'case $* in *containers*) echo "c docker.io/x:1 runc" ;; esac')
    code = "cleanup_list_pulled sha256:abc; cleanup_remove_images"

    shell.output("cleanup", code, **GIVEN)

    assert [call for call in shell.calls if "images rm" in call] == []


def test_our_own_names_do_not_count_as_there_before(shell: Shell) -> None:
    code = """
    ours=' docker.io/x:1 sha256:abc'
    cleanup_exclude_ours; printf '%s' "$had" | grep .
    """

    had = "docker.io/y:1\ndocker.io/x:1\nsha256:abc"

    assert shell.output("cleanup", code, **{**GIVEN, "had": had}) == "docker.io/y:1\n"


NAMES = {
    "had another digest": ("no", "docker.io/x@sha256:o", []),
    "had none": ("no", "", []),
    "unknown which": ("yes", "docker.io/x@sha256:o\ndocker.io/x@sha256:p", []),
    "was there": (
        "yes",
        "docker.io/x@sha256:o",
        ["images tag --force docker.io/x@sha256:o docker.io/x:1"],
    ),
}


@pytest.mark.parametrize(("present", "had", "expected"), NAMES.values(), ids=NAMES)
def test_a_failed_pull_gives_the_name_back(
    shell: Shell, present: str, had: str, expected: list[str]
) -> None:
    shell.stand_in("ctr", "")

    shell.output("cleanup", "cleanup_restore_name 1", **{**GIVEN, "present": present, "had": had})

    tags = [call.partition("-n k8s.io ")[2] for call in shell.calls if "tag" in call]
    assert tags == expected


def test_what_a_killed_verification_noted_is_removed(shell: Shell) -> None:
    shell.stand_in("ctr", 'case $* in *"images ls"*) echo docker.io/x:1 ;; esac')
    note = shell.state / "proof-4194305"
    note.write_text("another-boot\ndocker.io/x:1 sha256:d\ndocker.io/kept:1 -\n")

    shell.output("cleanup", "cleanup_left_runs", **GIVEN)

    assert not note.exists()
    (removed,) = [call for call in shell.calls if "images rm" in call]
    assert "docker.io/x:1" in removed
    assert any(call.endswith("namespaces rm fleet-probe-4194305") for call in shell.calls)


def test_a_note_stays_until_all_is_removed(shell: Shell) -> None:
    shell.stand_in("ctr", "exit 1")
    note = shell.state / "proof-4194305"
    note.write_text("another-boot\ndocker.io/x:1 sha256:d\n")

    shell.run("cleanup", "cleanup_left_runs", **GIVEN)

    assert note.exists()
