"""A real headless Chromium on a real server."""
