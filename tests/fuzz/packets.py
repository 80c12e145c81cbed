"""What may stand in a text frame: packets of Engine.IO and Socket.IO, and what is none."""

from hypothesis import strategies as st

from tests.fuzz.documents import documents

OTHER_NAMESPACES = ("/", "/lobby_3500_ffffffffffff", "/lobby_1_ffffffffffff", "/admin", "/\n", "//")

digits = st.sampled_from(["", "0", "00", "1", "٢", "-1", "9" * 16, "9" * 5000, "1.5"])
engine_packets = st.one_of(
    st.text(max_size=60),
    st.builds(str.__add__, st.sampled_from("0123456b4"), st.text(max_size=60)),
)


def socket_packets(*namespaces: str) -> st.SearchStrategy[str]:
    """Packets for these namespaces and for others, their parts right or wrong."""
    place = st.sampled_from(namespaces)
    event = st.sampled_from(["join", "sync", "connect"])
    return st.one_of(
        st.builds("40{},{}".format, place, documents),
        st.builds("42{},1{}".format, place, documents),
        st.builds('42{},1["{}",{}]'.format, place, event, documents),
        st.builds(
            "4{}{}{}{}{}{}".format,
            st.sampled_from("01234567x"),
            st.sampled_from(["", "", "1-", "0-", "99999999-"]),
            st.sampled_from([*namespaces, *OTHER_NAMESPACES, ""]) | st.text(max_size=10),
            st.sampled_from([",", "", "?a=b,", "/,"]),
            digits,
            st.just("") | documents,
        ),
    )
