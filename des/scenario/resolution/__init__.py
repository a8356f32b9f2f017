"""Resolution of what a scenario implies: intent, sharing, inheritance, presets, prices."""
