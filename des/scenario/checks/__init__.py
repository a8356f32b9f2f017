"""Checks beyond the shape of single settings: names first, then contradictions. Each stage reports all it finds."""
