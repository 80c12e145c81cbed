"""A person in front of a browser: what they do and what they see."""

import re
from math import isqrt
from pathlib import Path

from playwright.async_api import ConsoleMessage, Page, expect

from protocol.to_client import NumberCalled
from server.rules.tickets import Complete, judge
from tests.browser.world import TIER, World
from tests.support.wait import until

SCREENSHOTS = Path(__file__).parent.parent / "screenshots"
TIMEOUT_MS = 200_000
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
expect.set_options(timeout=TIMEOUT_MS)
NUMBER = re.compile(r"^\d+$")


class Person:
    """Someone who plays at the server at `url` in the tab `page`. What the console complains about
    is in `complaints`, unless it has any of the words that are `forgiven`."""

    def __init__(self, page: Page, url: str, name: str) -> None:
        page.set_default_timeout(TIMEOUT_MS)
        self.page = page
        self.name = name
        self.complaints: list[str] = []
        # A server whose store or books are held up says so, and is asked again.
        self.forgiven = ["status of 503"]
        self._url = url
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._receive)

    async def arrive(self, place: str = "") -> None:
        """Open the page, at the front desk or at a lobby."""
        await self.page.goto(f"{self._url}/?player={self.name}#{place}")

    async def press(self, name: str) -> None:
        """Press the button whose name begins like this."""
        await self.page.get_by_role("button", name=re.compile(f"^{name}")).click()

    async def take_a_seat(self) -> str:
        """From the front desk to a seat: the lobby's id."""
        await self.press(f"Take a seat for {TIER:,} coins")
        await self.sees("A seat is held for you")
        return self.page.url.partition("#")[2]

    async def pay(self, ticket_size: int = 9) -> None:
        """Pay for the seat, of a game whose tickets hold so many numbers."""
        await self.press("Pay")
        await self.sees(f"Pick {ticket_size} numbers")

    async def print_a_ticket(self) -> list[int]:
        """Numbers by chance, as they fall: the ticket, row by row."""
        await self.press_print()
        return await self.ticket()

    async def press_print(self) -> None:
        """The same, for a game that may be over before this person has read the ticket."""
        for button in ("Surprise me", "Use these numbers", "Print my ticket"):
            await self.press(button)

    async def join_the_game(self) -> list[int]:
        """All the way from the front desk to the first call, on the last seat: the ticket."""
        await self.arrive()
        await self.take_a_seat()
        await self.pay()
        await self.print_a_ticket()
        await self.wait_for_a_call()
        return await self.ticket()

    async def ticket(self) -> list[int]:
        """The numbers on the ticket in the hand, row by row."""
        cells = self.page.locator(".cell")
        texts: list[str] = []
        while not (texts and all(texts)):  # at each stage they stand there before their numbers do
            await expect(cells.last).to_have_text(NUMBER)
            texts = await cells.all_inner_texts()
        return [int(text) for text in texts]

    async def has_marked(self, *numbers: int) -> None:
        """Return when these numbers are marked, and no others."""
        marks = self.page.locator('.play .cell[aria-pressed="true"]')
        await expect(marks).to_have_text([str(n) for n in numbers], use_inner_text=True)

    async def fits(self, width: int) -> None:
        """Return when nothing sticks out at the side, as it may for a moment while it moves."""

        async def nothing_sticks_out() -> bool:
            found = await self.page.evaluate("document.documentElement.scrollWidth")
            return bool(found == width)

        await until(nothing_sticks_out, TIMEOUT_MS / 1000)

    async def mark(self, number: int) -> None:
        """Mark a number of the ticket."""
        await self.page.locator(".play .cell").filter(has_text=re.compile(f"^{number}$")).click()

    async def wait_for_a_call(self) -> int:
        """The latest number, when there is one."""
        latest = self.page.locator(".latest")
        await expect(latest).to_have_text(NUMBER)
        return int(await latest.inner_text())

    async def claim(self) -> None:
        """Claim, and confirm it at once: left alone, the button forgets the first press, and who
        knows how long this machine takes from one to the next."""
        button = self.page.get_by_role("button", name=re.compile("^Claim"))
        await button.click(trial=True)
        await button.evaluate("(button) => { button.click(); button.click(); }")

    async def play_until_won(self, world: World, lobby_id: str, ticket: list[int]) -> None:
        """Mark what is called, and claim as soon as a pattern is complete."""
        side = isqrt(len(ticket))
        grid = tuple(tuple(ticket[start : start + side]) for start in range(0, len(ticket), side))
        called: set[int] = set()
        async with world.watch(lobby_id, last_seq=0) as lobby:
            async for event in lobby:
                match event:
                    case NumberCalled(number=number) if number in ticket:
                        called.add(number)
                        await self.mark(number)
                if isinstance(judge(grid, called, lobby.patterns), Complete):
                    await self.claim()
                    return

    async def sees(self, text: str | re.Pattern[str]) -> None:
        """Return when a text is to be seen."""
        await expect(self.page.get_by_text(text).first).to_be_visible()

    async def sees_no(self, text: str) -> None:
        """Return when a text is not to be seen."""
        await expect(self.page.get_by_text(text).first).to_be_hidden()

    async def shoot(self, name: str) -> None:
        """Keep a picture of the whole page for people to look at."""
        SCREENSHOTS.mkdir(exist_ok=True)
        await self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    def forgive_cuts(self) -> None:
        """The browser complains of a connection that broke; nothing else may be wrong."""
        cuts = ("WebSocket connection to", "net::ERR_")
        self.complaints[:] = [
            said for said in self.complaints if not any(cut in said for cut in cuts)
        ]

    def _receive(self, said: ConsoleMessage) -> None:
        is_forgiven = any(words in said.text for words in self.forgiven)
        if said.type in ("error", "warning") and not is_forgiven:
            self.complaints.append(said.text)
