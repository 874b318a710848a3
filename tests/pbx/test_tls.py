"""AMI over TLS: the certificate is checked, and what is wrong with it is said in words."""

import datetime
import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet.protocol import Factory

from tests.pbx.stage import Heard, RealStage
from tools.fake_pbx import FakePbx
from tools.fake_pbx.session import FakeSession
from wombat_ari.model.entities import Server
from wombat_ari.model.events import LinkDown
from wombat_ari.model.secret import Secret
from wombat_ari.pbx.ami_driver import AmiDriver


def certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """A self-signed certificate for an IP address, and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pbx")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "pbx.pem", folder / "pbx.key"
    pem[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    pem[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, encryption_algorithm=serialization.NoEncryption())
    )
    return pem


@pytest.fixture
def stage() -> Iterator[RealStage]:
    made = RealStage(None)
    yield made
    made.close()


def link(stage: RealStage, tmp_path: Path, *, named: str) -> tuple[AmiDriver, Heard, FakePbx]:
    """A driver that connects by TLS to a fake PBX whose certificate names the address ``named``."""
    from twisted.internet.ssl import DefaultOpenSSLContextFactory

    pem, key = certificate(tmp_path, named)
    pbx = FakePbx(stage.reactor)
    factory: Any = Factory.forProtocol(lambda: FakeSession(pbx))
    context = DefaultOpenSSLContextFactory(str(key), str(pem))
    port = stage.reactor.listenSSL(0, factory, context, interface="127.0.0.1")
    server = Server(
        1, "x", address="127.0.0.1", port=port.getHost().port, login="wombat", password=Secret("dials"), tls=True
    )
    driver, heard = AmiDriver(server), Heard()
    stage.adopt(driver, port)
    driver.start(heard)
    return driver, heard, pbx


def test_a_trusted_certificate(stage: RealStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "pbx.pem"))
    driver, _, pbx = link(stage, tmp_path, named="127.0.0.1")
    stage.wait(lambda: driver.connected)
    assert pbx.actions[0][0] == "Login"  # nobody can listen: no challenge is needed


def test_a_certificate_that_nobody_vouches_for(stage: RealStage, tmp_path: Path) -> None:
    driver, heard, pbx = link(stage, tmp_path, named="127.0.0.1")
    stage.wait(lambda: bool(heard.of(LinkDown)))
    assert "certificate" in driver.last_error
    assert "is not trusted" in driver.last_error
    assert not pbx.actions


def test_a_certificate_of_somebody_else(stage: RealStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "pbx.pem"))
    driver, heard, pbx = link(stage, tmp_path, named="127.0.0.9")
    stage.wait(lambda: bool(heard.of(LinkDown)))
    assert "certificate" in driver.last_error
    assert "another address" in driver.last_error
    assert not pbx.actions


def test_a_port_without_tls(stage: RealStage) -> None:
    port = FakePbx(stage.reactor).listen()
    driver, heard = AmiDriver(Server(1, "x", address="127.0.0.1", port=port.getHost().port, tls=True)), Heard()
    stage.adopt(driver, port)
    driver.start(heard)
    stage.wait(lambda: bool(heard.of(LinkDown)))
    assert driver.last_error == "the PBX does not speak TLS on this port"
