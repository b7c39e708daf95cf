"""TLS contexts of targets, made again when a file they were made from changes."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_native_mcp.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from cloud_native_mcp.contract.http import TlsOptions

CHECK_SECONDS = 1.0
"""How long the files of a context are taken for unchanged."""

_Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(slots=True)
class _Kept:
    context: ssl.SSLContext
    stamp: _Stamp
    checked_at: float


class TlsContexts:
    """Keeps one context per TLS identity.

    Changed files are taken whole or not at all: while a new set cannot be loaded (half written, key and certificate of
    different ages), the old context goes on serving.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[TlsOptions, _Kept] = {}

    def context(self, options: TlsOptions, *, label: str) -> ssl.SSLContext:
        """The context to use now.

        Args:
            label: how the target is named in the error.

        Raises:
            BackendError: ``unreachable`` when a file is missing or wrong and no older version is at hand.
        """
        kept = self._kept.get(options)
        now = self._clock()
        if kept is not None and now - kept.checked_at < CHECK_SECONDS:
            return kept.context
        stamp = _stamp(options)
        if kept is not None and kept.stamp == stamp:
            kept.checked_at = now
            return kept.context
        try:
            context = build_context(options)
        except (OSError, ValueError) as error:
            if kept is not None:
                kept.checked_at = now
                return kept.context
            raise BackendError("unreachable", f"{label}: TLS: {_which(options, error)}") from error
        self._kept[options] = _Kept(context, stamp, now)
        return context

    def forget(self, options: TlsOptions) -> None:
        """Let go of the context of an identity that is no longer used."""
        self._kept.pop(options, None)


def build_context(options: TlsOptions) -> ssl.SSLContext:
    """A client context for these options: a given CA replaces the system's, TLS 1.2 is the least version.

    Raises:
        OSError: a file cannot be read, or holds no certificate (`ssl.SSLError`).
        ValueError: certificate data that is not PEM text.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif options.ca_data is not None:
        context.load_verify_locations(cadata=options.ca_data.decode("ascii"))
    elif options.ca_file is not None:
        context.load_verify_locations(cafile=options.ca_file)
    else:
        context.load_default_certs()
    with _client_files(options) as (cert, key):
        if cert is not None:
            context.load_cert_chain(cert, key, password=_no_password)
    return context


def _no_password() -> str:
    raise ValueError("the client key is encrypted; give an unencrypted one")


@contextlib.contextmanager
def _client_files(options: TlsOptions) -> Generator[tuple[Path | None, Path | None]]:
    """Paths of client certificate and key; data is put into files only this process can read, for the load alone."""
    with contextlib.ExitStack() as stack:
        cert, key = options.cert_file, options.key_file
        if options.cert_data is not None:
            cert = stack.enter_context(_private_file(options.cert_data))
        if options.key_data is not None:
            key = stack.enter_context(_private_file(options.key_data))
        yield cert, key


@contextlib.contextmanager
def _private_file(data: bytes) -> Generator[Path]:
    """A file that lives in memory where the system has that, else a temporary file of mode 0600."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        descriptor = os.memfd_create("tls", os.MFD_CLOEXEC)
        with os.fdopen(descriptor, "wb") as memory:
            memory.write(data)
            memory.flush()
            yield Path(f"/proc/self/fd/{descriptor}")
        return
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(data)
        file.flush()
        yield Path(file.name)


def _stamp(options: TlsOptions) -> _Stamp:
    return tuple(_file_stamp(path) for path in (options.ca_file, options.cert_file, options.key_file))


def _file_stamp(path: Path | None) -> tuple[int, int, int] | None:
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _which(options: TlsOptions, error: Exception) -> str:
    """What cannot be loaded, without its path."""
    given = [
        name
        for name, value in (
            ("CA certificate", options.ca_file or options.ca_data),
            ("client certificate", options.cert_file or options.cert_data),
            ("client key", options.key_file or options.key_data),
        )
        if value is not None
    ]
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"the configured {' or '.join(given) or 'certificates'} cannot be loaded ({reason})"
