"""HTTP on a connection, where even what is no request is answered with a problem."""

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from des.service.problems import MEDIA_TYPE, ProblemError
from des.study.identity import canonical_json


class Protocol(H11Protocol):
    """Uvicorn's, which answers in plain text where the application never sees a request."""

    def send_400_response(self, msg: str) -> None:
        """Tell the problem, and close the connection."""
        problem = ProblemError(400, "this is no request of HTTP that can be read")
        body = canonical_json(problem.as_json()).encode()
        headers = [("content-type", MEDIA_TYPE), ("content-length", str(len(body))), ("connection", "close")]
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
