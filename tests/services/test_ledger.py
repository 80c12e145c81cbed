from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.services.table_machine import TableMachine


def test_every_coin_is_somewhere_after_every_step(store_url: str) -> None:
    run_state_machine_as_test(
        lambda: TableMachine(store_url),  # type: ignore[arg-type]  # any factory will do
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # real time cannot be shrunk
        ),
    )
