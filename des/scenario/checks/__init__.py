"""What is wrong with a scenario beyond the shapes of its parts: names first, then contradictions, all at once each."""
