"""People, organisations, roles, and the lock that keeps each organisation's rows to itself."""
