"""Credentials in free text do not get out, and ordinary text is not harmed."""

from __future__ import annotations

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_native_mcp.response.mask import scrub
from tests.promises import promise

CANARY = "cAnArY-9f8e7d6c5b4a3210"
TOKENS = st.text(string.ascii_letters + string.digits + "_-", min_size=12, max_size=60).map(lambda t: "q7" + t)

TEMPLATES = [
    "Authorization: Bearer {}",
    "authorization: bearer {}\nnext line",
    "{{'Authorization': 'Bearer {}'}}",
    '"authorization":"Basic {}"',
    "curl -H 'Authorization: token {}' https://api.example.com",
    "sent Bearer {} to the server",
    "https://user:{}@db.example.com/path",
    "postgres://{}@db:5432/app?sslmode=disable",
    "redis://:{}@cache:6379/0",
    "GET /v1/items?access_token={}&page=2",
    "https://bucket.s3.amazonaws.com/x?X-Amz-Signature={}&X-Amz-Date=1",
    "https://example.com/?sig={}",
    "password={}",
    "password: {}",
    "DB_PASSWORD={}",
    "db.password.1={}",
    '{{"password": "{}"}}',
    '{{\\"password\\":\\"{}\\"}}',
    "{{'clientSecret': '{}'}}",
    "apiKey: {}",
    "api-key => {}",
    "aws_secret_access_key = {}",
    "level=info token={} msg=started",
    "--token {}",
    "args: --admin-password={} --port 80",
    '["--password", "{}"]',
    "Set-Cookie: session={}; HttpOnly",
    "X-Auth-Token: {}",
    "Server=db;Password={};Database=x",
    "password: |\n  {}\nnext: 1",
    "- secret: >-\n    {}\n",
]


@pytest.mark.parametrize("template", TEMPLATES)
@promise("S4")
def test_a_credential_is_masked_where_it_usually_stands(template: str) -> None:
    masked = scrub(f"before\n{template.format(CANARY)}\nafter")
    assert CANARY not in masked
    assert masked.startswith("before\n")
    assert masked.endswith("\nafter")
    assert "***" in masked


@given(st.sampled_from(TEMPLATES), TOKENS, st.sampled_from(["", "é ", "x\n", "東京\t", "\ud800"]))
@promise("S4")
def test_no_credential_survives_whatever_it_is_made_of(template: str, token: str, before: str) -> None:
    assert token not in scrub(before + template.format(token))


@promise("S4")
def test_a_json_web_token_is_masked_anywhere() -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
    assert scrub(f"got<{token}>") == "got<***>"
    assert scrub(f'{{"t":"\\n{token}"}}') == '{"t":"\\n***"}'


@pytest.mark.parametrize("prefix", ["ghp_", "github_pat_", "glsa_", "glpat-", "xoxb-", "hvs."])
@promise("S4")
def test_tokens_of_known_makers_are_masked(prefix: str) -> None:
    token = prefix + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4"
    assert scrub(f"found {token} in a file") == "found *** in a file"


KEY_BODY = base64.b64encode(bytes(range(256)) * 3).decode()


@promise("S4")
def test_a_private_key_is_masked_whole() -> None:
    lines = "\n".join(KEY_BODY[at : at + 64] for at in range(0, len(KEY_BODY), 64))
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{lines}\n-----END RSA PRIVATE KEY-----"
    assert scrub(f"a\n{key}\nb\n{key}") == "a\n***\nb\n***"
    escaped = key.replace("\n", "\\n")
    assert scrub(f'{{"tls.key": "{escaped}"}}') == '{"tls.key": "***"}'


@promise("S4")
def test_a_private_key_without_its_end_is_masked_to_where_key_material_ends() -> None:
    lines = "\n".join(f"2026-01-01T00:00:00Z {KEY_BODY[at : at + 64]}" for at in range(0, 640, 64))
    masked = scrub(f"-----BEGIN PRIVATE KEY-----\n{lines}\nready")
    assert masked == "***\nready"


@pytest.mark.parametrize(
    "text",
    [
        "secretName: web-tls",
        "automountServiceAccountToken: false",
        "imagePullSecrets:\n- name: registry",
        'MountVolume.SetUp failed for volume "db-secret" : secret "db-secret" not found',
        "secretKeyRef:\n  key: password\n  name: db",
        "basic authentication is not enabled",
        "a bearer credential is missing",
        "authorization-mode=RBAC",
        "my-app-token not found",
        "passwordFrom: env",
        "token: null",
        "password: $(DB_PASSWORD)",
        "password: <12 bytes, sha 0123456789>",
        "https://example.com/a@b",
        "http://prometheus:9090/api/v1/query?query=up&time=1",
        "mail to ops@example.com",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize(
    "piece",
    [
        "eyJ",
        "://a@",
        "password",
        "password=a ",
        'password="',
        "-----BEGIN PRIVATE KEY-----",
        "secret: |\n",
        "é--token ",
    ],
)
def test_a_long_adversarial_text_takes_work_in_proportion_to_its_length(piece: str) -> None:
    text = piece * (400_000 // len(piece))
    assert len(scrub(text)) <= len(text) * 2


@given(st.text(st.characters(exclude_categories=())))
def test_masking_accepts_any_text_and_does_not_undo_itself(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


@pytest.mark.parametrize(
    "text", ['{"token": "<25 bytes, sha 0123456789>"}', "token: <25 bytes, sha 0123456789>", 'token="<0 bytes>"']
)
def test_a_length_and_digest_in_place_of_a_value_stays(text: str) -> None:
    assert scrub(text) == text
