"""The settings that users write, as frozen models."""
