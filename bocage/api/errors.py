"""Every refusal of the API has one shape, and a French sentence that says what was read, what is expected and what to do."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DataError
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from bocage.contract.errors import BocageError, NoRoom
from bocage.contract.french import number
from bocage.deposits.uploads import UploadTooLarge

_MOST_DETAILS = 50
_NOT_FOUND = frozenset({"cas-inconnu", "execution-inconnue", "assistant-hors-service"})
_CODES = {
    400: "demande-invalide",
    403: "droit-insuffisant",
    404: "introuvable",
    405: "methode-impossible",
    413: "demande-trop-lourde",
    422: "demande-invalide",
    500: "erreur-du-serveur",
    507: NoRoom.code,
}
_UNREADABLE = (
    "Le corps de la demande ne se lit pas : il faut du JSON bien formé, en UTF-8, avec l’en-tête « Content-Type: application/json ». "
    "Vérifiez les guillemets, les virgules et les accolades."
)
_FAULTS = {
    "missing": "ce champ manque",
    "extra_forbidden": "ce champ n’existe pas : vérifiez son nom",
    "string_type": "il faut un texte",
    "string_unicode": "il faut un texte en Unicode, sans caractère coupé en deux",
    "string_too_short": "nombre de caractères : {min_length} au moins",
    "string_too_long": "nombre de caractères : {max_length} au plus",
    "too_long": "nombre d’éléments : {max_length} au plus ; lu : {actual_length}",
    "enum": "valeurs possibles : {expected}",
    "list_type": "il faut une liste",
    "dict_type": "il faut un objet",
    "model_type": "il faut un objet",
    "model_attributes_type": "il faut un objet",
    "int_type": "il faut un nombre entier",
    "int_parsing": "il faut un nombre entier",
    "int_parsing_size": "ce nombre est trop grand",
    "int_from_float": "il faut un nombre entier, sans décimales",
    "greater_than_equal": "il faut {ge} ou plus",
    "less_than_equal": "il faut {le} ou moins",
}


def refusal(status: int, code: str, message: str, details: list[str] | None = None) -> HttpResponse:
    """The one shape of a refusal."""
    return JsonResponse({"error": {"code": code, "message": message, "details": details or []}}, status=status)


def answer_errors(api: NinjaAPI) -> None:
    """Have ``api`` answer every error that its operations raise with a ``refusal``."""
    for error, answer in _ANSWERS.items():
        api.add_exception_handler(error, answer)


def in_json(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """``response``, or the refusal that stands for it when it is a page for people: unknown address, method, fault of the server."""
    status = response.status_code
    if status < 400 or response.get("Content-Type", "").startswith("application/json"):
        return response
    said = refusal(status, _CODES.get(status, "erreur"), _said(request, response))
    if response.has_header("Allow"):
        said["Allow"] = response["Allow"]
    return said


def _said(request: HttpRequest, response: HttpResponse) -> str:
    where = f"{request.method} {request.path[:100]}"
    match response.status_code:
        case 404:
            return f"« {where} » : cette adresse n’existe pas. /api/v1/openapi.json donne la liste des adresses."
        case 405:
            return f"« {where} » : cette adresse ne répond pas à cette méthode. Employez {response.get('Allow', 'une autre méthode')}."
        case 507:
            return NoRoom().message
        case status if status >= 500:
            return "L’erreur vient de Bocage, pas de vous ; elle est notée dans les journaux du serveur. Réessayez dans une minute."
    return f"« {where} » : la demande n’a pas la forme attendue. /api/v1/openapi.json dit ce que prend chaque adresse."


def _refused(request: HttpRequest, error: BocageError) -> HttpResponse:
    status = 507 if isinstance(error, NoRoom) else 404 if error.code in _NOT_FOUND else 422
    return refusal(status, error.code, error.message)


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    details = [f"{'.'.join(map(str, fault['loc']))} : {_fault(fault)}" for fault in error.errors[:_MOST_DETAILS]]
    return refusal(422, "demande-invalide", "La demande n’a pas la forme attendue. Le détail nomme chaque champ.", details)


def _fault(fault: dict[str, Any]) -> str:
    """What pydantic says in English, from its type and numbers; never the value, which may be what a citizen wrote."""
    expected = {name: str(value).replace(" or ", ", ") for name, value in fault.get("ctx", {}).items()}
    return _FAULTS.get(fault["type"], "cette valeur n’est pas celle attendue ({type})").format_map({**expected, "type": fault["type"]})


def _too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    if isinstance(error, UploadTooLarge):
        return refusal(413, "fichier-trop-lourd", f"L’envoi est trop lourd ; la limite est {error.limit_mb} Mo par fichier.")
    sent = request.META.get("CONTENT_LENGTH", "")
    weight = f"pèse {number(int(sent) / 1_000_000, 1, 'Mo')}" if sent.isdecimal() and len(sent) < 16 else "est trop lourde"
    limit = number(settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 1_000_000, 1, "Mo")
    return refusal(413, _CODES[413], f"La demande {weight} ; sans fichier joint, la limite est {limit}. Envoyez-en moins à la fois.")


def _not_kept(request: HttpRequest, error: Exception) -> HttpResponse:
    return refusal(
        422,
        "demande-invalide",
        "Une valeur de la demande ne peut pas être gardée : un nombre trop grand, un texte trop long ou qui contient un caractère nul ou "
        "coupé en deux. Vérifiez les numéros, la page et les textes.",
    )


def _unknown_token(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return refusal(401, "jeton-absent", "Il faut un jeton valable : en-tête « Authorization: Bearer bocage_… ».")


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    # The only 400 is the framework’s, in English, for a body that it cannot read.
    message = _UNREADABLE if error.status_code == 400 else str(error)
    return refusal(error.status_code, _CODES.get(error.status_code, "erreur"), message)


_ANSWERS: dict[type[Exception], Any] = {
    BocageError: _refused,
    ValidationError: _invalid,
    RequestDataTooBig: _too_large,
    OverflowError: _not_kept,
    UnicodeEncodeError: _not_kept,
    DataError: _not_kept,
    AuthenticationError: _unknown_token,
    HttpError: _http_error,
}
