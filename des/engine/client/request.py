"""A request as the general walk knows it."""

from des.engine.call import Call
from des.engine.request import Request


class ClientRequest(Request):
    """With its time in queues, and what is under way, so that a run may be cut in the middle of it."""

    __slots__ = (
        "open_calls",
        "queued_s",
        "refused_by",
        "retry_after_total_s",
        "unrecorded",
        "waiting_since_s",
        "waits",
    )

    def __init__(
        self,
        number: int,
        luck: int,
        arrival_s: float,
        deadline_s: float,
        input_tokens: int,
        output_tokens: int,
        units: float,
        requirement: int,
    ) -> None:
        super().__init__(number, luck, arrival_s, deadline_s, input_tokens, output_tokens, units, requirement)
        self.queued_s = 0.0
        self.refused_by = ""  # the error type of a request that the client itself refused
        self.retry_after_total_s = 0.0  # waited at the word of providers
        self.open_calls: list[Call] = []  # under way, in the trace already
        self.unrecorded = 0  # calls under way that are not in the trace yet
        self.waits = ""  # "backoff", "queue", or nothing
        self.waiting_since_s = 0.0

    def over_wait(self, now_s: float) -> None:
        """What it was waiting for has come, or the run is cut."""
        if self.waits == "backoff":
            self.backoff_s += now_s - self.waiting_since_s
        elif self.waits == "queue":
            self.queued_s += now_s - self.waiting_since_s
        self.waits = ""

    def cut(self, now_s: float) -> None:
        """The run ends here: calls under way leave no row."""
        for call in self.open_calls:
            self.attempts -= 1
            self.cost -= call.cost
        self.attempts -= self.unrecorded
        self.over_wait(now_s)
