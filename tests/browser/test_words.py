"""All words of the page are in one catalogue for each language, whole sentences each."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from server.transport.http.pages import ROOT
from tests.browser.conftest import TWO_SEATS, Enter, Serve
from tests.support.wait import TIMEOUT_SECONDS

WORDS = ROOT / "words"
SCRIPTS = sorted(
    path
    for path in ROOT.rglob("*.js")
    if path.relative_to(ROOT).parts[0] not in ("words", "vendor", "ops", "service-worker.js")
)
PAGES = sorted(ROOT / path for path in ("index.html", "offline/index.html", "verify/index.html"))
WITHOUT_WORDS = re.compile(r"<noscript>.*?</noscript>|<[^>]*>", re.S)
"""Of a document: its elements, and what those read who run no script, and so no catalogue."""
COMMENT = re.compile(r"/\*.*?\*/|(?<![:\w])//[^\n]*", re.S)
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`', re.S)
IS_TEXT = re.compile(r"[A-Za-zÀ-ÿ]{2,}[,;:.!?…]? [A-Za-zÀ-ÿ]{2,}|^[A-Z][a-z]+[.!?…]?$")
NO_WORDS = {
    *("Escape", "Home", "End"),  # keys of the keyboard
    *("Authorization", "Date", "AbortError"),
    "Fair Bingo",  # a name in every language
    *("fair-bingo verify", "fair-bingo verify 1"),  # a command
}
"""What looks like words and is none for the player."""
PLURALS = {"zero", "one", "two", "few", "many", "other"}
"""The forms that languages have, as `Intl.PluralRules` names them; each has `other`."""
_STRING = r"""(?:"[^"\n]*"|`[^`\n]*`)"""
CLASSES = re.compile(rf"""\bclass: [^"`\n]*{_STRING}(?:[^"`\n,]*{_STRING})*""")


def catalogue(language: str) -> dict[str, Any]:
    """The words of a language by their keys."""
    if shutil.which("node") is None:
        pytest.skip("node is needed: apt-get install nodejs")
    code = f'import("{WORDS / language}.js").then((m) => console.log(JSON.stringify(m.default)))'
    done = subprocess.run(
        ("node", "--experimental-default-type=module", "-e", code),
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )
    words: dict[str, Any] = json.loads(done.stdout)
    return words


LANGUAGES = [path.stem for path in WORDS.glob("*.js") if path.stem != "index"]


def code_of(path: Path) -> str:
    return COMMENT.sub("", path.read_text("utf-8"))


def forms(words: Any) -> dict[str, str]:
    """The texts of a key by their plural form."""
    return words if isinstance(words, dict) else {"other": words}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_words_stand_outside_the_catalogues(path: Path) -> None:
    code = CLASSES.sub("", code_of(path))
    found = ["".join(texts) for texts in LITERAL.findall(code)]
    plain = [re.sub(r"\$\{.*?\}", "1", text, flags=re.S) for text in found]
    assert [text for text in plain if IS_TEXT.search(text) and text not in NO_WORDS] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_words_stand_in_the_documents_themselves(path: Path) -> None:
    document = path.read_text("utf-8")
    texts = WITHOUT_WORDS.sub("\n", document).replace("{{preloads}}", "").split("\n")
    assert {text for text in texts if text} == {"Fair Bingo"}
    said = re.findall(r'\b(?:placeholder|title|alt|aria-label)="([^"]*)"', document)
    assert said == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_sentence_is_put_together_from_pieces(path: Path) -> None:
    code = code_of(path)
    assert re.findall(r"\$\{t\(|\bt\([^()]*\) \+|\+ t\(", code) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_words_with_the_same_values_in_them(language: str) -> None:
    english, other = catalogue("en"), catalogue(language)
    assert other.keys() == english.keys()
    for key, words in other.items():
        values = {name for text in forms(english[key]).values() for name in fields(text)}
        assert all(text.strip() for text in forms(words).values()), key
        assert {name for text in forms(words).values() for name in fields(text)} == values, key
        assert {"other"} <= forms(words).keys() <= PLURALS, key


def fields(text: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", text)


def test_every_key_that_the_page_asks_for_is_there_and_every_one_is_asked_for() -> None:
    words = catalogue("en")
    code = "\n".join(map(code_of, SCRIPTS)) + code_of(WORDS / "index.js")
    literal = set(re.findall(r'"(\w+\.\w+)"', code)) & words.keys()
    asked = re.findall(r'\bt\(\s*"([\w.]+)"', code)
    assert set(asked) <= words.keys()
    prefixes = (*re.findall(r"`(\w+\.\w*)\$\{", code), "refusal.")
    assert {key for key in words if key not in literal and not key.startswith(prefixes)} == set()


async def test_the_page_is_in_the_browsers_language_or_the_one_that_is_chosen(
    serve: Serve, enter: Enter
) -> None:
    world = await serve(**TWO_SEATS)
    ann = await enter(world, "ann", locale="de-DE")
    await ann.arrive()
    await ann.press("Platz nehmen für 3.500 Münzen")
    await ann.sees("Ein Platz ist für dich reserviert")
    await expect(ann.page.locator("html")).to_have_attribute("lang", "de")
    await ann.shoot("german")
    await ann.page.get_by_label("Sprache").select_option("en")
    await ann.sees("A seat is held for you")
    await ann.page.reload()
    await expect(ann.page.get_by_label("Language")).to_have_value("en")
    await ann.sees("A seat is held for you")


async def test_the_game_is_explained_once_before_the_first_seat(serve: Serve, enter: Enter) -> None:
    ann = await enter(await serve(), "ann")
    await ann.arrive()
    await ann.sees("How it goes")
    assert await ann.page.locator(".introduction svg").count() == 3
    await ann.shoot("introduction")
    await ann.press("Got it")
    await ann.page.reload()
    await ann.sees("Take a seat")
    await ann.sees_no("How it goes")


@pytest.mark.parametrize("path", ["verify", "ops"])
async def test_the_other_pages_speak_the_language_that_they_say(
    serve: Serve, enter: Enter, path: str
) -> None:
    world = await serve()
    ann = await enter(world, "ann", locale="de-DE")
    await ann.page.goto(f"{world.url}/{path}")
    language, words = {
        "verify": ("de", "War diese Ziehung fair?"),
        "ops": ("en", "What operators did"),
    }[path]
    await ann.sees(words)
    await expect(ann.page.locator("html")).to_have_attribute("lang", language)
