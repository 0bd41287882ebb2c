"""A certificate for 127.0.0.1 that nobody has signed but its owner: trusted where `SSL_CERT_FILE` names it."""

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509  # noqa: TID251 (a server in a test needs a certificate)
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: TID251
from cryptography.hazmat.primitives.hashes import SHA256  # noqa: TID251
from cryptography.hazmat.primitives.serialization import (  # noqa: TID251
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from campaign.clock import now


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """A new certificate and its key, as files in ``folder``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a server in a test")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate_file, key_file
