"""Why no connection comes about: a second, plain TLS connection finds out what gRPC does not tell."""

import re
import socket
import ssl
import tempfile
from pathlib import Path

from tpsi_client.endpoint import Endpoint
from tpsi_client.errors import IdentityError, ServiceError, UnreachableError

TIMEOUT = 5.0
_ENROL_AGAIN = "ask the operator for a new enrolment file, then run: tpsi-device enrol FILE"

#: OpenSSL's verification results (X509_V_ERR_…).
_NOT_YET_VALID, _EXPIRED = 9, 10
_WRONG_HOST, _WRONG_ADDRESS = 62, 64


def diagnose(endpoint: Endpoint) -> ServiceError:
    """The error that says best why the server could not be used. Takes up to twice TIMEOUT seconds."""
    where = endpoint.address
    try:
        with socket.create_connection((endpoint.host, endpoint.port), TIMEOUT) as plain:
            return _handshake(endpoint, plain)
    except socket.gaierror:
        return UnreachableError(
            f"no network address is known for {endpoint.host}; check the network, and the server's name",
            passing=True,
        )
    except ConnectionRefusedError:
        return UnreachableError(
            f"nothing listens at {where}; check that the server is running, and its address", passing=True
        )
    except TimeoutError:
        return UnreachableError(f"{where} does not answer; check the network and the address", passing=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return UnreachableError(f"can't connect to {where} ({reason}); check the network", passing=True)


def _handshake(endpoint: Endpoint, plain: socket.socket) -> ServiceError:
    where = endpoint.address
    context = ssl.create_default_context(cadata=endpoint.ca)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # gRPC does not ask for it either
    context.set_alpn_protocols(["h2"])
    try:
        _show_certificate(context, endpoint)
        with context.wrap_socket(plain, server_hostname=endpoint.host) as secure:
            if not secure.recv(1):  # in TLS 1.3 the client's certificate is judged after the handshake
                return _shut_out(endpoint)
            return UnreachableError(f"the server at {where} broke the connection off; try again", passing=True)
    except ssl.SSLCertVerificationError as error:
        return IdentityError(_certificate(endpoint, error))
    except TimeoutError:
        return UnreachableError(f"{where} accepts connections but does not answer; try again", passing=True)
    except (ssl.SSLError, OSError) as error:
        return _own_certificate(error) or IdentityError(
            f"what answers at {where} does not speak TLS as this device does; check the server's address"
        )


def _show_certificate(context: ssl.SSLContext, endpoint: Endpoint) -> None:
    """Load the device's certificate, if it has one; OpenSSL reads it from a file alone."""
    if endpoint.certificate is None:
        return
    with tempfile.TemporaryDirectory(prefix="tpsi-") as folder:  # for its owner only
        path = Path(folder) / "certificate.pem"
        path.write_bytes(endpoint.certificate.chain.encode("ascii") + b"\n" + endpoint.certificate.key.reveal())
        context.load_cert_chain(path)


def _shut_out(endpoint: Endpoint) -> ServiceError:
    """The error for a server that has nothing to say to a device that has shown what it has."""
    where = endpoint.address
    if endpoint.certificate is not None:
        return IdentityError(f"the server at {where} does not take this device's certificate; {_ENROL_AGAIN}")
    return UnreachableError(
        f"the server at {where} closes the connection at once; try again. If it stays so, this port may be for devices "
        f"with certificates: {_ENROL_AGAIN}",
        passing=True,
    )


def _own_certificate(error: OSError) -> ServiceError | None:
    """The error for a server that does not take the device's certificate; None if that is not what is wrong."""
    reason = (error.reason or "") if isinstance(error, ssl.SSLError) else ""
    if "CERTIFICATE_REQUIRED" in reason:
        return IdentityError(f"this port of the server is for devices with certificates; {_ENROL_AGAIN}")
    if "CERTIFICATE_EXPIRED" in reason:
        return IdentityError(f"this device's certificate has expired (or is a clock wrong?); {_ENROL_AGAIN}")
    if any(word in reason for word in ("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_UNKNOWN", "CERTIFICATE_REVOKED")):
        return IdentityError(f"the server does not take this device's certificate; {_ENROL_AGAIN}")
    return None


def _certificate(endpoint: Endpoint, error: ssl.SSLCertVerificationError) -> str:
    where = endpoint.address
    if error.verify_code in (_WRONG_HOST, _WRONG_ADDRESS):
        return (
            f"the certificate of {where} is for another name than {endpoint.host}; "
            "use the name in the certificate, or tell the operator"
        )
    if error.verify_code == _EXPIRED:
        return f"the certificate of {where} has expired; tell the operator (or is this device's clock wrong?)"
    if error.verify_code == _NOT_YET_VALID:
        return f"the certificate of {where} is not valid yet; is this device's clock right?"
    reason = re.sub(r"[^ -~]", " ", error.verify_message)
    return (
        f"the certificate of {where} does not come from the authority in the enrolment file ({reason}): "
        "this is another server, or it has a new authority; ask the operator for a new enrolment file"
    )
