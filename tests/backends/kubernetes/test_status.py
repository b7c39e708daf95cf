"""Errors of an API server, in its own words (API server 1.37), as codes a caller can act on."""

from __future__ import annotations

import msgspec
import pytest

from cloud_native_mcp.backends.kubernetes.status import SHOWN_MESSAGE, KubernetesError, raise_for_status
from cloud_native_mcp.contract.http import HttpResponse, HttpTarget
from tests.promises import promise

TARGET = HttpTarget("kubernetes", "main", "https://api.example")
CANARY = "Y2FuYXJ5LXNlY3JldA"


def told(
    status: int, message: str = "", reason: str = "", headers: dict[str, str] | None = None, **details: object
) -> KubernetesError:
    """The error of a Status."""
    body = msgspec.json.encode(
        {"kind": "Status", "message": message, "reason": reason, "code": status, "details": details}
    )
    return raised(HttpResponse(status, headers or {}, body))


def raised(response: HttpResponse) -> KubernetesError:
    """The error of an answer."""
    with pytest.raises(KubernetesError) as caught:
        raise_for_status(response, what="patch deployments.apps web in shop", target=TARGET)
    assert caught.value.status == response.status
    assert caught.value.text.startswith("kubernetes target main: patch deployments.apps web in shop: ")
    return caught.value


@pytest.mark.parametrize(
    ("status", "message", "reason", "code"),
    [
        (401, "Unauthorized", "Unauthorized", "unauthorized"),
        (403, 'pods is forbidden: User "a" cannot list resource "pods" in API group ""', "Forbidden", "forbidden"),
        (
            403,
            'pods "x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2',
            "Forbidden",
            "quota_exceeded",
        ),
        (403, 'pods "x" is forbidden: violates PodSecurity "restricted:latest"', "Forbidden", "pod_security_denied"),
        (400, 'admission webhook "policy.example" denied the request: no latest tag', "BadRequest", "webhook_denied"),
        (422, "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no", "Invalid", "webhook_denied"),
        (409, "the object has been modified; please apply your changes to the latest version", "Conflict", "conflict"),
        (409, "Precondition failed: UID in precondition: a, UID in object meta: b", "Conflict", "precondition_failed"),
        (410, "The provided continue parameter is too old", "Expired", "expired_cursor"),
        (400, "invalid continue token: continue key is not valid", "BadRequest", "expired_cursor"),
        (400, "field label not supported: spec.foo", "BadRequest", "invalid_selector"),
        (400, "found '=', expected: ',' or 'end of string'", "BadRequest", "invalid_selector"),
        (400, "a container name must be specified for pod x", "BadRequest", "rejected"),
        (415, "the body of the request was in an unknown format", "UnsupportedMediaType", "unsupported"),
        (422, 'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1', "Invalid", "invalid_object"),
        (429, "too many requests", "TooManyRequests", "throttled"),
        (
            500,
            "failed to create typed patch object (/x): .spec.foo: field not declared in schema",
            "",
            "invalid_object",
        ),
        (500, 'failed calling webhook "w.example": connection refused', "InternalError", "backend_error"),
        (504, "Timeout: Too large resource version: 9, current: 5", "Timeout", "timeout"),
    ],
)
def test_each_refusal_has_its_code_and_keeps_the_servers_words(
    status: int, message: str, reason: str, code: str
) -> None:
    error = told(status, message, reason)
    assert error.code == code
    assert message[:20] in error.text
    assert error.reason == reason


@promise("F9")
def test_an_unknown_path_is_told_from_a_missing_object() -> None:
    missing = told(404, 'pods "x" not found', "NotFound", name="x", kind="pods")
    assert (missing.code, missing.path_unknown) == ("not_found", False)
    unknown = told(404, "the server could not find the requested resource", "NotFound")
    plain = raised(HttpResponse(404, {"content-type": "text/plain"}, b"404 page not found\n"))
    for error in (unknown, plain):
        assert (error.code, error.path_unknown) == ("unsupported", True)
        assert "does not serve that API path" in error.text


def test_causes_are_told_by_field_when_the_message_lacks_them() -> None:
    causes = [{"reason": "FieldManagerConflict", "message": 'conflict with "kubectl"', "field": ".spec.replicas"}]
    error = told(409, "Apply failed with 1 conflict", "Conflict", causes=causes)
    assert '(.spec.replicas: conflict with "kubectl")' in error.text
    assert error.details.causes[0].field == ".spec.replicas"


def test_the_object_that_a_strict_patch_repeats_is_not_passed_on() -> None:
    strict = ': strict decoding error: unknown field "daat"'
    whole = f'Secret in version "v1" cannot be handled: {{"data":{{"key":"{CANARY}"}}}}{strict}'
    error = told(422, whole, "Invalid", causes=[{"reason": "x", "message": whole, "field": "patch"}])
    assert 'strict decoding error: unknown field "daat"' in error.text
    assert CANARY not in error.text


def test_long_messages_are_cut_and_control_characters_removed() -> None:
    error = told(500, "\x1b[31mboom\x1b[0m " + "x" * 10_000)
    assert "\x1b" not in error.text
    assert len(error.text) < SHOWN_MESSAGE + 150


def test_the_wait_of_a_throttled_call_comes_from_header_or_status() -> None:
    assert told(429, headers={"retry-after": "3"}).retry_after == 3
    assert told(429, retryAfterSeconds=5).retry_after == 5
    assert told(429).retry_after is None


@pytest.mark.parametrize("body", [b"", b"<html>proxy error</html>", b'{"kind":"Other"}', b'{"kind":', b"\xff"])
def test_an_error_that_is_no_status_still_has_its_code(body: bytes) -> None:
    assert raised(HttpResponse(502, {}, body)).code == "backend_error"
    assert raised(HttpResponse(403, {}, body)).code == "forbidden"
