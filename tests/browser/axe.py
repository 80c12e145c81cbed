"""What axe-core finds wrong with a page, in both colour schemes."""

from typing import Final, Literal

from tests.browser.person import Person

_SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
_OPTIONS: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


async def faults(person: Person, name: str = "") -> list[tuple[str, ...]]:
    """Each by its scheme, rule, element and reason. With a `name` a picture of each scheme is kept
    for people to look at. axe's script is in the page already."""
    found: list[tuple[str, ...]] = []
    for scheme in _SCHEMES:
        await person.page.emulate_media(color_scheme=scheme)
        if name:
            await person.shoot(f"{name}-{scheme}")
        result = await person.page.evaluate("(options) => axe.run(document, options)", _OPTIONS)
        found += [
            (scheme, violation["id"], str(node["target"]), node["failureSummary"])
            for violation in result["violations"]
            for node in violation["nodes"]
        ]
    return found
