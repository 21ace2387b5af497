"""A certificate authority and a server certificate for loopback, made when a test asks for them."""

import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Writes ca.pem, server.pem and server.key into folder."""

    def __init__(self, folder, names=("localhost",), addresses=("127.0.0.1",)):
        self.ca_file = os.path.join(folder, "ca.pem")
        self.certificate_file = os.path.join(folder, "server.pem")
        self.key_file = os.path.join(folder, "server.key")
        ca_key = ec.generate_private_key(ec.SECP256R1())
        ca_name = _name("Test authority")
        ca = _certificate(ca_name, ca_name, ca_key.public_key(), x509.BasicConstraints(ca=True, path_length=0)).sign(
            ca_key, hashes.SHA256())
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = [x509.DNSName(name) for name in names]
        alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        server = _certificate(_name(names[0]), ca_name, key.public_key(), x509.BasicConstraints(ca=False, path_length=None))
        server = server.add_extension(x509.SubjectAlternativeName(alternatives), critical=False).sign(ca_key, hashes.SHA256())
        _write(self.ca_file, ca.public_bytes(serialization.Encoding.PEM))
        _write(self.certificate_file, server.public_bytes(serialization.Encoding.PEM))
        _write(self.key_file, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                serialization.NoEncryption()))


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(subject, issuer, public_key, constraints):
    now = datetime.datetime.utcnow()
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=2)).add_extension(constraints, critical=True))


def _write(path, content):
    with open(path, "wb") as file:
        file.write(content)
