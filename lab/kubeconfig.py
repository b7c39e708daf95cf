"""Kubeconfig files of the lab's users."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any

import yaml

from lab.pki import CLIENTS, TOKEN_USERS

if TYPE_CHECKING:
    from pathlib import Path

    from lab.state import State


def write_all(state: State, *, api_url: str) -> None:
    """Write a kubeconfig for everyone who has a client certificate or a token."""
    state.kubeconfigs.mkdir(parents=True, exist_ok=True)
    for user in CLIENTS:
        _write(state, user, api_url, _certificate(state.pki, user))
    for user in TOKEN_USERS:
        _write(state, user, api_url, {"token": (state.pki / f"{user}.token").read_text(encoding="ascii")})


def _certificate(pki: Path, user: str) -> dict[str, str]:
    return {
        "client-certificate-data": _base64(pki / f"{user}.crt"),
        "client-key-data": _base64(pki / f"{user}.key"),
    }


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode("ascii")


def _write(state: State, user: str, api_url: str, credentials: dict[str, str]) -> None:
    cluster = {"server": api_url, "certificate-authority-data": _base64(state.pki / "ca.crt")}
    content: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": user, "namespace": "default"}}],
        "current-context": "lab",
    }
    target = state.kubeconfig(user)
    fresh = target.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        yaml.safe_dump(content, handle, sort_keys=False)
    fresh.rename(target)
