"""``cloud-native-mcp auth hash-password``: a password's hash for the configuration."""

from __future__ import annotations

import sys

import typer

from cloud_native_mcp.cli.output import complain, say

app = typer.Typer(help="Credentials of callers.", no_args_is_help=True)
SHORTEST = 12


@app.callback()
def commands() -> None:
    """Credentials of callers."""


@app.command("hash-password")
def hash_password() -> None:
    """Print the argon2 hash of a password, for `auth.users.NAME.password_hash`.

    The password is asked for at a terminal without being shown, or read as one line from standard input.
    """
    from argon2 import PasswordHasher

    if sys.stdin.isatty():
        password = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if len(password) < SHORTEST:
        complain(f"the password has fewer than {SHORTEST} characters; nothing was hashed")
        raise typer.Exit(2)
    say(PasswordHasher().hash(password))
