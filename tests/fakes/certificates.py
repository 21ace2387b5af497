"""A certificate authority and its servers' certificates, good and bad ones, made when a test asks for them."""

import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


class Certificate:
    """What a server shows, in two files."""

    def __init__(self, folder, name):
        self.certificate_file = os.path.join(folder, name + ".pem")
        self.key_file = os.path.join(folder, name + ".key")


class Authority(Certificate):
    """Writes ca.pem, server.pem and server.key into folder; as a Certificate it is the server's."""

    def __init__(self, folder, names=("localhost",), addresses=("127.0.0.1",), title="Test authority"):
        super().__init__(folder, "server")
        self.ca_file = os.path.join(folder, "ca.pem")
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(title)
        ca = _certificate(self._name, self._name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=0))
        _write(self.ca_file, _pem(ca.sign(self._key, hashes.SHA256())))
        self.issue("server", names, addresses)

    def issue(self, file, names=("localhost",), addresses=("127.0.0.1",), begins=None, ends=None, self_signed=False, padding=0):
        """The Certificate of one more server; begins and ends: timedeltas from now; padding: bytes that make it larger."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(names[0])
        builder = _certificate(subject, subject if self_signed else self._name, key.public_key(),
                               x509.BasicConstraints(ca=False, path_length=None), begins, ends)
        alternatives = [x509.DNSName(name) for name in names]
        alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        if padding:
            filler = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), bytes(padding))
            builder = builder.add_extension(filler, critical=False)
        issued = Certificate(self._folder, file)
        _write(issued.certificate_file, _pem(builder.sign(key if self_signed else self._key, hashes.SHA256())))
        _write(issued.key_file, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                  serialization.NoEncryption()))
        return issued


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(subject, issuer, public_key, constraints, begins=None, ends=None):
    now = datetime.datetime.utcnow()
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
            .serial_number(x509.random_serial_number()).not_valid_before(now + (begins or -DAY / 24))
            .not_valid_after(now + (ends or 2 * DAY)).add_extension(constraints, critical=True))


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(path, content):
    with open(path, "wb") as file:
        file.write(content)
