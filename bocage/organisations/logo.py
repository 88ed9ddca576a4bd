"""A logo as an administrator gives it, made into a small clean PNG. What was sent is never kept nor served."""

from __future__ import annotations

import warnings
from io import BytesIO

from bocage.contract.errors import BocageError

MAX_BYTES = 200_000
MAX_SIDE_PX = 176
_MAX_PIXELS = 16_000_000
_FORMATS = ("PNG", "JPEG", "WEBP")


class InvalidLogo(BocageError):
    """The file is no PNG, JPEG or WebP picture, or is too heavy or too large."""

    code = "logo-invalide"


def clean_logo(data: bytes) -> bytes:
    """``data`` (PNG, JPEG or WebP, at most 200 kB) as a PNG of at most 176 px a side, without its metadata. Raises ``InvalidLogo``."""
    if len(data) > MAX_BYTES:
        raise InvalidLogo(
            f"Ce fichier pèse {len(data) / 1000:.0f} ko ; la limite est {MAX_BYTES // 1000} ko. Exportez le logo en plus petit."
        )
    if b"<svg" in data[:4096].lower():
        raise InvalidLogo("Le SVG n’est pas accepté : il peut contenir un programme. Exportez le logo en PNG.")
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(data), formats=_FORMATS) as picture:
                # The size is read from the header: nothing is decoded yet.
                _check_size(*picture.size)
                picture.draft("RGB", (2 * MAX_SIDE_PX, 2 * MAX_SIDE_PX))
                clean = picture.convert("RGBA")
    except InvalidLogo:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InvalidLogo("Ce fichier ne se lit pas comme une image PNG, JPEG ou WebP. Exportez-le de nouveau en PNG.") from None
    clean.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.LANCZOS)
    # Pixels only: colour profile, text and position stay behind.
    clean.info.clear()
    out = BytesIO()
    clean.save(out, "PNG", optimize=True)
    return out.getvalue()


def _check_size(width: int, height: int) -> None:
    if width * height > _MAX_PIXELS:
        raise InvalidLogo(f"Cette image mesure {width} × {height} points ; la limite est {_MAX_PIXELS // 1_000_000} millions de points.")
