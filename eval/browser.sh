#!/usr/bin/env bash
# Installs Debian's Chromium and its driver, which the tests of the pages look at them with. As root.
set -euo pipefail
if ! [ -x /usr/bin/chromium ] || ! [ -x /usr/bin/chromedriver ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium chromium-driver
fi
