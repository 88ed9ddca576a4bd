"""How much a browser may send: counted while it arrives, before anything is kept."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

_FILES_AT_ONCE = 5


class UploadTooLarge(RequestDataTooBig):
    """A file, or a whole form, above the limit."""

    def __init__(self, size: int, limit_mb: int) -> None:
        super().__init__(f"{size} bytes sent, limit {limit_mb} MB")
        self.weight_mb, self.limit_mb = size / 1_000_000, limit_mb


class CappedUploads(FileUploadHandler):
    """Stops a request as soon as one of its files is above ``UPLOAD_MB``, or all of them above five times that."""

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, boundary: bytes, encoding: str | None = None) -> None:
        """Refuse at once what is announced above five times the limit."""
        self._announced, self._whole = content_length, 0
        limit = settings.UPLOAD_MB
        if content_length > _FILES_AT_ONCE * limit * 1_000_000:
            raise UploadTooLarge(content_length, limit)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Start counting a file."""
        super().new_file(*args, **kwargs)
        self._size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Count, and pass on."""
        self._size += len(raw_data)
        self._whole += len(raw_data)
        limit = settings.UPLOAD_MB * 1_000_000
        if self._size > limit or self._whole > _FILES_AT_ONCE * limit:
            raise UploadTooLarge(max(self._size, min(self._announced, 1_000 * limit)), settings.UPLOAD_MB)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The next handler keeps the file."""
        return
