"""Static files under hashed names once collected, under their own before that (tests, first start)."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class PortalStaticFiles(CompressedManifestStaticFilesStorage):
    """Falls back to the plain name where ``collectstatic`` has not run: the finders serve it."""

    manifest_strict = False

    def stored_name(self, name: str) -> str:
        """The hashed name when the manifest knows it."""
        found: str = self.hashed_files.get(self.hash_key(name), name)
        return found
