"""Rules as users write them, most of them with a mistake; the tests copy this file beside their scenarios."""

import des.extend as extend


class Told(extend.Backoff):
    at_most_s: extend.Duration

    def wait_s(self, retry):
        if retry.outcome == "server_error":
            return 7.0 + retry.number
        return 100.0 if retry.retry_after_s is None else float("inf")


class Wrong(extend.Backoff):
    says: extend.Text

    def wait_s(self, retry):
        if self.says == "end":
            raise SystemExit(3)
        return {"less": -1.0, "text": "soon", "nothing": None, "error": 0, "much": 10**400}[self.says] or 1 / 0


class Lost(extend.Routing):
    def pick(self, pick):
        return len(pick.legs)


class Second(extend.Routing):
    def pick(self, pick):
        return len(pick.legs) - 1


class Backwards(extend.Arrivals):
    def times(self, draws, begin_s, until_s):
        return [[2.0, 1.0]]

    def expected_requests(self, horizon_s):
        return 2.0


class Refusing(extend.Backoff):
    def __init__(self, **fields):
        raise OSError("no licence")

    def wait_s(self, retry):
        return 1.0


class Stateless(extend.Breaker):
    def start(self):
        return None


class Strict(extend.Breaker):
    def start(self):
        return Once()


class Once:
    def __init__(self):
        self.learned = False

    def admits(self, now_s):
        return not self.learned

    def learn(self, outcome, retry_after_s, now_s):
        self.learned = True


class Full(extend.Limiter):
    def start(self, rate_per_s, burst):
        return object()


class Nobody(extend.Routing):
    def start(self):
        return None


class Uncounted(extend.Arrivals):
    def times(self, draws, begin_s, until_s):
        return None

    def expected_requests(self, horizon_s):
        return 1.0


class Untold(Uncounted):
    def expected_requests(self, horizon_s):
        return float("nan")


class Reversed(extend.Incidents):
    lasts_s: extend.Duration = 60.0

    def windows(self, draws, until_s):
        yield 100.0, 50.0

    @property
    def starts_per_s(self):
        return 1e-4

    @property
    def mean_duration_s(self):
        return self.lasts_s


class Endless(Reversed):
    def windows(self, draws, until_s):
        start_s = 0.0
        while True:
            yield start_s, start_s + self.lasts_s
            start_s += 600.0


class Unknown(Endless):
    @property
    def mean_duration_s(self):
        raise KeyError("mean")


class Unfinished(extend.Limiter):
    pass


class Every(extend.Distribution):
    low_s: extend.Duration

    def quantile(self, share):
        return self.low_s + share
