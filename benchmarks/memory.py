"""Peak memory over the imports while both traces are written: `python -m benchmarks.memory [REQUESTS ...]`.

It must stay flat from one million requests to five: traces stream and nothing is kept by request.
"""

import sys

from benchmarks.speed import engine

DEFAULT = (1_000_000, 5_000_000)


def main() -> None:
    for requests in [int(text) for text in sys.argv[1:]] or DEFAULT:
        figures = engine(requests, 1, traces=True)
        print(
            f"{figures['requests']:,.0f} requests, {figures['attempts']:,.0f} attempts:"
            f" {figures['peak_over_import_mb']:.0f} MB over the imports, {figures['wall_s']:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
