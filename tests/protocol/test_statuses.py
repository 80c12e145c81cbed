from protocol.statuses import title_of


def test_a_status_has_the_same_title_under_every_python() -> None:
    titles = [title_of(status) for status in (404, 413, 414, 416, 422)]
    assert titles == [
        "Not Found",
        "Request Entity Too Large",
        "Request-URI Too Long",
        "Requested Range Not Satisfiable",
        "Unprocessable Entity",
    ]
