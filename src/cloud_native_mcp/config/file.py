"""The configuration file: where it is looked for, and reading it strictly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from cloud_native_mcp.contract import yaml
from cloud_native_mcp.errors import ConfigError, InvalidArgument, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "CNMCP_CONFIG"
PLACES: Final = (Path("cloud-native-mcp.yaml"), Path("/etc/cloud-native-mcp/config.yaml"))
MAX_BYTES: Final = 4_000_000


def find(asked: Path | None, environ: Mapping[str, str], places: tuple[Path, ...] = PLACES) -> Path | None:
    """The file to read: the one asked for, else the one ``$CNMCP_CONFIG`` names, else the first place that has one."""
    if asked is not None:
        return asked
    named = environ.get(VARIABLE)
    if named:
        return Path(named)
    return next((place for place in places if place.is_file()), None)


def read(path: Path) -> dict[str, object]:
    """The settings in a file.

    Raises:
        ConfigError: it cannot be read, is no YAML, repeats a key, grows by aliases, or holds no mapping.
    """
    try:
        with path.expanduser().open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise _unusable(path, f"is larger than {MAX_BYTES:,} bytes")
        value = yaml.load_one(content.decode("utf-8-sig"), field=str(path))
    except OSError as error:
        raise _unusable(path, error.strerror or "cannot be read") from None
    except UnicodeDecodeError:
        raise _unusable(path, "is not UTF-8 text") from None
    except InvalidArgument as error:
        raise _unusable(path, error.text.removeprefix(f"{path}: ")) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _unusable(path, "must hold sections: `server:`, `prometheus:`, …")
    return cast("dict[str, object]", value)


def _unusable(path: Path, text: str) -> ConfigError:
    return ConfigError([Problem(str(path), text)])
