"""/api/v1: the same services as the portal, for programs. A token speaks for an organisation, never for a person: it cannot decide."""
