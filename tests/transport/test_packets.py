import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from socketio.packet import ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT, Packet

from protocol.errors import ErrorCode, Refused, error_body
from server.transport import packets
from server.transport.packets import Ack, Connect, Disconnect, Event, MalformedPacket, parse_packet

namespaces = st.one_of(
    st.just("/"), st.from_regex(r"/[a-z0-9_-]{1,20}", fullmatch=True), st.just("/é/x")
)
ack_ids = st.none() | st.integers(min_value=0, max_value=2**53)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def stock_text(kind: int, data: Any, namespace: str, ack_id: int | None = None) -> str:
    text: str = Packet(kind, data=data, namespace=namespace, id=ack_id).encode()
    return text


def read_with_stock(payload: bytes) -> Packet:
    text = payload.decode()
    assert text.startswith("4")  # Engine.IO: a message
    return Packet(encoded_packet=text[1:])


@given(namespaces, st.none() | values)
def test_connects_of_stock_clients_are_read(namespace: str, auth: Any) -> None:
    assert parse_packet(stock_text(CONNECT, auth, namespace)) == Connect(namespace, auth)


@given(namespaces)
def test_disconnects_of_stock_clients_are_read(namespace: str) -> None:
    assert parse_packet(stock_text(DISCONNECT, None, namespace)) == Disconnect(namespace)


@given(namespaces, ack_ids, texts, st.lists(values, max_size=3))
def test_events_of_stock_clients_are_read(
    namespace: str, ack_id: int | None, name: str, args: list[Any]
) -> None:
    text = stock_text(EVENT, [name, *args], namespace, ack_id)

    assert parse_packet(text) == Event(namespace, ack_id, name, args)


@given(namespaces, st.integers(0, 2**53), st.lists(values, max_size=2))
def test_acknowledgements_of_stock_clients_are_read(
    namespace: str, ack_id: int, args: list[Any]
) -> None:
    assert parse_packet(stock_text(ACK, args, namespace, ack_id)) == Ack(namespace)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "4",
        "4/lobbies,{}",  # a connect error
        '51-/lobbies,["x",{"_placeholder":true,"num":0}]',
        "61-/lobbies,1[]",
        "7",
        "٢[]",  # a digit, but not of ASCII
        "0/lobbies,{",
        '0/lobbies,{"token":"a","token":"b"}',
        '0/lobbies,1{"token":"a"}',
        "0/lobbies,{}{}",
        "1/lobbies,{}",
        "1/lobbies,1",
        "2",
        "2/lobbies",
        "2/lobbies,",
        "2/lobbies,[]",
        "2/lobbies,{}",
        "2/lobbies,null",
        '2/lobbies,"join"',
        "2/lobbies,[1]",
        "2/lobbies,[null,{}]",
        '2/lobbies,[["join"]]',
        '2/lobbies,["join",NaN]',
        '2/lobbies,["join",1e999]',
        '2/lobbies,["join"',
        '2lobbies,["join"]',
        '2/lobbies,12345678901234567["join"]',
        '2/lobbies,-1["join"]',
        "2" + "[" * 16_000,
        "3/lobbies,[]",
        "3/lobbies,1",
        "3/lobbies,1{}",
    ],
)
def test_what_no_client_may_send_is_malformed(text: str) -> None:
    with pytest.raises(MalformedPacket):
        parse_packet(text)


@given(st.text(max_size=40))
def test_any_text_is_a_packet_or_malformed(text: str) -> None:
    with contextlib.suppress(MalformedPacket):
        parse_packet(text)


@given(namespaces, texts, values)
def test_stock_clients_read_our_events(namespace: str, event: str, data: Any) -> None:
    read = read_with_stock(packets.event_packet(namespace, event, json.dumps(data).encode()))

    assert (read.packet_type, read.namespace or "/", read.id) == (EVENT, namespace, None)
    assert read.data == [event, data]


@given(namespaces, st.integers(0, 2**53))
def test_stock_clients_read_our_acknowledgements(namespace: str, ack_id: int) -> None:
    read = read_with_stock(packets.ack_packet(namespace, ack_id, {"ok": True}))

    assert (read.packet_type, read.namespace or "/", read.id) == (ACK, namespace, ack_id)
    assert read.data == [{"ok": True}]


@given(namespaces)
def test_stock_clients_read_our_connects_and_disconnects(namespace: str) -> None:
    connect = read_with_stock(packets.connect_packet(namespace, "sid-1"))
    disconnect = read_with_stock(packets.disconnect_packet(namespace))

    assert (connect.packet_type, connect.namespace or "/") == (CONNECT, namespace)
    assert connect.data == {"sid": "sid-1"}
    assert (disconnect.packet_type, disconnect.namespace or "/") == (DISCONNECT, namespace)


def test_a_refused_connect_carries_the_error_as_its_data() -> None:
    refused = Refused(ErrorCode.LOBBY_FULL, {"seats": 10})

    read = read_with_stock(packets.connect_error_packet("/lobby", refused))

    assert (read.packet_type, read.namespace) == (CONNECT_ERROR, "/lobby")
    assert read.data["message"] == error_body(refused)["message"]
    assert read.data["data"] == error_body(refused)
