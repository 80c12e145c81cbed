"""A game in a terminal: a live display, or lines of text when the output is piped."""

from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from protocol.to_client import (
    GameFinished,
    NumberCalled,
    PlayerJoined,
    PlayerKicked,
    PlayerLeft,
    PlayerPaid,
    PlayerReady,
    RoomEvent,
    StatusChanged,
)
from protocol.views import LobbyView
from server.dev.bots import Bot

# In characters, and in lines.
WIDTH: Final = 80
_LOG_LINES: Final = 7
_BOARD_COLUMNS: Final = 10

_CALLED: Final = "bold black on green"
_LATEST: Final = "bold black on yellow"


class Screen:
    """Shows one game of `bots`, event by event, while it is entered as a context. `highest` is the
    highest number of its variant. On a terminal the display is redrawn; else lines are printed."""

    def __init__(self, console: Console, bots: Sequence[Bot], highest: int) -> None:
        self._console = console
        self._bots = bots
        self._highest = highest
        self._called: list[int] = []
        self._lines: list[str] = []
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: object, _traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, lobby: LobbyView, event: RoomEvent) -> None:
        """Show `event`, after which the lobby is as in `lobby`."""
        if isinstance(event, NumberCalled):
            self._called.append(event.number)
        line = self._line(event)
        self._lines = [*self._lines, line][-_LOG_LINES:]
        if self._live is not None:
            self._live.update(self._render(lobby), refresh=True)
        else:
            self._console.print(line)
            if isinstance(event, StatusChanged | GameFinished) and lobby.started_at is not None:
                self._console.print(self._grids())

    def _line(self, event: RoomEvent) -> str:
        match event:
            case PlayerJoined():
                return f"{event.alien_id} takes a seat."
            case PlayerPaid():
                return f"{event.alien_id} has paid: {_coins(event.pot)} are in the pot."
            case PlayerReady():
                return f"{event.alien_id} has arranged the grid."
            case PlayerLeft() | PlayerKicked():
                return f"{event.alien_id} is out."
            case StatusChanged(status="active"):
                return "The game begins: the order of the numbers is fixed."
            case StatusChanged():
                return f"The lobby is {event.status}."
            case NumberCalled():
                return f"{event.index:>2}. {event.number:>2} {self._marked(event.number)}"
            case GameFinished(outcome="won"):
                return f"Bingo! {event.winner} wins {_coins(event.pot)} with {event.pattern}."
            case GameFinished():
                return f"It is over, and nobody has won: {event.outcome}."
        return ""

    def _marked(self, number: int) -> str:
        names = [b.alien_id for b in self._bots if any(number in row for row in b.grid)]
        return f"is marked by {', '.join(names)}." if names else "is on no grid."

    def _render(self, lobby: LobbyView) -> RenderableType:
        title = Table.grid(expand=True)
        title.add_column()
        title.add_column(justify="right")
        title.add_row(
            Text(f" Fair Bingo  {lobby.lobby_id}", "bold"),
            Text(f"{lobby.status}  {_coins(lobby.pot)} in the pot ", "bold"),
        )
        top = Table.grid(expand=True)
        top.add_column(width=_BOARD_COLUMNS * 4 + 3)
        top.add_column()
        top.add_row(self._board(), self._facts(lobby))
        log = Panel(Text("\n".join(self._lines)), height=_LOG_LINES + 2)
        display = Table.grid()
        display.add_column(width=min(WIDTH, self._console.width))
        for part in (title, top, self._grids(), log):
            display.add_row(part)
        return display

    def _board(self) -> RenderableType:
        board = Text()
        for number in range(1, self._highest + 1):
            board.append(f"{number:>3}", self._style(number))
            board.append("\n" if number % _BOARD_COLUMNS == 0 else " ")
        board.rstrip()
        return Panel(board)

    def _facts(self, lobby: LobbyView) -> RenderableType:
        facts = [
            f"Latest    {lobby.latest_number or '-'}",
            f"Previous  {lobby.previous_number or '-'}",
            f"Called    {len(self._called)} of {self._highest}",
            "Seed hash, known since the start:",
            f"{lobby.server_seed_hash[:30]}...",
        ]
        return Panel(Text("\n".join(facts)))

    def _grids(self) -> RenderableType:
        table = Table.grid(expand=True)
        for _ in self._bots:
            table.add_column(ratio=1)
        table.add_row(*(Panel(self._grid(bot), title=bot.alien_id) for bot in self._bots))
        return table

    def _grid(self, bot: Bot) -> Text:
        grid = Text(justify="center")
        for row in bot.grid:
            for number in row:
                mark = "*" if number in self._called else " "
                grid.append(f" {number:>2}{mark}", self._style(number))
            grid.append("\n")
        grid.rstrip()
        return grid if bot.grid else Text("no grid yet\n\n", "dim", justify="center")

    def _style(self, number: int) -> str:
        if self._called and number == self._called[-1]:
            return _LATEST
        return _CALLED if number in self._called else ""


def _coins(amount: int) -> str:
    return f"{amount:,} coins"
