"""Reading of statuses and of JSON bodies."""

from __future__ import annotations

import msgspec
import pytest

from cloud_native_mcp.contract.http import HttpResponse
from cloud_native_mcp.errors import BackendError, ConfigError
from cloud_native_mcp.upstream.address import parse_base_url
from cloud_native_mcp.upstream.decode import decode_json
from cloud_native_mcp.upstream.status import SHOWN_BODY, body_head, raise_for_status
from tests.fault_server.behaviours import LOGIN_PAGE
from tests.promises import promise
from tests.upstream.clients import sample_target

TARGET = sample_target("http://backend.invalid")


class Names(msgspec.Struct):
    """A small expected answer."""

    names: list[str]


def response(body: bytes | str, status: int = 200, **headers: str) -> HttpResponse:
    """An answer."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status, fields, body.encode() if isinstance(body, str) else body)


def told(status: int, body: str = "", **headers: str) -> BackendError:
    """The error of a status."""
    with pytest.raises(BackendError) as caught:
        raise_for_status(response(body, status, **headers), what="names", target=TARGET)
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 204])
def test_success_raises_nothing(status: int) -> None:
    raise_for_status(response("", status), what="names", target=TARGET)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (301, "bad_answer"),
        (400, "rejected"),
        (401, "unauthorized"),
        (403, "forbidden"),
        (404, "not_found"),
        (405, "unsupported"),
        (409, "conflict"),
        (412, "precondition_failed"),
        (418, "rejected"),
        (422, "invalid_object"),
        (429, "throttled"),
        (500, "backend_error"),
        (502, "backend_error"),
        (503, "backend_error"),
    ],
)
def test_each_status_has_its_code_and_is_named(status: int, code: str) -> None:
    error = told(status, "no more chairs")
    assert (error.code, error.status) == (code, status)
    assert "sample target main: names: status" in error.text
    assert "no more chairs" in error.text


@promise("F5")
def test_the_head_of_the_body_is_cut_cleaned_and_masked() -> None:
    error = told(500, "\x1b[31mfailed\x1b[0m for\nAuthorization: Bearer canary-9f8e7d6c5b4a3f2e1d0c " + "x" * 5_000)
    assert "canary-9f8e" not in error.text
    assert "\x1b" not in error.text
    assert "\n" not in error.text
    assert "failed for" in error.text
    assert len(error.text) < SHOWN_BODY + 100


def test_a_wait_that_was_asked_for_is_passed_on() -> None:
    error = told(429, retry_after="17")
    assert error.retry_after == 17
    assert "wait 17 s" in error.text


def test_the_text_of_a_web_page_is_not_passed_on() -> None:
    error = told(502, LOGIN_PAGE, content_type="text/html")
    assert "a web page" in error.text
    assert "<form>" not in error.text
    assert body_head(response("<html>secret")) == body_head(response(LOGIN_PAGE))


@promise("F14")
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (response(LOGIN_PAGE, content_type="text/html"), "not JSON: looks like a login page"),
        (response("\n  <html><body>", content_type="application/json"), "not JSON: looks like a login page"),
        (response("ok", content_type="text/plain"), "not JSON (content type 'text/plain')"),
        (response(""), "the answer is empty"),
        (response(" \n"), "the answer is empty"),
        (response("null"), "the answer is null"),
        (response('{"names": ["a'), "incomplete answer"),
        (response('{"names": 5}'), "not of the expected form"),
        (response(b'{"names": ["\xff"]}'), "incomplete answer"),
    ],
)
def test_an_answer_that_is_not_the_expected_json_is_refused_in_words(answer: HttpResponse, words: str) -> None:
    with pytest.raises(BackendError) as caught:
        decode_json(answer, Names, what="names", target=TARGET)
    assert caught.value.code == "bad_answer"
    assert words in caught.value.text


def test_null_is_refused_even_where_anything_would_do() -> None:
    with pytest.raises(BackendError, match="the answer is null"):
        decode_json(response("null"), object, what="names", target=TARGET)


def test_unknown_fields_are_read_over() -> None:
    assert decode_json(response('{"names": ["a"], "new": 1}'), Names, what="names", target=TARGET).names == ["a"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "backend",
        "ftp://backend",
        "http://",
        "http://u:canary@backend",
        "http://backend?x=1",
        "http://backend:99999",
    ],
)
def test_a_base_url_that_cannot_be_used_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_base_url(url, setting="sample.targets.main.url")
    assert caught.value.problems[0].path == "sample.targets.main.url"
    assert "canary" not in str(caught.value)


def test_addresses_keep_their_prefix_and_name_their_port() -> None:
    address = parse_base_url("https://[::1]/a b/", setting="x")
    assert (address.shown, address.prefix, address.loopback) == ("[::1]:443", "/a%20b", True)
    assert str(address.url("/c", "d=1")) == "https://[::1]/a%20b/c?d=1"
