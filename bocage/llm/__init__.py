"""One client for any OpenAI-compatible server. Absent by default: nothing in Bocage needs it."""
