"""The address of the local chat's page, with its token, and opening it in the browser."""

from __future__ import annotations

import logging
import webbrowser
from typing import TYPE_CHECKING

import click

from bot.web.access import kept_token, opening_page
from core.errors import BadSetting, StorageUnusable

if TYPE_CHECKING:
    from bot.settings import Settings

logger = logging.getLogger(__name__)


def page_token(settings: Settings) -> str:
    """Return the token that the page's address ends in; blocks. Raises StorageUnusable."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        return kept_token(settings.data_dir)
    except OSError as error:
        raise StorageUnusable(str(settings.data_dir), error.strerror or str(error)) from error


def print_address(settings: Settings) -> None:
    """Print the address that a running Keaton serves its page at. Raises BadSetting, StorageUnusable."""
    if not settings.opens_page:
        raise BadSetting("KEATON_WEB", 'it keeps the page closed, as a token is set; "on" opens it')
    token = page_token(settings)
    if not settings.web_port:
        click.echo("The page has another port at each start (KEATON_WEB_PORT=0), so the address ends in:", err=True)
        click.echo(f"/?token={token}")
        return
    click.echo(f"http://127.0.0.1:{settings.web_port}/?token={token}")


def open_browser(settings: Settings, address: str) -> None:
    """Open the page in the browser, if there is one; blocks."""
    try:
        if webbrowser.open(opening_page(settings.data_dir, address).as_uri()):
            return
    except (OSError, webbrowser.Error) as error:
        logger.debug("no browser was opened: %s", error)
    click.echo("Open that address in a browser.")
