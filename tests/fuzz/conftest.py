"""One server for all that is tried on it: what one test leaves behind, the next one sees."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.fuzz.target import Target, running_target


@pytest.fixture(scope="package")
def fuzz_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """A store that no other test empties."""
    with EmbeddedStore(tmp_path_factory.mktemp("fuzz-store")) as store:
        yield store


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def target(
    fuzz_store: EmbeddedStore,
    issuer: DevIssuer,
    provider: DevProvider,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Target]:
    """The server under fire."""
    output_path = tmp_path_factory.mktemp("fuzz") / "output"
    async with running_target(fuzz_store.url, issuer, provider, output_path) as target:
        yield target


@pytest_asyncio.fixture(autouse=True, loop_scope="package")
async def watched(target: Target) -> AsyncIterator[None]:
    """The game of the canary goes on, whatever a test did."""
    yield
    await target.canary.receives_more()
