"""Names and contradictions on the typed scenario."""
