from server.transport.limits import FLOOD_REFUSALS, Credits, Rate, RateByKey


def taken(rate: Rate, full_at: float, now: float) -> tuple[int, float]:
    count = 0
    while count < 1000:
        state = rate.take(full_at, now)
        if state is None:
            break
        full_at = state
        count += 1
    return count, full_at


def test_a_full_bucket_gives_exactly_its_burst() -> None:
    for now in (0.0, 1e5 + 1 / 3, 1e8):
        assert taken(Rate(10, 20), now, now)[0] == 20


def test_an_empty_bucket_fills_at_its_rate_up_to_its_burst() -> None:
    rate = Rate(10, 20)
    _, full_at = taken(rate, 0.0, 100.0)

    assert taken(rate, full_at, 100.5)[0] == 5
    assert taken(rate, full_at, 1000.0)[0] == 20


def test_a_rate_of_zero_is_no_limit() -> None:
    assert taken(Rate(0, 0), 0.0, 5.0)[0] == 1000


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_key_has_its_own_bucket() -> None:
    limiter = RateByKey(Rate(1, 2), Clock())

    assert [limiter.allow("a") for _ in range(3)] == [True, True, False]
    assert limiter.allow("b")


def test_a_refusal_does_not_cost_a_key_what_it_has_saved_up() -> None:
    clock = Clock()
    limiter = RateByKey(Rate(1, 1), clock)

    allowed = 0
    for tenth in range(101):
        clock.now = tenth / 10
        allowed += limiter.allow("a")

    assert allowed in (10, 11)


def test_idle_keys_are_forgotten() -> None:
    clock = Clock()
    limiter = RateByKey(Rate(10, 20), clock)
    for number in range(1000):
        limiter.allow(f"address {number}")
    clock.now = 100.0

    for _ in range(600):
        limiter.allow("the one that is left")

    assert len(limiter) == 1


def test_a_hundred_refusals_within_ten_seconds_are_a_flood() -> None:
    credits_ = Credits(Rate(10, 20))
    for _ in range(20):
        assert credits_.take(0.0)

    for _ in range(FLOOD_REFUSALS - 1):
        assert not credits_.take(0.05)
    assert not credits_.is_flood(0.05)
    assert not credits_.take(0.05)
    assert credits_.is_flood(0.05)


def test_refusals_that_come_slowly_are_no_flood() -> None:
    credits_ = Credits(Rate(1, 1))
    assert credits_.take(0.0)

    for tick in range(500):  # 9 a second, of which one is allowed
        credits_.take(tick / 9)
        assert not credits_.is_flood(tick / 9)
