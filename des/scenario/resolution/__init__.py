"""What is derived from the scenario: intent, sharing, inheritance, presets, prices."""
