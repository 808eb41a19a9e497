"""How to reach a router: address, TLS, token, and the settings of the channel."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio

from .errors import invalid
from .trace_context import agent_name as checked_name

DEFAULT_ADDRESS = "127.0.0.1:7431"
# Largest answer taken: fifty described tools of 256 KiB.
_MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
    # gRPC itself waits 1 s, then up to 2 min, before it dials again. Retries of a 10 s call, and a watcher, want to know sooner.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # The name misleads: it is how long a connection may take, TLS included. gRPC's own is 20 s.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    # A watcher may hear nothing for 5 min: without pings it would not notice a peer that is gone without a word.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # Else gRPC stops pinging after two pings: a watcher only listens.
    ("grpc.http2.max_pings_without_data", 0),
)


@dataclass(frozen=True)
class Connection:
    """Where the router is and who calls it. The token is in no text that this prints."""

    target: str
    is_secure: bool
    certificate_authority: bytes | None = None
    metadata: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    agent_name: str | None = None
    spans: bool = True
    """Whether calls are spans where OpenTelemetry is set up."""

    def open(self) -> grpc.Channel:
        if self.is_secure:
            return grpc.secure_channel(self.target, self._credentials(), options=_OPTIONS)
        return grpc.insecure_channel(self.target, options=_OPTIONS)

    def open_async(self) -> grpc.aio.Channel:
        """To be called in the event loop that will use it."""
        if self.is_secure:
            return grpc.aio.secure_channel(self.target, self._credentials(), options=_OPTIONS)
        return grpc.aio.insecure_channel(self.target, options=_OPTIONS)

    def _credentials(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(root_certificates=self.certificate_authority)


def connection(
    address: str,
    token: str | None,
    token_file: str | os.PathLike[str] | None,
    ca_file: str | os.PathLike[str] | None,
    agent_name: str | None = None,
    spans: bool = True,
) -> Connection:
    """Checks the settings. Nothing is dialled before the first call."""
    scheme, separator, target = address.rpartition("://")
    if separator and scheme not in ("http", "https"):
        raise invalid("address", f"is {address!r}: give host:port, http://host:port, or https://host:port for TLS")
    target = target.rstrip("/")
    if not re.fullmatch(r"[^\s/]+:[0-9]{1,5}", target):
        raise invalid("address", f"is {address!r}: give host:port, such as {DEFAULT_ADDRESS}")
    if scheme == "http" and ca_file is not None:
        raise invalid("ca_file", f"is given with {address!r}, which is not encrypted: give an https:// address")
    authority = None if ca_file is None else _read("ca_file", ca_file)
    metadata = _bearer(token, token_file)
    return Connection(target, scheme == "https" or ca_file is not None, authority, metadata, checked_name(agent_name), bool(spans))


def _bearer(token: str | None, token_file: str | os.PathLike[str] | None) -> tuple[tuple[str, str], ...]:
    if token is not None and token_file is not None:
        raise invalid("token", "is given together with token_file: give one of them")
    if token_file is not None:
        field_name = f"token_file {os.fspath(token_file)}"
        # The first, where a router's own file is given while a token is replaced in it.
        token = next(iter(_read("token_file", token_file).decode("ascii", "replace").strip().splitlines()), "").strip()
    elif token is not None:
        field_name = "token"
    else:
        return ()
    # Never with the value: it is a secret, and this text ends up in logs.
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise invalid(field_name, "is no usable token: printable ASCII characters without blanks")
    return (("authorization", f"Bearer {token}"),)


def _read(field_name: str, path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as e:
        raise invalid(field_name, f"{os.fspath(path)} cannot be read: {e.strerror}") from e
