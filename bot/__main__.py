"""The entry of the command line; what it can do stands in `bot.cli.program`, and is imported when it is needed.

Exit codes: 0, 1 for what the user can fix, 2 for wrong usage, 3 for what the operator can fix, 130 after Ctrl+C.
"""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line; the console script `keaton`."""
    before = os.umask(0o077)  # what Keaton writes is for the user that it runs as
    try:
        from bot.cli.program import run_program  # noqa: PLC0415 - Ctrl+C meanwhile must not print a traceback

        code = run_program()
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)
    finally:
        os.umask(before)
    if code:
        sys.exit(code)


if __name__ == "__main__":
    main()
