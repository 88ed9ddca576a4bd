"""A logo is decoded within limits and written anew: what was sent is never kept."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from bocage.organisations.logo import MAX_BYTES, InvalidLogo, clean_logo


def picture(kind: str = "PNG", size: tuple[int, int] = (400, 200), **options: object) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "#2b5b3f").save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_becomes_a_small_png(kind):
    clean = Image.open(BytesIO(clean_logo(picture(kind))))
    assert clean.format == "PNG"
    assert clean.size == (176, 88)


def test_metadata_stays_behind():
    info = PngImagePlugin.PngInfo()
    info.add_text("Auteur", "MARQUEUR-SECRET")
    exif = Image.Exif()
    exif[0x010E] = "MARQUEUR-SECRET"
    assert b"MARQUEUR" not in clean_logo(picture("PNG", pnginfo=info))
    assert b"MARQUEUR" not in clean_logo(picture("JPEG", exif=exif))


def test_svg_is_refused_with_the_reason():
    with pytest.raises(InvalidLogo, match="SVG"):
        clean_logo(b'<?xml version="1.0"?><SVG xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></SVG>')


def test_too_many_bytes_are_refused_before_they_are_read():
    with pytest.raises(InvalidLogo, match="200 ko"):
        clean_logo(b"\x89PNG" + b"0" * MAX_BYTES)


def test_a_decompression_bomb_is_refused_from_its_header():
    """30 000 × 30 000 points in a few hundred bytes: the size is judged before any point is decoded."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    idat = b"IDAT" + zlib.compress(b"\0" * 1000)
    bomb += struct.pack(">I", len(idat) - 4) + idat + struct.pack(">I", zlib.crc32(idat))
    with pytest.raises(InvalidLogo):
        clean_logo(bomb)


def test_other_formats_are_refused():
    with pytest.raises(InvalidLogo, match="PNG, JPEG ou WebP"):
        clean_logo(picture("GIF"))


@given(st.binary(max_size=400))
def test_any_bytes_are_answered_with_a_sentence(data):
    with pytest.raises(InvalidLogo):
        clean_logo(data)


@given(st.integers(8, 400), st.binary(min_size=1, max_size=40))
def test_a_damaged_picture_is_a_picture_or_a_sentence(at, damage):
    data = picture()
    try:
        assert clean_logo(data[:at] + damage + data[at + len(damage) :]).startswith(b"\x89PNG")
    except InvalidLogo as error:
        assert error.message
