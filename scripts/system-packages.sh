#!/usr/bin/env bash
# Installs the Debian packages that are missing. Usage: system-packages.sh serve|test
set -euo pipefail

packages=(python3-venv libgomp1 ca-certificates)
if [[ "${1:-}" == test ]]; then
    # A real browser, what its driver links to, recorded speech to talk with, the other database, and what builds pages.
    packages+=(chromium libatomic1 asterisk-core-sounds-en-g722 postgresql nodejs npm)
fi

command -v dpkg-query >/dev/null || {
    echo "This is no Debian: make sure that these are installed: ${packages[*]}" >&2
    exit 0
}

missing=()
for package in "${packages[@]}"; do
    # A Python from elsewhere brings its own venv; a Node from elsewhere brings its own npm.
    [[ "$package" == python3-venv ]] && "${PYTHON:-python3}" -c 'import ensurepip' 2>/dev/null && continue
    [[ "$package" == nodejs || "$package" == npm ]] && command -v npm >/dev/null && continue
    dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
((${#missing[@]})) || exit 0

install=(apt-get install --yes --no-install-recommends "${missing[@]}")
echo "System packages: installing ${missing[*]}"
if [[ $EUID -eq 0 ]]; then
    as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo)
else
    echo "They are missing, and only root can install them. Please run: sudo ${install[*]}" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" "${install[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "apt-get failed; its last lines are above." >&2
    exit 1
fi
