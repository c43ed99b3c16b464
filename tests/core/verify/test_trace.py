"""ctr's trace and a daemon's log: which hosts were asked, and what they answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.model.outcome import HostAttempt
from fleet.core.verify.trace import Log, Trace, read_log, read_trace

A, B = "a.test", "b.test:5000"
IMAGE = "docker.io/library/busybox:1.36"
DIGEST = f"sha256:{'a' * 64}"
LAYER = f"sha256:{'b' * 64}"
INDEX = "application/vnd.oci.image.index.v1+json"


def url(host: str, path: str) -> str:
    return f'url="http://{host}/v2/library/busybox/{path}?ns=docker.io"'


def request(host: str, path: str) -> str:
    return f'level=debug msg="do request" {url(host, path)}'


def response(host: str, path: str, status: str, size: str = "0") -> str:
    about = f'response.header.content-length={size} response.status="{status}"'
    return f'level=debug msg="fetch response received" {about} {url(host, path)}'


def failure(host: str, path: str, error: str) -> str:
    text = f'failed to do request: Head \\"http://{host}/v2/library/busybox/{path}\\": {error}'
    return f'level=info msg="trying next host" error="{text}" host="{host}"'


def resolved(host: str, digest: str = DIGEST) -> str:
    return f'level=debug msg=resolved desc.digest="{digest}" host="{host}"'


TAG, MANIFEST, BLOB = "manifests/1.36", f"manifests/{DIGEST}", f"blobs/{LAYER}"
PULL = (
    'level=debug msg="loading host directory" dir=/c/docker.io',
    request(A, TAG),
    response(A, TAG, "404 Not Found"),
    request(B, TAG),
    response(B, TAG, "200 OK", "999"),
    resolved(B),
    f'level=debug msg=fetch digest="{DIGEST}" mediatype={INDEX}',
    request(B, MANIFEST),
    response(B, MANIFEST, "200 OK", "440"),
    request(A, BLOB),
    response(A, BLOB, "200 OK", "120"),
)


def trace(*lines: str) -> Trace:
    return read_trace("\n".join(lines))


def test_a_whole_pull() -> None:
    assert trace(*PULL) == Trace(
        hops=(
            HostAttempt(A, "resolve", "404 Not Found"),
            HostAttempt(B, "resolve", "200 OK"),
            HostAttempt(B, "manifest", "200 OK"),
            HostAttempt(A, "blob", "200 OK"),
        ),
        resolved=B,
        digest=DIGEST,
        content=(
            (B, f"/v2/library/busybox/{MANIFEST}"),
            (A, f"/v2/library/busybox/{BLOB}"),
        ),
        size=560,
        folder=True,
        media=INDEX,
    )


def test_the_hosts_that_turned_down_the_name() -> None:
    assert trace(*PULL).turned_down == (A,)


def test_the_hosts_that_served_layers() -> None:
    assert trace(*PULL).layers == (A,)


def test_an_empty_output_is_an_empty_trace() -> None:
    assert read_trace("") == Trace()


def test_carriage_returns_end_lines() -> None:
    assert read_trace("\r".join(PULL)) == trace(*PULL)


def test_a_request_without_a_response_has_no_answer() -> None:
    assert trace(request(A, TAG)).hops == (HostAttempt(A, "resolve", "no answer"),)


def test_a_failed_request_has_the_last_words_of_its_error() -> None:
    lines = (request(A, TAG), failure(A, TAG, "dial tcp: connection refused"))

    assert trace(*lines).hops == (HostAttempt(A, "resolve", "dial tcp: connection refused"),)


def test_a_failure_does_not_replace_a_response() -> None:
    lines = (request(A, TAG), response(A, TAG, "403 Forbidden"), failure(A, TAG, "x"))

    assert trace(*lines).hops == (HostAttempt(A, "resolve", "403 Forbidden"),)


def test_a_request_that_is_repeated_counts_once_with_its_last_response() -> None:
    lines = (
        request(A, TAG),
        response(A, TAG, "401 Unauthorized"),
        request(A, TAG),
        response(A, TAG, "200 OK"),
    )

    assert trace(*lines).hops == (HostAttempt(A, "resolve", "200 OK"),)


def test_a_manifest_before_the_name_is_resolved_is_part_of_resolving() -> None:
    assert trace(request(A, MANIFEST)).hops[0].what == "resolve"


def test_a_response_without_a_request_is_left_out() -> None:
    assert trace(response(A, TAG, "200 OK")).hops == ()


def test_what_was_resolved_only_is_not_content() -> None:
    read = trace(request(A, TAG), response(A, TAG, "200 OK", "500"), resolved(A))

    assert (read.content, read.size) == ((), 0)


@pytest.mark.parametrize("size", ["", "x", "-1", "1" * 19])
def test_a_size_that_is_not_a_number_counts_as_nothing(size: str) -> None:
    read = trace(resolved(A), request(A, MANIFEST), response(A, MANIFEST, "200 OK", size))

    assert read.size == 0
    assert len(read.content) == 1


@pytest.mark.parametrize("digest", ["", "sha256:abc", "md5:x"])
def test_a_digest_of_another_form_is_left_out(digest: str) -> None:
    assert trace(resolved(A, digest)).digest is None


def test_a_hosts_file_that_was_not_read_is_noticed() -> None:
    assert trace('level=error msg="failed to decode hosts.toml" error="x"').refused


MEDIA = {
    "an index": (INDEX, False),
    "a manifest of Docker": ("application/vnd.docker.distribution.manifest.v2+json", False),
    "with a charset": (f"{INDEX};charset=utf-8", False),
    "a web page": ("text/html", True),
    "nothing": ("", False),
}


@pytest.mark.parametrize(("media", "page"), MEDIA.values(), ids=list(MEDIA))
def test_a_name_that_leads_to_something_else_than_an_image(media: str, page: bool) -> None:
    lines = (resolved(A), f'msg=fetch digest="{DIGEST}" mediatype="{media}"')

    assert trace(*lines).no_image is page


def test_the_media_type_of_another_object_does_not_count() -> None:
    assert trace(resolved(A), f'msg=fetch digest="{LAYER}" mediatype="text/html"').media == ""


@given(st.lists(st.sampled_from([*PULL, "x", 'msg="', "msg=resolved"]), max_size=12))
def test_any_lines_are_read(lines: list[str]) -> None:
    read = trace(*lines)

    assert len({(hop.host, hop.what) for hop in read.hops}) <= len(read.hops) <= len(lines)


# -- the log of a daemon --------------------------------------------------------------------------


def passed(
    host: str, repository: str = "library/busybox", message: str = "trying next host"
) -> str:
    place = f"http://{host}/v2/{repository}/manifests/1.36"
    return f'level=info msg="{message}" error="Head \\"{place}\\": EOF" host="{host}"'


def log(*lines: str) -> Log:
    return read_log("\n".join(lines), IMAGE)


def test_an_empty_log() -> None:
    assert log() == Log()


def test_hosts_that_were_passed_over_are_in_order_and_once() -> None:
    assert log(passed(B), passed(A), passed(B)).passed_over == (B, A)


def test_a_status_passes_over_a_host() -> None:
    line = f'level=info msg="trying next host after status: 404 Not Found" host="{A}"'

    assert log(line).passed_over == (A,)


def test_a_failed_fetch_passes_over_a_host() -> None:
    assert log(passed(A, message="fetch failed")).passed_over == (A,)


@pytest.mark.parametrize("repository", ["library/alpine", "library/busybox2", "x/library"])
def test_lines_of_another_pull_are_left_out(repository: str) -> None:
    assert log(passed(A, repository)).passed_over == ()


def test_other_messages_are_left_out() -> None:
    assert log(passed(A, message="do request")).passed_over == ()


@pytest.mark.parametrize(
    "image",
    [
        "docker.io/library/busybox:1.36",
        "docker.io/library/busybox",
        f"docker.io/library/busybox@{DIGEST}",
        f"docker.io/library/busybox:1.36@{DIGEST}",
    ],
)
def test_the_repository_of_any_reference(image: str) -> None:
    assert read_log(passed(A), image).passed_over == (A,)


def test_a_registry_with_a_port() -> None:
    line = passed(A, "team/app")

    assert read_log(line, "r.test:5000/team/app").passed_over == (A,)


def test_the_bytes_of_a_pull() -> None:
    line = f'msg="stop pulling image {IMAGE}: active requests=0, bytes read=2233445"'

    assert log(line).size == 2_233_445


def test_the_bytes_of_another_image_do_not_count() -> None:
    assert log('msg="stop pulling image quay.io/x:1: active requests=0, bytes read=5"').size is None


def test_the_last_pull_of_the_image_counts() -> None:
    lines = (f'msg="stop pulling image {IMAGE}: bytes read={size}"' for size in (1, 2))

    assert log(*lines).size == 2


def test_a_refused_hosts_file_is_noticed() -> None:
    assert log('level=error msg="failed to decode hosts.toml"').refused


def test_a_digest_pinned_name_is_resolved_and_then_fetched_by_the_same_path() -> None:
    asked = (request(A, MANIFEST), response(A, MANIFEST, "200 OK"))
    fetched = (request(A, MANIFEST), response(A, MANIFEST, "200 OK", "440"))

    found = trace(*asked, resolved(A), *fetched)

    assert [hop.what for hop in found.hops] == ["resolve", "manifest"]
    assert found.size == 440


PASSED = 'level=info msg="trying next host" error="failed to do request" host=a.test'


def test_what_another_pull_was_told_at_the_same_time_counts_for_nothing() -> None:
    other = PASSED.replace("request", 'request: Head \\"http://a.test/v2/other/x/manifests/1\\"')

    assert read_log(other, IMAGE).passed_over == ()
    assert read_log(PASSED, IMAGE).passed_over == (A,)


@pytest.mark.parametrize("text", ["", "x" * 5000, 'msg="do request" url="nothing"', "\x00\r\n="])
def test_lines_of_any_shape_are_read(text: str) -> None:
    assert read_trace(text).resolved is None
    assert read_log(text, "").passed_over == ()
