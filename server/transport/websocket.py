"""The WebSocket of aiohttp, held to RFC 6455 and to the limits of a connection.

aiohttp's reader takes frames without a mask, and a new message within a fragmented one that has no
bytes yet; fragments it puts together without a callback, so that whoever sends nothing else is
never counted. So what comes in passes `FrameGuard` first, which looks at heads only. What this
needs of aiohttp (`_post_start`, `_parser`, `_reader`, and of the protocol `_message_tail` and
`_payload_parser`) is in tests/transport/test_stack.py.
"""

from collections.abc import Callable
from typing import Any, Final

from aiohttp import WebSocketError, WSCloseCode, web
from aiohttp.http_websocket import WebSocketWriter

_FINAL: Final = 0x80
_OPCODE: Final = 0x0F
_CONTROL: Final = 0x08  # and above
_MASKED: Final = 0x80
_LENGTH: Final = 0x7F
_FINAL_TEXT: Final = 0x81
_MASK_BYTES: Final = 4
_SHORT_HEAD_BYTES: Final = 2 + _MASK_BYTES
_MOST_HEAD_BYTES: Final = 10


class FrameGuard:
    """Stands before the `reader` of aiohttp, and ends the connection at the first frame that no
    client may send. `count_fragment` is called for each frame that becomes no message by itself,
    and says whether the connection goes on; messages are counted by whoever reads them."""

    def __init__(self, reader: Any, queue: Any, count_fragment: Callable[[], bool]) -> None:
        self._reader = reader
        self._queue = queue
        self._count_fragment = count_fragment
        self._head = b""  # of a frame whose head has not come whole
        self._left_bytes = 0  # of the frame that is on its way
        self._fragmented = False  # more frames of a message are to come
        self._ended = False

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take what came from the network. What aiohttp's reader answers."""
        if self._ended:
            return True, b""
        # Nearly all that clients send is one text frame or two, whole: that has to cost nothing.
        is_amid = self._left_bytes or self._fragmented or self._head
        if not is_amid and _end_of_texts(data) == len(data):
            return self._reader.feed_data(data)  # type: ignore[no-any-return]
        error = self._fault_in(data)
        if error is None:
            return self._reader.feed_data(data)  # type: ignore[no-any-return]
        self._ended = True
        self._queue.set_exception(error)
        return True, b""

    def feed_eof(self) -> None:
        """Nothing more comes."""
        self._reader.feed_eof()

    def _fault_in(self, data: bytes) -> WebSocketError | None:
        """Look at the heads of all frames in `data`, whose ends need not be those of frames."""
        position, end = 0, len(data)
        while position < end:
            if self._left_bytes:
                step = min(self._left_bytes, end - position)
                self._left_bytes -= step
                position += step
                continue
            known = len(self._head)
            head = self._head + data[position : position + _MOST_HEAD_BYTES - known]
            size = _head_bytes(head)
            if size is None or len(head) < size:
                self._head = head
                return None
            error = self._fault_of(head[0], head[1])
            if error is not None:
                return error
            self._head = b""
            self._left_bytes = _MASK_BYTES + _payload_bytes(head, size)
            position += size - known
        return None

    def _fault_of(self, first: int, second: int) -> WebSocketError | None:
        """What is wrong with a frame that begins with these bytes, if aiohttp takes it."""
        if not second & _MASKED:
            return _protocol_error("not masked")
        opcode = first & _OPCODE
        if opcode >= _CONTROL:
            return None
        if opcode and self._fragmented:
            return _protocol_error("a message within another")
        self._fragmented = not first & _FINAL
        if self._fragmented and not self._count_fragment():
            return WebSocketError(WSCloseCode.POLICY_VIOLATION, "too many fragments")
        return None


def _end_of_texts(data: bytes) -> int:
    """Where the whole, unfragmented, masked text frames end that `data` begins with."""
    position, end = 0, len(data)
    while end - position >= _SHORT_HEAD_BYTES and data[position] == _FINAL_TEXT:
        length = data[position + 1] - _MASKED
        if length == _LENGTH - 1:
            length = 2 + int.from_bytes(data[position + 2 : position + 4])
        elif not 0 <= length < _LENGTH - 1:
            break
        if position + _SHORT_HEAD_BYTES + length > end:
            break
        position += _SHORT_HEAD_BYTES + length
    return position


def _head_bytes(head: bytes) -> int | None:
    """How long a head is up to its mask, by its second byte."""
    if len(head) < 2:
        return None
    length = head[1] & _LENGTH
    return 2 if length < 126 else 4 if length == 126 else _MOST_HEAD_BYTES


def _payload_bytes(head: bytes, size: int) -> int:
    return head[1] & _LENGTH if size == 2 else int.from_bytes(head[2:size])


def _protocol_error(reason: str) -> WebSocketError:
    return WebSocketError(WSCloseCode.PROTOCOL_ERROR, reason)


class WebSocket(web.WebSocketResponse):
    """One whose frames are guarded, and of which nothing stays when it is over."""

    def __init__(self, count_fragment: Callable[[], bool], most_bytes: int) -> None:
        # A message as long as aiohttp's limit is refused already: hence one more.
        super().__init__(
            max_msg_size=most_bytes + 1, compress=False, autoping=False, autoclose=False
        )
        self._count_fragment = count_fragment

    def _post_start(
        self, request: web.BaseRequest, protocol: str | None, writer: WebSocketWriter
    ) -> None:
        """aiohttp begins to read here; what came with the handshake is not to pass the guard."""
        connection: Any = request.protocol
        early, connection._message_tail = connection._message_tail, b""
        super()._post_start(request, protocol, writer)
        guard = FrameGuard(self._parser, self._reader, self._count_fragment)
        connection._payload_parser = guard
        if early:
            guard.feed_data(early)

    async def close(self, **_: object) -> bool:  # no option counts
        """What aiohttp does at input that is not valid, and at the end. But the session
        sends the close frame and hangs up."""
        return False

    async def write_eof(self) -> None:  # type: ignore[override]  # as in aiohttp itself
        """What aiohttp does last with a response. It keeps what it met at the end, here and where
        it reads from; the traceback of that leads back to the connection, and so it would all wait
        for the garbage collector."""
        try:
            await super().write_eof()
        finally:
            _forget_traceback(self.exception())
            if self._reader is not None:
                _forget_traceback(self._reader.exception())
            self._parser = None  # that keeps it too


def _forget_traceback(error: BaseException | None) -> None:
    while error is not None:
        error.__traceback__, error = None, error.__context__
