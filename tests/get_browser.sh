#!/bin/sh
# Makes sure that a Chromium is there for the page's tests; says so where that cannot be.
find_browser() {
    for name in "${KEATON_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
        [ -n "$name" ] && command -v "$name" >/dev/null 2>&1 && return 0
    done
    return 1
}
find_browser && exit 0
if command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the page's tests"
    as_root=""
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    $as_root apt-get update -qq >/dev/null 2>&1
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1
fi
find_browser || echo "No Chromium, and none could be installed: the page's tests will be skipped." >&2
exit 0
