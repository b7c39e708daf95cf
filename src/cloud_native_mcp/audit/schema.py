"""The table of the audit's databases."""

from __future__ import annotations

from typing import Final

VERSION: Final = 1

COLUMNS: Final = (
    *("at", "phase", "request", "principal", "service", "tool", "effect", "outcome", "code", "stage", "record"),
)
"""What a record can be looked for by, and the record itself: its line. ``at``: seconds since 1970."""

TABLE: Final = """
CREATE TABLE IF NOT EXISTS audit_records (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    phase TEXT NOT NULL,
    request TEXT NOT NULL,
    principal TEXT NOT NULL,
    service TEXT NOT NULL,
    tool TEXT NOT NULL,
    effect TEXT NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT NOT NULL,
    stage TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS audit_records_request ON audit_records (request);
CREATE INDEX IF NOT EXISTS audit_records_at ON audit_records (at);
CREATE INDEX IF NOT EXISTS audit_records_principal ON audit_records (principal, at);
CREATE INDEX IF NOT EXISTS audit_records_tool ON audit_records (tool, at);
CREATE INDEX IF NOT EXISTS audit_records_outcome ON audit_records (outcome, at);
"""
