"""What a user writes, as frozen models."""
