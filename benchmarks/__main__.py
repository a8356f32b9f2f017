"""`python -m benchmarks`: the speed ratio, then memory."""

import sys

from benchmarks import memory, speed

if __name__ == "__main__":
    speed.main()
    sys.argv = sys.argv[:1]
    memory.main()
