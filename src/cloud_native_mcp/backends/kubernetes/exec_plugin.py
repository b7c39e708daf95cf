"""Credential plugins of a kubeconfig (``client.authentication.k8s.io`` v1 and v1beta1).

Plugins come from the operator's own kubeconfig; no caller can name one.
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - the struct below is built from it
from typing import TYPE_CHECKING, Final

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from cloud_native_mcp.contract.http import ClientCertificate
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.response.clean import clean
from cloud_native_mcp.response.mask import scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

API_VERSIONS: Final = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
TIMEOUT_SECONDS: Final = 10.0
EARLY_SECONDS: Final = 30.0
"""A token is renewed this long before it expires."""
_MOST_OUTPUT: Final = 1_000_000
_OWN_VARIABLES: Final = "CNMCP_"


@dataclass(frozen=True, slots=True)
class PluginCommand:
    """What to run. ``cluster`` is the description of the cluster for plugins that ask for it."""

    api_version: str
    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    install_hint: str = ""
    cluster: Mapping[str, object] | None = None


class _Status(msgspec.Struct, rename="camel"):
    token: str = ""
    expiration_timestamp: datetime | None = None
    client_certificate_data: str = ""
    client_key_data: str = ""


class _ExecCredential(msgspec.Struct, rename="camel"):
    status: _Status
    api_version: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class _Given:
    """What a plugin gave, and until when it is good (seconds of the epoch; None for until it is refused)."""

    token: str = field(repr=False)
    certificate: ClientCertificate | None
    expires_at: float | None


class PluginCredentials:
    """The token or client certificate of a plugin, kept until shortly before it expires or the API server refuses it.

    Also a `contract.http.CertificateSource`: `headers` runs the plugin, `certificate` tells what came with them.
    """

    __slots__ = ("_clock", "_command", "_given", "_lock", "_timeout")

    def __init__(
        self, command: PluginCommand, *, clock: Callable[[], float] = time.time, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        self._command = command
        self._clock = clock
        self._timeout = timeout
        self._given: _Given | None = None
        self._lock = asyncio.Lock()

    async def headers(self) -> Mapping[str, str]:
        """The present token, if there is one; runs the plugin when it was not run or what it gave is about to expire.

        Raises:
            BackendError: ``unauthorized`` with what the plugin said, masked.
        """
        async with self._lock:
            given = self._given
            if given is None or (given.expires_at is not None and self._clock() > given.expires_at - EARLY_SECONDS):
                given = await self._renew()
            return {"Authorization": f"Bearer {given.token}"} if given.token else {}

    async def refresh(self) -> bool:
        """Run the plugin again; whether it gave something else."""
        async with self._lock:
            before = self._given
            given = await self._renew()
            return before is None or (given.token, given.certificate) != (before.token, before.certificate)

    def certificate(self) -> ClientCertificate | None:
        """The client certificate that the plugin gave last."""
        return self._given.certificate if self._given is not None else None

    async def _renew(self) -> _Given:
        self._given = _credential(await self._run(), self._command.api_version)
        return self._given

    async def _run(self) -> bytes:
        command = self._command
        try:
            process = await asyncio.create_subprocess_exec(
                command.command,
                *command.args,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=_environment(command),
                start_new_session=True,
            )
        except OSError as error:
            hint = f"; {_line(command.install_hint)}" if command.install_hint else ""
            raise _failed(f"cannot be started ({error.strerror}){hint}") from error
        try:
            async with asyncio.timeout(self._timeout):
                output, complaint = await process.communicate()
        except TimeoutError as error:
            raise _failed(f"gave no answer within {self._timeout:g} s") from error
        finally:
            if process.returncode is None:
                # The whole group: what the plugin started would hold its output open.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.communicate()
        if process.returncode != 0:
            said = _line(complaint.decode("utf-8", errors="replace"))
            raise _failed(f"ended with status {process.returncode}{': ' + said if said else ''}")
        return output


def _credential(output: bytes, api_version: str) -> _Given:
    if len(output) > _MOST_OUTPUT:
        raise _failed("printed more than 1 MB")
    try:
        credential = msgspec.json.decode(output, type=_ExecCredential)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _failed("did not print an ExecCredential") from error
    if credential.kind != "ExecCredential" or credential.api_version != api_version:
        raise _failed(f"printed another kind or version than ExecCredential of {api_version}")
    status = credential.status
    token, certificate, key = status.token, status.client_certificate_data, status.client_key_data
    if not token.isascii() or not token.isprintable() or not (token or certificate or key):
        raise _failed("gave no usable token or client certificate")
    stamps = [status.expiration_timestamp] if status.expiration_timestamp else []
    given: ClientCertificate | None = None
    if certificate or key:
        given = ClientCertificate(certificate.encode(), key.encode())
        stamps.append(_end_of(given))
    return _Given(token, given, min((stamp.timestamp() for stamp in stamps), default=None))


def _end_of(given: ClientCertificate) -> datetime:
    """When a client certificate expires.

    Raises:
        BackendError: ``unauthorized`` when it is none, or its key is missing, encrypted, or of another certificate.
    """
    try:
        leaf = x509.load_pem_x509_certificates(given.certificate)[0]
        key = serialization.load_pem_private_key(given.key, password=None)
        belongs = key.public_key() == leaf.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _failed("gave no usable pair of client certificate and key (PEM, unencrypted)") from error
    if not belongs:
        raise _failed("gave a client certificate and the key of another one")
    return leaf.not_valid_after_utc


def _environment(command: PluginCommand) -> dict[str, str]:
    """The server's environment without its own settings, the kubeconfig's variables, and the plugin's input."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OWN_VARIABLES)}
    spec: dict[str, object] = {"interactive": False}
    if command.cluster is not None:
        spec["cluster"] = command.cluster
    info = {"kind": "ExecCredential", "apiVersion": command.api_version, "spec": spec}
    return {**inherited, **command.env, "KUBERNETES_EXEC_INFO": msgspec.json.encode(info).decode()}


def _failed(why: str) -> BackendError:
    return BackendError("unauthorized", f"the credential plugin of the kubeconfig {why}")


def _line(text: str) -> str:
    return " ".join(scrub(clean(text)).split())[:300]
