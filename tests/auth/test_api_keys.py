"""Keys at rest as hashes, found at one cost, good in their time, followed while the server runs."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cloud_native_mcp.auth.api_keys import REFRESH_S, ApiKeys
from cloud_native_mcp.auth.config import AuthConfig
from cloud_native_mcp.auth.credentials import Credentials, InvalidToken
from cloud_native_mcp.auth.expiry import Expiries, ExpiryWatch
from cloud_native_mcp.auth.key_changes import UnknownKey, create, revoke, rotate
from cloud_native_mcp.auth.key_digest import KeyHasher
from cloud_native_mcp.auth.key_file import KeyFile, StoredKey
from cloud_native_mcp.auth.key_format import PATTERN, is_misspelt, new_key
from cloud_native_mcp.auth.key_states import facts_of
from cloud_native_mcp.contract.principal import Principal
from cloud_native_mcp.errors import ConfigError
from cloud_native_mcp.secrets.references import SecretStore
from cloud_native_mcp.secrets.state_key import StateKeys
from tests.limits.clock import Clock
from tests.promises import promise

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
STORED = (
    '{"version": 1, "keys": [{"id": "ci", "key_id": "a", "created": "2026-01-01T00:00:00Z", "scopes": ["all"],'
    f' "hash": "blake2b:{"0" * 8}:{"0" * 64}"}}]}}'
)
"""A key whose scope is none."""
OLD, NEW = b"o" * 32, b"n" * 32


class Desk:
    """A server's keys over a file, with clocks that are moved by hand."""

    def __init__(self, folder: Path, *, state_keys: tuple[bytes, ...] = (OLD,), **auth: object) -> None:
        self.clock = Clock()
        self.now = NOW
        self.expiries: Expiries = []
        self.watch = ExpiryWatch(self._ends)
        self.hasher = KeyHasher(StateKeys(state_keys))
        self.file = KeyFile(folder / "keys.json")
        self.config = AuthConfig.model_validate({"key_file": str(self.file.path), **auth})
        self.keys = self.started()

    def started(self) -> ApiKeys:
        return ApiKeys(
            self.config,
            SecretStore({}),
            self.hasher,
            clock=self.clock,
            wall=lambda: self.now,
            expiries=self.watch,
        )

    def made(self, visible_id: str = "ci", *, expires: datetime | None = None, begins: datetime | None = None) -> str:
        with self.file.changing() as keys:
            _, key = create(keys, self.hasher, visible_id, now=self.now, expires=expires, not_before=begins)
        return key

    def later(self, span: timedelta = timedelta(seconds=REFRESH_S)) -> None:
        self.now += span
        self.clock.advance(span.total_seconds())

    async def find(self, key: str) -> Principal | None:
        return await self.keys.find(Credentials(token=key.encode()))

    def _ends(self, expiries: Expiries) -> None:
        self.expiries = expiries


def test_a_key_has_a_form_that_scanners_find_and_typos_break() -> None:
    key_id, key = new_key()
    match = re.fullmatch(PATTERN, key)
    assert match is not None
    assert match["key_id"] == key_id
    assert not is_misspelt(key.encode())
    swapped = "x" if key[30] != "x" else "y"
    for broken in (key[:-1], key + "0", key[:30] + swapped + key[31:], "cnmcp_"):
        assert is_misspelt(broken.encode())
    assert not is_misspelt(b"a key of another form")
    assert len({new_key()[1] for _ in range(100)}) == 100


