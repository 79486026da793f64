"""A client for the tests' own questions that does not mistake a dropped connection for an answer."""

import httpx


class FreshConnections(httpx.AsyncHTTPTransport):
    """One connection per call; a question that changes nothing is asked once more when its connection breaks.

    On a busy machine the kernel resets a loopback connection now and then, and a server closes idle ones. Both
    are about this client, not about what is tested. What changes something is sent once.
    """

    def __init__(self) -> None:
        super().__init__(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0), retries=2)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except (httpx.ReadError, httpx.RemoteProtocolError):
            if request.method != "GET":
                raise
            return await super().handle_async_request(request)
