"""The server's own settings with the stand-in engine: for tests that start a real server."""

from bocage.settings import *  # noqa: F403

ASSISTANT_ANSWERER = "tests.assistant.standin.answer"
