"""Fetching a file from an address that a person gave, without lending them the server's network.

The name is resolved once, every address it has is checked, and the connection goes to the address that was checked: a name that answers
otherwise a second later (DNS rebinding) changes nothing. Redirects are followed three times at most, each checked in the same way.
All of it, the last byte included, takes a bounded time, however slowly the other server sends.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from typing import BinaryIO
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from bocage.contract.errors import BocageError
from bocage.contract.text_checks import storable
from bocage.network.deadlines import AnswerBy

LIGHTER = "Gardez-en les colonnes et les années utiles, ou enregistrez ce tableau en XLSX ou en Parquet, plus légers."
"""What to do with a file that weighs too much: an input is one file, parts of it would replace one another."""

MAX_REDIRECTS = 3
SECONDS = 30.0
_CHUNK = 1 << 16
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = (301, 302, 303, 307, 308)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(BocageError):
    """The address is not one from which Bocage fetches files."""

    code = "adresse-refusee"


class FetchFailed(BocageError):
    """The other server did not give the file: silence, error, too slow, too big."""

    code = "adresse-sans-reponse"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched: the name to keep it under, the address it came from in the end, its bytes (an open file at its start)."""

    filename: str
    url: str
    file: BinaryIO


def is_public(address: Address) -> bool:
    """Whether ``address`` is on the public internet, also when IPv6 wraps an IPv4 one (mapped, 6to4, Teredo)."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if any(each is not None and not is_public(each) for each in inner):
            return False
        if address.ipv4_mapped is not None:
            return True
        if address not in _GLOBAL_V6:
            return False
    if any(address in network for network in _NOT_PUBLIC):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_link_local or address.is_unspecified)


# All that IANA gives to the IPv6 internet: neither site-local addresses, nor ::a.b.c.d, nor NAT64, which wraps any other.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
# What is_global lets through: protocol assignments, 6to4 relays, the host of Azure's machines, documentation.
_NOT_PUBLIC = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "3fff::/20")))


def fetch(
    url: str, destination: BinaryIO, max_mb: int = 20, seconds: float = SECONDS, allowed: Callable[[Address], bool] = is_public
) -> Fetched:
    """Write the file at ``url`` to ``destination``. ``allowed`` says to which addresses the server may connect.

    Raises ``AddressRefused`` for an address of another kind, or inside the house; ``FetchFailed`` when the other server does not give it.
    """
    deadline = time.monotonic() + seconds
    for _ in range(MAX_REDIRECTS + 1):
        parts = checked(url)
        with _answer(parts, deadline, allowed) as response:
            if response.status not in _REDIRECTS:
                _check_status(response, parts)
                _pour(response, destination, max_mb)
                destination.seek(0)
                return Fetched(_filename(response.headers, parts), url, destination)
            where = response.headers.get("Location", "")
        url = _next(url, where)
    raise FetchFailed(f"L’adresse renvoie plus de {MAX_REDIRECTS} fois vers une autre. Donnez l’adresse du fichier lui-même.")


def _next(url: str, where: str) -> str:
    try:
        return urljoin(url, where)
    except ValueError:
        raise FetchFailed(f"Le serveur renvoie vers « {where[:80]} », qui n’est pas une adresse. Donnez l’adresse du fichier.") from None


def checked(url: str) -> SplitResult:
    """The parts of ``url``. Raises ``AddressRefused`` unless it is a plain http(s) address."""
    if len(url) > 500 or any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise AddressRefused("Cette adresse contient des espaces ou compte plus de 500 caractères. Copiez-la entière depuis le navigateur.")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise AddressRefused(f"« {url[:80]} » n’est pas une adresse. Exemple : https://www.data.gouv.fr/fichier.csv") from None
    if parts.scheme not in _PORTS or not host:
        raise AddressRefused(f"« {url[:80]} » ne commence pas par https:// ni http://. Copiez l’adresse entière depuis le navigateur.")
    if parts.username or parts.password:
        raise AddressRefused("Une adresse avec un nom et un mot de passe ne peut pas être gardée. Téléchargez le fichier, puis déposez-le.")
    if port == 0:
        raise AddressRefused(f"Le port de « {url[:80]} » n’existe pas.")
    return parts


def _resolve(parts: SplitResult, allowed: Callable[[Address], bool]) -> tuple[str, int]:
    """The address to connect to. All those of the name must be allowed: one private among them is a trap or a mistake."""
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    try:
        name = host.encode("idna").decode("ascii") if not host.isascii() else host
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise FetchFailed(f"Le serveur « {host} » est introuvable. Vérifiez l’adresse.") from None
    addresses = [str(entry[4][0]).split("%")[0] for entry in found]
    if not addresses or not all(allowed(ipaddress.ip_address(address)) for address in addresses):
        raise AddressRefused(
            f"« {host} » désigne une machine du réseau interne : Bocage n’y va pas chercher de fichier. Téléchargez-le, puis déposez-le."
        )
    return addresses[0], port


class _Pinned(http.client.HTTPConnection):
    """A connection to an address already checked, under the name that the person gave, given up at ``deadline``."""

    def __init__(self, host: str, address: str, port: int, deadline: float, context: ssl.SSLContext | None) -> None:
        super().__init__(host, port)
        self._address, self._deadline, self._context = address, deadline, context
        self.response_class = AnswerBy(deadline)  # type: ignore[assignment]

    def connect(self) -> None:
        """Connect to the checked address; over TLS the certificate is that of the name."""
        self.sock = socket.create_connection((self._address, self.port), _left(self._deadline))
        if self._context is not None:
            self.sock.settimeout(_left(self._deadline))
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)


@contextmanager
def _answer(parts: SplitResult, deadline: float, allowed: Callable[[Address], bool]) -> Iterator[http.client.HTTPResponse]:
    address, port = _resolve(parts, allowed)
    host = (parts.hostname or "").encode("idna").decode("ascii") if not (parts.hostname or "").isascii() else parts.hostname or ""
    context = ssl.create_default_context() if parts.scheme == "https" else None
    connection = _Pinned(host, address, port, deadline, context)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # Accept-Encoding: a small compressed answer must not become a large file.
    headers = {"User-Agent": "Bocage", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}
    try:
        connection.request("GET", _ascii(target), headers=headers)
        yield connection.getresponse()
    except ssl.SSLCertVerificationError:
        raise FetchFailed(f"Le certificat de « {parts.hostname} » n’est pas valable. Prévenez ce serveur, ou déposez le fichier.") from None
    except TimeoutError:
        raise FetchFailed(
            f"Le serveur « {parts.hostname} » est trop lent. Réessayez plus tard, ou téléchargez le fichier et déposez-le."
        ) from None
    except (OSError, http.client.HTTPException, ValueError):
        raise FetchFailed(f"Le serveur « {parts.hostname} » ne répond pas comme prévu. Réessayez, ou déposez le fichier.") from None
    finally:
        connection.close()


def _check_status(response: http.client.HTTPResponse, parts: SplitResult) -> None:
    if response.status != 200:
        raise FetchFailed(f"Le serveur « {parts.hostname} » a répondu {response.status} au lieu de donner le fichier. Vérifiez l’adresse.")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchFailed(f"Le serveur « {parts.hostname} » a compressé sa réponse sans qu’on le lui demande. Déposez le fichier.")


def _pour(response: http.client.HTTPResponse, destination: BinaryIO, max_mb: int) -> None:
    """Copy what comes, counting it ourselves: the announced length may lie either way."""
    limit, size = max_mb * 1_000_000, 0
    announced = response.length
    if announced is not None and announced > limit:
        raise _too_big(max_mb, announced)
    while chunk := response.read1(_CHUNK):
        size += len(chunk)
        if size > limit:
            raise _too_big(max_mb)
        destination.write(chunk)
    if announced is not None and size < announced:
        raise FetchFailed(f"Le fichier est arrivé incomplet : {size} octets sur {announced} annoncés. Réessayez.")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _too_big(max_mb: int, announced: int | None = None) -> FetchFailed:
    weight = f"pèse {announced / 1e6:.0f} Mo" if announced else f"dépasse {max_mb} Mo"
    return FetchFailed(f"Le fichier {weight} ; la limite est {max_mb} Mo. {LIGHTER}")


def _filename(headers: Message, parts: SplitResult) -> str:
    try:
        given = headers.get_filename()
    except Exception:
        # What the other server wrote there confuses the library in many ways. The file has come all the same.
        given = None
    return storable(given or unquote(parts.path.rsplit("/", 1)[-1])) or "fichier"


def _ascii(target: str) -> str:
    from urllib.parse import quote

    return quote(target, safe="/:?#[]@!$&'()*+,;=%~-._")
