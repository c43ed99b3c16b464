"""The cluster's certificates and kubeconfigs, made by openssl."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from tests.lab.host import run

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
_DAYS = "30"
_EXTENSIONS = """\
basicConstraints=CA:FALSE
keyUsage=digitalSignature
extendedKeyUsage=serverAuth,clientAuth
"""


@dataclass(frozen=True, slots=True)
class Authority:
    """The certificate authority of one cluster, in a folder of its own."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """Return the authority's certificate."""
        return self.folder / "ca.crt"

    def create(self) -> None:
        """Create the authority and the key that signs the tokens of service accounts."""
        self.folder.mkdir(parents=True, mode=0o700)
        key = self.folder / "ca.key"
        subject = ("-subj", "/CN=lab-kubernetes", "-days", _DAYS)
        run("openssl", "req", "-x509", *_KEY, "-keyout", key, "-out", self.certificate, *subject)
        signer, public = self.folder / "sa.key", self.folder / "sa.pub"
        run("openssl", "genrsa", "-out", signer, "2048")
        run("openssl", "rsa", "-in", signer, "-pubout", "-out", public)

    def issue(self, name: str, subject: str, alternatives: str = "") -> None:
        """Issue NAME.crt and NAME.key; `alternatives` is openssl's subjectAltName."""
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extra = f"subjectAltName={alternatives}\n" if alternatives else ""
        extensions.write_text(_EXTENSIONS + extra)
        key = self.folder / f"{name}.key"
        run("openssl", "req", "-new", *_KEY, "-keyout", key, "-subj", subject, "-out", request)
        authority = ("-CA", self.certificate, "-CAkey", self.folder / "ca.key", "-CAcreateserial")
        target = ("-days", _DAYS, "-extfile", extensions, "-out", self.folder / f"{name}.crt")
        run("openssl", "x509", "-req", "-in", request, *authority, *target)

    def kubeconfig(self, name: str, server: str, target: Path) -> None:
        """Write a kubeconfig of NAME's certificate; it holds everything that it needs."""
        user = {
            "client-certificate-data": _encoded(self.folder / f"{name}.crt"),
            "client-key-data": _encoded(self.folder / f"{name}.key"),
        }
        cluster = {"server": server, "certificate-authority-data": _encoded(self.certificate)}
        body = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": name}}],
            "current-context": "lab",
        }
        target.touch(mode=0o600)
        target.write_text(json.dumps(body, indent=2))


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
