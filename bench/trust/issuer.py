"""An issuer for the benchmark: one key, its description, and a token good for an hour."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from bench.trust.server import AUDIENCE

if TYPE_CHECKING:
    from collections.abc import Generator


@contextlib.contextmanager
def issuer() -> Generator[tuple[str, str]]:
    """Its address, and a token of it, for the time of the block."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    shown = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "bench", "use": "sig"}
    pages: dict[str, object] = {"/keys": {"keys": [shown]}}

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(pages.get(self.path, {})).encode()
            self.send_response(200 if self.path in pages else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        pages["/.well-known/openid-configuration"] = {"issuer": url, "jwks_uri": f"{url}/keys"}
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        claims = {"iss": url, "aud": AUDIENCE, "sub": "bench", "groups": ["bench"], "exp": int(time.time()) + 3_600}
        try:
            yield url, jwt.encode(claims, key, algorithm="RS256", headers={"kid": "bench"})
        finally:
            server.shutdown()
            thread.join()
