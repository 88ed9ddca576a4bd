"""Append-only, hash-chained journal: what happened, who did it, in the same transaction as the fact."""
