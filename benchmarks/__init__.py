"""Speed and memory as commands: `python -m benchmarks`."""
