"""What a person does on the page most."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

QUERY = "/find a woman swimming in water"


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def log(page: Page) -> Locator:
    return page.get_by_role("log")


async def ask(page: Page, text: str = QUERY) -> None:
    await box(page).fill(text)
    await box(page).press("Enter")