async def test_a_key_made_while_the_server_runs_is_known_within_the_refresh(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with desk.file.changing() as keys:
        _, key = create(keys, desk.hasher, "ci", now=NOW, groups=("builders",), scopes=("read", "helm:write"))
    assert await desk.find(key) is None
    desk.later()
    assert await desk.find(key) == Principal(
        id="ci", method="api_key", groups=("builders",), scopes=("read", "helm:write")
    )


@promise("S6")
async def test_a_key_with_the_known_beginning_of_another_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = desk.made()
    desk.later()
    for guess in (key[:16], key[:-6], key[:17]):
        with pytest.raises(InvalidToken) as refused:
            await desk.find(guess)
        assert "misspelt" in refused.value.text
        assert key[17:] not in refused.value.text
    assert await desk.find(new_key()[1]) is None


@promise("S6")
async def test_a_lookup_hashes_once_for_each_state_key_however_many_keys_there_are(tmp_path: Path) -> None:
    """So neither the number of keys nor what a presented key begins with shows in the time."""
    hashed: list[bytes] = []

    class Counting(KeyHasher):
        def candidates(self, key: bytes) -> list[bytes]:
            found = super().candidates(key)
            hashed.extend(found)
            return found

    desk = Desk(tmp_path, state_keys=(NEW, OLD))
    with desk.file.changing() as keys:
        made = [create(keys, desk.hasher, f"caller-{n}", now=NOW)[1] for n in range(500)]
    desk.hasher = Counting(StateKeys([NEW, OLD]))
    desk.keys = desk.started()
    for key, known in ((made[0], True), (made[-1], True), (new_key()[1], False), ("no key of ours", False)):
        hashed.clear()
        assert (await desk.find(key) is not None) is known
        assert len(hashed) == 2


async def test_the_file_holds_hashes_and_no_key_and_belongs_to_its_owner(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = desk.made()
    text = desk.file.path.read_text(encoding="utf-8")
    assert key[17:] not in text
    assert desk.file.path.stat().st_mode & 0o777 == 0o600
    assert json.loads(text)["keys"][0]["hash"].startswith("blake2b:")


@promise("S6")
async def test_a_key_is_refused_once_it_expired_and_before_it_begins_and_only_its_holder_is_told(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    key = desk.made(begins=NOW + DAY, expires=NOW + 2 * DAY)
    desk.later()
    with pytest.raises(InvalidToken, match="not valid yet"):
        await desk.find(key)
    desk.later(DAY)
    assert await desk.find(key) is not None
    desk.later(DAY)
    with pytest.raises(InvalidToken, match="has expired"):
        await desk.find(key)
    assert await desk.find(new_key()[1]) is None


async def test_configured_keys_expire_and_carry_scopes_and_need_no_key_at_rest(tmp_path: Path) -> None:
    hashed = str(KeyHasher(StateKeys([OLD])).hash(b"a-key-0123456789abcdef"))
    entry = {"key_hash": hashed, "scopes": ["kubernetes:read"], "expires": "2026-06-02"}
    desk = Desk(tmp_path, api_keys={"ops": entry})
    found = await desk.find("a-key-0123456789abcdef")
    assert found == Principal(id="ops", method="api_key", scopes=("kubernetes:read",))
    desk.later(DAY)
    with pytest.raises(InvalidToken, match="has expired"):
        await desk.find("a-key-0123456789abcdef")


def test_a_hash_made_with_another_state_key_is_refused_at_start(tmp_path: Path) -> None:
    hashed = str(KeyHasher(StateKeys([NEW])).hash(b"a-key-0123456789abcdef"))
    with pytest.raises(ConfigError, match=r"auth\.api_keys\.ops\.key_hash: was made with another server\.state_key"):
        Desk(tmp_path, api_keys={"ops": {"key_hash": hashed}})


async def test_after_a_rotation_both_keys_are_good_until_the_overlap_ends(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    old = desk.made(expires=NOW + 90 * DAY)
    with desk.file.changing() as keys:
        stored, new = rotate(keys, desk.hasher, "ci", now=NOW, overlap=DAY)
    assert stored.expires == NOW + 90 * DAY
    desk.later()
    assert await desk.find(old) == await desk.find(new)
    desk.later(DAY)
    with pytest.raises(InvalidToken, match="has expired"):
        await desk.find(old)
    assert await desk.find(new) is not None


async def test_a_revoked_key_is_refused_by_every_server_that_reads_the_file(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key, other = desk.made(), desk.made("ops")
    servers = [desk.started(), desk.started()]
    with desk.file.changing() as keys:
        (ended,) = revoke(keys, "ci", now=NOW)
        with pytest.raises(UnknownKey, match="keys list"):
            revoke(keys, ended.key_id, now=NOW)
    desk.later()
    for server in servers:
        with pytest.raises(InvalidToken, match="was revoked"):
            await server.find(Credentials(token=key.encode()))
        assert await server.find(Credentials(token=other.encode())) is not None


def test_an_id_without_a_good_key_cannot_be_rotated(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with desk.file.changing() as keys, pytest.raises(UnknownKey, match="keys create ci"):
        rotate(keys, desk.hasher, "ci", now=NOW, overlap=DAY)


async def test_keys_outlive_a_rotation_of_the_state_key_while_the_old_one_is_in_the_ring(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = Desk(tmp_path).made()
    assert await Desk(tmp_path, state_keys=(NEW, OLD)).find(key) is not None
    without = Desk(tmp_path, state_keys=(NEW,))
    assert await without.find(key) is None
    assert "ci" in caplog.text
    assert "state key that is not configured any more" in caplog.text
    (fact,) = facts_of(without.config, without.file.read(), without.hasher, now=NOW)
    assert fact.state == "unusable"


@promise("F25")
@pytest.mark.parametrize("broken", ["", "{", '{"version": 2, "keys": []}', '{"version": 1, "keys": []}', None])
async def test_a_key_file_that_breaks_leaves_the_keys_in_use_and_is_told_once(
    tmp_path: Path, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(tmp_path)
    key = desk.made()
    desk.later()
    assert await desk.find(key) is not None
    caplog.clear()
    if broken is None:
        desk.file.path.unlink()
    else:
        desk.file.path.write_text(broken, encoding="utf-8")
    for _ in range(3):
        desk.later()
        assert await desk.find(key) is not None
    (record,) = caplog.records
    assert "auth.key_file" in record.getMessage()


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        ("{", 0o600, "no file of API keys"),
        ('{"version": 1, "keys": [{"id": "ci"}]}', 0o600, "missing required field"),
        ('{"version": 1, "keys": []}', 0o666, "chmod 600"),
        (
            STORED,
            0o600,
            "'all' is no scope",
        ),
    ],
)
def test_a_key_file_that_cannot_be_used_is_refused_at_start(tmp_path: Path, content: str, mode: int, why: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(content, encoding="utf-8")
    file.chmod(mode)
    with pytest.raises(ConfigError, match=why):
        Desk(tmp_path)


async def test_keys_that_end_soon_are_told_once_a_day_and_in_figures(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(tmp_path, expiry_warning_days=3)
    key = desk.made(expires=NOW + 5 * DAY)
    for _ in range(8):
        desk.later(timedelta(hours=12))
        await desk.find(key)
    warned = [record.getMessage() for record in caplog.records if "expires at" in record.getMessage()]
    assert len(warned) == 3
    assert all("API key ci " in text and "2026-06-06T12:00:00Z" in text for text in warned)
    ((visible_id, key_id, moment),) = desk.expiries
    assert (visible_id, moment) == ("ci", (NOW + 5 * DAY).timestamp())
    assert desk.watch.ending() == [{"id": "ci", "key": key_id, "state": "expiring", "expires": "2026-06-06T12:00:00Z"}]


def test_every_state_of_a_key_is_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.made("active")
    desk.made("expiring", expires=NOW + DAY)
    desk.made("not yet", begins=NOW + DAY)
    desk.made("overlap")
    desk.made("revoked")
    with desk.file.changing() as keys:
        rotate(keys, desk.hasher, "overlap", now=NOW, overlap=DAY)
        revoke(keys, "revoked", now=NOW)
    desk.made("expired", expires=NOW)
    facts = facts_of(desk.config, desk.file.read(), desk.hasher, now=NOW)
    assert [(key.id, key.state) for key in facts] == [
        ("active", "active"),
        ("expiring", "expiring"),
        ("not yet", "not yet"),
        ("overlap", "overlap"),
        ("revoked", "revoked"),
        ("overlap", "active"),
        ("expired", "expired"),
    ]


def test_keys_that_ended_long_ago_are_forgotten_when_one_is_made(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.made("gone", expires=NOW + DAY)
    desk.made("there")
    desk.later(100 * DAY)
    desk.made("new")
    kept: tuple[StoredKey, ...] = desk.file.read()
    assert [key.id for key in kept] == ["there", "new"]


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({}, "give either key or key_hash"),
        ({"key": "x", "key_hash": f"blake2b:{'0' * 8}:{'0' * 64}"}, "give either key or key_hash"),
        ({"key_hash": "sha256:abc"}, "pattern"),
        ({"key": "x", "scopes": ["everything"]}, "'everything' is no scope; write read, write or destroy"),
        ({"key": "x", "expires": "soon"}, "a date"),
        ({"key": "x", "expires": "2027-01-01T00:00:00"}, "time zone"),
    ],
)
def test_settings_of_keys_that_cannot_be_meant_are_refused_with_the_fix(entry: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        AuthConfig.model_validate({"api_keys": {"ci": entry}})
