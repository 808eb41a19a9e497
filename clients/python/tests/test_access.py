"""TLS and tokens, against the real router."""

from __future__ import annotations

import datetime
import ipaddress
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from program import RunningRouter
from tool_router_client import PermissionDenied, Router, Unauthenticated, Unavailable


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = datetime.datetime.now(datetime.timezone.utc)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "server.pem", folder / "server.key"
    certificate_file.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return certificate_file, key_file


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[RunningRouter]:
    certificate_file, key_file = write_certificate(tmp_path)
    for name in ("select", "admin"):
        (tmp_path / f"{name}.token").write_text(f"the-{name}-token-of-a-test")
    config = tmp_path / "router.toml"
    config.write_text(
        f"[server]\ntls = {{ certificate_file = {json.dumps(str(certificate_file))}, key_file = {json.dumps(str(key_file))} }}\n"
        f"[access]\nselect_token_file = {json.dumps(str(tmp_path / 'select.token'))}\n"
        f"admin_token_file = {json.dumps(str(tmp_path / 'admin.token'))}\n"
    )
    running = RunningRouter(tmp_path, ["--config", str(config)], lambda address: Router(address, ca_file=certificate_file))
    try:
        yield running
    finally:
        running.stop()


def test_tokens_over_tls(guarded: RunningRouter, tmp_path: Path) -> None:
    ca_file = tmp_path / "server.pem"
    with Router(f"https://{guarded.address}", ca_file=ca_file, token_file=tmp_path / "admin.token") as router:
        router.register("mail", [{"name": "send", "description": "Send mail"}])
    with Router(guarded.address, ca_file=ca_file, token="the-select-token-of-a-test") as router:
        assert router.select("send mail").tools[0].tool == "send"
        assert [tool.name for tool in router.list_tools()] == ["send"]
        with pytest.raises(PermissionDenied, match="needs the admin token"):
            router.register("mail", [{"name": "read"}])
    with Router(guarded.address, ca_file=ca_file) as router:
        assert router.health()
        with pytest.raises(Unauthenticated, match="give token or token_file"):
            router.select("send mail")


def test_a_server_that_is_not_trusted(guarded: RunningRouter) -> None:
    with Router(f"https://{guarded.address}", retries=0) as router, pytest.raises(Unavailable):
        router.select("send mail")
